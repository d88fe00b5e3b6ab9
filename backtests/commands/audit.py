"""`backtest audit`."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backtests.commands.options import day
from feeds.errors import InputError

if TYPE_CHECKING:
    from backtests.audit import Audit
    from backtests.episode import Episode
    from backtests.redecide import Violation
    from backtests.result import Result
    from feeds.headline import Headline
    from feeds.scoring import Score
    from strategies.rule import Rule

_SHOWN = 20


@click.command()
@click.argument("episode")
@click.option("-s", "--strategy", "strategies", multiple=True, help="A strategy (repeatable); all without.")
@click.option("--start", callback=day, metavar="DATE", help="First session, YYYY-MM-DD.")
@click.option("--end", callback=day, metavar="DATE", help="Last session, YYYY-MM-DD.")
@click.option("--news", type=click.Path(path_type=Path), help="RSS/Atom file or folder instead of the episode's.")
@click.option("--prices", type=click.Path(path_type=Path), help="CSV or Parquet of daily bars instead.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout; text goes to stderr.")
def audit(
    episode: str,
    strategies: tuple[str, ...],
    start: date | None,
    end: date | None,
    news: Path | None,
    prices: Path | None,
    as_json: bool,
) -> None:
    """Proves that no decision knew the future: EPISODE is an episode or the folder of a run.

    Cuts news and prices at every decision, decides again and compares; then plants canaries (wild headlines and
    prices) after it and compares again. Exit code 1 when a decision differs.

    \b
    Example:
      backtest audit deepseek-2025 --strategy shock
    """
    from backtests.audit import audit as examine
    from backtests.episode import load_episode
    from backtests.news import read_news
    from backtests.replay import standard_rules
    from feeds.scoring import score

    if (Path(episode) / "run_card.json").is_file():
        if strategies or start or end:
            raise InputError(f"{episode} is a run: its strategies and window are audited as they were; leave them out")
        run, loaded, rules = saved_run(Path(episode), news, prices)
        _one_decision(Path(episode), run)
        scored = read_news(loaded)
        targets = run.tables["targets"].rows
    else:
        rules = standard_rules(strategies)
        loaded = load_episode(episode, prices=prices, news=news, start=start, end=end)
        scored, targets = read_news(loaded), None
    score.cache_clear()  # else scoring anew would be remembering
    found = examine(loaded, scored, rules, targets=targets, scoring=_anew)
    click.echo(text_audit(found), err=as_json, nl=False)
    if as_json:
        click.echo(json.dumps(found.document(), ensure_ascii=False, allow_nan=False))
    if found.violations:
        sys.exit(1)


def _anew(headline: Headline) -> Score:
    from feeds.scoring import DEFAULT

    return DEFAULT.score(headline.title, headline.summary, headline.language, None)


def _one_decision(folder: Path, run: Result) -> None:
    """Refuses a run that decided more than once a session."""
    if run.config.get("bars", "daily") != "daily" or run.config["book"].get("auctions", "open") != "open":
        raise InputError(
            f"{folder}: decided more than once a session, and was audited when it ran; this audit knows one decision "
            "per session, before the open: audit the episode instead"
        )


def saved_run(folder: Path, news: Path | None, prices: Path | None) -> tuple[Result, Episode, list[Rule]]:
    """Reads a run back and loads what it read.

    Raises:
        InputError: The folder is no run, or a file is no longer the one that the run read.
    """
    from backtests.episode import load_episode
    from backtests.result import Result
    from strategies.registry import make_rule

    run = Result.load(folder)
    config = run.config
    rules = []
    for row in config["strategies"]:
        settings = {key: str(value) for key, value in row.items() if key != "name"}
        rules.append(make_rule(row["name"], settings))
    start, end = date.fromisoformat(config["start"]), date.fromisoformat(config["end"])
    loaded = load_episode(config["episode"], prices=prices, news=news, start=start, end=end)
    for name in sorted({*config["sources"], *loaded.sources}):
        if config["sources"].get(name) != loaded.sources.get(name):
            raise InputError(
                f"{folder}: the run did not read the {name} that is here now; give its files with --news and --prices"
            )
    return run, loaded, rules


def text_audit(found: Audit) -> str:
    """The audit for a terminal."""
    width = max([len(name) for name, _, _ in found.strategies], default=0)
    lines = [
        f"{found.episode}: news and prices cut at every decision, every decision made again",
        *(f"  {name.ljust(width)}  {count:5} decisions, {wrong} differed" for name, count, wrong in found.strategies),
        (
            f"canaries planted after the decisions: {found.headlines:,} wild headlines, {found.claimed:,} of them with "
            f"an earlier `published`,"
        ),
        f"and {found.bars:,} wild bars",
        *violation_lines(found),
        found.summary(),
    ]
    return "\n".join(lines) + "\n"


def violation_lines(found: Audit) -> list[str]:
    """One line for each violation, the first of them only where there are many."""
    lines = [_line(each) for each in found.violations[:_SHOWN]]
    more = len(found.violations) - len(lines)
    return [*lines, f"and {more} more"] if more else lines


def _line(each: Violation) -> str:
    def number(value: Any) -> str:
        return "no number" if value is None else f"{value:+.4f}"

    weights = "" if each.strategy == "scorer" else f" {number(each.weight)} in the run, {number(each.without)} here"
    return f"VIOLATION {each.strategy}, {each.session}, {each.symbol}{weights} ({each.changed}); {each.input}"
