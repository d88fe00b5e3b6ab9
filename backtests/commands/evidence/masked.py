"""`backtest masked`."""

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
from backtests.commands.output import progress


@click.command()
@click.argument("episode")
@strategies_option
@terms_options
@input_options
@given_input
def masked(given: EvidenceInputs, *, as_json: bool) -> None:
    """Asks how much of EPISODE's scores and profits hangs on names, which a model may remember.

    Companies, people, products and dates are replaced by roles ("AIChipCo A"), the scorer reads both headlines, and
    every strategy runs on both readings.
    EPISODE is an episode or the folder of a run, which then gets the result as evidence/masked.json.

    \b
    Example:
      backtest masked deepseek-2025 --strategy shock --scorer my_scorer.py:read
    """
    from backtests.evidence.twins.masked_twin import masked_twin

    with progress(2 * sum(rule.news for rule in given.rules), "runs") as advance:
        document = masked_twin(given.episode, given.news, given.rules, given.terms, given.scorer, advance)
    emit(given, document, as_json=as_json)
