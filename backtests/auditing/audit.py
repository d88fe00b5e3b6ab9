"""Proves of a run that no decision knew the future.

For every decision of every rule, in the order of the sessions:

    1  known     news and prices end at that moment; headlines are scored and placed anew, the rule decides anew, a
                 user's own in a process that has nothing else
    2  planted   the same past with a made-up future (the planted look-ahead check); the rule decides again
    3  compare   with what the run decided, to the last bit

The rule's state is carried along from decision to decision, as it would be in real time. A difference is a violation:
the run used something that was not known. What a user's file brought along from outside cannot be judged: NOT PROVED.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from backtests.auditing.counterfactual import CounterfactualMarkets, GrowingMarket, Scoring, sliced_market
from backtests.auditing.decisions import AuditedRule, Moments, Violation
from backtests.auditing.isolated_process import died_of
from backtests.broker.terms import BrokerTerms
from backtests.engine.market import make_market
from backtests.engine.news import News
from backtests.engine.rule_run import run_rule
from backtests.engine.schedule import place_news
from backtests.episodes.episode import Episode
from backtests.records.record import label
from backtests.report.text.run_report import audit_line
from backtests.user_strategies.decision_table import DecisionTable
from backtests.user_strategies.loading import reloaded
from strategies import registry
from strategies.rule import Rule
from strategies.view import Market

Target = tuple[Any, ...]  # a row of the `targets` table: strategy's label, session, symbol, new target weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What was checked and what was found."""

    episode: str
    strategies: tuple[tuple[str, int, int], ...]  # label, decisions checked, decisions with a violation
    violations: tuple[Violation, ...]
    headlines: int = 0  # planted: wild headlines known only after a decision
    claimed: int = 0  # of them with `published` before the decision and `seen` after it
    bars: int = 0  # planted: wild bars from a decision's session on
    unproved: tuple[str, ...] = ()  # what a user's strategy brought along from where no cut reaches: NOT PROVED

    @property
    def decisions(self) -> int:
        """Decisions checked: one per rule and session of the window, whether the target changed or not."""
        return sum(count for _, count, _ in self.strategies)

    @property
    def exit_code(self) -> int:
        """0 proved, 1 a violation, 3 no violation and something that cannot be proved."""
        return 1 if self.violations else 3 if self.unproved else 0

    def summary(self) -> str:
        """Returns the short form: one line."""
        return audit_line(self.decisions, len(self.violations), len(self.unproved))

    def short_document(self) -> dict[str, Any]:
        """Returns what a run's own document says of its audit; `unproved` only where there is something."""
        short: dict[str, Any] = {"decisions": self.decisions, "violations": len(self.violations)}
        return {**short, "unproved": list(self.unproved)} if self.unproved else short

    def document(self) -> dict[str, Any]:
        """Returns what `--json` prints."""
        return {
            "episode": self.episode,
            "decisions": self.decisions,
            "violations": [dataclasses.asdict(each) for each in self.violations],
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
    """Re-decides every decision of a run with the future cut off, then with a made-up one.

    Args:
        episode: The run's episode, whole.
        news: Its news, whole, scored and placed.
        rules: The run's rules; any `Rule` will do.
        terms: Terms of the replay whose decisions are checked: for which auctions the news is read, and money terms
            where there are no `targets`.
        targets: The run's changes of target weights, as in its `targets` table. Without them each rule is
            replayed here, after it has decided without the future, so that it can remember nothing of it.
        scoring: Scores each headline anew, in the order in which they became known.
        on_progress: Called with the number of decisions whose past was made, and again once they were made with a
            planted future: twice as many in all as there are decisions.

    Returns:
        What was found. A rule that fails without the future is a violation, never an exception.
    """
    markets = CounterfactualMarkets(episode, news, scoring, terms)
    news = place_news(episode, news, markets.terms)
    names = [label(rule, rules) for rule in rules]
    decided_in_run = None if targets is None else _by_rule(targets)
    counts: list[tuple[str, int, int]] = []
    violations: list[Violation] = []
    unproved = _unproved(names, rules)
    whole = make_market(episode, news)
    done = on_progress or (lambda _: None)
    moments = Moments(known_by=markets.known_by, assumed_delay=episode.assumed_delay)
    for name, rule in zip(names, rules, strict=True):
        for row in episode.window:
            markets.known(row, after_open=rule.after_open)
            done(1)
        audited = _audited(name, rule, episode, whole, _known(markets, rule), terms, moments)
        alone = audited.decide_alone()
        planted = dict(audited.against_planted(alone, markets))
        if decided_in_run is None:
            run = _replayed(episode, whole, reloaded(rule), terms or BrokerTerms())
        else:
            run = tuple(decided_in_run.get(name, ()))
        found = audited.with_outside(planted | dict(audited.against_run(alone, run)))
        violations += [found[row] for row in sorted(found)]
        unproved += [f"{_place(name, rule)} {what}" for what in audited.unproved]
        counts.append((name, len(alone), len(found)))
        done(len(alone))
    violations += [_rescored(item, score, episode) for item, score in markets.rescored]
    return Audit(
        episode=episode.name,
        strategies=tuple(counts),
        violations=tuple(violations),
        headlines=markets.headlines,
        claimed=markets.claimed,
        bars=markets.bars,
        unproved=tuple(dict.fromkeys(unproved)),
    )


def short_audit(
    episode: Episode, news: News, rules: Sequence[Rule], targets: Iterable[Target], terms: BrokerTerms | None = None
) -> Audit:
    """Re-decides every decision with the future cut off: the short form that every run prints.

    Scores and places of the headlines are reused and nothing is planted; `audit` does all of it.
    """
    whole = make_market(episode, news)
    decided_in_run = _by_rule(targets)
    counts: list[tuple[str, int, int]] = []
    violations: list[Violation] = []
    unproved = _unproved([label(rule, rules) for rule in rules], rules)
    for rule in rules:
        name = label(rule, rules)
        cut: Callable[[int], Market] = GrowingMarket(whole, news, after_open=rule.after_open)
        if rule.code is not None or not rule.steps:  # what a user's file is given is made for it alone
            cut = partial(sliced_market, whole, news=news, after_open=rule.after_open)
        audited = _audited(name, rule, episode, whole, cut, terms, None)
        alone = audited.decide_alone()
        found = audited.with_outside(dict(audited.against_run(alone, decided_in_run.get(name, ()))))
        violations += [found[row] for row in sorted(found)]
        unproved += [f"{_place(name, rule)} {what}" for what in audited.unproved]
        counts.append((name, len(alone), len(found)))
    return Audit(
        episode=episode.name,
        strategies=tuple(counts),
        violations=tuple(violations),
        unproved=tuple(dict.fromkeys(unproved)),
    )


def _known(markets: CounterfactualMarkets, rule: Rule) -> Callable[[int], Market]:
    return partial(markets.known, after_open=rule.after_open)


def _audited(
    name: str,
    rule: Rule,
    episode: Episode,
    whole: Market,
    known: Callable[[int], Market],
    terms: BrokerTerms | None,
    moments: Moments | None,
) -> AuditedRule:
    """Makes what is audited of a rule; a user's own is made anew, so that it remembers nothing of the run."""
    columns = _traded(rule, whole)
    rule = reloaded(rule)
    rows = episode.window
    if rule.steps:
        return AuditedRule(name=name, rule=rule, whole=whole, rows=rows, known=known, columns=columns, moments=moments)
    from backtests.auditing.backtrader_decisions import AuditedStrategy

    return AuditedStrategy(
        name=name, rule=rule, whole=whole, rows=rows, known=known, columns=columns, moments=moments,
        episode=episode, terms=terms or BrokerTerms(),
    )  # fmt: skip


def _place(name: str, rule: Rule) -> str:
    return name if rule.code is None else rule.code.file


def _unproved(names: Sequence[str], rules: Sequence[Rule]) -> list[str]:
    """What is known before anything is decided: what files read, and classes that no file can be made anew from."""
    built_in = set(registry.rules().values())
    found = []
    for name, rule in zip(names, rules, strict=True):
        if rule.code is not None:
            found += [f"{rule.code.file} {what} when it is loaded" for what in rule.code.reads]
        elif isinstance(rule, DecisionTable):
            found.append(f"{Path(rule.table.file).name} says itself when each decision was made")
        elif type(rule) not in built_in:
            found.append(f"{name} comes from no file: it may remember earlier runs of this process")
    return found


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
) -> tuple[tuple[str, str, float], ...] | str:
    try:
        return run_rule(episode, market, rule, terms).decisions
    except Exception as wrong:  # noqa: BLE001 (it decided without the future and fails with it: that is a finding)
        return died_of(wrong)


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
