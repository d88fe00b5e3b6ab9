"""Sells what lives on AI demand when news undercuts it, buys it when news builds it up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from strategies.holding import PART, STATE_ROWS, crossings, hold_positions
from strategies.rule import parameter
from strategies.signals import Floats, Reactions
from strategies.sized_rule import SizedRule, Sizing
from strategies.sizing import cap_net, share_out, spread, weigh_parts
from strategies.universe import DEMAND
from strategies.view import View

_HEDGE = STATE_ROWS  # row of the state: the hedge's members


@dataclass(frozen=True, kw_only=True)
class Shock(SizedRule):
    """Trades chips and power on the AI-disruption sentiment of the news.

    The signal is the decaying sum of relevance x sentiment over stories, times each symbol's exposure.
    """

    name: ClassVar[str] = "shock"
    about: ClassVar[str] = "short chips and power on disruption, long on build-out"
    every_reaction: ClassVar[bool] = True
    hedges: ClassVar[tuple[str, ...]] = ("platforms",)
    state_rows: ClassVar[int] = STATE_ROWS + 1

    sizing: Sizing = parameter("signal", "", "size of a position: the same, by exposure (signal), by 1 / volatility")
    threshold: float = parameter(0.5, "signal", "size at which it acts; one clear, fully relevant story is 0.5 to 1")
    hold: int = parameter(3, "sessions", "holding period, open to open")
    half_life: float = parameter(1.0, "sessions", "after which half of a headline's weight is left")
    reactions: Reactions = parameter("with-cause", "", "may headlines about a move under way trade")
    hedge: Literal["none", "platforms", "SPY"] = parameter(
        "none", "", "other side of dollar-neutral positions; SPY stands for the benchmark"
    )
    refresh: bool = parameter(False, "", "does a signal that stays beyond its threshold restart the holding period")

    def observe(self, view: View) -> tuple[Floats, ...]:
        """Returns signal now and one session before, size of a position entered now, and the hedge's members."""
        sums = view.news("sentiment", half_life=self.half_life, reactions=self.reactions)
        exposed = view.exposure * view.masks(*self.traded_sectors)
        hedge = view.masks("platforms") if self.hedge == "platforms" else exposed * 0.0
        if self.hedge == "SPY":
            hedge[view.symbols.index(view.benchmark)] = 1.0
        before = sums[-2] if len(sums) > 1 else 0.0
        return sums[-1] * exposed, before * exposed, self.sizes(view, exposed), hedge

    def reached_by(self) -> tuple[str, ...]:
        """Returns the channels of AI demand."""
        return DEMAND

    def numbers(self) -> tuple[float, ...]:
        """Returns threshold, holding period, refresh and whether there is a hedge."""
        return float(self.threshold), float(self.hold), float(self.refresh), float(self.hedge != "none")

    @staticmethod
    def advance(numbers: tuple[float, ...], state: Floats, rows: Floats) -> bool:
        """Holds each triggered symbol in the signal's direction; notes the hedge's members."""
        refresh, hedged = numbers[2] > 0, numbers[3] > 0
        triggered = crossings(state, rows, numbers[0], refresh)
        changed = hold_positions(state, triggered, rows[2], numbers[1], refresh)
        if hedged:
            for index in range(rows.shape[1]):
                state[_HEDGE, index] = rows[3, index]
        return changed or hedged

    @staticmethod
    def weigh(limits: tuple[float, ...], numbers: tuple[float, ...], state: Floats, out: Floats) -> None:
        """Weighs positions; a hedge takes the opposite of their sum."""
        if numbers[3] == 0:
            weigh_parts(limits, state[PART], out)
            return
        share_out(state[PART], limits[3], limits[0] / 2, limits[1], out)
        net = 0.0
        for weight in out:
            net += weight
        hedge = spread(state[_HEDGE], 1.0)
        for index in range(len(out)):
            out[index] -= hedge[index] * net
        cap_net(out, limits[2])
