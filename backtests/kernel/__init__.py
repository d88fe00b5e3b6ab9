"""Runs the replay's rules and broker compiled, thousands of runs at once.

    episode, news ─► tables of bars, actions, loans (`arrays`)
    rule.observe, in Python ─► rows, once for all runs that read the same (`observations`)
    rule.advance and weigh, compiled ─► weights where they change (`decisions`)
    docs/broker.md, compiled ─► fills and equity (`accounts`)

numba is imported when the first run is asked for, never by `backtest run`. Equal to the replay to 1e-9; where the
engine cannot follow (bars of minutes, both auctions, a rule that overrides `step`) `why_not` says so and the replay
is used.
"""

from __future__ import annotations

from backtests.kernel.runs import Compiled, Runs, why_not

__all__ = ["Compiled", "Runs", "why_not"]
