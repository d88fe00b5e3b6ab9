"""Short what lives on AI demand when news undercuts it, long when news builds it up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from strategies.rule import parameter
from strategies.signals import Floats, Reactions
from strategies.sizing import SizedRule, Sizing, kept, net_capped, spread, weighted
from strategies.timers import crossings, hold_positions
from strategies.view import View


@dataclass(frozen=True, kw_only=True)
class Shock(SizedRule):
    """Trades chips and power on the AI-disruption sentiment of the news.

    The signal is the decaying sum of relevance x sentiment over stories, times each symbol's exposure.
    """

    name: ClassVar[str] = "shock"
    about: ClassVar[str] = "short chips and power on disruption, long on build-out"
    every_reaction: ClassVar[bool] = True
    traded: ClassVar[tuple[str, ...]] = ("chips", "power", "platforms")

    sizing: Sizing = parameter("signal", "", "size of a position: the same, by exposure (signal), by 1 / volatility")
    threshold: float = parameter(0.5, "signal", "size at which it acts; one clear, fully relevant story is 0.5 to 1")
    hold: int = parameter(3, "sessions", "holding period, open to open")
    half_life: float = parameter(1.0, "sessions", "after which half of a headline's weight is left")
    reactions: Reactions = parameter("with-cause", "", "may headlines about a move under way trade")
    hedge: Literal["none", "platforms", "SPY"] = parameter(
        "none", "", "other side of a dollar-neutral book; SPY stands for the benchmark"
    )
    refresh: bool = parameter(False, "", "does a signal that stays beyond its threshold restart the holding period")

    def observe(self, view: View) -> tuple[Floats, ...]:
        """Signal now and one session before, size of a position entered now, and the hedge's members."""
        sums = view.news("sentiment", half_life=self.half_life, reactions=self.reactions)
        exposed = view.exposure * view.masks("chips", "power")
        hedge = view.masks("platforms") if self.hedge == "platforms" else exposed * 0.0
        if self.hedge == "SPY":
            hedge[view.symbols.index(view.benchmark)] = 1.0
        before = sums[-2] if len(sums) > 1 else 0.0
        return sums[-1] * exposed, before * exposed, self.sizes(view, exposed), hedge

    def numbers(self) -> tuple[float, ...]:
        """The limits, threshold, holding period, refresh and whether there is a hedge."""
        flags = float(self.refresh), float(self.hedge != "none")
        return (*SizedRule.numbers(self), float(self.threshold), float(self.hold), *flags)

    @staticmethod
    def advance(numbers: tuple[float, ...], state: Floats, rows: tuple[Floats, ...]) -> Floats:
        """Holds each triggered symbol in the signal's direction; a hedge takes the opposite of their sum."""
        now, before, sizes, hedge = rows
        refresh = numbers[6] > 0
        parts = hold_positions(state, crossings(now, before, numbers[4], refresh), sizes, numbers[5], refresh)
        if numbers[7] == 0:
            return weighted(parts, numbers)
        weights = spread(kept(parts, numbers[3]), numbers[0] / 2, numbers[1])
        net = 0.0
        for weight in weights:
            net += weight
        return net_capped(weights - spread(hedge, 1.0) * net, numbers[2])
