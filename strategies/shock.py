"""Short what lives on AI demand when news undercuts it, long when news builds it up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from strategies.rule import Rule, need, spread
from strategies.signals import Floats, Reactions
from strategies.timers import crossings, hold_directions
from strategies.view import View


@dataclass(frozen=True, kw_only=True)
class Shock(Rule):
    """Trades chips and power on the AI-disruption sentiment of the news.

    The signal is the decaying sum of relevance x sentiment over stories, times each symbol's exposure.
    """

    name: ClassVar[str] = "shock"
    about: ClassVar[str] = "short chips and power on disruption, long on build-out"
    traded: ClassVar[tuple[str, ...]] = ("chips", "power", "platforms")

    threshold: float = 0.5  # signal at which it acts; one clear, fully relevant story is about 0.5 to 1
    hold: int = 3  # sessions, open to open
    half_life: float = 1.0  # sessions after which half of a headline's weight is left
    reactions: Reactions = "with-cause"  # may headlines about a move under way trade
    hedge: Literal["none", "platforms", "SPY"] = "none"  # other side of a dollar-neutral book; SPY = the benchmark
    refresh: bool = False  # does a signal that stays beyond its threshold restart the holding period

    def __post_init__(self) -> None:
        """Checks the ranges."""
        Rule.__post_init__(self)
        need(self.threshold > 0, f"threshold {self.threshold} must be above 0")

    def observe(self, view: View) -> tuple[Floats, ...]:
        """Signal now and one session before, exposure of the traded symbols, and the hedge's members."""
        sums = view.news("sentiment", half_life=self.half_life, reactions=self.reactions)
        exposed = view.exposure * view.masks("chips", "power")
        if self.hedge == "platforms":
            hedge = view.masks("platforms")
        else:
            hedge = exposed * 0.0
            if self.hedge == "SPY":
                hedge[view.symbols.index(view.benchmark)] = 1.0
        before = float(sums[-2]) if len(sums) > 1 else 0.0
        return float(sums[-1]) * exposed, before * exposed, exposed, hedge

    def step(self, state: Floats, rows: tuple[Floats, ...]) -> Floats:
        """Holds each triggered symbol in the signal's direction, weighted by exposure."""
        now, before, exposed, hedge = rows
        triggers = crossings(now, before, self.threshold, level=self.refresh)
        hold_directions(state[0], state[1], triggers, self.hold, refresh=self.refresh)
        legs = state[0] * abs(exposed)
        if self.hedge == "none":
            return spread(legs, self.gross, self.name_cap)
        weights = spread(legs, self.gross / 2, self.name_cap)
        net = 0.0
        for weight in weights:
            net += float(weight)
        return weights - spread(hedge, 1.0) * net
