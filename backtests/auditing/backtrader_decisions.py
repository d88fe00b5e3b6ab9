"""Has a user's bt.Strategy decide again: replayed without the future, then before a made-up one.

Its decisions cannot be made one by one, since it keeps its state where it likes and acts on its account. So the whole
replay is made again, on an episode that holds each bar only when it is due, with signal lines from the market known
at each decision: once in a process of its own, once here, where live data are poisoned while it decides.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from backtests.auditing.counterfactual import CounterfactualMarkets
from backtests.auditing.decisions import ALONE_SEED, PLANTED_SEED, AuditedRule, Decision, Violation
from backtests.auditing.isolated import Alone, decide_strategy
from backtests.auditing.isolated_process import died_of
from backtests.auditing.point_in_time import Due, PointInTimeEpisode, due, without_future
from backtests.broker.terms import BrokerTerms
from backtests.engine.strategy_run import run_strategy
from backtests.episodes.episode import Episode
from backtests.user_strategies.adapter import StrategyRule
from backtests.user_strategies.loading import reloaded
from backtests.user_strategies.side_effects import watched
from strategies.rule import Rule
from strategies.signals import SignalBook


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedStrategy(AuditedRule):
    """One bt.Strategy, with what it needs to be replayed again."""

    episode: Episode
    terms: BrokerTerms

    def decide_alone(self) -> list[Decision]:
        """Replays it on bars and signal lines that are made when they are due."""
        if self.rule.code is not None:
            return AuditedRule.decide_alone(self)
        context = self.poisoned(ALONE_SEED)

        @contextlib.contextmanager
        def noting(row: int) -> Iterator[None]:
            with watched() as notes, context(row):
                yield
            self.note(row, notes)

        return self._replayed(self.rule, noting, ALONE_SEED)

    def decide_isolated(self) -> Alone:
        """Replays it in a process of its own."""
        empty = dataclasses.replace(
            self.whole,
            open=np.full_like(self.whole.open, np.nan),
            close=np.full_like(self.whole.close, np.nan),
            exposure=np.zeros_like(self.whole.exposure),
            signals=SignalBook((), self.whole.first, self.whole.first + len(self.rows) - 1),
            splits=(),
        )
        hidden = without_future(self.episode, self.whole.sessions[self.whole.first], ALONE_SEED)
        return decide_strategy(self.rule, hidden, empty, self.terms, self.known, self._due)

    def decisions_of(self, alone: Alone) -> list[Decision]:
        """Its targets after each session; from the session on in which it fails, what it died of."""
        targets = list(self.targets(alone.changes))
        return [*targets[: len(targets) - len(alone.decisions)], *alone.decisions]

    def against_planted(
        self, alone: Sequence[Decision], markets: CounterfactualMarkets
    ) -> Iterator[tuple[int, Violation]]:
        """Replays it while all live data are made up from each decision's session on."""
        del markets  # its bars must be the true ones, or its account would be another
        poisoned = self.poisoned(PLANTED_SEED)
        planted = self._replayed(reloaded(self.rule), poisoned, PLANTED_SEED)
        for row, mine, other in zip(self.rows, alone, planted, strict=True):
            column = self.differs(mine, other)
            if column is not None:
                what = "planted in data that the strategy reaches"
                yield row, self.violation(row, column, mine, other, what, self.inputs(self.whole, row))

    def _due(self, since: date, session: date) -> Due:
        return due(self.episode, since, session)

    def _replayed(
        self, rule: Rule, around: Callable[[int], contextlib.AbstractContextManager[None]], seed: int
    ) -> list[Decision]:
        """Its targets after each session; from the session on in which it fails, what it died of."""
        decided: list[tuple[str, str, float]] = []
        rows = [self.whole.first]
        first = self.whole.sessions[self.whole.first]
        hidden = PointInTimeEpisode(without_future(self.episode, first, seed), first, self._due)

        @contextlib.contextmanager
        def counted(row: int) -> Iterator[None]:
            rows.append(row)
            with hidden.shut(), around(row):
                yield

        if not isinstance(rule, StrategyRule):
            raise TypeError(f"{self.name} is no bt.Strategy")
        try:
            run_strategy(
                hidden.episode, self.whole, rule, self.terms, known=self.known, around=counted, decisions=decided,
            )  # fmt: skip
        except Exception as wrong:  # noqa: BLE001 (whatever it dies of, it has not decided without the future)
            stop = rows[-1] - self.whole.first
            return [*list(self.targets(decided))[:stop], *[died_of(wrong)] * (len(self.rows) - stop)]
        return list(self.targets(decided))
