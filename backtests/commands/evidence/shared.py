"""Reads what the commands of evidence are pointed at, and keeps what they find."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from backtests.commands.options import json_option, scorer_option, settings_option, split_settings
from backtests.commands.output import show
from backtests.commands.saved_runs.saved_run import is_run, lexicon_of, load_as_run, open_run, scorer_of, trust_option
from feeds.errors import InputError

F = TypeVar("F", bound=Callable[..., Any])

if TYPE_CHECKING:
    from backtests.broker.terms import BrokerTerms
    from backtests.engine.news import News
    from backtests.episodes.episode import Episode
    from backtests.records.record import RunRecord
    from feeds.scoring import Scorer
    from strategies.rule import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceInputs:
    """Holds what a command was pointed at: an episode, or the folder of a run with its strategies and terms."""

    episode: Episode
    unplaced: News  # as read
    news: News  # placed for the auctions of the terms
    rules: tuple[Rule, ...]
    terms: BrokerTerms
    scorer: Scorer  # that scored the news
    folder: Path | None = None
    run: RunRecord | None = None


strategies_option = click.option(
    "-s", "--strategy", "strategies", multiple=True, help="A strategy (repeatable); all without."
)


def input_options(command: F) -> F:
    """Adds --news, --scorer, --prices, --trust and --json."""
    for option in (
        trust_option,
        json_option,
        click.option("--prices", type=click.Path(path_type=Path), help="CSV or Parquet of daily bars instead."),
        scorer_option,
        click.option("--news", type=click.Path(path_type=Path), help="RSS/Atom file or folder instead."),
    ):
        command = option(command)
    return command


def terms_options(command: F) -> F:
    """Adds --set and --auctions."""
    auctions = click.option(
        "--auctions", metavar="NAMES", help="For which the news is read: open, close or open,close."
    )
    return settings_option(auctions(command))


def given_input(command: Callable[..., None]) -> Callable[..., None]:
    """Reads what a command's options point at, and calls it with that as `given`, beside the options of its own."""

    @functools.wraps(command)
    def reading(
        *, episode: str, news: Path | None, prices: Path | None, scorer: Scorer, trust: bool, as_json: bool, **own: Any
    ) -> None:
        shared = {name: own.pop(name) for name in ("strategies", "settings", "auctions", "bars") if name in own}
        given = read_input(episode, news, prices, scorer=scorer, trust=trust, **shared)
        command(given, as_json=as_json, **own)

    return reading


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
    trust: bool,
) -> EvidenceInputs:
    """Loads an episode, or a run's folder with what it was made from.

    Raises:
        InputError: Neither, files that are no longer those that the run read, or strategies or settings for a run,
            which has its own.
    """
    from backtests.engine.news import read_news
    from backtests.engine.schedule import place_news
    from backtests.episodes.episode import load_episode
    from backtests.user_strategies.selection import standard_rules

    settings = {**(settings or {}), **({"auctions": auctions} if auctions else {})}
    if is_run(name):
        if strategies or settings or bars:
            raise InputError(f"{name} is a run: its strategies and terms are those it had; leave them out")
        return _of_run(Path(name), news, prices, scorer, trust=trust)
    terms, own = split_settings(settings, strategies)
    rules = standard_rules(strategies, own)
    loaded = load_episode(name, prices=prices, news=news, bars=bars)
    for note in loaded.notes:
        click.echo(note, err=True)
    scored = read_news(loaded, scorer=scorer)
    placed = place_news(loaded, scored, terms)
    return EvidenceInputs(
        episode=loaded, unplaced=scored, news=placed, rules=tuple(rules), terms=terms,
        scorer=scorer.before(loaded.start),
    )  # fmt: skip


def _of_run(folder: Path, news: Path | None, prices: Path | None, scorer: Scorer, *, trust: bool) -> EvidenceInputs:
    from backtests.broker.terms import BrokerTerms
    from backtests.engine.news import read_news
    from backtests.engine.schedule import place_news
    from backtests.runs.inputs import load_inputs

    run, rules = open_run(folder, trust=trust)
    if run.config.get("bars", "daily") != "daily":
        raise InputError(f"{folder}: traded on bars of minutes; give a run on daily bars")
    terms = BrokerTerms().with_settings({name: str(value) for name, value in run.config["broker"].items()})
    scorer = scorer_of(folder, run, scorer, trust=trust)
    if news is None and prices is None:
        loaded, scored = load_inputs(folder, run.config, scorer)
    else:
        loaded = load_as_run(folder, run, news, prices, check=True)
        scored = read_news(loaded, scorer=scorer, lexicon_as_of=lexicon_of(run))
    placed = place_news(loaded, scored, terms)
    return EvidenceInputs(
        episode=loaded, unplaced=scored, news=placed, rules=tuple(rules), terms=terms,
        scorer=scorer.before(loaded.start, lexicon_of(run)), folder=folder, run=run,
    )  # fmt: skip


def emit(given: EvidenceInputs, document: dict[str, Any], *, as_json: bool, text: str = "") -> None:
    """Prints a document with what its scorer learned until when, and keeps it in the run's folder where there is one.

    Args:
        given: What the command was pointed at.
        document: Of a method of evidence, named in it.
        as_json: Whether stdout gets the document instead of the text.
        text: What to print; without it the method's own text.
    """
    from backtests.evidence.registry import method_named
    from backtests.records.contamination import facts_of_news, scorer_line
    from backtests.report.text.table import wrapped

    news, episode = given.unplaced, given.episode
    facts = facts_of_news(news, episode)
    text = text or method_named(document["name"]).text(document)
    if line := scorer_line(facts):
        document["scorer"] = facts
        text += "\n".join(wrapped(line)) + "\n"
    show(text, document, as_json=as_json)
    if given.folder is not None:
        click.echo(f"file: {keep(given.folder, document)}", err=True)


def keep(folder: Path, document: Mapping[str, Any]) -> Path:
    """Writes `evidence/<name>.json` into a run's folder, and draws its page anew, so that it shows it.

    Raises:
        InputError: It cannot be written there.
    """
    from backtests.records.folders import write_file
    from backtests.records.record import json_text
    from backtests.runs.folder import page_of, read_run

    path = folder / "evidence" / f"{document['name']}.json"
    try:
        path.parent.mkdir(exist_ok=True)
        write_file(path, json_text(document).encode())
        if (folder / "report.html").is_file():
            write_file(folder / "report.html", page_of(read_run(folder)).encode())
    except OSError as wrong:
        raise InputError(f"{path}: cannot be written ({wrong.strerror})") from None
    return path
