"""One rule decides again, in markets that are cut or baited, and is compared with what it decided in the run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from backtests.auditing.counterfactual import BAITS, Worlds, held, spoiled
from backtests.user_strategies.side_effects import watched
from strategies.rule import Rule
from strategies.signals import Floats
from strategies.view import Market, View

Decision = Floats | Exception  # weights of all symbols, or what the rule died of
Inputs = tuple[Floats, ...] | Exception  # the rows a rule observes

OUTSIDE = "reaches outside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One decision that differs when the future does."""

    strategy: str  # label; "scorer" when a headline's score differs
    session: str  # the session decided for
    symbol: str  # the first symbol that differs; the headline's id for the scorer
    weight: float | None  # target in the run, fraction of equity; None: no number
    without: float | None  # target without the future, or with another one; None: no number, or the rule failed
    changed: str  # what was done to the future: "cut off", or which canary was planted
    input: str  # the first input of the rule that differs, with both values


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedRule:
    """One rule before the court."""

    name: str
    rule: Rule
    whole: Market
    cuts: Sequence[Market]  # one per session of the window
    columns: tuple[int, ...]  # of the symbols whose weights count
    reached: dict[int, str] = field(default_factory=dict)  # by row: what a decision did outside of what it was given

    def decide_alone(self) -> list[Decision]:
        """Decides session by session, each in a market that ends there; the rule's state is all that goes on."""
        state = self.rule.fresh_state(len(self.whole.symbols))
        decided = []
        for row, market in enumerate(self.cuts, self.whole.first):
            with watched() as notes:
                decided.append(_decide(self.rule, market, row, state))
            self.note(row, notes)
        return decided

    def note(self, row: int, notes: Sequence[str]) -> None:
        """Keeps what a decision did outside, each thing once."""
        if notes:
            self.reached[row] = "; ".join(dict.fromkeys(notes))

    def with_outside(self, found: dict[int, Violation]) -> dict[int, Violation]:
        """Adds the decisions that reached for something outside: what it brought, no cut and no canary can tell."""
        out = dict(found)
        for row, what in self.reached.items():
            if row in found:
                out[row] = replace(found[row], input=f"{what[:200]}; {found[row].input}")
                continue
            session = self.whole.sessions[row].isoformat()
            out[row] = Violation(
                strategy=self.name, session=session, symbol="", weight=None, without=None,
                changed=OUTSIDE, input=what[:200],
            )  # fmt: skip
        return out

    def against_run(
        self, alone: Sequence[Decision], decided: Sequence[tuple[str, str, float]] | Exception
    ) -> Iterator[tuple[int, Violation]]:
        """Finds the decisions of the run that are others without the future."""
        for row, (mine, run, market) in enumerate(
            zip(alone, self.targets(decided), self.cuts, strict=True), self.whole.first
        ):
            column = self.differs(run, mine)
            if column is not None:
                yield row, self.violation(row, column, run, mine, "cut off", self.inputs(market, row))

    def against_bait(self, alone: Sequence[Decision], worlds: Worlds) -> Iterator[tuple[int, Violation]]:
        """Decides all again among canaries; where that differs, tries one kind of canary at a time."""
        after_open = self.rule.after_open
        baits = [worlds.bait(row, after_open=after_open) for row in range(self.whole.first, worlds.episode.window.stop)]
        kept = held([*baits, *self.cuts])
        state = self.rule.fresh_state(len(self.whole.symbols))
        for row, (market, mine) in enumerate(zip(baits, alone, strict=True), self.whole.first):
            before = state.copy()
            with spoiled(kept, market, self.whole.sessions[row], after_open=after_open):
                other = _decide(self.rule, market, row, state)
                column = self.differs(mine, other)
                inputs = None if column is None else self.inputs(market, row)
            if column is not None:
                what = "canary planted in data that the rule holds"
                suspect = self.violation(row, column, mine, other, what, inputs)
                yield row, self._one_bait(row, mine, before, worlds) or suspect

    def _one_bait(self, row: int, mine: Decision, before: Floats, worlds: Worlds) -> Violation | None:
        for bait in BAITS:
            market = worlds.bait(row, after_open=self.rule.after_open, baits=(bait,))
            other = _decide(self.rule, market, row, before.copy())
            column = self.differs(mine, other)
            if column is not None:
                what = f"canary planted: {bait}"
                return self.violation(row, column, mine, other, what, self.inputs(market, row))
        return None

    def targets(self, decided: Sequence[tuple[str, str, float]] | Exception) -> Iterator[Decision]:
        """The run's targets after each session, put together from its changes of target."""
        if isinstance(decided, Exception):
            yield from [decided] * len(self.cuts)
            return
        changes: dict[str, dict[str, float]] = {}
        for session, symbol, weight in decided:
            changes.setdefault(session, {})[symbol] = weight
        targets: dict[str, float] = {}
        for day in self.whole.sessions[self.whole.first :]:
            targets |= changes.get(day.isoformat(), {})
            yield np.array([targets.get(symbol, 0.0) for symbol in self.whole.symbols])

    def differs(self, one: Decision, other: Decision) -> int | None:
        """The first column in which two decisions are not the same to the last bit; a failure is never the same."""
        for column in self.columns:
            if isinstance(other, Exception) or _weight(one, column) != _weight(other, column):
                return column
        return None

    def inputs(self, market: Market, row: int) -> Inputs:
        """What the rule looks at in a market."""
        try:
            return tuple(
                np.array(each) for each in self.rule.observe(View(market, row, after_open=self.rule.after_open))
            )
        except Exception as died:  # noqa: BLE001 (a rule's own failure is what is reported)
            return died

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
            input=_died(other) or _died(one) or self._first_input(self.inputs(self.whole, row), inputs),
        )

    def _first_input(self, ours: Inputs, theirs: Inputs | None) -> str:
        """Says which of the numbers that the rule looks at is the first to differ."""
        if isinstance(ours, Exception) or isinstance(theirs, Exception):
            return _died(theirs) or _died(ours)
        for number, (one, other) in enumerate(zip(ours, theirs or (), strict=False), 1):
            for column, (a, b) in enumerate(zip(np.ravel(one), np.ravel(other), strict=False)):
                if a != b and not (math.isnan(a) and math.isnan(b)):
                    symbol = self.whole.symbols[column] if column < len(self.whole.symbols) else f"place {column + 1}"
                    return f"input {number} of {symbol}: {a:.6g} in the run, {b:.6g} here"
        return "no input differs: the rule keeps or draws something of its own"


def _weight(decision: Decision, column: int) -> float | None:
    """The weight of a column; None where there is no number."""
    weight = math.nan if isinstance(decision, Exception) else float(decision[column])
    return None if math.isnan(weight) else weight


def _died(decision: Decision | Inputs | None) -> str:
    if not isinstance(decision, Exception):
        return ""
    return f"the rule fails: {type(decision).__name__}: {' '.join(str(decision).split())}"[:200]


def _decide(rule: Rule, market: Market, row: int, state: Floats) -> Decision:
    try:
        return rule.decide(View(market, row, after_open=rule.after_open), state).copy()
    except Exception as died:  # noqa: BLE001 (whatever a rule dies of, it has not decided without the future)
        return died
