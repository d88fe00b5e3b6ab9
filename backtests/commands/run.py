"""`backtest run`."""

from __future__ import annotations

import json
import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backtests.commands.options import (
    ARCHIVE,
    archive_option,
    aside,
    day,
    json_option,
    news_of,
    scorer_option,
    settings_option,
    split_settings,
    trading_options,
    window_options,
)
from backtests.commands.runall import run_all
from backtests.commands.saved_runs.audit import unproved_lines, violation_lines
from backtests.commands.trials import ready, record, trials_option
from feeds.errors import InputError

if TYPE_CHECKING:
    from backtests.auditing.audit import Audit
    from backtests.broker.terms import BrokerTerms
    from backtests.engine.news import News
    from backtests.episodes.episode import Episode
    from backtests.runs.result import Result
    from feeds.scoring import Scorer
    from strategies.rule import Rule


@click.command()
@click.argument("episode")
@click.option("-s", "--strategy", "strategies", multiple=True, help="A strategy, or your own FILE.py[:CLASS].")
@settings_option
@window_options
@click.option("--cash", metavar="USD", help="Cash at the start, in US dollars.")
@click.option("--news", type=click.Path(path_type=Path), help="RSS/Atom file or folder instead, or `archive`.")
@archive_option
@click.option(
    "--lexicon-as-of", callback=day, metavar="DATE", help="Score without words learned after DATE (not with `all`)."
)
@scorer_option
@click.option("--prices", type=click.Path(path_type=Path), help="CSV or Parquet of bars instead.")
@trading_options
@trials_option
@json_option
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder for the run's files.")
def run(
    episode: str,
    strategies: tuple[str, ...],
    settings: dict[str, str],
    start: date | None,
    end: date | None,
    cash: str | None,
    news: Path | None,
    archive: Path | None,
    lexicon_as_of: date | None,
    scorer: Scorer,
    prices: Path | None,
    auctions: str | None,
    bars: str | None,
    loans: Path | None,
    borrow: tuple[float, ...],
    ledger: str | None,
    as_json: bool,
    output: Path | None,
) -> None:
    """Replays EPISODE (a name, a folder, or `all`) and writes its files.

    \b
    Example:
      backtest run deepseek-2025 --strategy shock --set threshold=0.8 --set slippage_bps=10
      backtest run deepseek-2025 --auctions open,close --borrow 1,5,30,100
      backtest run deepseek-2025 --bars 5m --prices minutes.csv
      backtest run all --strategy shock
    """
    from backtests.engine.replay import standard_rules
    from backtests.engine.schedule import place_news
    from backtests.episodes.episode import load_episode
    from backtests.report import text_report
    from backtests.report.text.evidence import verdict_text

    given = {"cash": cash, "auctions": auctions}
    settings = {**settings, **{name: value for name, value in given.items() if value is not None}}
    if episode == "all" and lexicon_as_of is not None:
        raise InputError("--lexicon-as-of is a day of one episode; name the episode")
    if episode == "all":
        one = {"start": start, "end": end, "news": news, "prices": prices, "bars": bars, "loans": loans}
        run_all(strategies, settings, {**one, "borrow": borrow}, ledger, output, scorer=scorer, as_json=as_json)
        return
    ready(ledger)
    with aside():
        terms, own = split_settings(settings, strategies)
        rules = standard_rules(strategies, own)
    own_news = None if news == ARCHIVE else news
    loaded = load_episode(episode, prices=prices, news=own_news, start=start, end=end, bars=bars, loans=loans)
    loaded, scored = news_of(loaded, news, archive, lexicon_as_of, scorer)
    for reject in scored.rejects:
        click.echo(f"lost: {reject.feed}, item {reject.item} ({reject.title[:60]}): {reject.reason}", err=True)
    result, audited = _weighed(loaded, place_news(loaded, scored, terms), rules, terms, borrow, ledger)
    folder = output or _run_folder(loaded.name, result.hash8)
    result.save(folder)
    text = text_report(result, loaded.title)
    click.echo(text + verdict_text(result.evidence), err=as_json, nl=False)
    click.echo(f"files: {folder}", err=True)
    if as_json:
        click.echo(json.dumps(result.document, ensure_ascii=False, allow_nan=False))
    for line in unproved_lines(audited):
        click.echo(line, err=True)
    for line in violation_lines(audited):
        click.echo(line, err=True)
    if audited.exit_code:
        sys.exit(audited.exit_code)


def _weighed(
    episode: Episode, news: News, rules: list[Rule], terms: BrokerTerms, borrow: tuple[float, ...], ledger: str | None
) -> tuple[Result, Audit]:
    """Replays the rules on placed news, audits and records the run, and adds what speaks for and against it."""
    from backtests.auditing.audit import short_audit
    from backtests.engine.replay import replay
    from backtests.evidence.standard import weigh
    from backtests.runs.borrow_stress import borrow_stress

    with aside():
        result = replay(episode, rules, terms=terms, news=news)
    with aside(said=False):  # it has been said once
        if borrow:
            result.document["borrow_stress"] = borrow_stress(episode, news, rules, terms, borrow)
        audited = short_audit(episode, news, rules, result.tables["targets"].rows, terms)
        result.document["audit"] = audited.short_document()
        record(result, ledger)
        weigh(result, rules, episode, news)
    return result, audited


def _run_folder(name: str, hash8: str) -> Path:
    """Names a new folder by the clock; a second run in the same second gets a number."""
    from datetime import UTC

    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    folder = Path("runs") / f"{stamp}-{name}-{hash8}"
    number = 1
    while folder.exists():
        number += 1
        folder = folder.with_name(f"{stamp}-{name}-{hash8}-{number}")
    return folder
