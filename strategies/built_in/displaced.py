"""Sells what AI replaces when news says that it does, buys it on relief."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from strategies.holding import hold_signed
from strategies.rule import parameter
from strategies.signals import Floats, Reactions
from strategies.sized_rule import SizedRule, Sizing
from strategies.view import View

_CHANNEL = "displacement"


@dataclass(frozen=True, kw_only=True)
class Displaced(SizedRule):
    """Trades software and information services on the displacement axis of the score.

    The signal is the decaying sum of relevance x displacement over stories, times each symbol's exposure to it.
    """

    name: ClassVar[str] = "displaced"
    about: ClassVar[str] = "short what AI replaces on displacement, long on relief from it"
    traded: ClassVar[tuple[str, ...]] = ("software",)

    sizing: Sizing = parameter("signal", "", "size of a position: the same, by exposure (signal), by 1 / volatility")
    threshold: float = parameter(0.5, "signal", "size of the AI-wide signal at which it acts")
    hold: int = parameter(3, "sessions", "holding period, open to open")
    half_life: float = parameter(1.0, "sessions", "after which half of a headline's weight is left")
    reactions: Reactions = parameter("with-cause", "", "may headlines about a move under way trade")

    def observe(self, view: View) -> tuple[Floats, ...]:
        """Returns the signal now and before (one number for all), which way it moves each symbol, and sizes."""
        sums = view.news("displacement", half_life=self.half_life, reactions=self.reactions)
        exposed = view.exposures(_CHANNEL) * view.masks(*self.traded_sectors)
        before, every = sums[-2] if len(sums) > 1 else 0.0, np.ones(len(exposed))
        # the table says what more displacement does to a symbol; the score's -1 is more displacement
        return sums[-1] * every, before * every, -np.sign(exposed), self.sizes(view, exposed)

    def reached_by(self) -> tuple[str, ...]:
        """Returns the channel of displacement."""
        return (_CHANNEL,)

    def numbers(self) -> tuple[float, ...]:
        """Returns threshold, holding period."""
        return float(self.threshold), float(self.hold)

    @staticmethod
    def advance(numbers: tuple[float, ...], state: Floats, rows: Floats) -> bool:
        """Triggers on the AI-wide signal; each symbol takes the sign of its exposure."""
        return hold_signed(state, rows, numbers[0], numbers[1])
