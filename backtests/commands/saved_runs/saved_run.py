"""Reads the folder of a run back, with the episode, the strategies and the scorer that it was made from."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from backtests.commands.options import aside
from feeds.errors import InputError

if TYPE_CHECKING:
    from backtests.episodes.episode import Episode
    from backtests.records.record import RunRecord
    from feeds.scoring import Scorer
    from strategies.rule import Rule


def open_run(folder: Path, *, trust: bool) -> tuple[RunRecord, list[Rule]]:
    """Reads a run back, and makes its strategies again.

    Raises:
        InputError: The folder is no run, or holds strategy code and there is no `trust`.
    """
    from backtests.runs.folder import read_run
    from backtests.user_strategies.loading import own_code, saved_rules

    run = read_run(folder)
    with aside():
        rules = saved_rules(folder, run.config["strategies"], trust=trust)
    for line in own_code(run.config["strategies"]):
        click.echo(f"runs its own code: {line}", err=True)
    return run, rules


def load_as_run(
    folder: Path, run: RunRecord, news: Path | None, prices: Path | None, loans: Path | None = None, *, check: bool
) -> Episode:
    """Loads the episode of a run; files that are not given are those that the run has kept.

    Raises:
        InputError: With `check`: a file is no longer the one that the run read.
    """
    from backtests.episodes.episode import load_episode
    from backtests.runs.inputs import kept_files

    config = run.config
    start, end = date.fromisoformat(config["start"]), date.fromisoformat(config["end"])
    bars = config.get("bars", "daily")
    kept = kept_files(folder, config)
    loaded = load_episode(
        kept.episode,
        prices=prices or kept.prices,
        news=news or kept.news,
        start=start,
        end=end,
        loans=loans or kept.loans,
        bars=None if bars == "daily" else bars,
    )
    if check:
        check_sources(folder, config["sources"], loaded.sources)
    return loaded


trust_option = click.option(
    "--trust",
    is_flag=True,
    help="Run the code of strategies and scorer in the run's folder, which somebody else may have written.",
)


def is_run(name: str) -> bool:
    """Says whether a command was pointed at the folder of a run.

    Raises:
        InputError: It is half of one.
    """
    from backtests.runs.folder import is_run as is_one

    return is_one(Path(name))


def check_sources(folder: Path, then: dict[str, str], now: dict[str, str]) -> None:
    """Makes sure that the files of an episode are those that the run in a folder read.

    Raises:
        InputError: One is another, or is missing.
    """
    for name in sorted({*then, *now}):
        if then.get(name) != now.get(name):
            raise InputError(
                f"{folder}: the run did not read the {name} that is here now; give its files with --news and --prices, "
                "--loans and --archive"
            )


def lexicon_of(run: RunRecord) -> date | None:
    """Returns the day after which a run left out words, None for no such day."""
    text = run.config.get("lexicon_as_of")
    return date.fromisoformat(text) if text else None


def scorer_of(folder: Path, run: RunRecord, asked: Scorer, *, trust: bool) -> Scorer:
    """Returns the scorer of a run: as the run has kept it, or of that name as it is now.

    Raises:
        InputError: Another one was asked for, or the run keeps a scorer's code and there is no `trust`.
    """
    from backtests.runs.kept_scorer import scorer_code, scorer_of_run

    if asked.label == run.config["scorer"]:  # one of the user's own, given again
        return asked
    source = click.get_current_context().get_parameter_source
    given = any(source(name) is not ParameterSource.DEFAULT for name in ("scorer", "scores", "vintage"))
    if given and "scorer_source" in run.config:
        raise InputError(f"--scorer {asked.name}: this run was scored by {run.config['scorer']}; leave --scorer out")
    found = scorer_of_run(folder, run.config, trust=trust)
    for line in scorer_code(run.config):
        click.echo(f"runs its scorer's code: {line}", err=True)
    if given and found not in (asked, asked.before(date.fromisoformat(run.config["start"]), lexicon_of(run))):
        raise InputError(f"--scorer {asked.name}: this run was scored by {found.name}; leave --scorer out")
    return found
