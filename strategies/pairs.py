"""One against another: the part of a move that the whole market or sector makes is hedged away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from strategies.rule import need, parameter
from strategies.signals import Floats, Reactions
from strategies.sizing import SizedRule, kept, net_capped
from strategies.timers import crossings, hold_positions
from strategies.trailing import basket_returns, beta
from strategies.view import View

FUNDS = (("chips", "SMH"), ("power", "XLU"))  # the fund that stands for a sector; the benchmark where it has no prices


@dataclass(frozen=True, kw_only=True)
class Pairs(SizedRule):
    """Trades one leg on the news and hedges it by its trailing beta on the other leg.

    `chips-power`: chips in the direction of the AI-wide news against power, which feels the same news a step later.
    `fund`: each company in the direction of the news that names it, against its sector's fund.
    """

    name: ClassVar[str] = "pairs"
    about: ClassVar[str] = "chips against power, or a company in the news against its sector's fund, beta-hedged"
    traded: ClassVar[tuple[str, ...]] = ("chips", "power", "funds")
    state_rows: ClassVar[int] = 4  # and the beta at entry

    pair: Literal["chips-power", "fund"] = parameter("chips-power", "", "which legs")
    threshold: float = parameter(0.5, "signal", "size at which it acts")
    hold: int = parameter(3, "sessions", "holding period, open to open")
    half_life: float = parameter(1.0, "sessions", "after which half of a headline's weight is left")
    reactions: Reactions = parameter("with-cause", "", "may headlines about a move under way trade")
    beta_sessions: int = parameter(60, "sessions", "close-to-close returns before the decision that make the beta")

    def __post_init__(self) -> None:
        """Checks the ranges."""
        SizedRule.__post_init__(self)
        need(10 <= self.beta_sessions <= 250, f"beta_sessions {self.beta_sessions} must be from 10 to 250 sessions")

    def observe(self, view: View) -> tuple[Floats, ...]:
        """Signal now and before, sizes, betas, the group that hedges each symbol, and the group each is a hedge in."""
        if self.pair == "fund":
            return self._against_funds(view)
        sums = view.news("sentiment", half_life=self.half_life, reactions=self.reactions)
        chips, power = view.exposure * view.masks("chips"), view.masks("power") * listed(view)
        closes = view.closes[-self.beta_sessions - 1 :]
        slope = beta(basket_returns(closes, chips), basket_returns(closes, power))
        before = sums[-2] if len(sums) > 1 else 0.0
        rows = sums[-1] * chips, before * chips, self.sizes(view, chips) * listed(view)
        return *rows, np.full(len(chips), slope), np.where(chips != 0, 1.0, 0.0), power

    def _against_funds(self, view: View) -> tuple[Floats, ...]:
        named = view.named(half_life=self.half_life, reactions=self.reactions)
        closes = view.closes[-self.beta_sessions - 1 :]
        legs = view.masks("chips", "power") * listed(view)
        group, member, slopes = legs * 0.0, legs * 0.0, legs * 0.0
        for number, (sector, fund) in enumerate(FUNDS, 1):
            hedge = view.symbols.index(fund if fund in view.symbols else view.benchmark)
            # two sectors without funds of their own share the benchmark, and then its group
            member[hedge] = member[hedge] or number
            against = basket_returns(closes, np.eye(len(legs))[hedge])
            for column, inside in enumerate(view.masks(sector) * legs):
                if inside:
                    group[column] = member[hedge]
                    slopes[column] = beta(basket_returns(closes, np.eye(len(legs))[column]), against)
        before = named[-2] if len(named) > 1 else named[-1] * 0.0
        return named[-1] * legs, before * legs, self.sizes(view, named[-1] * legs), slopes, group, member

    def numbers(self) -> tuple[float, ...]:
        """The limits, threshold, holding period."""
        return (*SizedRule.numbers(self), float(self.threshold), float(self.hold))

    @staticmethod
    def advance(numbers: tuple[float, ...], state: Floats, rows: tuple[Floats, ...]) -> Floats:
        """Holds triggered legs, each with its beta at entry in the members of its hedge group, in equal parts."""
        now, before, sizes, slopes, group, member = rows
        was = state[0].copy()
        parts = hold_positions(state, crossings(now, before, numbers[4], False), sizes, numbers[5], False)
        parts = kept(parts, numbers[3])
        weights = parts.copy()
        for leg in range(len(parts)):
            if state[0][leg] != was[leg]:
                state[3][leg] = slopes[leg]
            members = 0.0
            for other in range(len(parts)):
                members += 1.0 if member[other] == group[leg] else 0.0
            for other in range(len(parts)):
                if parts[leg] != 0 and member[other] == group[leg]:
                    weights[other] -= parts[leg] * state[3][leg] / members
        return net_capped(scaled(weights, group, numbers[0], numbers[1]), numbers[2])


def scaled(weights: Floats, group: Floats, gross: float, cap: float) -> Floats:
    """Scales the book as a whole, hedges with it: to `gross`, and no leg (non-zero in `group`) above `cap`."""
    total, largest = 0.0, 0.0
    for index in range(len(weights)):
        total += abs(weights[index])
        if group[index] != 0:
            largest = max(largest, abs(weights[index]))
    out = weights * 0.0
    if total > 0:
        scale = gross / total
        if largest * scale > cap:
            scale = cap / largest
        for index in range(len(weights)):
            out[index] = weights[index] * scale
    return out


def listed(view: View) -> Floats:
    """Returns 1.0 for symbols with a bar in the last session, 0.0 for others."""
    return np.where(np.isnan(view.closes[-1]), 0.0, 1.0)
