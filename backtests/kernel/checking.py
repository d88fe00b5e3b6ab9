"""Weights of a user's own rule: what no replay would take ends a compiled run in the same line."""

from __future__ import annotations

import dataclasses

import numpy as np

from backtests.kernel.deciding import Decisions
from backtests.own import EXCESS, wrong_weights
from feeds.errors import InputError
from strategies.rule import Rule
from strategies.signals import Floats
from strategies.view import Market


def check(rule: Rule, market: Market, limits: Floats, made: Decisions) -> None:
    """Looks at all weights at once, and closely only at the first that are suspect.

    Args:
        rule: Any of the rules that made them.
        market: Whose symbols they are for.
        limits: Shape (runs, limits): `Rule.limits()` of each.
        made: Their decisions.

    Raises:
        InputError: Weights that are no numbers, beyond a cap, or of a symbol that the rule may not hold.
    """
    held = np.array([rule.holds(sector, name, market.benchmark) for name, sector in _places(market)])
    capped = held & (np.array(market.sectors) != "funds")
    for run in np.flatnonzero(made.slots == np.arange(len(made.slots))):
        sessions = np.flatnonzero(made.changes[run] >= 0)
        weights = made.weights[run, made.changes[run, sessions]]
        sizes, (gross, name_cap, net_cap) = abs(weights), limits[run, :3] * (1 + EXCESS)
        fine = (sizes.sum(axis=1) <= gross) & (abs(weights.sum(axis=1)) <= net_cap)  # False for NaN
        fine &= (sizes[:, capped] <= name_cap).all(axis=1) & (sizes[:, ~held] == 0).all(axis=1)
        for at in np.flatnonzero(~fine):
            own = dataclasses.replace(rule, **dict(zip(("gross", "name_cap", "net_cap"), limits[run], strict=False)))
            wrong = wrong_weights(own, market.symbols, market.sectors, market.benchmark, weights[at])
            if wrong:
                where = rule.code.file if rule.code is not None else rule.name
                session = market.sessions[market.first + sessions[at]]
                raise InputError(f"{where}: {rule.name} for session {session}: {wrong}")


def _places(market: Market) -> list[tuple[str, str]]:
    return list(zip(market.symbols, market.sectors, strict=True))
