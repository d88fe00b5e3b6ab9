"""`backtest audit`."""

from __future__ import annotations

import json
import sys
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backtests.commands.options import (
    ARCHIVE,
    archive_option,
    aside,
    json_option,
    news_of,
    scorer_option,
    settings_option,
    split_settings,
    window_options,
)
from backtests.commands.output import progress
from backtests.commands.saved_runs.saved_run import (
    check_sources,
    is_run,
    lexicon_of,
    load_as_run,
    open_run,
    scorer_of,
    trust_option,
)
from feeds.errors import InputError

if TYPE_CHECKING:
    from backtests.auditing.audit import Audit
    from backtests.auditing.decisions import Violation
    from feeds.headline import Headline
    from feeds.scoring import Score, Scorer

_SHOWN = 20


@click.command()
@click.argument("episode")
@click.option("-s", "--strategy", "strategies", multiple=True, help="A strategy, or your own FILE.py[:CLASS].")
@settings_option
@window_options
@click.option("--news", type=click.Path(path_type=Path), help="RSS/Atom file or folder instead, or `archive`.")
@archive_option
@scorer_option
@click.option("--prices", type=click.Path(path_type=Path), help="CSV or Parquet of bars instead.")
@click.option("--bars", metavar="LENGTH", help="Bars of minutes in the --prices file, like 5m.")
@click.option(
    "--loans", type=click.Path(path_type=Path), metavar="FILE", help="CSV of stock loans that the run was given."
)
@trust_option
@json_option
def audit(
    episode: str,
    strategies: tuple[str, ...],
    settings: dict[str, str],
    start: date | None,
    end: date | None,
    news: Path | None,
    archive: Path | None,
    scorer: Scorer,
    prices: Path | None,
    bars: str | None,
    loans: Path | None,
    trust: bool,
    as_json: bool,
) -> None:
    """Proves that no decision knew the future: EPISODE is an episode or the folder of a run.

    Cuts news and prices at every decision, decides again and compares; then plants wild headlines and prices after
    it and compares again (the planted look-ahead check). Your own strategy decides in a process of its own, which is
    handed only what was known. Of a session with several decisions the last is looked at.

    Exit codes: 0 proved; 1 a decision differs or reaches outside; 2 wrong use or input; 3 NOT PROVED: no decision
    differs, but the strategy brought along something that no audit can judge, such as a file it read when it was
    loaded.

    \b
    Example:
      backtest audit deepseek-2025 --strategy shock
    """
    from backtests.auditing.audit import audit as examine
    from backtests.broker.terms import BrokerTerms
    from backtests.episodes.episode import load_episode
    from backtests.user_strategies.selection import standard_rules

    archived = news == ARCHIVE
    run = None
    if is_run(episode):
        if strategies or start or end or settings or bars:
            raise InputError(f"{episode} is a run: its strategies and window are audited as they were; leave them out")
        run, rules = open_run(Path(episode), trust=trust)
        own_news = None if archived else news
        loaded = load_as_run(Path(episode), run, own_news, prices, loans, check=not archived)
        terms = BrokerTerms().with_settings({name: str(value) for name, value in run.config["broker"].items()})
    else:
        with aside():
            terms, own = split_settings(settings, strategies)
            rules = standard_rules(strategies, own)
        own_news = None if archived else news
        loaded = load_episode(episode, prices=prices, news=own_news, start=start, end=end, loans=loans, bars=bars)
    as_of = None if run is None else lexicon_of(run)
    scorer = scorer if run is None else scorer_of(Path(episode), run, scorer, trust=trust)
    loaded, scored = news_of(loaded, news, archive, as_of, scorer)
    if run is not None:
        check_sources(Path(episode), run.config["sources"], loaded.sources)
    targets = None if run is None else run.tables["targets"].rows
    # scores that lie in a file are what they are; a planted headline is in none, and gets the score its title says
    again = partial(_anew, scorer=scorer, lexicon_as_of=as_of, delay=loaded.assumed_delay, start=loaded.start)
    anew = again if scorer.stored else None
    with aside(said=False), progress(2 * len(rules) * len(loaded.window), "decisions made again") as advance:
        found = examine(loaded, scored, rules, terms, targets=targets, scoring=anew, on_progress=advance)
    click.echo(text_audit(found), err=as_json, nl=False)
    if as_json:
        click.echo(json.dumps(found.document(), ensure_ascii=False, allow_nan=False))
    if found.exit_code:
        sys.exit(found.exit_code)


def _anew(headline: Headline, scorer: Scorer, lexicon_as_of: date | None, delay: timedelta, start: date) -> Score:
    vintage = scorer.before(max(start, headline.known_at(delay).date()), lexicon_as_of)
    return vintage.score(headline.title, headline.summary, headline.language, lexicon_as_of)


def text_audit(found: Audit) -> str:
    """The audit for a terminal."""
    width = max([len(name) for name, _, _ in found.strategies], default=0)
    lines = [
        f"{found.episode}: news and prices cut at every decision, every decision made again",
        *(f"  {name.ljust(width)}  {count:5} decisions, {wrong} differed" for name, count, wrong in found.strategies),
        *_planted_lines(found),
        *violation_lines(found),
        *unproved_lines(found),
        found.summary(),
    ]
    return "\n".join(lines) + "\n"


def _planted_lines(found: Audit) -> list[str]:
    """What was planted after the decisions; nothing where only strategies of backtrader were replayed."""
    if not found.headlines and not found.bars:
        return []
    return [
        f"planted after the decisions: {found.headlines:,} wild headlines, {found.claimed:,} of them with an",
        f"earlier `published`, and {found.bars:,} wild bars",
    ]


def violation_lines(found: Audit) -> list[str]:
    """One line for each violation, the first of them only where there are many."""
    lines = [_line(each) for each in found.violations[:_SHOWN]]
    more = len(found.violations) - len(lines)
    return [*lines, f"and {more} more"] if more else lines


def unproved_lines(found: Audit) -> list[str]:
    """One line for each thing that no audit can judge."""
    return [f"NOT PROVED {each}: what it brings along may be of the future" for each in found.unproved]


def _line(each: Violation) -> str:
    def number(value: Any) -> str:
        return "no number" if value is None else f"{value:+.4f}"

    if each.changed == "reaches outside":
        return f"VIOLATION {each.strategy}, {each.session}: {each.input} while it decides"
    weights = "" if each.strategy == "scorer" else f" {number(each.weight)} in the run, {number(each.without)} here"
    return f"VIOLATION {each.strategy}, {each.session}, {each.symbol}{weights} ({each.changed}); {each.input}"
