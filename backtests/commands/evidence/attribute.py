"""`backtest attribute`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backtests.commands.evidence.shared import emit, input_options, read_input, strategies_option, terms_options
from backtests.commands.output import progress

if TYPE_CHECKING:
    from backtests.commands.evidence.shared import EvidenceInputs
    from feeds.scoring import Scorer

LONG = 300.0  # seconds; what may take longer is announced


@click.command()
@click.argument("episode")
@strategies_option
@click.option("--top", type=int, default=10, show_default=True, help="Headlines of each strategy shown.")
@click.option("--leave-one-out/--no-leave-one-out", default=True, show_default=True, help="Run again without each.")
@terms_options
@input_options
def attribute(
    episode: str,
    strategies: tuple[str, ...],
    top: int,
    leave_one_out: bool,
    settings: dict[str, str],
    auctions: str | None,
    news: Path | None,
    scorer: Scorer,
    prices: Path | None,
    trust: bool,
    as_json: bool,
) -> None:
    """Attributes EPISODE's profit to the headlines that made it; runs again without each headline, source, day ….

    EPISODE is an episode or the folder of a run, which then gets the result as evidence/attribution.json.

    \b
    Example:
      backtest attribute deepseek-2025 --strategy shock
    """
    from backtests._replay import replay
    from backtests.evidence.attribution.attribution import attribute as attributed
    from backtests.evidence.attribution.attribution import document
    from backtests.evidence.attribution.attribution import leave_one_out as leave
    from backtests.evidence.attribution.gap_split import gap_split
    from backtests.report.text.evidence_text import attribution_text, gaps_text

    given = read_input(
        episode,
        news,
        prices,
        strategies=strategies,
        settings=settings,
        auctions=auctions,
        scorer=scorer,
        trust=trust,
    )
    run = given.run or replay(given.episode, given.rules, terms=given.terms, news=given.news)
    found = attributed(run, given.rules, given.episode, given.news)
    if leave_one_out:
        pairs = list(zip(found, given.rules, strict=True))
        used = sum(item.used for item in given.news.items)
        runs = used * sum(rule.news for rule in given.rules)
        _announce(given, runs)
        with progress(runs, "leaving one out") as advance:
            found = [
                leave(each, rule, given.terms, given.episode, given.news, on_progress=advance) if rule.news else each
                for each, rule in pairs
            ]
    result = document(found, given.episode)
    split = gaps_text(gap_split(found, given.episode, given.news))
    emit(given, result, text=f"{attribution_text(result, top)}\n{split}", as_json=as_json)


def _announce(given: EvidenceInputs, runs: int) -> None:
    """Runs one strategy once and says how long all runs would take, where that is long."""
    from backtests._replay import replay

    first = next((rule for rule in given.rules if rule.news), None)
    if first is None or not runs:
        return
    started = time.perf_counter()
    replay(given.episode, first, terms=given.terms, news=given.news)
    each = time.perf_counter() - started
    if runs * each > LONG:
        click.echo(
            f"leaving one out: {runs:,} runs of about {each:.2f} s, {runs * each / 60:,.0f} minutes in all; "
            "--no-leave-one-out leaves them out, fewer --strategy make it shorter",
            err=True,
        )
