"""Trades one against another: hedges away the part of a move that the whole market or sector makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from strategies.holding import PART, STATE_ROWS, TRIGGER, crossings, hold_positions
from strategies.price_statistics import basket_returns, beta
from strategies.rule import need, parameter
from strategies.signals import Floats, Reactions
from strategies.sized_rule import SizedRule
from strategies.sizing import cap_net
from strategies.universe import DEMAND
from strategies.view import View

# the fund that stands for a sector; the benchmark where it has none, or no prices
FUNDS = {"chips": "SMH", "power": "XLU", "software": "IGV"}

_BETA, _GROUP, _MEMBER = range(STATE_ROWS, STATE_ROWS + 3)  # rows of the state: beta at entry, the groups of `observe`


@dataclass(frozen=True, kw_only=True)
class Pairs(SizedRule):
    """Trades one leg on the news and hedges it by its trailing beta on the other leg.

    `chips-power`: chips in the direction of the AI-wide news against power, which feels the same news a step later; of
    `sectors` the first against the others.
    `fund`: each company in the direction of the news that names it, against its sector's fund.
    """

    name: ClassVar[str] = "pairs"
    about: ClassVar[str] = "chips against power, or a company in the news against its sector's fund, beta-hedged"
    hedges: ClassVar[tuple[str, ...]] = ("funds",)
    state_rows: ClassVar[int] = STATE_ROWS + 3

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
        alone = self.pair == "chips-power" and len(self.traded_sectors) < 2
        need(not alone, f"sectors {self.sectors!r}: a pair needs two, the first traded against the other: chips+power")

    def observe(self, view: View) -> tuple[Floats, ...]:
        """Returns signal now and before, sizes, betas, each symbol's hedging group, and the group it is a hedge in."""
        if self.pair == "fund":
            return self._against_funds(view)
        sums = view.news("sentiment", half_life=self.half_life, reactions=self.reactions)
        first, *others = self.traded_sectors
        chips, power = view.exposure * view.masks(first), view.masks(*others) * listed(view)
        closes = view.closes[-self.beta_sessions - 1 :]
        slope = beta(basket_returns(closes, chips), basket_returns(closes, power))
        before = sums[-2] if len(sums) > 1 else 0.0
        rows = sums[-1] * chips, before * chips, self.sizes(view, chips) * listed(view)
        return *rows, np.full(len(chips), slope), np.where(chips != 0, 1.0, 0.0), power

    def _against_funds(self, view: View) -> tuple[Floats, ...]:
        named = view.named(half_life=self.half_life, reactions=self.reactions)
        closes = view.closes[-self.beta_sessions - 1 :]
        legs = view.masks(*self.traded_sectors) * listed(view)
        group, member, slopes = legs * 0.0, legs * 0.0, legs * 0.0
        for number, sector in enumerate(self.traded_sectors, 1):
            fund = FUNDS.get(sector, view.benchmark)
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

    def reached_by(self) -> tuple[str, ...]:
        """Returns the channels of AI demand, which the first leg follows; news that names a company needs none."""
        return DEMAND if self.pair == "chips-power" else ()

    def numbers(self) -> tuple[float, ...]:
        """Returns threshold, holding period."""
        return float(self.threshold), float(self.hold)

    @staticmethod
    def advance(numbers: tuple[float, ...], state: Floats, rows: Floats) -> bool:
        """Holds triggered legs, each with its beta at entry; notes the groups."""
        triggered = crossings(state, rows, numbers[0], False)
        changed = hold_positions(state, triggered, rows[2], numbers[1], False)
        for leg in range(rows.shape[1]):
            if changed and state[TRIGGER, leg] != 0:  # its direction changed
                state[_BETA, leg] = rows[3, leg]
            state[_GROUP, leg], state[_MEMBER, leg] = rows[4, leg], rows[5, leg]
        return True

    @staticmethod
    def weigh(limits: tuple[float, ...], numbers: tuple[float, ...], state: Floats, out: Floats) -> None:
        """Hedges each leg in the members of its group, in equal parts, and scales them as a whole.

        To `gross`, and no leg (non-zero in the row of groups) above the name cap.
        """
        parts, slopes, group, member = state[PART], state[_BETA], state[_GROUP], state[_MEMBER]
        for leg in range(len(parts)):
            out[leg] = parts[leg] if parts[leg] * limits[3] >= 0 else 0.0
        for leg in range(len(parts)):
            if parts[leg] == 0 or parts[leg] * limits[3] < 0:
                continue
            members = 0.0
            for other in range(len(parts)):
                members += 1.0 if member[other] == group[leg] else 0.0
            for other in range(len(parts)):
                if member[other] == group[leg]:
                    out[other] -= parts[leg] * slopes[leg] / members
        total, largest = 0.0, 0.0
        for index in range(len(out)):
            total += abs(out[index])
            if group[index] != 0:
                largest = max(largest, abs(out[index]))
        scale = limits[0] / total if total > 0 else 0.0
        scale = limits[1] / largest if largest * scale > limits[1] else scale
        for index in range(len(out)):
            out[index] *= scale
        cap_net(out, limits[2])


def listed(view: View) -> Floats:
    """Returns 1.0 for symbols with a bar in the last session, 0.0 for others."""
    return np.where(np.isnan(view.closes[-1]), 0.0, 1.0)
