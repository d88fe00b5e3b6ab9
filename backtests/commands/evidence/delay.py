"""`backtest delay`."""

from __future__ import annotations

import click

from backtests.commands.evidence.shared import (
    EvidenceInputs,
    emit,
    given_input,
    input_options,
    strategies_option,
    terms_options,
)


@click.command()
@click.argument("episode")
@strategies_option
@terms_options
@click.option("--bars", metavar="LENGTH", help="Bars of minutes in the --prices file, like 5m: trade on them.")
@input_options
@given_input
def delay(given: EvidenceInputs, *, as_json: bool) -> None:
    """Replays EPISODE as if the news had come 5 minutes, an hour … five sessions later.

    EPISODE is an episode or the folder of a run, which then gets the result as evidence/delay.json.

    \b
    Example:
      backtest delay deepseek-2025 --strategy shock --auctions open,close
      backtest delay deepseek-2025 --strategy shock --bars 5m --prices minutes.csv
    """
    from backtests.evidence.delay_ladder import delay_ladder

    document = delay_ladder(given.episode, given.unplaced, given.rules, given.terms).document()
    emit(given, document, as_json=as_json)
