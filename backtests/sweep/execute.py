"""Runs a sweep: the blocks that are missing, in any pool, then the result and its report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backtests.batch.pools import Pool
from backtests.records.benchmark_return import benchmark
from backtests.records.contamination import facts_of_news, facts_of_several
from backtests.records.folders import write_file
from backtests.records.record import json_text
from backtests.runs.build import configuration
from backtests.sweep.job import Job, loaded, nights, run_block
from backtests.sweep.robustness import judge, walk_forward
from backtests.sweep.store import REPORT, Store
from backtests.sweep.text import draw
from feeds.scorers.registry import scorer_named
from strategies.signals import Floats

if TYPE_CHECKING:
    from backtests.episodes.episode import Episode
    from backtests.evidence.trials.deflated_sharpe import Overfitting

LINE = 50_000  # trials of one line of the ledger
MOST_OUTCOMES = 2_000  # of a sweep whose returns the ledger keeps; trials beyond them count one by one


def sweep(
    job: Job,
    folder: Path,
    pool: Pool,
    *,
    ledger: Path | None = None,
    force: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Runs what is missing of a sweep and reports on it.

    Args:
        job: What to sweep.
        folder: Where it is kept; one that was begun resumes.
        pool: Where the blocks run.
        ledger: The ledger of trials; None leaves it out.
        force: Whether a sweep that is there is removed first.
        on_progress: Called with the number of trials that a finished block held, those found done included.

    Returns:
        The document that `DIR/sweep_report.json` holds.
    """
    store = Store(folder, job, force=force)
    given = [loaded(job, name) for name in job.episodes]
    episodes = [episode for episode, _ in given]
    names = [episode.name for episode in episodes]
    if not store.done:
        _fill(job, store, pool, on_progress or (lambda _: None))
        store.finish(names, [window_days(episode) for episode in episodes])
    if ledger is not None:
        enter_trials(job, store, ledger)
    cash = np.array([terms.cash for _, terms in job.combinations(0, len(job.axes))])
    walks = [walk_forward(equity, cash) for equity in store.equity()]
    found = judge(job.axes, names, np.array(list(store.figures("return_pct"))), walks)
    document = {
        "name": "sweep", "strategy": job.strategy, "episodes": names, "engine": job.engine(),
        "settings": dict(job.settings), "grid": job.axes.document(), **found,
        "benchmarks": [{"episode": episode.name, **benchmark(episode)} for episode in episodes],
        "overfitting": [
            {"episode": name, **(pbo.document() if pbo else {"pbo": None})}
            for name, pbo in zip(names, map(_overfitting, excess(job, store)), strict=True)
        ],
        "file": str(store.result),
    }  # fmt: skip
    facts = facts_of_several(scorer_named(job.scorer).label, [facts_of_news(news, episode) for episode, news in given])
    if facts["trained_until"] is not None:
        document["scorer"] = facts
    write_file(folder / REPORT, json_text(document).encode())
    draw(document, folder / "heat.png")
    return document


def _fill(job: Job, store: Store, pool: Pool, on_progress: Callable[[int], None]) -> None:
    blocks, missing = job.blocks(), store.missing()
    on_progress(sum(stop - first for _, first, stop in blocks) - sum(blocks[n][2] - blocks[n][1] for n in missing))
    sources = [dict(loaded(job, name)[0].sources) for name in job.episodes]
    tasks = [(job, *blocks[number], sources[blocks[number][0]]) for number in missing]
    for place, block in pool.run(run_block, tasks):
        store.keep(missing[place], block)
        on_progress(len(block["figures"]))


def window_days(episode: Episode) -> list[str]:
    """Returns the sessions of the window as ISO dates."""
    return [episode.sessions.sessions[row].isoformat() for row in episode.window]


def excess(job: Job, store: Store) -> Iterator[Floats]:
    """Yields the session returns of each episode's combinations in excess of cash, shape (combinations, sessions).

    NaN where a combination had no close or its equity was gone.
    """
    terms = [each for _, each in job.combinations(0, len(job.axes))]
    start, pct = np.array([each.cash for each in terms]), np.array([each.cash_pct for each in terms])
    for name, equity in zip(job.episodes, store.equity(), strict=True):
        whole = np.column_stack([start, equity])
        whole[(np.where(np.isnan(whole), np.inf, whole) <= 0).any(axis=1)] = np.nan
        yield whole[:, 1:] / whole[:, :-1] - 1 - pct[:, None] / 100 * nights(loaded(job, name)[0]) / 360


def _overfitting(returns: Floats) -> Overfitting | None:
    """The probability of overfitting over the trials of a sweep that have all their returns."""
    from backtests.evidence.trials.trials import overfitting

    return overfitting(returns[np.isfinite(returns).all(axis=1)].T, most=8)


def enter_trials(job: Job, store: Store, ledger: Path) -> None:
    """Enters every trial of a finished sweep that the ledger does not hold yet.

    A line is marked with the sweep's hash, so that a sweep that was killed before its trials were entered enters them
    when it is resumed, and none twice. Returns are kept of the first trial of each outcome; the others name it.
    """
    from backtests.evidence.trials.entries import Trial
    from backtests.evidence.trials.from_run import key_of, sample_of
    from backtests.evidence.trials.ledger import append, entered_sweeps
    from backtests.evidence.trials.outcomes import first_members

    entered, mark = entered_sweeps(ledger), job.hash()
    profits, sharpes = list(store.figures("profit_usd")), list(store.figures("sharpe_session"))
    for place, (name, returns) in enumerate(zip(job.episodes, excess(job, store), strict=True)):
        episode, news = loaded(job, name)
        lines = {first: f"{mark}/{episode.name}/{first}" for first in range(0, len(job.axes), LINE)}
        if entered.issuperset(lines.values()):
            continue
        varied = np.flatnonzero(np.isfinite(returns).all(axis=1) & np.isfinite(sharpes[place]))
        firsts, groups = first_members(returns[varied], MOST_OUTCOMES) if len(varied) else ([], varied)
        leader = np.full(len(job.axes), -1)
        leader[varied] = np.where(groups >= 0, varied[np.array(firsts, dtype=np.int64)][groups], -1) if firsts else -1
        keys: dict[int, str] = {}
        for first, line in lines.items():
            trials = []
            for number, (rule, terms) in enumerate(job.combinations(first, min(first + LINE, len(job.axes))), first):
                config = configuration(episode, news, terms, [rule])
                keys[number] = key_of(config, config["strategies"][0])
                sharpe, own = float(sharpes[place][number]), int(leader[number])
                trials.append(
                    Trial(
                        key=keys[number],
                        strategy=rule.name,
                        baseline=rule.is_baseline,
                        params=dict(rule.parameters),
                        profit_usd=float(profits[place][number]),
                        sharpe=None if np.isnan(sharpe) else sharpe,
                        returns=tuple(returns[number].tolist()) if own == number else (),
                        like=keys[own] if own not in {-1, number} else "",
                    )
                )
            if line not in entered:
                sample = sample_of(episode.name, window_days(episode), episode.sources)
                append(ledger, kind="sweep", sample=sample, trials=trials, sweep=line)
