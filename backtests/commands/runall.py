"""`backtest run all`: every episode that ships, and one table over them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import click

from backtests.commands.evidence import progress
from backtests.commands.options import aside, split_settings
from backtests.commands.trials import ready, record
from feeds.errors import InputError


def run_all(
    strategies: tuple[str, ...],
    settings: dict[str, str],
    given: Mapping[str, object],
    ledger: str | None,
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    """Replays the strategies over every episode that ships.

    Raises:
        InputError: An option that belongs to one episode.
    """
    from backtests.episode import episode_names, load_episode
    from backtests.evidence.automatic import weigh
    from backtests.news import read_news
    from backtests.replay import replay, standard_rules
    from backtests.several import Cell, Several, cells_of, several_text
    from backtests.wakes import place_news

    for name, value in given.items():
        if value:
            raise InputError(f"--{name} belongs to one episode; `run all` takes each as it ships")
    ready(ledger)
    with aside():
        terms, own = split_settings(settings, strategies)
    cells: list[Cell] = []
    with progress(len(episode_names()), "episodes") as done:
        for name in episode_names():
            episode = load_episode(name)
            news = place_news(episode, read_news(episode), terms)
            with aside():
                rules = standard_rules(strategies, own)
                result = replay(episode, rules, terms=terms, news=news)
            record(result, ledger)
            if output is not None:
                weigh(result, rules, episode, news)
                result.save(output / name)
            cells += cells_of(result, control=episode.control)
            done(1)
    found = Several(cells=tuple(cells))
    click.echo(several_text(found), err=as_json, nl=False)
    if output is not None:
        click.echo(f"files: {output}", err=True)
    if as_json:
        click.echo(json.dumps(found.document(), ensure_ascii=False, allow_nan=False))
