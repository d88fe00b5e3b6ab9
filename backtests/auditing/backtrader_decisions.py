"""A user's bt.Strategy before the court: it is replayed with what was known at each decision, then among canaries.

Its decisions cannot be made one by one, since it keeps its state where it likes and acts on its book. So the whole
replay is made again: each bar is made when it is due, with signal lines from a market cut at that moment; in the second
pass all whole data in memory are wild while it decides.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from backtests.auditing.counterfactual import Worlds, held, spoiled
from backtests.auditing.decisions import AuditedRule, Decision, Violation
from backtests.broker.terms import BrokerTerms
from backtests.engine.strategy_run import run_strategy
from backtests.episodes.episode import Episode
from backtests.user_strategies.adapter import StrategyRule
from backtests.user_strategies.side_effects import watched
from strategies.view import Market


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyCase(AuditedRule):
    """One bt.Strategy before the court."""

    episode: Episode
    terms: BrokerTerms

    def decide_alone(self) -> list[Decision]:
        """Replays it on bars and signal lines that are made when they are due."""

        @contextlib.contextmanager
        def noting(row: int) -> Iterator[None]:
            with watched() as notes:
                yield
            self.note(row, notes)

        return self._replayed(noting)

    def against_bait(self, alone: Sequence[Decision], worlds: Worlds) -> Iterator[tuple[int, Violation]]:
        """Replays it while all whole data in memory are wild from each decision's session on."""
        baits = [worlds.bait(row, after_open=False) for row in range(self.whole.first, worlds.episode.window.stop)]
        kept = held([*baits, *self.cuts])

        @contextlib.contextmanager
        def baited(row: int) -> Iterator[None]:
            with spoiled(kept, baits[row - self.whole.first], self.whole.sessions[row], after_open=False):
                yield

        for row, (mine, other) in enumerate(zip(alone, self._replayed(baited), strict=True), self.whole.first):
            column = self.differs(mine, other)
            if column is not None:
                what = "canary planted in data that the strategy reaches"
                yield row, self.violation(row, column, mine, other, what, self.inputs(self.whole, row))

    def _replayed(self, around: Callable[[int], contextlib.AbstractContextManager[None]]) -> list[Decision]:
        """Its targets after each session; from the session on in which it fails, what it died of."""
        decided: list[tuple[str, str, float]] = []
        rows = [self.whole.first]

        @contextlib.contextmanager
        def counted(row: int) -> Iterator[None]:
            rows.append(row)
            with around(row):
                yield

        if not isinstance(self.rule, StrategyRule):
            raise TypeError(f"{self.name} is no bt.Strategy")
        try:
            run_strategy(
                self.episode, self.whole, self.rule, self.terms,
                known=self._known, around=counted, decisions=decided,
            )  # fmt: skip
        except Exception as died:  # noqa: BLE001 (whatever it dies of, it has not decided without the future)
            stop = rows[-1] - self.whole.first
            return [*list(self.targets(decided))[:stop], *[died] * (len(self.cuts) - stop)]
        return list(self.targets(decided))

    def _known(self, row: int) -> Market:
        return self.cuts[row - self.whole.first]
