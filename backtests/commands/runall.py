"""`backtest run all`: every episode that ships, and one table over them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backtests.commands.evidence.shared import progress
from backtests.commands.options import aside, split_settings
from backtests.commands.saved_runs.audit import unproved_lines, violation_lines
from backtests.commands.trials import ready, record
from feeds.errors import InputError

if TYPE_CHECKING:
    from backtests.auditing.audit import Audit
    from backtests.broker.terms import BrokerTerms
    from backtests.episodes.episode import Episode
    from backtests.runs.across_episodes import Cell
    from feeds.scoring import Scorer


def run_all(
    strategies: tuple[str, ...],
    settings: dict[str, str],
    given: Mapping[str, object],
    ledger: str | None,
    output: Path | None,
    *,
    scorer: Scorer,
    as_json: bool,
) -> None:
    """Replays the strategies over every episode that ships; exit code 1 where a decision knew the future.

    Raises:
        InputError: An option that belongs to one episode.
    """
    from backtests.episodes.episode import episode_names, load_episode
    from backtests.records.contamination import scorer_facts, scorer_line
    from backtests.report import audit_line
    from backtests.runs.across_episodes import Several, several_text

    for name, value in given.items():
        if value:
            raise InputError(f"--{name} belongs to one episode; `run all` takes each as it ships")
    ready(ledger)
    with aside():
        terms, own = split_settings(settings, strategies)
    cells: list[Cell] = []
    firsts: dict[str, date] = {}
    audits = []
    with progress(len(episode_names()), "episodes") as done:
        for name in episode_names():
            episode = load_episode(name)
            found, audited = _replayed(episode, scorer, strategies, own, terms, ledger, output)
            cells += found
            audits.append(audited)
            firsts[name] = episode.start
            done(1)
    facts = scorer_facts(scorer.label, scorer.trained_until, firsts)
    several = Several(cells=tuple(cells))
    decisions = sum(each.decisions for each in audits)
    violations = [violation for each in audits for violation in violation_lines(each)]
    unproved = list(dict.fromkeys(line for each in audits for line in each.unproved))
    lines = [audit_line(decisions, len(violations), len(unproved)), *filter(None, [scorer_line(facts)])]
    click.echo(several_text(several) + "\n".join(lines), err=as_json)
    if output is not None:
        click.echo(f"files: {output}", err=True)
    if as_json:
        audit: dict[str, object] = {"decisions": decisions, "violations": len(violations)}
        audit |= {"unproved": unproved} if unproved else {}
        click.echo(
            json.dumps({**several.document(), "audit": audit, "scorer": facts}, ensure_ascii=False, allow_nan=False)
        )
    for line in [*dict.fromkeys(line for each in audits for line in unproved_lines(each)), *violations]:
        click.echo(line, err=True)
    code = max((each.exit_code for each in audits), key=(0, 3, 1).index, default=0)
    if code:
        sys.exit(code)


def _replayed(
    episode: Episode,
    scorer: Scorer,
    strategies: tuple[str, ...],
    own: dict[str, str],
    terms: BrokerTerms,
    ledger: str | None,
    output: Path | None,
) -> tuple[list[Cell], Audit]:
    """Replays the strategies over one episode, audits and records the run, and saves it where that was asked for."""
    from backtests.auditing.audit import short_audit
    from backtests.engine.news import read_news
    from backtests.engine.replay import replay, standard_rules
    from backtests.engine.schedule import place_news
    from backtests.evidence.standard import weigh
    from backtests.runs.across_episodes import cells_of

    news = place_news(episode, read_news(episode, scorer=scorer), terms)
    with aside():
        rules = standard_rules(strategies, own)
        result = replay(episode, rules, terms=terms, news=news)
        audited = short_audit(episode, news, rules, result.tables["targets"].rows, terms)
    result.document["audit"] = audited.short_document()
    record(result, ledger)
    if output is not None:
        weigh(result, rules, episode, news)
        result.save(output / episode.name)
    return list(cells_of(result, control=episode.control)), audited
