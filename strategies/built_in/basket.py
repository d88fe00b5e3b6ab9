"""Spreads one bet on AI demand over everything exposed to it, each by its exposure and sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from strategies.holding import hold_signed
from strategies.rule import parameter
from strategies.signals import Floats, Reactions
from strategies.sized_rule import SizedRule, Sizing
from strategies.universe import CHANNELS
from strategies.view import View

Channels = Literal["all", "demand", "compute", "power", "gas", "margin"]
_OF: dict[Channels, tuple[str, ...]] = {
    "all": CHANNELS[:4],
    "demand": CHANNELS[:2],
    "compute": CHANNELS[:1],
    "power": CHANNELS[1:2],
    "gas": CHANNELS[2:3],
    "margin": CHANNELS[3:4],
}


@dataclass(frozen=True, kw_only=True)
class Basket(SizedRule):
    """Holds every exposed stock in the direction of news x exposure: platforms gain where compute gets cheaper."""

    name: ClassVar[str] = "basket"
    about: ClassVar[str] = "all exposed stocks by exposure and sign, in the direction of the news"
    traded: ClassVar[tuple[str, ...]] = ("chips", "power", "gear", "platforms", "software")

    sizing: Sizing = parameter("signal", "", "size of a position: the same, by exposure (signal), by 1 / volatility")
    channels: Channels = parameter("all", "", "which exposures count; all: the four without displacement")
    threshold: float = parameter(0.5, "signal", "size of the AI-wide signal at which it acts")
    hold: int = parameter(3, "sessions", "holding period, open to open")
    half_life: float = parameter(1.0, "sessions", "after which half of a headline's weight is left")
    reactions: Reactions = parameter("with-cause", "", "may headlines about a move under way trade")

    def observe(self, view: View) -> tuple[Floats, ...]:
        """Returns the AI-wide signal now and before (one number for all), the exposures' signs, and sizes."""
        sums = view.news("sentiment", half_life=self.half_life, reactions=self.reactions)
        exposed = view.exposures(*_OF[self.channels]) * view.masks(*self.traded_sectors)
        before = sums[-2] if len(sums) > 1 else 0.0
        count = len(exposed)
        return sums[-1] * np.ones(count), before * np.ones(count), np.sign(exposed), self.sizes(view, exposed)

    def reached_by(self) -> tuple[str, ...]:
        """Returns the channels chosen."""
        return _OF[self.channels]

    def numbers(self) -> tuple[float, ...]:
        """Returns threshold, holding period."""
        return float(self.threshold), float(self.hold)

    @staticmethod
    def advance(numbers: tuple[float, ...], state: Floats, rows: Floats) -> bool:
        """Triggers on the AI-wide signal; each symbol takes the sign of its exposure."""
        return hold_signed(state, rows, numbers[0], numbers[1])
