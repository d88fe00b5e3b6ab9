"""The `backtest` command: parse, call one library function, print. Data to stdout, everything else to stderr.

Exit codes: 0 done, 1 ran and found something wrong, 2 wrong use or input.
"""

from __future__ import annotations

import json
import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from feeds.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backtests.book import BookTerms
    from feeds.scoring import Score

VERSION = "0.1.0"


class _Verbs(click.Group):
    """A group that suggests the nearest verb and prints input errors as one line."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise InputError(f"unknown command {args[0]!r}; {did_you_mean(args[0], self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, prog_name="backtest")
def cli() -> None:
    """Replays news episodes honestly: nothing in a replay may know what was not known then.

    \b
    Example:
      backtest run deepseek-2025
    """


def _day(_: click.Context, parameter: click.Parameter, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"--{parameter.name} {text!r}: give a date as YYYY-MM-DD") from None


def _settings(_: click.Context, __: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    settings = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InputError(f"--set {pair!r}: give NAME=VALUE")
        settings[name.strip()] = value.strip()
    return settings


@cli.command()
@click.argument("episode")
@click.option("-s", "--strategy", "strategies", multiple=True, help="A strategy (repeatable); all without.")
@click.option(
    "--set", "settings", multiple=True, callback=_settings, metavar="NAME=VALUE",
    help="A parameter of the strategies or of the book (repeatable).",
)  # fmt: skip
@click.option("--start", callback=_day, metavar="DATE", help="First session, YYYY-MM-DD.")
@click.option("--end", callback=_day, metavar="DATE", help="Last session, YYYY-MM-DD.")
@click.option("--cash", metavar="USD", help="Cash at the start, in US dollars.")
@click.option("--news", type=click.Path(path_type=Path), help="RSS/Atom file or folder instead of the episode's.")
@click.option("--prices", type=click.Path(path_type=Path), help="CSV or Parquet of daily bars instead.")
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
    prices: Path | None,
    as_json: bool,
    output: Path | None,
) -> None:
    """Replays EPISODE (a name or a folder) and writes its files.

    \b
    Example:
      backtest run deepseek-2025 --strategy shock --set threshold=0.8 --set slippage_bps=10
    """
    from backtests.episode import load_episode
    from backtests.news import read_news
    from backtests.replay import replay, standard_rules
    from backtests.report import text_report

    if cash is not None:
        settings = {**settings, "cash": cash}
    terms, own = _split(settings, strategies)
    rules = standard_rules(strategies, own)
    loaded = load_episode(episode, prices=prices, news=news, start=start, end=end)
    scored = read_news(loaded)
    for reject in scored.rejects:
        click.echo(f"lost: {reject.feed}, item {reject.item} ({reject.title[:60]}): {reject.reason}", err=True)
    result = replay(loaded, rules, terms=terms, news=scored)
    folder = output or _run_folder(loaded.name, result.hash8)
    result.save(folder)
    text = text_report(result, loaded.title)
    click.echo(text, err=as_json, nl=False)
    click.echo(f"files: {folder}", err=True)
    if as_json:
        click.echo(json.dumps(result.document, ensure_ascii=False, allow_nan=False))


def _split(settings: dict[str, str], strategies: Iterable[str]) -> tuple[BookTerms, dict[str, str]]:
    """Parts settings into the book's and the strategies'; a name neither has is refused."""
    import dataclasses

    from backtests.book import BookTerms
    from strategies.registry import make_rule, rules

    chosen = tuple(strategies) or tuple(rules())
    parameters = {field.name for name in chosen for field in dataclasses.fields(make_rule(name))}
    for name in settings:
        if name not in parameters and name not in BookTerms.names():
            known = [*parameters, *BookTerms.names()]
            raise InputError(
                f"no strategy of this run and no book has a parameter {name!r}; {did_you_mean(name, known)}"
            )
    book = {name: value for name, value in settings.items() if name in BookTerms.names()}
    own = {name: value for name, value in settings.items() if name not in book}
    return BookTerms().with_settings(book), own


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


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON list on stdout.")
def episodes(as_json: bool) -> None:
    """Lists the episodes that ship.

    \b
    Example:
      backtest episodes --json
    """
    from backtests.episode import episode_names, load_episode

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
            }
        )
    _listing(rows, as_json=as_json)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON list on stdout.")
def strategies(as_json: bool) -> None:
    """Lists the strategies, the naive rivals among them, with their parameters.

    \b
    Example:
      backtest strategies
    """
    from strategies.registry import make_rule, rules

    rows: list[dict[str, Any]] = [
        {"strategy": name, "rival": rule.rival, "about": rule.about, "params": make_rule(name).parameters}
        for name, rule in rules().items()
    ]
    if not as_json:
        for row in rows:
            row["params"] = " ".join(f"{key}={value}" for key, value in row["params"].items())
    _listing(rows, as_json=as_json)


def _listing(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        first, *rest = row.items()
        click.echo(f"{first[1]}")
        for key, value in rest:
            click.echo(f"    {key}: {value}")


@cli.command()
@click.argument("text", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per headline and line.")
@click.option("--lexicon-as-of", callback=_day, metavar="DATE", help="Leave out words learned after DATE.")
def score(text: str | None, as_json: bool, lexicon_as_of: date | None) -> None:
    """Scores TEXT, or one headline per line of stdin.

    \b
    Example:
      backtest score "Cheap Chinese model casts doubt on AI chip demand" --json
    """
    from feeds.scoring import score as score_text

    lines: Iterable[str] = [text] if text is not None else _stdin_lines()
    for line in lines:
        if not line.strip() and text is None:
            continue
        scored = score_text(line, lexicon_as_of=lexicon_as_of)
        click.echo(json.dumps(_plain(line, scored), ensure_ascii=False) if as_json else _human(line, scored))


def _stdin_lines() -> Iterable[str]:
    """Lines of stdin as UTF-8 whatever the locale says; bytes that are none become replacement characters."""
    for line in sys.stdin.buffer:
        yield line.decode("utf-8", errors="replace").rstrip("\r\n")


def _plain(text: str, scored: Score) -> dict[str, Any]:
    return {
        "text": text,
        "language": scored.language,
        "relevance": scored.relevance,
        "sentiment": scored.sentiment,
        "tone": scored.tone,
        "entities": [
            {"symbol": each.symbol, "direction": each.direction, "salience": each.salience} for each in scored.entities
        ],
        "reaction": scored.reaction,
        "cause": scored.cause,
        "hits": list(scored.hits),
    }


def _human(text: str, scored: Score) -> str:
    companies = " ".join(f"{each.symbol}:{each.direction:+d}" for each in scored.entities) or "–"
    return (
        f"{scored.language}  relevance {scored.relevance:.2f}  disruption {scored.sentiment:+.2f}  "
        f"tone {scored.tone:+.2f}  {companies}  {'reaction  ' if scored.reaction else ''}{text}"
    )


def main() -> None:
    """Runs the command; a user's mistake ends in one line and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")  # the same bytes in every locale
    try:
        cli(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        sys.exit(130)
    except click.ClickException as wrong:
        click.echo(f"error: {wrong.format_message()}", err=True)
        sys.exit(2)
    except InputError as wrong:
        click.echo("error: " + " ".join(str(wrong).split()), err=True)
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone; nothing is left to say
        sys.exit(0)
