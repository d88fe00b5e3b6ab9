"""`backtest resample`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from backtests.commands.evidence.shared import emit, input_options, read_input, terms_options
from backtests.commands.output import progress
from feeds.errors import InputError

if TYPE_CHECKING:
    from feeds.scoring import Scorer


@click.command()
@click.argument("episode")
@click.option("-s", "--strategy", "strategies", multiple=True, help="A strategy (repeatable); all without.")
@click.option("-n", "n", type=int, default=2_000, show_default=True, help="Samples, also of each share kept.")
@click.option(
    "--keep", metavar="SHARES", default="0.1:0.9:5", show_default=True,
    help="Shares of the news that are kept: START:STOP:COUNT, VALUE,VALUE, or none.",
)  # fmt: skip
@click.option(
    "--misread", metavar="TABLE", type=click.Path(path_type=Path),
    help="Draw the scorer's errors too, as it reads these labelled headlines (CSV; or truth, read, count).",
)  # fmt: skip
@click.option("--seed", type=int, default=1, show_default=True, help="Of the draws.")
@click.option("--workers", type=int, default=1, show_default=True, help="Threads; the result is the same.")
@terms_options
@input_options
def resample(
    episode: str,
    strategies: tuple[str, ...],
    n: int,
    keep: str,
    misread: Path | None,
    seed: int,
    workers: int,
    settings: dict[str, str],
    auctions: str | None,
    news: Path | None,
    scorer: Scorer,
    prices: Path | None,
    trust: bool,
    as_json: bool,
) -> None:
    """Asks whether another sample of the same news would have said the same of EPISODE.

    Redraws the news by source and day, stories kept together, and runs every strategy on each sample: the distribution
    of its return and of its position on the key session, and how both narrow with more news.
    EPISODE is an episode or the folder of a run, which then gets the result as evidence/resample.json.

    \b
    Example:
      backtest resample deepseek-2025 --strategy shock -n 2000 --keep 0.1:0.9:5
    """
    from backtests.evidence.news_samples import resample as redraw
    from backtests.evidence.resample_misread import read_misread
    from backtests.records.record import label

    shares = _shares(keep)
    given = read_input(
        episode, news, prices, strategies=strategies, settings=settings, auctions=auctions, scorer=scorer, trust=trust
    )
    table = read_misread(misread, given.news.items, given.scorer) if misread else None
    read = sum(rule.news for rule in given.rules)
    with progress((1 + (1 + len(shares)) * n) * read, "samples") as advance:
        found = redraw(
            given.episode, given.news, given.rules, given.terms,
            labels=[label(rule, given.rules) for rule in given.rules],
            n=n, seed=seed, keep=shares, misread=table, workers=workers, on_progress=advance,
        )  # fmt: skip
    emit(given, found.document(), as_json=as_json)


def _shares(text: str) -> list[float]:
    """Reads the shares that are kept, each above 0 and below 1.

    Raises:
        InputError: They cannot be read.
    """
    if text == "none":
        return []
    try:
        if text.count(":") == 2:
            start, stop, count = text.split(":")
            shares = [round(float(each), 6) for each in np.linspace(float(start), float(stop), int(count))]
        else:
            shares = [float(each) for each in text.split(",")]
    except ValueError:
        shares = []
    if not shares or not all(0 < share < 1 for share in shares):
        raise InputError(f"--keep {text!r}: give START:STOP:COUNT or VALUE,VALUE between 0 and 1, or none")
    return shares
