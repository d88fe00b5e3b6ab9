"""Has one rule decide again, without the future and before a made-up one, and compares with what it decided in the run.

A rule from a file decides without the future in a process of its own (`isolated`). Others decide here, and what live
data say of the future is made up meanwhile (`live_data`). With a planted future every rule decides here.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

from backtests.auditing.counterfactual import CounterfactualMarkets
from backtests.auditing.isolated import Alone, decide_rule
from backtests.auditing.isolated_process import died_of
from backtests.auditing.live_data import poisoner
from backtests.auditing.poisoning import KINDS
from backtests.user_strategies.loading import reloaded
from backtests.user_strategies.side_effects import IMPORTS, watched
from strategies.rule import Rule
from strategies.signals import Floats
from strategies.view import Market, View

Decision = Floats | str  # weights of all symbols, or what the rule died of
Inputs = tuple[Floats, ...] | str  # the rows a rule observes, or what it died of

OUTSIDE = "reaches outside"
ALONE_SEED, PLANTED_SEED = 1, 2  # of the figures that are made up in live data, in the two passes


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One decision that differs when the future does."""

    strategy: str  # label; "scorer" when a headline's score differs
    session: str  # the session decided for
    symbol: str  # the first symbol that differs; the headline's id for the scorer
    weight: float | None  # target in the run, fraction of equity; None: no number
    without: float | None  # target without the future, or with another one; None: no number, or the rule failed
    changed: str  # what was done to the future: "cut off", or what was planted
    input: str  # the first input of the rule that differs, with both values


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """When an audited rule's decisions are made, for the poisoning of live data."""

    known_by: Callable[[int], datetime]  # the last moment known at the decision for a row
    assumed_delay: timedelta  # from `published` to known


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedRule:
    """One rule, with what it needs to decide again."""

    name: str
    rule: Rule
    whole: Market
    rows: range  # of the window
    known: Callable[[int], Market]  # the market known at the decision for a row
    columns: tuple[int, ...]  # of the symbols whose weights count
    moments: Moments | None  # None: live data are left alone (the short form)
    reached: dict[int, list[str]] = field(default_factory=dict)  # by row: what a decision reached for outside
    unproved: list[str] = field(default_factory=list)  # what no cut and no planting can judge

    def decide_alone(self) -> list[Decision]:
        """Decides session by session, each in a market that ends there; the rule's state is all that goes on."""
        if self.rule.code is not None:
            alone = self.decide_isolated()
            self.unproved.extend(f"{what} when it is loaded" for what in alone.loading)
            for row, notes in alone.reached.items():
                self.note(row, notes)
            return self.decisions_of(alone)
        state = self.rule.fresh_state(len(self.whole.symbols))
        context = self.poisoned(ALONE_SEED)
        decided = []
        for row in self.rows:
            market = self.known(row)
            with watched() as notes, context(row):
                decided.append(_decide(self.rule, market, row, state))
            self.note(row, notes)
        return decided

    def decide_isolated(self) -> Alone:
        """Decides in a process of its own."""
        return decide_rule(self.rule, self.rows, self.known)

    def decisions_of(self, alone: Alone) -> list[Decision]:
        """Returns the decisions of its own process."""
        return list(alone.decisions)

    def poisoned(self, seed: int) -> Callable[[int], contextlib.AbstractContextManager[None]]:
        """Returns the context of a decision, by row: live data say nothing true of its future."""
        if self.moments is None:
            return lambda _: contextlib.nullcontext()
        made, known_by = (
            poisoner(seed, self.moments.assumed_delay, after_open=self.rule.after_open),
            self.moments.known_by,
        )
        return lambda row: made(row, self.whole.sessions[row], known_by(row))

    def note(self, row: int, notes: Sequence[str]) -> None:
        """Keeps what a decision reached for; imported code proves nothing and disproves nothing."""
        outside = [what for what in notes if not what.startswith(IMPORTS)]
        self.unproved.extend(f"{what} while it decides" for what in notes if what.startswith(IMPORTS))
        if outside:
            self.reached[row] = list(dict.fromkeys(outside))

    def with_outside(self, found: dict[int, Violation]) -> dict[int, Violation]:
        """Adds the decisions that reached for something outside: what it brought, no cut and no planting can tell."""
        out = dict(found)
        for row, notes in self.reached.items():
            what = "; ".join(notes)[:200]
            if row in found:
                out[row] = replace(found[row], input=f"{what}; {found[row].input}")
                continue
            session = self.whole.sessions[row].isoformat()
            out[row] = Violation(
                strategy=self.name, session=session, symbol="", weight=None, without=None, changed=OUTSIDE, input=what,
            )  # fmt: skip
        return out

    def against_run(
        self, alone: Sequence[Decision], decided: Sequence[tuple[str, str, float]] | str
    ) -> Iterator[tuple[int, Violation]]:
        """Finds the decisions of the run that are others without the future."""
        context = None
        for row, mine, run in zip(self.rows, alone, self.targets(decided), strict=True):
            column = self.differs(run, mine)
            if column is None:
                continue
            context = context or self.poisoned(ALONE_SEED)
            market = self.known(row)
            with context(row):
                inputs = self.inputs(market, row)
            yield row, self.violation(row, column, run, mine, "cut off", inputs)

    def against_planted(
        self, alone: Sequence[Decision], markets: CounterfactualMarkets
    ) -> Iterator[tuple[int, Violation]]:
        """Decides all again with a made-up future; where that differs, tries one kind of it at a time."""
        rule, after_open = reloaded(self.rule), self.rule.after_open
        context = self.poisoned(PLANTED_SEED)
        state = rule.fresh_state(len(self.whole.symbols))
        for row, mine in zip(self.rows, alone, strict=True):
            before, market = state.copy(), markets.planted(row, after_open=after_open)
            with context(row):
                other = _decide(rule, market, row, state)
                column = self.differs(mine, other)
                inputs = None if column is None else self.inputs(market, row)
            if column is not None:
                suspect = self.violation(row, column, mine, other, "planted in data that the rule reaches", inputs)
                yield row, self._one_kind(rule, row, mine, before, markets) or suspect

    def _one_kind(
        self, rule: Rule, row: int, mine: Decision, before: Floats, markets: CounterfactualMarkets
    ) -> Violation | None:
        for kind in KINDS:
            market = markets.planted(row, after_open=rule.after_open, kinds=(kind,))
            other = _decide(rule, market, row, before.copy())
            column = self.differs(mine, other)
            if column is not None:
                return self.violation(row, column, mine, other, f"planted: {kind}", self.inputs(market, row))
        return None

    def targets(self, decided: Sequence[tuple[str, str, float]] | str) -> Iterator[Decision]:
        """The run's targets after each session, put together from its changes of target."""
        if isinstance(decided, str):
            yield from [decided] * len(self.rows)
            return
        changes: dict[str, dict[str, float]] = {}
        for session, symbol, weight in decided:
            changes.setdefault(session, {})[symbol] = weight
        targets: dict[str, float] = {}
        for row in self.rows:
            targets |= changes.get(self.whole.sessions[row].isoformat(), {})
            yield np.array([targets.get(symbol, 0.0) for symbol in self.whole.symbols])

    def differs(self, one: Decision, other: Decision) -> int | None:
        """The first column in which two decisions are not the same to the last bit; a failure is never the same."""
        for column in self.columns:
            if isinstance(other, str) or _weight(one, column) != _weight(other, column):
                return column
        return None

    def inputs(self, market: Market, row: int) -> Inputs:
        """What the rule looks at in a market."""
        try:
            return tuple(
                np.array(each) for each in self.rule.observe(View(market, row, after_open=self.rule.after_open))
            )
        except Exception as wrong:  # noqa: BLE001 (a rule's own failure is what is reported)
            return died_of(wrong)

    def violation(
        self, row: int, column: int, one: Decision, other: Decision, changed: str, inputs: Inputs | None
    ) -> Violation:
        """Puts a difference into words; `inputs` are those of the other decision, None: not looked at."""
        return Violation(
            strategy=self.name,
            session=self.whole.sessions[row].isoformat(),
            symbol=self.whole.symbols[column],
            weight=_weight(one, column),
            without=_weight(other, column),
            changed=changed,
            input=_failure(other) or _failure(one) or self._first_input(self.inputs(self.whole, row), inputs),
        )

    def _first_input(self, ours: Inputs, theirs: Inputs | None) -> str:
        """Says which of the numbers that the rule looks at is the first to differ."""
        if isinstance(ours, str) or isinstance(theirs, str):
            return _failure(theirs) or _failure(ours)
        for number, (one, other) in enumerate(zip(ours, theirs or (), strict=False), 1):
            for column, (a, b) in enumerate(zip(np.ravel(one), np.ravel(other), strict=False)):
                if a != b and not (math.isnan(a) and math.isnan(b)):
                    symbol = self.whole.symbols[column] if column < len(self.whole.symbols) else f"place {column + 1}"
                    return f"input {number} of {symbol}: {a:.6g} in the run, {b:.6g} here"
        return "no input differs: the rule keeps, finds or draws something of its own"


def _weight(decision: Decision, column: int) -> float | None:
    """The weight of a column; None where there is no number."""
    weight = math.nan if isinstance(decision, str) else float(decision[column])
    return None if math.isnan(weight) else weight


def _failure(decision: Decision | Inputs | None) -> str:
    return f"the rule fails: {decision}" if isinstance(decision, str) else ""


def _decide(rule: Rule, market: Market, row: int, state: Floats) -> Decision:
    try:
        return rule.decide(View(market, row, after_open=rule.after_open), state).copy()
    except Exception as wrong:  # noqa: BLE001 (whatever a rule dies of, it has not decided without the future)
        return died_of(wrong)
