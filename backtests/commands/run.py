"""`backtest run`."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backtests.commands.option_file import FILE, FileOptions, origins, trust_file_option
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
from backtests.commands.output import progress, show
from backtests.commands.saved_runs.audit import unproved_lines, violation_lines
from backtests.commands.trials import ready, record, trials_option
from feeds.errors import InputError

if TYPE_CHECKING:
    from backtests.auditing.audit import Audit
    from backtests.broker.terms import BrokerTerms
    from backtests.engine.news import News
    from backtests.episodes.episode import Episode
    from backtests.evidence.registry import Evidence
    from backtests.runs.result import Result
    from feeds.scoring import Scorer


@click.command(cls=FileOptions)
@click.argument("episode")
@click.option("-s", "--strategy", "strategies", multiple=True, help="A strategy, or your own FILE.py[:CLASS].")
@click.option(
    "--decisions",
    "tables",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Decisions made elsewhere, as CSV: session,symbol,weight,decided_at,model (repeatable).",
)
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
@click.option("--no-baselines", is_flag=True, help="Only the strategies named: no baselines beside them.")
@click.option("--no-resample", is_flag=True, help="Leave out what other samples of the news make of each return.")
@trials_option
@json_option
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A new folder for the run's files.")
@click.option("--force", is_flag=True, help="Replace the run that is in the --output folder, whole.")
@click.option(
    "--evidence", metavar="NAMES", help="Gather in the same go: all, or some of study,signal,placebo,resample,delay."
)
@click.option("-v", "--verbose", is_flag=True, help="Print the whole report, not its first screen.")
@click.option("--export", type=click.Choice(["parquet"]), help="Write every table as Parquet too (needs pyarrow).")
@trust_file_option
def run(
    episode: str,
    strategies: tuple[str, ...],
    tables: tuple[Path, ...],
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
    delisting: str | None,
    bars: str | None,
    loans: Path | None,
    borrow: tuple[float, ...],
    no_baselines: bool,
    no_resample: bool,
    ledger: str | None,
    as_json: bool,
    output: Path | None,
    force: bool,
    evidence: str | None,
    verbose: bool,
    export: str | None,
) -> None:
    """Replays EPISODE (a name, a folder, or `all`) beside the baselines and the benchmark, and writes its files.

    Options may stand in a backtest.toml in the folder, by their names; the command line wins.

    \b
    Example:
      backtest run deepseek-2025 --strategy shock --set threshold=0.8 --set slippage_bps=10
      backtest run deepseek-2025 --auctions open,close --borrow 1,5,30,100
      backtest run deepseek-2025 --bars 5m --prices minutes.csv
      backtest run deepseek-2025 --decisions agent.csv
      backtest run all --strategy shock
    """
    strategies = (*strategies, *map(decisions_named, tables))
    given = {"cash": cash, "auctions": auctions, "delisting": delisting}
    settings = {**settings, **{name: value for name, value in given.items() if value is not None}}
    if episode == "all":
        _refuse_for_all(
            **{"lexicon-as-of": lexicon_as_of, "start": start, "end": end, "news": news, "prices": prices},
            bars=bars, loans=loans, borrow=borrow, export=export, evidence=evidence,
        )  # fmt: skip
    if export and importlib.util.find_spec("pyarrow") is None:  # said before the work, not after it
        raise InputError("--export parquet needs pyarrow: pip install 'aftershock[parquet]'")
    _check_output(episode, output, force=force)
    ready(ledger)
    with aside():
        terms, own = split_settings(settings, strategies)
    request = _Request(
        strategies=strategies, settings=own, terms=terms, ledger=ledger, baselines=not no_baselines,
        resampled=not no_resample and _can_resample(), evidence=_asked(evidence),
    )  # fmt: skip
    if episode == "all":
        _run_all(request, scorer, output, force=force, as_json=as_json)
        return
    from backtests.episodes.episode import load_episode
    from backtests.evidence.registry import report_end
    from backtests.report.text.first_screen import first_screen
    from backtests.report.text.run_report import text_report

    own_news = None if news == ARCHIVE else news
    loaded = load_episode(episode, prices=prices, news=own_news, start=start, end=end, bars=bars, loans=loans)
    loaded, scored = news_of(loaded, news, archive, lexicon_as_of, scorer)
    for reject in scored.rejects:
        click.echo(f"lost: {reject.feed}, item {reject.item} ({reject.title[:60]}): {reject.reason}", err=True)
    for reason, count in scored.remarks.items():
        click.echo(f"note: {count} × {reason}", err=True)
    result, audited = _run_one(request, loaded, scored, borrow)
    folder = output or _run_folder(loaded.name, result.hash8)
    if said := origins(click.get_current_context()):
        result.made["options"] = {FILE: said}
    result.save(folder, force=force, parquet=export == "parquet")
    if verbose:
        text = text_report(result, loaded.title) + report_end(result.evidence)
    else:
        text = first_screen(result, loaded.title, report_end(result.evidence, short=True))
    show(text, result.document, as_json=as_json)
    click.echo(f"files: {folder}", err=True)
    click.echo(f"page: {folder / 'report.html'}", err=True)
    _tell([audited])


def decisions_named(path: Path) -> str:
    """Returns the name by which a table of decisions is a strategy.

    Raises:
        InputError: Its name does not end as a table's.
    """
    if path.suffix.lower() != ".csv":
        raise InputError(f"--decisions {path}: give a CSV file (.csv)")
    return str(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """Holds what is to be run, on whichever episode."""

    strategies: tuple[str, ...]
    settings: dict[str, str]  # of the strategies
    terms: BrokerTerms
    ledger: str | None
    baselines: bool  # run them beside the strategies that are named
    resampled: bool  # say what other samples of the news make of each return
    evidence: tuple[Evidence, ...]  # that is gathered in the same go


def _asked(names: str | None) -> tuple[Evidence, ...]:
    """Reads --evidence."""
    if names is None:
        return ()
    from backtests.evidence.registry import asked

    return asked(names)


def _estimate(methods: Sequence[Evidence], replay_seconds: float) -> None:
    """Says before it begins how long the evidence that was asked for will take."""
    if methods:
        names = ", ".join(each.name for each in methods)
        seconds = replay_seconds * sum(each.replays for each in methods)
        click.echo(f"evidence: {names}; about {max(1, round(seconds)):,} s, by the time of the replay", err=True)


def _can_resample() -> bool:
    """Says whether the compiled engine is there; where it is not, how to get it."""
    from backtests.evidence.placebo.choose_engine import is_compiled_engine_here

    if is_compiled_engine_here():
        return True
    click.echo(
        "note: what other samples of the news make of each return needs numba: pip install 'aftershock[fast]', "
        "or leave it out with --no-resample", err=True,
    )  # fmt: skip
    return False


def _check_output(episode: str, output: Path | None, *, force: bool) -> None:
    """Makes sure that the files can be written where they are wanted, before the work for them is done.

    Raises:
        InputError: They cannot, or would take the place of something that is no run.
    """
    from backtests.episodes.episode import episode_names
    from backtests.records.folders import check_target
    from backtests.runs.folder import check_replaceable

    if output is None:
        if force:
            raise InputError("--force: replaces the run in a folder; name it with -o")
        return
    if episode != "all":
        check_target(output, check_replaceable, force=force)
        return
    for name in episode_names():
        check_target(output / name, check_replaceable, force=force)
    own = set(episode_names()) if force else set()
    other = sorted({path.name for path in output.iterdir()} - own) if output.is_dir() else []
    if other or not output.is_dir():
        check_target(output, check_replaceable)


def _refuse_for_all(**given: object) -> None:
    for name, value in given.items():
        if value:
            raise InputError(f"--{name} belongs to one episode; `run all` takes each as it ships")


def _run_one(request: _Request, episode: Episode, scored: News, borrow: tuple[float, ...] = ()) -> tuple[Result, Audit]:
    """Replays the strategies on an episode, audits the run, enters it in the ledger, and gathers its evidence."""
    from backtests._replay import replay
    from backtests.auditing.audit import short_audit
    from backtests.engine.schedule import place_news
    from backtests.evidence.registry import gather
    from backtests.evidence.short_resample import add_short_form
    from backtests.runs.borrow_stress import borrow_stress
    from backtests.user_strategies.selection import standard_rules, with_baselines, without_baselines

    news = place_news(episode, scored, request.terms)
    with aside():
        rules = standard_rules(request.strategies, request.settings)
        rules = with_baselines(rules) if request.baselines else without_baselines(rules, request.strategies)
        began = time.perf_counter()
        result = replay(episode, rules, terms=request.terms, news=news)
        _estimate(request.evidence, time.perf_counter() - began)
    with aside(said=False):  # it has been said once
        if borrow:
            result.document["borrow_stress"] = borrow_stress(episode, news, rules, request.terms, borrow)
        audited = short_audit(episode, news, rules, result.tables["targets"].rows, request.terms)
        result.document["audit"] = audited.short_document()
        if request.resampled:
            add_short_form(result, rules, episode, news, request.terms)
        record(result, request.ledger)
        gather(
            result, rules, episode, news,
            unplaced=scored, more=request.evidence, on_progress=lambda name: click.echo(f"evidence: {name}", err=True),
        )  # fmt: skip
    return result, audited


def _run_all(request: _Request, scorer: Scorer, output: Path | None, *, force: bool, as_json: bool) -> None:
    """Runs every episode that ships, but years that hold other episodes, and prints one table over them."""
    from backtests.engine.news import read_news
    from backtests.episodes.episode import load_episode, separate_episodes
    from backtests.records.contamination import facts_of_several, scorer_line
    from backtests.report.text.run_report import audit_line
    from backtests.report.text.table import wrapped
    from backtests.runs.across_episodes import AcrossEpisodes, Cell, across_episodes_text, cells_of

    cells: list[Cell] = []
    audits: list[Audit] = []
    facts: list[dict[str, Any]] = []
    benchmarks: dict[str, dict[str, object]] = {}
    names = separate_episodes()
    with progress(len(names), "episodes") as done:
        for name in names:
            episode = load_episode(name)
            result, audited = _run_one(request, episode, read_news(episode, scorer=scorer))
            if output is not None:
                result.save(output / name, force=force)
            cells += cells_of(result, control=episode.control)
            for row in result.document.get("nothing_to_trade", ()):
                click.echo(f"note: {name}: NOTHING TO TRADE for {row['strategy']}: {row['reason']}", err=True)
            audits.append(audited)
            facts.append(result.document["scorer"])
            benchmarks[name] = result.document["benchmark"]
            done(1)
    together = facts_of_several(scorer.label, facts)
    compared = AcrossEpisodes(cells=tuple(cells), benchmarks=benchmarks)
    counts = sum(each.decisions for each in audits), sum(len(each.violations) for each in audits)
    unproved = list(dict.fromkeys(line for each in audits for line in each.unproved))
    audit: dict[str, object] = {"decisions": counts[0], "violations": counts[1]}
    audit |= {"unproved": unproved} if unproved else {}
    lines = [audit_line(*counts, len(unproved)), *wrapped(scorer_line(together))]
    document = {**compared.document(), "audit": audit, "scorer": together}
    show(across_episodes_text(compared) + "\n".join(lines) + "\n", document, as_json=as_json)
    if output is not None:
        click.echo(f"files: {output}", err=True)
    _tell(audits)


def _tell(audits: Sequence[Audit]) -> None:
    """Says on stderr what audits found; exit code 1 where a decision knew the future, 3 where that is not proved."""
    for line in [
        *dict.fromkeys(line for each in audits for line in unproved_lines(each)),
        *(line for each in audits for line in violation_lines(each)),
    ]:
        click.echo(line, err=True)
    code = max((each.exit_code for each in audits), key=(0, 3, 1).index, default=0)
    if code:
        sys.exit(code)


def _run_folder(name: str, hash8: str) -> Path:
    """Names a new folder by the clock; a second run in the same second gets a number."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    folder = Path("runs") / f"{stamp}-{name}-{hash8}"
    number = 1
    while folder.exists():
        number += 1
        folder = folder.with_name(f"{stamp}-{name}-{hash8}-{number}")
    return folder
