"""`backtest sweep`."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backtests.commands.evidence.shared import terms_options
from backtests.commands.options import json_option, scheduler_option, scorer_option, window_options
from backtests.commands.output import progress
from backtests.commands.trials import ledger_path, ready, trials_option
from feeds.errors import InputError

if TYPE_CHECKING:
    from feeds.scoring import Scorer


@click.command()
@click.argument("arguments", nargs=-1, metavar="EPISODE... [NAME=VALUES]...")
@click.option("-s", "--strategy", required=True, help="The strategy, or your own FILE.py[:CLASS].")
@click.option(
    "--grid", "axes", multiple=True, metavar="NAME=VALUES ...",
    help="START:STOP:COUNT, both ends included, or VALUE,VALUE; more axes may follow.",
)  # fmt: skip
@terms_options
@window_options
@click.option("--news", type=click.Path(path_type=Path), help="RSS/Atom file or folder instead.")
@scorer_option
@click.option("--prices", type=click.Path(path_type=Path), help="CSV or Parquet of daily bars instead.")
@click.option("--workers", type=int, default=1, show_default=True, help="Processes; the result is the same.")
@click.option("--engine", default="processes", show_default=True, help="Where it runs: processes, or dask.")
@scheduler_option
@click.option("--replay", is_flag=True, help="Use the reference engine, whatever the compiled one could do.")
@trials_option
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder; a begun one goes on.")
@click.option("--force", is_flag=True, help="Replace the sweep that is in the folder, whole.")
@json_option
def sweep(
    arguments: tuple[str, ...],
    strategy: str,
    axes: tuple[str, ...],
    settings: dict[str, str],
    auctions: str | None,
    start: date | None,
    end: date | None,
    news: Path | None,
    scorer: Scorer,
    prices: Path | None,
    workers: int,
    engine: str,
    scheduler: str,
    replay: bool,
    ledger: str | None,
    output: Path,
    force: bool,
    as_json: bool,
) -> None:
    """Runs one strategy with every combination of a grid, on each EPISODE.

    Prints a heat map, the most robust region beside the best single combination, and what walking forward or leaving
    out an episode would have picked. Parameters of the strategy and terms of the broker can be axes. Every trial
    enters the ledger.

    \b
    Example:
      backtest sweep deepseek-2025 -s shock --grid threshold=0.1:0.9:9 hold=1:20:20 gross=0.5,1,2 -o sweeps/shock
    """
    from backtests.batch.pools import make_pool
    from backtests.sweep.execute import sweep as run
    from backtests.sweep.job import Job, checked, resolved
    from backtests.sweep.text import sweep_text

    episodes = tuple(each for each in arguments if "=" not in each)
    if not episodes:
        raise InputError("name an episode; `backtest episodes` lists them")
    pool = make_pool(engine, workers=workers, scheduler=scheduler)
    job = Job(
        episodes=resolved(episodes),
        strategy=strategy,
        grid=(*axes, *(each for each in arguments if "=" in each)),
        settings=tuple(sorted({**settings, **({"auctions": auctions} if auctions else {})}.items())),
        news=str(news.resolve()) if news else "",
        prices=str(prices.resolve()) if prices else "",
        start=start,
        end=end,
        scorer=scorer.name,
        replay=replay,
    )
    for line in checked(job):
        click.echo(line, err=True)
    ready(ledger)
    with progress(len(job.axes) * len(job.episodes), "trials") as advance:
        document = run(
            job, output, pool, ledger=None if ledger == "off" else ledger_path(ledger), force=force,
            on_progress=advance,
        )  # fmt: skip
    click.echo(sweep_text(document), err=as_json, nl=False)
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, allow_nan=False))
    click.echo(f"files: {output}", err=True)
