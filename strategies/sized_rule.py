"""Chooses the side a rule keeps and the size of a position, in one place for all rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from strategies.holding import STATE_ROWS
from strategies.price_statistics import volatility
from strategies.rule import Rule, need, parameter
from strategies.signals import Floats
from strategies.sizing import inverse
from strategies.view import View

Side = Literal["both", "long", "short"]
Sizing = Literal["equal", "signal", "inverse-vol"]
SIDES: dict[Side, float] = {"both": 0.0, "long": 1.0, "short": -1.0}


@dataclass(frozen=True, kw_only=True)
class SizedRule(Rule):
    """Adds a side and a way of sizing to a rule.

    A position's size is fixed when it is entered, so that a target changes only when a position does.
    """

    state_rows: ClassVar[int] = STATE_ROWS

    side: Side = parameter("both", "", "which positions are kept: long, short or both")
    sizing: Sizing = parameter(
        "equal", "", "size of a position against the others: the same, by signal, by 1 / volatility"
    )
    vol_sessions: int = parameter(20, "sessions", "close-to-close returns before the decision that make the volatility")

    def __post_init__(self) -> None:
        """Checks the ranges."""
        Rule.__post_init__(self)
        need(2 <= self.vol_sessions <= 250, f"vol_sessions {self.vol_sessions} must be from 2 to 250 sessions")

    def limits(self) -> tuple[float, ...]:
        """Returns gross, name cap, net cap, side (0 both, 1 long, -1 short)."""
        return float(self.gross), float(self.name_cap), float(self.net_cap), SIDES[self.side]

    def sizes(self, view: View, strengths: Floats) -> Floats:
        """Returns the size of each symbol's position if it were entered now, relative to the others; at least 0.

        `strengths` are the symbols' own shares of the signal, of any sign.
        """
        if self.sizing == "signal":
            return abs(strengths)
        if self.sizing == "equal":
            return np.where(strengths != 0, 1.0, 0.0)
        return inverse(volatility(view.closes[-self.vol_sessions - 1 :])) * np.where(strengths != 0, 1.0, 0.0)
