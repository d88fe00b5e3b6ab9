"""`backtest episodes`: lists what ships; makes, checks, packs and unpacks one's own."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backtests.commands.options import Verbs, archive_option, day, open_archive
from feeds.errors import InputError

if TYPE_CHECKING:
    from backtests.authoring.episode_files import EpisodeRequest


@click.group(cls=Verbs, invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON list on stdout.")
@click.pass_context
def episodes(context: click.Context, as_json: bool) -> None:
    """Lists the episodes that ship; with a verb, makes, checks, packs and unpacks one's own.

    \b
    Example:
      backtest episodes --json
      backtest episodes check my-episode
    """
    if context.invoked_subcommand is None:
        _list(as_json=as_json)


def _list(*, as_json: bool) -> None:
    from backtests.commands.listings import listing
    from backtests.episodes.episode import episode_names, load_episode

    rows = []
    for name in episode_names():
        episode = load_episode(name)
        rows.append(
            {
                "episode": name,
                "title": episode.title,
                "start": episode.start.isoformat(),
                "end": episode.end.isoformat(),
                "symbols": len(episode.symbols),
                "claims": len(episode.claims),
                "control": episode.control,
            }
        )
    listing(rows, as_json=as_json)


@episodes.command()
@click.argument("name")
@click.option("--start", required=True, callback=day, metavar="DATE", help="First session of the window.")
@click.option("--end", required=True, callback=day, metavar="DATE", help="Last session of the window.")
@click.option(
    "--symbols", required=True, multiple=True, metavar="[SECTOR=]A,B,C",
    help="What is traded (repeatable); sectors of known symbols are found.",
)  # fmt: skip
@click.option("--context", "shown", default="", metavar="A,B", help="Shown, never traded: indices, futures, crypto.")
@click.option("--benchmark", default="SPY", show_default=True, metavar="SYMBOL", help="What returns are held against.")
@click.option(
    "--prices", type=click.Path(path_type=Path), help="CSV or Parquet of daily bars, also as vendors write it."
)
@click.option(
    "--date-order", type=click.Choice(["dmy", "mdy"]), help="What comes first in dates like 27/01/2025: day or month."
)
@click.option("--actions", type=click.Path(path_type=Path), help="CSV of dividends and splits.")
@click.option("--download", is_flag=True, help="Prices and actions from Yahoo (needs the extra `data`).")
@click.option(
    "--table",
    "tables",
    type=click.Path(path_type=Path),
    multiple=True,
    help="symbols.csv, halts.csv, delistings.csv or loans.csv (repeatable).",
)
@click.option(
    "--news",
    type=click.Path(path_type=Path),
    multiple=True,
    help="RSS, Atom, JSONL or CSV, a file or a folder (repeatable); trimmed to the window.",
)
@click.option("--from-archive", is_flag=True, help="News from the archive, with the times at which it saw them.")
@archive_option
@click.option("--title", help="One line; the name without.")
@click.option("--key", "key", callback=day, metavar="DATE", help="The session that is shown in detail.")
@click.option("--unadjusted", is_flag=True, help="The prices do not have splits in them.")
@click.option("--control", is_flag=True, help="A quiet window: what is traded in it is a false alarm.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The folder; ./NAME without.")
def new(name: str, **options: Any) -> None:
    """Makes the episode NAME: a folder that `backtest run` takes.

    \b
    Example:
      backtest episodes new my-week --start 2025-01-20 --end 2025-01-31 --symbols NVDA,AMD,VST --prices bars.csv
          --actions actions.csv --news feeds/
    """
    from backtests.authoring.create import by_sector, make_episode
    from backtests.authoring.episode_files import EpisodeRequest
    from backtests.episodes.episode import news_files

    request = EpisodeRequest(
        name=name,
        title=options["title"] or name,
        start=options["start"],
        end=options["end"],
        sectors=by_sector(options["symbols"], options["benchmark"]),
        context=tuple(filter(None, options["shown"].split(","))),
        benchmark=options["benchmark"],
        adjusted="none" if options["unadjusted"] else "splits",
        control=options["control"],
        key_session=options["key"],
    )
    folder = options["output"] or Path(name)
    if folder.exists():  # said before anything is downloaded
        raise InputError(f"{folder}: is there already; give another name, or remove it")
    headlines = _from_archive(request, options["archive"]) if options["from_archive"] else []
    if bool(options["prices"]) == options["download"]:
        raise InputError("give either --prices FILE or --download")
    with tempfile.TemporaryDirectory() as place:
        prices, actions, origin = options["prices"], options["actions"], ""
        if options["download"]:
            prices, actions = _download(request, Path(place))
            origin = "Yahoo's figures, downloaded with yfinance"
        notes = make_episode(
            folder,
            request,
            prices,
            date_order=options["date_order"] or "",
            actions=actions,
            tables=options["tables"],
            news=[path for each in options["news"] for path in news_files(each)],
            headlines=headlines,
            origin=origin,
        )
    for note in notes:
        click.echo(f"note: {note}", err=True)
    click.echo(f"{folder}: valid; backtest run {folder}", err=True)


def _from_archive(request: EpisodeRequest, archive: Path | None) -> list[dict[str, Any]]:
    """Reads the archive's rows from 30 days before the window's first open to its last close."""
    from backtests.authoring.news_selection import calendar_span
    from backtests.commands.feeds.contents import plain

    since, until = calendar_span(request.start, request.end)
    with open_archive(archive, create=False) as opened:
        rows = [plain(each) for each in opened.history(since, until)]
        if not rows:
            raise InputError(f"{opened.path}: holds nothing known from {since:%Y-%m-%d} to {until:%Y-%m-%d}")
    return rows


def _download(request: EpisodeRequest, folder: Path) -> tuple[Path, Path]:
    from datetime import UTC, datetime, timedelta

    from backtests.authoring.create import AFTER, BEFORE
    from backtests.authoring.download import download

    symbols = [symbol for members in request.sectors.values() for symbol in members]
    start = request.start - timedelta(days=BEFORE * 7 // 5 + 10)  # sessions are five days of seven
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    end = min(request.end + timedelta(days=AFTER * 7 // 5), yesterday)
    return download(symbols, request.context, start, end, folder)


@episodes.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def check(path: Path, as_json: bool) -> None:
    """Lists the problems of the episode's folder PATH, one a line; exit code 1 when there are any.

    \b
    Example:
      backtest episodes check my-episode
    """
    from backtests.authoring.validate import check_folder
    from backtests.episodes.episode import EPISODES, episode_names

    folder = EPISODES / str(path) if not path.exists() and str(path) in episode_names() else path
    if not folder.is_dir():
        raise InputError(f"{path}: is no folder; give the folder that holds episode.toml, or an episode's name")
    problems = check_folder(folder)
    if as_json:
        click.echo(json.dumps({"path": str(path), "problems": problems}, ensure_ascii=False))
    else:
        for problem in problems:
            click.echo(problem)
    verdict = "valid" if not problems else f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
    click.echo(f"{path}: {verdict}", err=True)
    if problems:
        sys.exit(1)


@episodes.command(name="export")
@click.argument("episode")
@click.argument("file", type=click.Path(path_type=Path))
def export(episode: str, file: Path) -> None:
    """Packs EPISODE (a name or a folder) into the zip file FILE; the same folder gives the same bytes.

    \b
    Example:
      backtest episodes export my-episode my-episode.zip
    """
    from backtests.authoring.bundle import export_episode

    click.echo(f"{file}: {export_episode(episode, file)} files", err=True)


@episodes.command(name="import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path(), help="Where its folder goes; here without."
)
def import_(file: Path, output: Path) -> None:
    """Unpacks the zip file FILE of an episode into a new folder, when all of it is valid.

    \b
    Example:
      backtest episodes import my-episode.zip
    """
    from backtests.authoring.bundle import import_episode

    click.echo(f"{import_episode(file, output)}: valid", err=True)
