"""`backtest placebo`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from backtests.commands.evidence.shared import emit, input_options, read_input, terms_options
from backtests.commands.options import scheduler_option
from backtests.commands.output import progress
from feeds.errors import InputError

if TYPE_CHECKING:
    from feeds.scoring import Scorer


@click.command()
@click.argument("episode")
@click.option("-s", "--strategy", help="The strategy; a run of one needs none.")
@click.option("-n", "n", type=int, default=200, show_default=True, help="Placebos of each kind.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the draws.")
@click.option("--block", type=int, default=3, show_default=True, help="Sessions that stay together when permuted.")
@click.option("--workers", type=int, default=1, show_default=True, help="Processes; the result is the same.")
@click.option("--engine", default="auto", show_default=True, help="auto, kernel, replay or dask.")
@scheduler_option
@terms_options
@input_options
def placebo(
    episode: str,
    strategy: str | None,
    n: int,
    seed: int,
    block: int,
    workers: int,
    engine: str,
    scheduler: str,
    settings: dict[str, str],
    auctions: str | None,
    news: Path | None,
    scorer: Scorer,
    prices: Path | None,
    trust: bool,
    as_json: bool,
) -> None:
    """Tests whether news that means nothing would have done as well in EPISODE.

    News days permuted in blocks; in windows of 80 sessions or more all news shifted by sessions too.
    EPISODE is an episode or the folder of a run, which then gets the result as evidence/placebo.json.

    \b
    Example:
      backtest placebo deepseek-2025 --strategy shock -n 200 --seed 1 --workers 2
    """
    from backtests.evidence.placebo.choose_engine import engine_for
    from backtests.evidence.placebo.placebo import placebo as draw
    from backtests.records.record import label

    chosen = (strategy,) if strategy else ()
    given = read_input(
        episode, news, prices, strategies=chosen, settings=settings, auctions=auctions, scorer=scorer, trust=trust
    )
    if given.folder is None and not strategy:
        raise InputError("name a strategy with --strategy; `backtest strategies` lists them")
    own = [rule for rule in given.rules if not rule.is_baseline or rule.name == strategy] or list(given.rules)
    rule = next((each for each in own if getattr(each, "reactions", "with-cause") == "with-cause"), own[0])
    with progress(2 * n, "placebos") as advance:
        found = draw(
            given.episode, given.news, rule, given.terms, engine_for(rule, engine, workers, scheduler),
            n=n, seed=seed, block=block, strategy=label(rule, given.rules), on_progress=advance,
        )  # fmt: skip
    document = found.document()
    emit(given, document, as_json=as_json)
