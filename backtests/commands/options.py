"""Reads the options that several commands share."""

from __future__ import annotations

import contextlib
import difflib
import io
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from feeds.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backtests.broker.terms import BrokerTerms
    from backtests.engine.news import News
    from backtests.episodes.episode import Episode
    from feeds.archive import Archive
    from feeds.scoring import Scorer


def aside(*, said: bool = True) -> contextlib.redirect_stdout[Any]:
    """Sends what a user's strategy prints to stderr, or nowhere, for a while: stdout is for the result."""
    return contextlib.redirect_stdout(sys.stderr if said else _Nowhere())


class _Nowhere(io.TextIOBase):
    """Takes any text and keeps none of it."""

    def write(self, text: str) -> int:
        return len(text)


def _silence(context: click.Context, _: click.Parameter, quiet: bool) -> None:
    """Sends what is meant for stderr nowhere until the command ends; `main` prints errors after that."""
    if quiet:
        context.with_resource(contextlib.redirect_stderr(_Nowhere()))


def quiet_option(command: click.Command) -> click.Command:
    """Adds --quiet to a command that does not have it."""
    if not any(each.name == "quiet" for each in command.params):
        option = click.Option(
            ["-q", "--quiet"], is_flag=True, expose_value=False, callback=_silence,
            help="No notes and no progress on stderr; errors only.",
        )  # fmt: skip
        command.params.append(option)
    return command


class Verbs(click.Group):
    """Groups the commands, and suggests the nearest where one is unknown."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Adds a verb, which then has --quiet."""
        super().add_command(quiet_option(cmd), name)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Shows the help where nothing is asked for: that is no mistake."""
        if not args and not self.invoke_without_command:
            click.echo(ctx.get_help())
            ctx.exit()
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Finds the verb, or names the nearest."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise InputError(f"unknown command {args[0]!r}; {did_you_mean(args[0], self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)


archive_option = click.option(
    "--archive", type=click.Path(path_type=Path), metavar="FILE",
    help="The archive; without, AFTERSHOCK_ARCHIVE or the user's data folder.",
)  # fmt: skip


def day(_: click.Context, parameter: click.Parameter, text: str | None) -> date | None:
    """Reads an option as a date."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"--{parameter.name} {text!r}: give a date as YYYY-MM-DD") from None


json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout; text goes to stderr.")
scheduler_option = click.option(
    "--scheduler", default="", metavar="ADDRESS", help="With --engine dask: tcp://HOST:PORT of a scheduler."
)


def window_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --start and --end."""
    start = click.option("--start", callback=day, metavar="DATE", help="First session, YYYY-MM-DD.")
    end = click.option("--end", callback=day, metavar="DATE", help="Last session, YYYY-MM-DD.")
    return start(end(command))


_Command = TypeVar("_Command", bound=Callable[..., Any])
_SET = "aftershock.scorer_set"


def scorer_named(context: click.Context, _: click.Parameter, name: str | None) -> Scorer:
    """Finds a scorer; the default where none is named."""
    from feeds.scorers.registry import scorer_named as find
    from feeds.scorers.registry import vintage_named

    said = {key: context.meta.get(f"aftershock.{key}") for key in ("vintage", "scores", "missing", "trained_until")}
    vintage, scores = said.pop("vintage"), said.pop("scores")
    if vintage and (name or scores):
        raise InputError("--vintage is one of the default scorer; leave --scorer and --scores out")
    if name and scores:
        raise InputError("--scores are the scores; leave --scorer out")
    settings = {key: value for key, value in said.items() if value is not None} | context.meta.get(_SET, {})
    if vintage:
        return vintage_named(vintage)
    found = find(scores or name or "", settings)
    if found.watch is not None:
        from backtests.commands.output import line

        found.watch(context.with_resource(line()))
    return found


def _note(context: click.Context, parameter: click.Parameter, text: str | None) -> None:
    """Remembers what an option says of the scorer, until that is found."""
    context.meta[f"aftershock.{parameter.name}"] = text


def _note_set(context: click.Context, _: click.Parameter, pairs: tuple[str, ...]) -> None:
    context.meta[_SET] = pairs_option(context, _, pairs, "--scorer-set")


def scorer_option(command: _Command) -> _Command:
    """Adds --scorer and what else says which scorer it is; together they give the command one scorer."""
    for name, metavar, says in (
        ("--trained-until", "DATE", "Last day of what a scorer learned from that does not say it; unknown, or none."),
        ("--missing", "HOW", "With --scores: what has no score is neutral (without this), or default: scored by it."),
        ("--scores", "FILE", "Scores from a CSV, JSONL or Parquet file; `labels`: a flawless reading."),
        (
            "--vintage",
            "DATE",
            "Weights learned until DATE, or `all`; without, the newest before the episode.",
        ),
    ):
        command = click.option(name, callback=_note, is_eager=True, expose_value=False, metavar=metavar, help=says)(
            command
        )
    command = click.option(
        "--scorer-set", multiple=True, callback=_note_set, is_eager=True, expose_value=False, metavar="NAME=VALUE",
        help="Of a language model: answers=FILE, at_once=N, usd_per_million=READ,WRITTEN (repeatable).",
    )(command)  # fmt: skip
    return click.option(
        "--scorer", callback=scorer_named, metavar="NAME",
        help="Another scorer: of `backtest scorers`, FILE.py:function, or http://HOST:PORT/v1#MODEL.",
    )(command)  # fmt: skip


def rates(_: click.Context, parameter: click.Parameter, text: str | None) -> tuple[float, ...]:
    """Reads an option as rates in percent a year, with commas between them."""
    if text is None:
        return ()
    try:
        found = tuple(float(each) for each in text.split(","))
    except ValueError:
        raise InputError(f"--{parameter.name} {text!r}: give rates in percent a year, like 1,5,30,100") from None
    if not all(0 <= rate < 10_000 for rate in found):
        raise InputError(f"--{parameter.name} {text!r}: rates must be at least 0 and below 10000 percent a year")
    return found


def trading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that say where and on what a run trades, beside the terms that `--set` takes."""
    for option in (
        click.option("--auctions", metavar="NAMES", help="For which the news is read: open, close or open,close."),
        click.option("--delisting", metavar="RULE",
                     help="What a share is worth once its bars have ended: last, zero, or per cent of the last close."),
        click.option("--bars", metavar="LENGTH", help="Bars of minutes in the --prices file, like 5m: trade on them."),
        click.option(
            "--loans", type=click.Path(path_type=Path), metavar="FILE",
            help="CSV of stock loans: symbol,valid_from,rate_pct,max_shares.",
        ),
        click.option(
            "--borrow", callback=rates, metavar="RATES",
            help="Also print the returns at these borrow rates, percent a year: 1,5,30,100.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def moment_option(_: click.Context, parameter: click.Parameter, text: str | None) -> datetime | None:
    """Reads an option as a moment: a time with its zone, or a day, which stands for its first moment in UTC.

    The day of `--to` stands for its last moment.
    """
    if text is None:
        return None
    name = parameter.opts[0]
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{name} {text!r}: give 2025-01-27 or 2025-01-27T14:15Z") from None
    if len(text) <= len("2025-01-27"):
        found = found.replace(tzinfo=UTC)
        return found.replace(hour=23, minute=59, second=59) if name == "--to" else found
    if found.tzinfo is None:
        raise InputError(f"{name} {text!r}: has no time zone; write {text}Z for UTC, or an offset like +01:00")
    return found.astimezone(UTC)


def open_archive(path: Path | None, *, create: bool = True) -> Archive:
    """Opens the archive; a new one is given the catalogue of feeds that ships."""
    from feeds.archive import Archive, default_path

    archive = Archive(path or default_path(), create=create)
    if create and archive.is_new():
        from feeds.opml import catalogue

        archive.subscribe(catalogue())
    return archive


ARCHIVE = Path("archive")  # as --news: what the archive held


def news_of(
    loaded: Episode,
    news: Path | None,
    archive: Path | None,
    as_of: date | None,
    scorer: Scorer,
    until: datetime | None = None,
) -> tuple[Episode, News]:
    """Scores an episode's documents, or with `--news archive` what the archive held; words learned after `as_of` aside.

    With `until` only what was known by then.

    Returns:
        The episode, which names the archive where that was read, and its news.
    """
    from backtests.engine.news import read_archive, read_news

    if news != ARCHIVE:
        return loaded, read_news(loaded, scorer=scorer, lexicon_as_of=as_of, until=until)
    with open_archive(archive, create=False) as opened:
        return read_archive(loaded, opened, scorer=scorer, lexicon_as_of=as_of, until=until)


def pairs_option(
    _: click.Context, __: click.Parameter, pairs: tuple[str, ...], option: str = "--set"
) -> dict[str, str]:
    """Reads NAME=VALUE pairs."""
    settings = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InputError(f"{option} {pair!r}: give NAME=VALUE")
        settings[name.strip()] = value.strip()
    return settings


settings_option = click.option(
    "--set", "settings", multiple=True, callback=pairs_option, metavar="NAME=VALUE",
    help="A parameter of the strategies or of the broker (repeatable).",
)  # fmt: skip


def option_hint(wrong: click.NoSuchOption, arguments: Sequence[str]) -> str:
    """Says what an unknown option among the arguments may have been meant for: another, or a parameter for `--set`."""
    from backtests.broker.terms import BrokerTerms
    from strategies.registry import rules

    name = wrong.option_name.lstrip("-").replace("-", "_")
    command = wrong.ctx.command if wrong.ctx else None
    options = {text for each in command.params for text in each.opts} if command else set()
    parameters = {each for rule in rules().values() for each in rule.parameter_names()} | set(BrokerTerms.names())
    if name in parameters and "--set" in options:
        given = [*arguments, "="][[each.partition("=")[0] for each in arguments].index(wrong.option_name) :]
        value = given[0].partition("=")[2] or given[1]
        value = "VALUE" if value == "=" or value.startswith("--") else value
        return f"no option {wrong.option_name}; it is a parameter: --set {name}={value:.40}"
    near = difflib.get_close_matches(wrong.option_name, sorted(options), n=1, cutoff=0.6)
    return f"no option {wrong.option_name}; " + (f"did you mean {near[0]}?" if near else "see --help")


def split_settings(settings: dict[str, str], strategies: Iterable[str]) -> tuple[BrokerTerms, dict[str, str]]:
    """Splits settings into the broker's and the strategies'; a name that neither has is refused."""
    from backtests.broker.terms import BrokerTerms
    from backtests.user_strategies.loading import rule_type
    from strategies.registry import rules

    chosen = tuple(strategies) or tuple(rules())
    parameters = {parameter for name in chosen for parameter in rule_type(name).parameter_names()}
    for name in settings:
        if name not in parameters and name not in BrokerTerms.names():
            known = [*parameters, *BrokerTerms.names()]
            raise InputError(
                f"neither a strategy of this run nor the broker has a parameter {name!r}; {did_you_mean(name, known)}"
            )
    broker = {name: value for name, value in settings.items() if name in BrokerTerms.names()}
    own = {name: value for name, value in settings.items() if name not in broker}
    return BrokerTerms().with_settings(broker), own
