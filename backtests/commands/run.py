"""`backtest run`."""

from __future__ import annotations

import json
import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backtests.commands.audit import unproved_lines, violation_lines
from backtests.commands.options import (
    archive_option,
    aside,
    day,
    open_archive,
    scorer_option,
    settings_option,
    split_settings,
    trading_options,
)
from backtests.commands.runall import run_all
from backtests.commands.trials import ready, record, trials_option
from feeds.errors import InputError

if TYPE_CHECKING:
    from feeds.scoring import Scorer


@click.command()
@click.argument("episode")
@click.option("-s", "--strategy", "strategies", multiple=True, help="A strategy, or your own FILE.py[:CLASS].")
@settings_option
@click.option("--start", callback=day, metavar="DATE", help="First session, YYYY-MM-DD.")
@click.option("--end", callback=day, metavar="DATE", help="Last session, YYYY-MM-DD.")
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
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout; text goes to stderr.")
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
    from backtests.audit import short_audit
    from backtests.episode import load_episode
    from backtests.evidence.automatic import weigh
    from backtests.evidence.words import verdict_text
    from backtests.news import read_archive, read_news
    from backtests.replay import replay, standard_rules
    from backtests.report import text_report
    from backtests.stress import borrow_stress
    from backtests.wakes import place_news

    given = {"cash": cash, "auctions": auctions}
    settings = {**settings, **{name: value for name, value in given.items() if value is not None}}
    if episode == "all" and lexicon_as_of is not None:
        raise InputError("--lexicon-as-of is a day of one episode; name the episode")
    if episode == "all":
        one = {
            "start": start,
            "end": end,
            "news": news,
            "prices": prices,
            "bars": bars,
            "loans": loans,
            "borrow": borrow,
        }
        run_all(strategies, settings, one, ledger, output, scorer=scorer, as_json=as_json)
        return
    ready(ledger)
    with aside():
        terms, own = split_settings(settings, strategies)
        rules = standard_rules(strategies, own)
    own_news = None if news == Path("archive") else news
    loaded = load_episode(episode, prices=prices, news=own_news, start=start, end=end, bars=bars, loans=loans)
    if news == Path("archive"):
        with open_archive(archive, create=False) as opened:
            loaded, scored = read_archive(loaded, opened, scorer=scorer, lexicon_as_of=lexicon_as_of)
    else:
        scored = read_news(loaded, scorer=scorer, lexicon_as_of=lexicon_as_of)
    for reject in scored.rejects:
        click.echo(f"lost: {reject.feed}, item {reject.item} ({reject.title[:60]}): {reject.reason}", err=True)
    scored = place_news(loaded, scored, terms)
    with aside():
        result = replay(loaded, rules, terms=terms, news=scored)
    with aside(said=False):  # it has been said once
        if borrow:
            result.document["borrow_stress"] = borrow_stress(loaded, scored, rules, terms, borrow)
        audited = short_audit(loaded, scored, rules, result.tables["targets"].rows, terms)
        result.document["audit"] = {"decisions": audited.decisions, "violations": len(audited.violations)}
        record(result, ledger)
        weigh(result, rules, loaded, scored)
    folder = output or _run_folder(loaded.name, result.hash8)
    result.save(folder)
    text = text_report(result, loaded.title)
    click.echo(text + verdict_text(result.evidence), err=as_json, nl=False)
    click.echo(f"files: {folder}", err=True)
    if as_json:
        click.echo(json.dumps(result.document, ensure_ascii=False, allow_nan=False))
    for line in unproved_lines(audited):
        click.echo(line, err=True)
    if audited.violations:
        for line in violation_lines(audited):
            click.echo(line, err=True)
        sys.exit(1)


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
