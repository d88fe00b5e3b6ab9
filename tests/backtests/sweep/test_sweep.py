"""Sweeps: the same bytes wherever and however often they ran, and a report that prefers a robust region to the best of many."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from multiprocessing import get_context

import numpy as np
import pytest
from click.testing import CliRunner

from backtests._replay import replay
from backtests.batch.news_versions import Versions, actual_rows
from backtests.batch.pools import Dask, Processes
from backtests.broker.terms import BrokerTerms
from backtests.cli import cli
from backtests.engine.news import read_news
from backtests.episodes.episode import load_episode
from backtests.evidence.placebo.choose_engine import engine_for
from backtests.evidence.trials.ledger import read_chain
from backtests.sweep.execute import sweep
from backtests.sweep.grid import read_grid
from backtests.sweep.job import Job
from backtests.sweep.robustness import left_out, robust_region, walk_forward
from feeds.errors import InputError
from strategies.registry import make_rule, rules

SHOCK = rules()["shock"]
GRID = ("threshold=0.1:0.9:30", "hold=1:5:5", "slippage_bps=0,5,10,20,30,40,50,60,70,80")


def job(*grid, **how):
    """A sweep of `shock` on the episode."""
    how = {"episodes": ("deepseek-2025",), "strategy": "shock", "settings": (), **how}
    return Job(grid=grid or GRID, **how)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The bytes of the sweep by one process, 1,500 combinations in three blocks."""
    folder = tmp_path_factory.mktemp("alone")
    sweep(job(), folder, Processes())
    return (folder / "trials.parquet").read_bytes()


def test_two_workers_make_the_same_bytes(alone, tmp_path):
    """One process or two: one file."""
    sweep(job(), tmp_path, Processes(workers=2))
    assert (tmp_path / "trials.parquet").read_bytes() == alone


def test_a_killed_sweep_goes_on_and_makes_the_same_bytes(alone, tmp_path):
    """Killed for good as soon as its first block stands on disk."""
    words = [sys.executable, "-m", "backtests", "sweep", "deepseek-2025", "-s", "shock", "--trials", "off",
             "--grid", *GRID, "-o", str(tmp_path)]  # fmt: skip
    running = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while running.poll() is None and not list(tmp_path.glob("parts/0*.npz")):
        time.sleep(0.002)
    running.kill()
    running.wait()
    kept = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("parts/0*.npz")}
    assert kept
    seen = []
    sweep(job(), tmp_path, Processes(), on_progress=seen.append)
    assert seen[0] == 500 * len(kept)
    assert (tmp_path / "trials.parquet").read_bytes() == alone


@pytest.fixture(scope="module")
def cluster():
    """Two Dask workers."""
    import distributed

    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs="CRITICAL"
    ) as made:
        yield made


def test_a_dask_worker_killed_in_the_middle_changes_no_byte(alone, tmp_path, cluster):
    """Two workers, one killed as soon as the first block has come in."""
    victim = next(iter(cluster.workers.values())).process.pid

    def kill():
        while not list(tmp_path.glob("parts/0*.npz")):
            time.sleep(0.002)
        os.kill(victim, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    sweep(job(), tmp_path, Dask(scheduler=cluster.scheduler_address))
    killer.join()
    assert (tmp_path / "trials.parquet").read_bytes() == alone


def test_placebos_on_dask_are_those_of_one_process(cluster):
    """The same bytes, in the order of the versions."""
    episode, rule = load_episode("deepseek-2025"), make_rule("shock")
    news = read_news(episode)
    rng = np.random.default_rng(3)
    rows = np.array([rng.permutation(actual_rows(news)) for _ in range(2_500)])
    one, other = (
        engine_for(rule, name, scheduler=cluster.scheduler_address if name == "dask" else "").equity(
            episode, news, rule, BrokerTerms(), Versions(rows=rows)
        )
        for name in ("kernel", "dask")
    )
    assert one.tobytes() == other.tobytes()


def test_a_row_is_what_a_run_with_these_settings_says(tmp_path):
    """Return, profit, drawdown, Sharpe ratio and costs, from the replay."""
    import pandas as pd

    sweep(job("threshold=0.3,0.7", "slippage_bps=5,40"), tmp_path, Processes())
    row = pd.read_parquet(tmp_path / "trials.parquet").iloc[3]
    result = replay(load_episode("deepseek-2025"), "shock", terms=BrokerTerms(slippage_bps=40), threshold=0.7)
    metrics = result.metrics.iloc[0]
    assert (row.threshold, row.slippage_bps) == (0.7, 40)
    assert row.return_pct == pytest.approx(metrics.return_pct, rel=1e-9)
    assert row.max_drawdown_pct == pytest.approx(metrics.max_drawdown_pct, rel=1e-9)
    assert row.sharpe_annual == pytest.approx(metrics.sharpe, rel=1e-9)
    assert row.commission_usd == pytest.approx(result.fills.commission.sum(), rel=1e-9)
    assert list(row.equity_usd) == pytest.approx(list(result.equity.equity), rel=1e-9)


def test_the_replay_gives_the_same_sweep(tmp_path):
    """`--replay` runs the reference: the same figures to 1e-9, and the report says which engine it was."""
    import pandas as pd

    grid = ("threshold=0.3,0.7", "gross=1,2")
    said = [sweep(job(*grid, replay=each), tmp_path / str(each), Processes())["engine"] for each in (False, True)]
    one, other = (pd.read_parquet(tmp_path / str(each) / "trials.parquet") for each in (False, True))
    assert said == ["kernel", "replay (asked for)"]
    assert one.final_usd.to_numpy() == pytest.approx(other.final_usd.to_numpy(), rel=1e-9)
    assert list(one.fills) == list(other.fills)


def test_every_trial_enters_the_ledger_under_the_key_that_a_run_has(tmp_path):
    """A run of the same configuration afterwards is no new trial."""
    ledger = tmp_path / "trials.jsonl"
    options = ["deepseek-2025", "-s", "shock", "--trials", str(ledger)]
    done = CliRunner().invoke(cli, ["sweep", *options, "--grid", "threshold=0.3,0.5", "hold=2,3", "-o",
                                    str(tmp_path / "s"), "--json"], catch_exceptions=False)  # fmt: skip
    assert json.loads(done.stdout)["trials"] == 4
    CliRunner().invoke(cli, ["run", *options, "--no-baselines", "--set", "hold=2", "--set", "reactions=with-cause", "-o",
                             str(tmp_path / "r")], catch_exceptions=False)  # fmt: skip
    chain = read_chain(ledger)
    assert [entry.kind for entry in chain.entries] == ["sweep", "run"]
    past = chain.past(chain.entries[0].sample)
    assert len(past.trials) + sum(count for _, count in past.copies) == 4


def test_a_sweep_killed_between_its_result_and_the_ledger_loses_no_trial(tmp_path):
    """Killed when the result stands; resumed, it enters what is missing, and a third time nothing twice."""
    ledger, folder = tmp_path / "trials.jsonl", tmp_path / "s"
    grid = ("threshold=0.1:0.9:30", "hold=1:5:5")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("backtests.sweep.execute.enter_trials", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        child = get_context("fork").Process(
            target=sweep, args=(job(*grid), folder, Processes()), kwargs={"ledger": ledger}
        )
        child.start()
        child.join()
    assert child.exitcode == -signal.SIGKILL
    assert (folder / "trials.parquet").exists()
    for _ in range(2):
        sweep(job(*grid), folder, Processes(), ledger=ledger)
        chain = read_chain(ledger)
        assert (chain.broken, len(chain.entries), len(chain.entries[0].trials)) == ("", 1, 150)


def test_a_sweep_keeps_the_returns_of_each_outcome_and_says_which_stand_for_which(tmp_path):
    """A thousandth more or less of `gross` is one outcome: returns once, named by all the others."""
    ledger = tmp_path / "trials.jsonl"
    sweep(job("gross=1.0:1.001:50"), tmp_path / "s", Processes(), ledger=ledger)
    (entry,) = read_chain(ledger).entries
    first, *others = entry.trials
    assert len(first.returns) == 19
    assert {each.like for each in others} == {first.key}
    assert not any(each.returns for each in others)


def test_a_sweep_says_how_probable_it_is_that_its_best_is_overfitted(tmp_path):
    """Over its own trials, between 0 and 1; with one trial it cannot be said."""
    (found,) = sweep(job("threshold=0.1:0.9:9"), tmp_path / "a", Processes())["overfitting"]
    (alone,) = sweep(job("threshold=0.3"), tmp_path / "b", Processes())["overfitting"]
    assert (0 <= found["pbo"] <= 1, found["trials"], alone["pbo"]) == (True, 9, None)


def test_axes_have_both_ends_or_are_lists():
    """start:stop:count for numbers, whole ones where the parameter takes them, names for choices."""
    grid = read_grid(["threshold=0.1:0.9:9", "hold=1:20:20", "hedge=none,SPY"], SHOCK)
    assert list(grid.document().values()) == [
        [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9], list(range(1, 21)), ["none", "SPY"]
    ]  # fmt: skip
    assert (len(grid), grid.combinations(41, 42)) == (360, [{"threshold": 0.2, "hold": 1, "hedge": "SPY"}])


@pytest.mark.parametrize(
    ("axis", "says"),
    [
        ("threshold", "give NAME=START:STOP:COUNT"),
        ("treshold=1", "did you mean 'threshold'"),
        ("hold=1:2:5", "takes whole numbers"),
        ("hold=1,1", "given twice"),
        ("threshold=a:b:c", "as numbers"),
        ("threshold=nan", "finite"),
        ("hedge=gold", "hedge='gold'"),
        ("auctions=open,close", "one kind of auction"),
    ],
)
def test_a_wrong_axis_is_one_line(axis, says):
    """What, where, and what to do."""
    with pytest.raises(InputError, match=says):
        read_grid([axis], SHOCK)


def test_a_folder_of_another_sweep_is_left_alone(tmp_path):
    """Nothing is overwritten."""
    sweep(job("threshold=0.3"), tmp_path, Processes())
    with pytest.raises(InputError, match="holds another sweep"):
        sweep(job("threshold=0.4"), tmp_path, Processes())


def test_a_lonely_best_is_no_robust_region():
    """By hand: 9 stands alone beside 0; 5, 5, 5 stand together."""
    grid = read_grid(["threshold=0.1:0.7:7"], SHOCK)
    values = np.array([0.0, 9.0, 0.0, 1.0, 5.0, 5.0, 5.0])
    assert robust_region(values, grid).tolist() == [4.5, 0.0, 1.0, 1.0, 5.0, 5.0, 5.0]


def test_walking_forward_trades_what_was_best_before():
    """By hand: eight sessions in four parts; 0 leads after the first, then 1 leads for good."""
    equity = np.array([[110, 120, 120, 120, 120, 120, 120, 120], [100, 100, 100, 150, 150, 150, 150, 75.0]])
    rows = walk_forward(equity, np.array([100.0, 100.0]))
    assert [row["number"] for row in rows] == [0, 1, 1]
    assert [row["return_pct"] for row in rows] == pytest.approx([0, 0, -50])
    assert [row["better_pct"] for row in rows] == [50, 0, 50]


def test_leaving_an_episode_out_picks_by_the_others():
    """By hand: combination 0 is best on the second and poor on the first."""
    rows = left_out(np.array([[-10.0, 5.0], [20.0, 1.0]]), ["a", "b"])
    assert [(row["number"], row["return_pct"]) for row in rows] == [(0, -10.0), (1, 1.0)]
