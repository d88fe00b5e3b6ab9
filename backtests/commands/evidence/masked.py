"""`backtest masked`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from backtests.commands.evidence.shared import emit, input_options, read_input, strategies_option, terms_options
from backtests.commands.output import progress

if TYPE_CHECKING:
    from feeds.scoring import Scorer


@click.command()
@click.argument("episode")
@strategies_option
@terms_options
@input_options
def masked(
    episode: str,
    strategies: tuple[str, ...],
    settings: dict[str, str],
    auctions: str | None,
    news: Path | None,
    scorer: Scorer,
    prices: Path | None,
    trust: bool,
    as_json: bool,
) -> None:
    """Asks how much of EPISODE's scores and profits hangs on names, which a model may remember.

    Companies, people, products and dates are replaced by roles ("AIChipCo A"), the scorer reads both headlines, and
    every strategy runs on both readings.
    EPISODE is an episode or the folder of a run, which then gets the result as evidence/masked.json.

    \b
    Example:
      backtest masked deepseek-2025 --strategy shock --scorer my_scorer.py:read
    """
    from backtests.evidence.twins.masked_twin import masked_twin

    given = read_input(
        episode, news, prices, strategies=strategies, settings=settings, auctions=auctions, scorer=scorer, trust=trust
    )
    with progress(2 * sum(rule.news for rule in given.rules), "runs") as advance:
        document = masked_twin(given.episode, given.news, given.rules, given.terms, given.scorer, advance)
    emit(given, document, as_json=as_json)
