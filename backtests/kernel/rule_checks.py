"""Checks a user's rule in a compiled run: what no replay would take ends it in the same words."""

from __future__ import annotations

import dataclasses

import numpy as np

from backtests.kernel.decisions import Decisions
from backtests.user_strategies.checks import EXCESS, failed, wrong_weights
from feeds.errors import InputError
from strategies.rule import Rule
from strategies.signals import Floats
from strategies.view import Market


def check_step(rule: Rule, market: Market, session: int, rows: Floats) -> None:
    """Takes a step in Python: compiled, a mistake in it may go unseen.

    Args:
        rule: The rule.
        market: Its market.
        session: Number in the window of the first that the rule is asked for.
        rows: Shape (rows, symbols): what it sees then.

    Raises:
        InputError: The step fails.
    """
    try:
        rule.step(rule.fresh_state(rows.shape[1]), tuple(rows))
    except Exception as wrong:
        raise failed(_file(rule), rule.name, market.sessions[market.first + session], wrong) from wrong


def check_weights(rule: Rule, market: Market, caps: Floats, made: Decisions) -> None:
    """Looks at all weights at once, and closely only at those that are suspect.

    Args:
        rule: Any of the rules that made them.
        market: Whose symbols they are for.
        caps: Shape (runs, 3): gross, name_cap and net_cap of each.
        made: Their decisions.

    Raises:
        InputError: Weights that are no numbers, beyond a cap, or of a symbol that the rule may not hold.
    """
    places = zip(market.symbols, market.sectors, strict=True)
    held = np.array([rule.holds(sector, name, market.benchmark) for name, sector in places])
    capped = held & (np.array(market.sectors) != "funds")
    runs = np.unique(np.column_stack([made.slots, caps]), axis=0, return_index=True)[1]
    changes, weights = made.changes[made.slots[runs]], made.weights[made.slots[runs]]
    made_rows = np.arange(weights.shape[1]) <= changes.max(axis=1)[:, None]  # what lies behind them was never written
    with np.errstate(invalid="ignore", over="ignore"):
        sizes, (gross, name_cap, net_cap) = abs(weights), caps[runs].T[:, :, None] * (1 + EXCESS)
        fine = (sizes.sum(axis=2) <= gross) & (abs(weights.sum(axis=2)) <= net_cap)  # False for NaN
        fine &= (sizes[:, :, capped] <= name_cap[:, :, None]).all(axis=2) & (sizes[:, :, ~held] == 0).all(axis=2)
    for run, row in np.argwhere(made_rows & ~fine):
        gross_, name_cap_, net_cap_ = caps[runs[run]].tolist()
        own = dataclasses.replace(rule, gross=gross_, name_cap=name_cap_, net_cap=net_cap_)
        wrong = wrong_weights(own, market.symbols, market.sectors, market.benchmark, weights[run, row])
        if wrong:
            session = market.sessions[market.first + int(np.flatnonzero(changes[run] == row)[0])]
            raise InputError(f"{_file(rule)}: {rule.name} for session {session}: {wrong}")


def _file(rule: Rule) -> str:
    return rule.code.file if rule.code is not None else rule.name
