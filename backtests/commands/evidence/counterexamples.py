"""`backtest counterexamples`."""

from __future__ import annotations

import json
import textwrap
from typing import Any

import click

from backtests.commands.options import json_option
from backtests.commands.output import progress
from backtests.report.text.table import grid, number


@click.command()
@click.argument("episodes", nargs=-1, metavar="EPISODE...")
@json_option
def counterexamples(episodes: tuple[str, ...], as_json: bool) -> None:
    """Lists strong headlines after which nothing moved, and how often strong headlines were right.

    EPISODE is a name or a folder; without any, or with `all`, every episode that ships
    (of years that hold other episodes, those).

    \b
    Example:
      backtest counterexamples deepseek-2025 quiet-2023
    """
    from backtests.engine.news import read_news
    from backtests.episodes.episode import load_episode, separate_episodes
    from backtests.evidence.hit_rates import document, rates

    names = separate_episodes() if episodes in {(), ("all",)} else episodes
    found = []
    with progress(len(names), "episodes") as done:
        for name in names:
            episode = load_episode(name)
            found.append(rates(episode, read_news(episode)))
            done(1)
    made = document(found)
    click.echo(counterexamples_text(made), err=as_json, nl=False)
    if as_json:
        click.echo(json.dumps(made, ensure_ascii=False, allow_nan=False))


def counterexamples_text(made: dict[str, Any]) -> str:
    """Prints the rates and the counterexamples as tables for a terminal."""
    lines = [
        f"How often a strong score (relevance x |sentiment| of {made['strong']} or more) was right, by session",
        *grid(
            ["episode (* = control)", "called", "hits", "opposite", "hit rate %", "95 % interval", "always yes %"],
            [_row(each) for each in [*made["episodes"], made["all"]]],
        ),
        "a hit: the exposed symbols moved as called, beyond the benchmark, by a standard deviation or more",
        "",
        "Called and not hit (moves in percent, close to close, beyond the benchmark)",
    ]
    for each in made["counterexamples"]:
        called = "build-up" if each["called"] > 0 else "disruption"
        lines.append(
            f"{each['episode']}, {each['session']}: called {called} ({number(each['score'])}), moved "
            f"{number(each['move_pct'])} (typical {number(each['typical_pct'], sign=False)}): {each['outcome']}"
        )
        for title in each["headlines"][:3]:
            lines += textwrap.wrap(title, 96, initial_indent="    ", subsequent_indent="      ")
    return "\n".join(lines) + "\n"


def _row(rate: dict[str, Any]) -> list[str]:
    def percent(value: float | None) -> str:
        return "–" if value is None else f"{value * 100:.0f}"

    interval = f"{percent(rate['low'])} to {percent(rate['high'])}" if rate["called"] else "–"
    name = f"{rate['episode']}{'*' if rate['control'] else ''}"
    counts = [str(rate[key]) for key in ("called", "hits", "opposite")]
    return [name, *counts, percent(rate["hit_rate"]), interval, percent(rate["always_yes"])]
