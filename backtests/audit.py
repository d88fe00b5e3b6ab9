"""Proves of a run that no decision knew the future. Pure but for one thing: see `worlds.spoiled`.

For every decision of every rule, in the order of the sessions:

    1  cut     news and prices end at that moment; headlines are scored and placed anew, the rule decides anew
    2  bait    the same past with a wild future (canaries); the rule decides again
    3  compare with what the run decided, to the last bit

The rule's state is carried along from cut to cut, as it would be in real time. A difference is a violation: the
run used something that was not known.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backtests.book import BookTerms
from backtests.episode import Episode
from backtests.news import News
from backtests.replay import make_market, run_rule
from backtests.result import label
from backtests.worlds import BAITS, Scoring, Worlds, held, spoiled
from strategies.rule import Rule
from strategies.signals import Floats, SignalBook
from strategies.view import Market, View

Decision = Floats | Exception  # weights of all symbols, or what the rule died of
Target = tuple[str, str, str, float]  # strategy's label, session, symbol, new target weight


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
class Audit:
    """What was checked and what was found."""

    episode: str
    strategies: tuple[tuple[str, int, int], ...]  # label, decisions checked, decisions that differ
    violations: tuple[Violation, ...]
    headlines: int = 0  # canaries: wild headlines known only after a decision
    claimed: int = 0  # of them with `published` before the decision and `seen` after it
    bars: int = 0  # canaries: wild bars from a decision's session on

    @property
    def decisions(self) -> int:
        """Decisions checked: one per rule and session of the window, whether the target changed or not."""
        return sum(count for _, count, _ in self.strategies)

    @property
    def canaries(self) -> int:
        """Canaries planted, headlines and bars."""
        return self.headlines + self.bars

    def summary(self) -> str:
        """Returns the short form: one line."""
        return f"audit: {self.decisions} decisions re-decided without the future, {len(self.violations)} differed"

    def document(self) -> dict[str, Any]:
        """Returns what `--json` prints."""
        return {
            "episode": self.episode,
            "decisions": self.decisions,
            "violations": [dataclasses.asdict(each) for each in self.violations],
            "canaries": self.canaries,
            "planted": {"headlines": self.headlines, "seen_later": self.claimed, "bars": self.bars},
            "strategies": [
                {"strategy": name, "decisions": count, "violations": wrong} for name, count, wrong in self.strategies
            ],
        }


def audit(
    episode: Episode,
    news: News,
    rules: Sequence[Rule],
    terms: BookTerms | None = None,
    *,
    targets: Iterable[Target] | None = None,
    scoring: Scoring | None = None,
) -> Audit:
    """Re-decides every decision of a run with the future cut off, then with canaries in it.

    Args:
        episode: The run's episode, whole.
        news: Its news, whole, scored and placed.
        rules: The run's rules; any `Rule` will do.
        terms: Money terms of the replay whose decisions are checked; of no account with `targets`.
        targets: The run's changes of target weights, as in its `targets` table. Without them each rule is
            replayed here, after it has decided without the future, so that it can remember nothing of it.
        scoring: Scores each headline anew, in the order in which they became known.

    Returns:
        What was found; a rule that fails without the future is a violation, never an exception.
    """
    worlds = Worlds(episode, news, scoring)
    names = [label(rule, rules) for rule in rules]
    given = None if targets is None else _by_rule(targets)
    counts: list[tuple[str, int, int]] = []
    violations: list[Violation] = []
    for name, rule in zip(names, rules, strict=True):
        cuts = [worlds.cut(row, after_open=rule.after_open) for row in episode.window]
        alone = [weights for weights, _ in _chain(rule, episode.window, cuts)]
        whole = make_market(episode, news)
        decided = given.get(name, ()) if given is not None else _replayed(episode, whole, rule, terms or BookTerms())
        case = _Case(name, rule, whole, worlds, _traded(rule, whole))
        mine = case.compare(alone, decided)
        violations += mine
        counts.append((name, len(alone), len(mine)))
    violations += [_rescored(item, score, episode) for item, score in worlds.rescored]
    return Audit(
        episode=episode.name,
        strategies=tuple(counts),
        violations=tuple(violations),
        headlines=worlds.headlines,
        claimed=worlds.claimed,
        bars=worlds.bars,
    )


def short_audit(episode: Episode, news: News, rules: Sequence[Rule], targets: Iterable[Target]) -> Audit:
    """Re-decides every decision with the future cut off: the short form that every run prints.

    Scores and places of the headlines are reused and no canaries are planted; `audit` does all of it.
    """
    whole = make_market(episode, news)
    given = _by_rule(targets)
    counts, violations = [], []
    cuts: dict[bool, list[Market]] = {}
    for rule in rules:
        name = label(rule, rules)
        if rule.after_open not in cuts:
            cuts[rule.after_open] = [_sliced(whole, row, news, after_open=rule.after_open) for row in episode.window]
        alone = [weights for weights, _ in _chain(rule, episode.window, cuts[rule.after_open])]
        case = _Case(name, rule, whole, None, _traded(rule, whole))
        mine = case.compare(alone, given.get(name, ()))
        violations += mine
        counts.append((name, len(alone), len(mine)))
    return Audit(episode=episode.name, strategies=tuple(counts), violations=tuple(violations))


def _sliced(whole: Market, row: int, news: News, *, after_open: bool) -> Market:
    """A market cut by slicing a whole one; the same as `Worlds.cut` makes the long way."""
    opened, close = whole.open[: row + 1].copy(), whole.close[: row + 1].copy()
    close[row] = np.nan
    if not after_open:
        opened[row] = np.nan
    items = [item for item in news.items if item.session is not None and item.session <= row]
    return dataclasses.replace(
        whole,
        sessions=whole.sessions[: row + 1],
        open=opened,
        close=close,
        signals=SignalBook(items, whole.first, row),
    )


def _chain(rule: Rule, window: Iterable[int], markets: Iterable[Market]) -> Iterator[tuple[Decision, Floats]]:
    """Decides session by session, each in a market of its own; yields the decision and the state before it."""
    state: Floats | None = None
    for row, market in zip(window, markets, strict=True):
        if state is None:
            state = rule.fresh_state(len(market.symbols))
        before = state.copy()
        yield _decide(rule, market, row, state), before


def _decide(rule: Rule, market: Market, row: int, state: Floats) -> Decision:
    try:
        return rule.decide(View(market, row, after_open=rule.after_open), state).copy()
    except Exception as died:  # noqa: BLE001 (whatever a rule dies of, it has not decided without the future)
        return died


def _traded(rule: Rule, market: Market) -> tuple[int, ...]:
    """The columns the rule may hold and that have a bar in the run; the others' weights go nowhere."""
    listed = np.isfinite(market.close[market.first - 1 :]).any(axis=0)
    return tuple(
        column
        for column, (symbol, sector) in enumerate(zip(market.symbols, market.sectors, strict=True))
        if listed[column] and rule.holds(sector, symbol, market.benchmark)
    )


def _by_rule(targets: Iterable[Target]) -> dict[str, list[tuple[str, str, float]]]:
    rows: dict[str, list[tuple[str, str, float]]] = {}
    for name, session, symbol, weight in targets:
        rows.setdefault(name, []).append((session, symbol, weight))
    return rows


def _replayed(
    episode: Episode, market: Market, rule: Rule, terms: BookTerms
) -> tuple[tuple[str, str, float], ...] | Exception:
    try:
        return run_rule(episode, market, rule, terms).decisions
    except Exception as died:  # noqa: BLE001 (it decided without the future and fails with it: that is a finding)
        return died


@dataclass(frozen=True, slots=True)
class _Case:
    """One rule before the court."""

    name: str
    rule: Rule
    whole: Market
    worlds: Worlds | None  # None: no canaries
    columns: tuple[int, ...]

    def compare(
        self, alone: Sequence[Decision], decided: Sequence[tuple[str, str, float]] | Exception
    ) -> list[Violation]:
        """Finds the decisions of the run that are others without the future, or with canaries in it."""
        window = range(self.whole.first, self.whole.first + len(alone))
        found: dict[int, Violation] = {}
        for row, weights, target in zip(window, alone, self._run(window, decided), strict=True):
            violation = self._difference(row, target, weights, "cut off", self._cut(row))
            if violation:
                found[row] = violation
        if self.worlds is not None:
            for violation, row in self._baited(window, alone, self.worlds):
                found.setdefault(row, violation)
        return [found[row] for row in sorted(found)]

    def _run(self, window: range, decided: Sequence[tuple[str, str, float]] | Exception) -> Iterator[Decision]:
        """The run's targets after each session, put together from its changes of target."""
        if isinstance(decided, Exception):
            yield from [decided] * len(window)
            return
        changes: dict[str, dict[str, float]] = {}
        for session, symbol, weight in decided:
            changes.setdefault(session, {})[symbol] = weight
        targets: Mapping[str, float] = {}
        for row in window:
            targets = {**targets, **changes.get(self.whole.sessions[row].isoformat(), {})}
            yield np.array([targets.get(symbol, 0.0) for symbol in self.whole.symbols])

    def _cut(self, row: int) -> Market:
        return self.worlds.cut(row, after_open=self.rule.after_open) if self.worlds is not None else self.whole

    def _baited(
        self, window: range, alone: Sequence[Decision], worlds: Worlds
    ) -> Iterator[tuple[Violation, int]]:
        """Decides the whole chain again in a world full of canaries; a difference is tried canary by canary."""
        after_open = self.rule.after_open
        baits = [worlds.bait(row, after_open=after_open) for row in window]
        kept = held([*baits, *(worlds.cut(row, after_open=after_open) for row in window)])
        state = self.rule.fresh_state(len(self.whole.symbols))
        for row, world, weights in zip(window, baits, alone, strict=True):
            session, before = self.whole.sessions[row], state.copy()
            with spoiled(kept, world, session, after_open=after_open):
                baited = _decide(self.rule, world, row, state)
                suspect = self._difference(row, weights, baited, "", world)
            if suspect:
                yield self._named(row, weights, before, suspect, worlds), row

    def _named(
        self, row: int, weights: Decision, before: Floats, suspect: Violation, worlds: Worlds
    ) -> Violation:
        """Plants one kind of canary at a time and says which the rule fell for."""
        for bait in BAITS:
            world = worlds.bait(row, after_open=self.rule.after_open, baits=(bait,))
            baited = _decide(self.rule, world, row, before.copy())
            found = self._difference(row, weights, baited, f"canary planted: {bait}", world)
            if found:
                return found
        return dataclasses.replace(suspect, changed="canary planted in data that the rule holds")

    def _difference(self, row: int, one: Decision, other: Decision, changed: str, world: Market) -> Violation | None:
        """Compares two decisions to the last bit and says where they first part."""
        for column in self.columns:
            pair = _weight(one, column), _weight(other, column)
            if pair[0] == pair[1] or (isinstance(one, Exception) and isinstance(other, Exception)):
                continue
            return Violation(
                strategy=self.name,
                session=self.whole.sessions[row].isoformat(),
                symbol=self.whole.symbols[column],
                weight=pair[0],
                without=pair[1],
                changed=changed,
                input=_died(one) or _died(other) or self._first_input(row, world),
            )
        return None

    def _first_input(self, row: int, world: Market) -> str:
        """The first number that the rule looks at and that differs between the whole market and the other one."""
        try:
            pair = [
                self.rule.observe(View(market, row, after_open=self.rule.after_open)) for market in (self.whole, world)
            ]
        except Exception as died:  # noqa: BLE001 (a rule's own failure is what is reported here)
            return _died(died)
        for number, (ours, theirs) in enumerate(zip(*pair, strict=False), 1):
            for column, (one, other) in enumerate(zip(np.ravel(ours), np.ravel(theirs), strict=False)):
                if not one == other and not (math.isnan(one) and math.isnan(other)):
                    symbol = self.whole.symbols[column] if column < len(self.whole.symbols) else str(column)
                    return f"input {number} of {symbol}: {one:.6g} in the run, {other:.6g} here"
        return "no input differs: the rule keeps or draws something of its own"


def _weight(decision: Decision, column: int) -> float | None:
    """The weight of a column; None where there is no number."""
    weight = math.nan if isinstance(decision, Exception) else float(decision[column])
    return None if math.isnan(weight) else weight


def _died(decision: Decision) -> str:
    if not isinstance(decision, Exception):
        return ""
    return f"the rule fails: {type(decision).__name__}: {' '.join(str(decision).split())}"[:200]


def _rescored(item: Any, score: Any, episode: Episode) -> Violation:
    """A score that is another one when nothing later has been scored before."""
    session = episode.sessions.sessions[item.session].isoformat() if item.session is not None else ""
    fields = [field.name for field in dataclasses.fields(score)]
    name = next(name for name in fields if getattr(score, name) != getattr(item.score, name))
    return Violation(
        strategy="scorer",
        session=session,
        symbol=item.headline.id,
        weight=None,
        without=None,
        changed="cut off",
        input=f"{name} of {item.headline.title!r}: {getattr(item.score, name)} in the run, {getattr(score, name)} here",
    )
