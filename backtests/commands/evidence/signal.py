"""`backtest signal`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from backtests.commands.evidence.shared import emit, input_options, read_input

if TYPE_CHECKING:
    from feeds.scoring import Scorer


@click.command()
@click.argument("episode")
@input_options
def signal(episode: str, news: Path | None, scorer: Scorer, prices: Path | None, trust: bool, as_json: bool) -> None:
    """Asks whether returns follow EPISODE's scores, before any rule: by horizon, sign, strength, year and source.

    EPISODE is an episode, or the folder of a run, which then gets the result as evidence/signal.json.

    \b
    Example:
      backtest signal deepseek-2025
    """
    from backtests.evidence.signal_quality import signal_quality

    given = read_input(episode, news, prices, scorer=scorer, trust=trust)
    emit(given, signal_quality(given.episode, given.news), as_json=as_json)
