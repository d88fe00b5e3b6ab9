"""Runs a sweep: the blocks that are missing, in any pool, then the result and what it says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from backtests.batch.pools import Pool
from backtests.records.contamination import facts_of_several
from backtests.runs.build import configuration
from backtests.runs.result import json_text
from backtests.sweep.job import Job, loaded, run_block
from backtests.sweep.robustness import judge, walk_forward
from backtests.sweep.store import Store
from backtests.sweep.text import draw
from feeds.scoring.registry import scorer_named

_LINE = 50_000  # trials of one line of the ledger


def sweep(
    job: Job,
    folder: Path,
    pool: Pool,
    *,
    ledger: Path | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Runs what is missing of a sweep and reports on it.

    Args:
        job: What to sweep.
        folder: Where it is kept; one that was begun is gone on with.
        pool: Where the blocks run.
        ledger: The ledger of trials; None leaves it out.
        on_progress: Called with the number of trials that a finished block held, those found done included.

    Returns:
        The document that `DIR/sweep_report.json` holds.
    """
    store = Store(folder, job)
    episodes = [loaded(job, name)[0] for name in job.episodes]
    names = [episode.name for episode in episodes]
    if not store.done:
        _fill(job, store, pool, on_progress or (lambda _: None))
        table = [episode.sessions.sessions for episode in episodes]
        store.finish(
            names,
            [[days[row].isoformat() for row in episode.window] for episode, days in zip(episodes, table, strict=True)],
        )
        if ledger is not None:
            enter(job, store, ledger)
    cash = np.array([terms.cash for _, terms in job.combinations(0, len(job.axes))])
    walks = [walk_forward(equity, cash) for equity in store.equity()]
    found = judge(job.axes, names, np.array(list(store.figures("return_pct"))), walks)
    document = {
        "name": "sweep", "strategy": job.strategy, "episodes": names, "engine": job.engine(),
        "settings": dict(job.settings), "grid": job.axes.document(), **found, "file": str(store.result),
    }  # fmt: skip
    facts = facts_of_several(scorer_named(job.scorer), {each.name: each.start for each in episodes})
    if facts["trained_until"] is not None:
        document["scorer"] = facts
    (folder / "sweep_report.json").write_text(json_text(document), encoding="utf-8", newline="\n")
    draw(document, folder / "heat.png")
    return document


def _fill(job: Job, store: Store, pool: Pool, on_progress: Callable[[int], None]) -> None:
    blocks, missing = job.blocks(), store.missing()
    on_progress(sum(stop - first for _, first, stop in blocks) - sum(blocks[n][2] - blocks[n][1] for n in missing))
    sources = [dict(loaded(job, name)[0].sources) for name in job.episodes]
    pieces = [(job, *blocks[number], sources[blocks[number][0]]) for number in missing]
    for place, block in pool.run(run_block, pieces):
        store.keep(missing[place], block)
        on_progress(len(block["figures"]))


def enter(job: Job, store: Store, ledger: Path) -> None:
    """Enters every trial of a finished sweep into the ledger, without its returns."""
    from backtests.evidence.trials.ledger import Trial, append
    from backtests.evidence.trials.trials import key_of

    profits, sharpes = list(store.figures("profit_usd")), list(store.figures("sharpe_session"))
    for place, name in enumerate(job.episodes):
        episode, news = loaded(job, name)
        for first in range(0, len(job.axes), _LINE):
            trials = []
            for number, (rule, terms) in enumerate(job.combinations(first, min(first + _LINE, len(job.axes))), first):
                config = configuration(episode, news, terms, [rule])
                sharpe = float(sharpes[place][number])
                trials.append(
                    Trial(
                        key=key_of(config, config["strategies"][0]),
                        strategy=rule.name,
                        baseline=rule.is_baseline,
                        params=dict(rule.parameters),
                        profit_usd=float(profits[place][number]),
                        sharpe=None if np.isnan(sharpe) else sharpe,
                    )
                )
            append(
                ledger, kind="sweep", episode=episode.name, start=episode.start.isoformat(),
                end=episode.end.isoformat(), trials=trials,
            )  # fmt: skip
