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
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backtests.auditing.counterfactual import Scoring, Worlds
from backtests.auditing.decisions import AuditedRule, Violation
from backtests.broker.terms import BrokerTerms
from backtests.engine.market import make_market
from backtests.engine.news import News
from backtests.engine.rule_run import run_rule
from backtests.engine.schedule import place_news
from backtests.episodes.episode import Episode
from backtests.records.record import label
from backtests.report.text.run_report import audit_line
from backtests.user_strategies.loading import reloaded
from strategies.rule import Rule
from strategies.signals import SignalBook
from strategies.view import Market

Target = tuple[Any, ...]  # a row of the `targets` table: strategy's label, session, symbol, new target weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What was checked and what was found."""

    episode: str
    strategies: tuple[tuple[str, int, int], ...]  # label, decisions checked, decisions with a violation
    violations: tuple[Violation, ...]
    headlines: int = 0  # canaries: wild headlines known only after a decision
    claimed: int = 0  # of them with `published` before the decision and `seen` after it
    bars: int = 0  # canaries: wild bars from a decision's session on
    unproved: tuple[str, ...] = ()  # what a user's file reached for while it was loaded: no cut reaches that

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
        return audit_line(self.decisions, len(self.violations))

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
            "unproved": list(self.unproved),
        }


def audit(
    episode: Episode,
    news: News,
    rules: Sequence[Rule],
    terms: BrokerTerms | None = None,
    *,
    targets: Iterable[Target] | None = None,
    scoring: Scoring | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Audit:
    """Re-decides every decision of a run with the future cut off, then with canaries in it.

    Args:
        episode: The run's episode, whole.
        news: Its news, whole, scored and placed.
        rules: The run's rules; any `Rule` will do.
        terms: Terms of the replay whose decisions are checked: for which auctions the news is read, and money terms
            where there are no `targets`.
        targets: The run's changes of target weights, as in its `targets` table. Without them each rule is
            replayed here, after it has decided without the future, so that it can remember nothing of it.
        scoring: Scores each headline anew, in the order in which they became known.
        on_progress: Called with the number of decisions whose past was made, and again once they were made among
            canaries: twice as many in all as there are decisions.

    Returns:
        What was found. A rule that fails without the future is a violation, never an exception.
    """
    worlds = Worlds(episode, news, scoring, terms)
    news = place_news(episode, news, worlds.terms)
    names = [label(rule, rules) for rule in rules]
    given = None if targets is None else _by_rule(targets)
    counts: list[tuple[str, int, int]] = []
    violations: list[Violation] = []
    whole = make_market(episode, news)
    done = on_progress or (lambda _: None)
    for name, rule in zip(names, rules, strict=True):
        cuts = []
        for row in episode.window:
            cuts.append(worlds.cut(row, after_open=rule.after_open))
            done(1)
        case = _case(name, rule, episode, whole, cuts, terms)
        alone = case.decide_alone()
        decided = given.get(name, ()) if given is not None else _replayed(episode, whole, rule, terms or BrokerTerms())
        found = case.with_outside(dict(case.against_bait(alone, worlds)) | dict(case.against_run(alone, decided)))
        violations += [found[row] for row in sorted(found)]
        counts.append((name, len(alone), len(found)))
        done(len(alone))
    violations += [_rescored(item, score, episode) for item, score in worlds.rescored]
    return Audit(
        episode=episode.name,
        strategies=tuple(counts),
        violations=tuple(violations),
        headlines=worlds.headlines,
        claimed=worlds.claimed,
        bars=worlds.bars,
        unproved=_unproved(rules),
    )


def short_audit(
    episode: Episode, news: News, rules: Sequence[Rule], targets: Iterable[Target], terms: BrokerTerms | None = None
) -> Audit:
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
        case = _case(name, rule, episode, whole, cuts[rule.after_open], terms)
        alone = case.decide_alone()
        found = case.with_outside(dict(case.against_run(alone, given.get(name, ()))))
        violations += [found[row] for row in sorted(found)]
        counts.append((name, len(alone), len(found)))
    return Audit(
        episode=episode.name,
        strategies=tuple(counts),
        violations=tuple(violations),
        unproved=_unproved(rules),
    )


def _case(
    name: str, rule: Rule, episode: Episode, whole: Market, cuts: Sequence[Market], terms: BrokerTerms | None
) -> AuditedRule:
    """A user's own strategy comes before the court in a module of its own, which remembers nothing of the run."""
    columns = _traded(rule, whole)
    rule = reloaded(rule)
    if rule.steps:
        return AuditedRule(name=name, rule=rule, whole=whole, cuts=cuts, columns=columns)
    from backtests.auditing.backtrader_decisions import StrategyCase

    return StrategyCase(
        name=name, rule=rule, whole=whole, cuts=cuts, columns=columns, episode=episode, terms=terms or BrokerTerms()
    )


def _unproved(rules: Sequence[Rule]) -> tuple[str, ...]:
    files = {rule.code.file: rule.code.reads for rule in rules if rule.code is not None}
    return tuple(f"{file} {what} when it is loaded" for file, reads in files.items() for what in reads)


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
        exposure=whole.exposure[:, : row + 1].copy(),
        signals=SignalBook(items, whole.first, row),
    )


def _traded(rule: Rule, market: Market) -> tuple[int, ...]:
    """The columns the rule may hold and that have a bar in the run; the others' weights go nowhere."""
    listed = np.array(np.isfinite(market.close[market.first - 1 :]).any(axis=0))
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
    episode: Episode, market: Market, rule: Rule, terms: BrokerTerms
) -> tuple[tuple[str, str, float], ...] | Exception:
    try:
        return run_rule(episode, market, rule, terms).decisions
    except Exception as died:  # noqa: BLE001 (it decided without the future and fails with it: that is a finding)
        return died


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
