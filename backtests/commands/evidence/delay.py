"""`backtest delay`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from backtests.commands.evidence.shared import emit, input_options, read_input, strategies_option, terms_options

if TYPE_CHECKING:
    from feeds.scoring import Scorer


@click.command()
@click.argument("episode")
@strategies_option
@terms_options
@click.option("--bars", metavar="LENGTH", help="Bars of minutes in the --prices file, like 5m: trade on them.")
@input_options
def delay(
    episode: str,
    strategies: tuple[str, ...],
    settings: dict[str, str],
    auctions: str | None,
    bars: str | None,
    news: Path | None,
    scorer: Scorer,
    prices: Path | None,
    trust: bool,
    as_json: bool,
) -> None:
    """Replays EPISODE as if the news had come 5 minutes, an hour … five sessions later.

    EPISODE is an episode or the folder of a run, which then gets the result as evidence/delay.json.

    \b
    Example:
      backtest delay deepseek-2025 --strategy shock --auctions open,close
      backtest delay deepseek-2025 --strategy shock --bars 5m --prices minutes.csv
    """
    from backtests.evidence.delay_ladder import delay_ladder

    given = read_input(
        episode,
        news,
        prices,
        strategies=strategies,
        settings=settings,
        auctions=auctions,
        bars=bars,
        scorer=scorer,
        trust=trust,
    )
    document = delay_ladder(given.episode, given.unplaced, given.rules, given.terms).document()
    emit(given, document, as_json=as_json)
