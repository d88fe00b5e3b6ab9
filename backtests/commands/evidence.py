"""What the verbs that weigh a result share: their input, and where the answer goes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from feeds.errors import InputError

F = TypeVar("F", bound=Callable[..., Any])

if TYPE_CHECKING:
    from backtests.book import BookTerms
    from backtests.episode import Episode
    from backtests.news import News
    from strategies.rule import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a verb was pointed at: an episode, or the folder of a run with its strategies and terms."""

    episode: Episode
    news: News
    folder: Path | None = None
    rules: tuple[Rule, ...] = ()
    terms: BookTerms | None = None


def input_options(command: F) -> F:
    """Adds --news, --prices and --json."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout; text goes to stderr."),
        click.option("--prices", type=click.Path(path_type=Path), help="CSV or Parquet of daily bars instead."),
        click.option("--news", type=click.Path(path_type=Path), help="RSS/Atom file or folder instead."),
    ):
        command = option(command)
    return command


def read_input(name: str, news: Path | None, prices: Path | None) -> Given:
    """Loads an episode, or a run's folder with what it was made from.

    Raises:
        InputError: Neither, or the files are no longer those that the run read.
    """
    from backtests.episode import load_episode
    from backtests.news import read_news

    folder = Path(name)
    if not (folder / "run_card.json").is_file():
        loaded = load_episode(name, prices=prices, news=news)
        return Given(episode=loaded, news=read_news(loaded))
    from backtests.commands.audit import saved_run

    run, loaded, rules = saved_run(folder, news, prices)
    return Given(
        episode=loaded, news=read_news(loaded), folder=folder, rules=tuple(rules), terms=_terms(run.config["book"])
    )


def _terms(settings: Mapping[str, Any]) -> BookTerms:
    from backtests.book import BookTerms

    return BookTerms().with_settings({name: str(value) for name, value in settings.items()})


def emit(given: Given, document: dict[str, Any], text: str, *, as_json: bool) -> None:
    """Prints a result, and keeps it in the run's folder where there is one."""
    click.echo(text, err=as_json, nl=False)
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, allow_nan=False))
    if given.folder is not None:
        click.echo(f"file: {keep(given.folder, document)}", err=True)


def keep(folder: Path, document: Mapping[str, Any]) -> Path:
    """Writes `evidence/<name>.json` into a run's folder.

    Raises:
        InputError: It cannot be written there.
    """
    path = folder / "evidence" / f"{document['name']}.json"
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8", newline="\n"
        )
    except OSError as wrong:
        raise InputError(f"{path}: cannot be written ({wrong.strerror})") from None
    return path
