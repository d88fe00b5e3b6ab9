"""`backtest flawless`."""

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
@click.option(
    "--labels", default="labels", show_default=True, metavar="FILE",
    help="Labelled headlines (CSV with title and compute_demand), or `labels`: those that ship.",
)  # fmt: skip
@terms_options
@input_options
@given_input
def flawless(given: EvidenceInputs, *, labels: str, as_json: bool) -> None:
    """Shows what a flawless reader of EPISODE's headlines would have earned, beside what the scorer's reading did.

    Labelled headlines are read as labelled, the others as they were. Nobody had that reading: but a strategy that gains
    where it loses gains by misreading.
    EPISODE is an episode or the folder of a run, which then gets the result as evidence/flawless.json.

    \b
    Example:
      backtest flawless my-episode --strategy shock --labels my_labels.csv
    """
    from backtests.evidence.twins.flawless_twin import flawless_twin

    with progress(2 * sum(rule.news for rule in given.rules), "runs") as advance:
        document = flawless_twin(given.episode, given.news, given.rules, given.terms, labels, advance)
    emit(given, document, as_json=as_json)
