"""Follows the gap between last close and open, without any news: a baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from strategies.holding import STATE_ROWS, TRIGGER, hold_equal
from strategies.rule import Rule, need, parameter
from strategies.signals import Floats
from strategies.view import View


@dataclass(frozen=True, kw_only=True)
class GapOnly(Rule):
    """Follows large opening gaps. It knows an open only after the auction, so it fills at that session's close."""

    name: ClassVar[str] = "gap-only"
    about: ClassVar[str] = "follow the opening gap, filled at that session's close, no news"
    is_baseline: ClassVar[bool] = True
    news: ClassVar[bool] = False
    after_open: ClassVar[bool] = True
    state_rows: ClassVar[int] = STATE_ROWS

    gap_pct: float = parameter(3.0, "percent", "opening gap at which it acts, of the last close")
    hold: int = parameter(3, "sessions", "holding period, close to close")

    def __post_init__(self) -> None:
        """Checks the ranges."""
        Rule.__post_init__(self)
        need(self.gap_pct > 0, f"gap_pct {self.gap_pct} must be above 0 percent")

    def observe(self, view: View) -> tuple[Floats, ...]:
        """Returns each symbol's opening gap as a fraction of the last close, 0 where there is no bar."""
        return (np.nan_to_num(view.opens[-1] / view.closes[-1] - 1) * view.masks(*self.traded_sectors),)

    def numbers(self) -> tuple[float, ...]:
        """Returns the gap as a fraction, holding period."""
        return self.gap_pct / 100, float(self.hold)

    @staticmethod
    def advance(numbers: tuple[float, ...], state: Floats, rows: Floats) -> bool:
        """Holds the gapped symbols in the gap's direction."""
        triggered = False
        for index in range(rows.shape[1]):
            gap = rows[0, index]
            trigger = 1.0 if gap >= numbers[0] else (-1.0 if gap <= -numbers[0] else 0.0)
            state[TRIGGER, index] = trigger
            triggered = triggered or trigger != 0
        return hold_equal(state, triggered, numbers[1], False)
