"""The compiled engine: the same rules and the same book as the replay, thousands of runs at once.

    episode, news ─► tables of bars, actions, loans (`tables`)
    rule.observe, in Python ─► rows, once for all runs that read the same (`observing`)
    rule.advance and weigh, compiled ─► weights where they change (`deciding`)
    docs/broker.md, compiled ─► fills and equity (`ledger`)

numba is imported when the first run is asked for, never by `backtest run`. Equal to the replay to 1e-9; where the
engine cannot follow (bars of minutes, both auctions, a rule that overrides `step`) `why_not` says so and the replay
is used.
"""

from __future__ import annotations

from backtests.kernel.runs import Compiled, Runs, why_not

__all__ = ["Compiled", "Runs", "why_not"]
