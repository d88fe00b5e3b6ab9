"""`backtest signal`."""

from __future__ import annotations

import click

from backtests.commands.evidence.shared import (
    EvidenceInputs,
    emit,
    given_input,
    input_options,
)


@click.command()
@click.argument("episode")
@input_options
@given_input
def signal(given: EvidenceInputs, *, as_json: bool) -> None:
    """Asks whether returns follow EPISODE's scores, before any rule: by horizon, sign, strength, year and source.

    EPISODE is an episode, or the folder of a run, which then gets the result as evidence/signal.json.

    \b
    Example:
      backtest signal deepseek-2025
    """
    from backtests.evidence.signal_quality import signal_quality

    emit(given, signal_quality(given.episode, given.news), as_json=as_json)
