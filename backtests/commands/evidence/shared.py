"""What the verbs that weigh a result share: their input, and where the answer goes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from backtests.commands.options import json_option, scorer_option, settings_option, split_settings
from feeds.errors import InputError

F = TypeVar("F", bound=Callable[..., Any])

if TYPE_CHECKING:
    from backtests.broker.terms import BrokerTerms
    from backtests.engine.news import News
    from backtests.episodes.episode import Episode
    from backtests.runs.result import Result
    from feeds.scoring import Scorer
    from strategies.rule import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceInputs:
    """What a verb was pointed at: an episode, or the folder of a run with its strategies and terms."""

    episode: Episode
    unplaced: News  # as read
    news: News  # placed for the auctions of the terms
    rules: tuple[Rule, ...]
    book: BrokerTerms
    folder: Path | None = None
    run: Result | None = None


strategies_option = click.option(
    "-s", "--strategy", "strategies", multiple=True, help="A strategy (repeatable); all without."
)


def input_options(command: F) -> F:
    """Adds --news, --scorer, --prices and --json."""
    for option in (
        json_option,
        click.option("--prices", type=click.Path(path_type=Path), help="CSV or Parquet of daily bars instead."),
        scorer_option,
        click.option("--news", type=click.Path(path_type=Path), help="RSS/Atom file or folder instead."),
    ):
        command = option(command)
    return command


def book_options(command: F) -> F:
    """Adds --set and --auctions."""
    auctions = click.option(
        "--auctions", metavar="NAMES", help="For which the news is read: open, close or open,close."
    )
    return settings_option(auctions(command))


def read_input(
    name: str,
    news: Path | None,
    prices: Path | None,
    *,
    strategies: Sequence[str] = (),
    settings: Mapping[str, str] | None = None,
    auctions: str | None = None,
    bars: str | None = None,
    scorer: Scorer,
) -> EvidenceInputs:
    """Loads an episode, or a run's folder with what it was made from.

    Raises:
        InputError: Neither, files that are no longer those that the run read, or strategies or settings for a run,
            which has its own.
    """
    from backtests.engine.news import read_news
    from backtests.engine.replay import standard_rules
    from backtests.engine.schedule import place_news
    from backtests.episodes.episode import load_episode

    settings = {**(settings or {}), **({"auctions": auctions} if auctions else {})}
    if (Path(name) / "run_card.json").is_file():
        if strategies or settings or bars:
            raise InputError(f"{name} is a run: its strategies and terms are those it had; leave them out")
        return _of_run(Path(name), news, prices, scorer)
    terms, own = split_settings(settings, strategies)
    rules = standard_rules(strategies, own)
    loaded = load_episode(name, prices=prices, news=news, bars=bars)
    for note in loaded.notes:
        click.echo(note, err=True)
    scored = read_news(loaded, scorer=scorer)
    placed = place_news(loaded, scored, terms)
    return EvidenceInputs(episode=loaded, unplaced=scored, news=placed, rules=tuple(rules), book=terms)


def _of_run(folder: Path, news: Path | None, prices: Path | None, scorer: Scorer) -> EvidenceInputs:
    from backtests.broker.terms import BrokerTerms
    from backtests.commands.saved_runs.audit import lexicon_of, saved_run, scorer_of
    from backtests.engine.news import read_news
    from backtests.engine.schedule import place_news

    run, loaded, rules = saved_run(folder, news, prices)
    if run.config.get("bars", "daily") != "daily":
        raise InputError(f"{folder}: traded on bars of minutes; give a run on daily bars")
    terms = BrokerTerms().with_settings({name: str(value) for name, value in run.config["broker"].items()})
    scored = read_news(loaded, scorer=scorer_of(run, scorer), lexicon_as_of=lexicon_of(run))
    placed = place_news(loaded, scored, terms)
    return EvidenceInputs(
        episode=loaded, unplaced=scored, news=placed, rules=tuple(rules), book=terms, folder=folder, run=run
    )


@contextmanager
def progress(length: int, label: str) -> Iterator[Callable[[int], None]]:
    """A bar with the time left, on stderr; nothing where that is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=length, label=label, file=getattr(sys.stderr, "raw", sys.stderr)) as bar:
        yield bar.update


def emit(given: EvidenceInputs, document: dict[str, Any], text: str, *, as_json: bool) -> None:
    """Prints a result with what its scorer learned until when, and keeps it in the run's folder where there is one."""
    from backtests.records.contamination import scorer_facts, scorer_line

    news, episode = given.unplaced, given.episode
    facts = scorer_facts(news.scorer, news.trained_until, {episode.name: episode.start})
    click.echo(text, err=as_json, nl=False)
    if line := scorer_line(facts):
        document["scorer"] = facts
        click.echo(line, err=as_json)
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, allow_nan=False))
    if given.folder is not None:
        click.echo(f"file: {keep(given.folder, document)}", err=True)


def keep(folder: Path, document: Mapping[str, Any]) -> Path:
    """Writes `evidence/<name>.json` into a run's folder.

    Raises:
        InputError: It cannot be written there.
    """
    from backtests.runs.result import json_text

    path = folder / "evidence" / f"{document['name']}.json"
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_text(json_text(document), encoding="utf-8", newline="\n")
    except OSError as wrong:
        raise InputError(f"{path}: cannot be written ({wrong.strerror})") from None
    _draw_again(folder)
    return path


def _draw_again(folder: Path) -> None:
    """Makes a run's page anew, so that it shows the evidence just kept."""
    from backtests.report.page import html_page
    from backtests.runs.result import Result

    if (folder / "report.html").is_file():
        (folder / "report.html").write_text(html_page(Result.load(folder)), encoding="utf-8", newline="\n")
