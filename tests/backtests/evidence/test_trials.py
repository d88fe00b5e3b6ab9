"""The ledger of trials, and the figures that need to know how many were tried."""

from __future__ import annotations

import hashlib
import json
import math
import multiprocessing
from datetime import UTC, datetime
from itertools import combinations

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from backtests import load_episode, replay
from backtests.cli import cli
from backtests.evidence.trials.deflated_sharpe import (
    backtest_overfitting,
    benjamini_hochberg,
    expected_best_sharpe,
    moments,
)
from backtests.evidence.trials.ledger import GENESIS, Trial, append, read_chain, trial_key
from backtests.evidence.trials.trials import trials_of, weigh
from backtests.runs.result import Result
from feeds.errors import InputError


def trial(name="a", returns=(0.01, -0.02, 0.03, 0.0, 0.01), *, baseline=False):
    """A trial made by hand."""
    found = moments(returns)
    return Trial(
        key=trial_key(name), strategy=name, baseline=baseline, params={"x": name}, profit_usd=1.5,
        sharpe=found and found.sharpe, returns=tuple(returns),
    )  # fmt: skip


def add(path, *names):
    """Appends a run for each name."""
    for name in names:
        append(path, kind="run", episode="e", start="2025-01-02", end="2025-01-31", trials=[trial(name)])


def test_every_line_names_the_hash_of_the_line_before(tmp_path):
    """The first follows 64 zeros."""
    path = tmp_path / "deep" / "trials.jsonl"
    add(path, "a", "b", "c")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["previous"] for line in lines] == [GENESIS, lines[0]["hash"], lines[1]["hash"]]
    assert read_chain(path).broken == ""
    assert [entry.trials[0].strategy for entry in read_chain(path).entries] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda lines: [lines[0], lines[1].replace("1.5", "9.5"), lines[2]], "line 2: was changed"),
        (lambda lines: [lines[0], lines[2]], "line 2: does not follow"),
        (lambda lines: [lines[1], lines[0], lines[2]], "line 1: does not follow"),
        (lambda lines: [lines[0], lines[0], *lines[1:]], "line 2: does not follow"),
        (lambda lines: [lines[0], "{}", *lines[1:]], "line 2: is no entry"),
        (lambda lines: [*lines, '{"at":"torn'], "line 4: has no end"),
    ],
)
def test_whatever_is_done_to_a_line_breaks_the_chain_with_exit_code_1(tmp_path, harm, says):
    """Changed, taken out, moved, doubled, put in, torn."""
    path = tmp_path / "trials.jsonl"
    add(path, "a", "b", "c")
    harmed = "\n".join(harm(path.read_text().splitlines()))
    path.write_text(harmed if "torn" in harmed else harmed + "\n")
    assert read_chain(path).broken.startswith(says)
    for words in (["trials", "--trials", str(path)], ["trials", "--trials", str(path), "verify"]):
        assert CliRunner().invoke(cli, words).exit_code == 1


def test_a_line_forged_with_its_own_right_hash_is_betrayed_by_the_next(tmp_path):
    """Whoever changes a line and hashes it anew has to write all that follow anew too."""
    path = tmp_path / "trials.jsonl"
    add(path, "a", "b", "c")
    lines = path.read_text().splitlines()
    body = json.loads(lines[1])
    del body["hash"]
    body["trials"][0]["profit_usd"] = 9.5
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    forged = json.dumps({**body, "hash": hashlib.sha256(text.encode()).hexdigest()}, sort_keys=True)
    path.write_text("\n".join([lines[0], forged, lines[2]]) + "\n")
    assert read_chain(path).broken.startswith("line 3: does not follow")


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path):
    """Half a line was never a trial; the chain goes on behind the last whole one."""
    path = tmp_path / "trials.jsonl"
    add(path, "a")
    with path.open("ab") as file:
        file.write(path.read_bytes()[:40])
    add(path, "b")
    chain = read_chain(path)
    assert (chain.broken, [entry.number for entry in chain.entries]) == ("", [1, 2])


@pytest.mark.parametrize("text", ["dear diary", "dear diary\n", '{"number": 1}\n'])
def test_a_file_that_is_no_ledger_is_not_written_to(tmp_path, text):
    """It is refused as it is."""
    path = tmp_path / "diary.txt"
    path.write_text(text)
    with pytest.raises(InputError, match="ledger"):
        add(path, "a")
    assert path.read_text() == text


def _writer(path):
    add(path, *[f"{multiprocessing.current_process().name}-{n}" for n in range(25)])


def test_four_writers_at_once_lose_nothing_and_break_nothing(tmp_path):
    """100 lines from four processes, one chain."""
    path = tmp_path / "trials.jsonl"
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        pool.map(_writer, [path] * 4)
    chain = read_chain(path)
    assert (chain.broken, len(chain.entries)) == ("", 100)


def test_the_same_configuration_run_again_is_no_new_trial(tmp_path):
    """N counts configurations, not clicks; another window is another family."""
    path = tmp_path / "trials.jsonl"
    add(path, "a", "b", "a")
    append(path, kind="run", episode="e", start="2024-01-02", end="2024-01-31", trials=[trial("c")])
    family = read_chain(path).family("e", "2025-01-02", "2025-01-31")
    assert [each.strategy for each in family] == ["a", "b"]


def test_a_line_holds_a_clock_that_is_given(tmp_path):
    """In UTC, to the second."""
    entry = append(
        tmp_path / "t.jsonl", kind="run", episode="e", start="a", end="b", trials=[],
        at=datetime(2025, 1, 27, 14, 30, tzinfo=UTC),
    )  # fmt: skip
    assert entry.at == "2025-01-27T14:30:00Z"


# Figures


def test_the_best_of_many_without_skill_is_what_simulation_says():
    """The mean of the largest of 50 normal Sharpe ratios of deviation 0.1; the paper's formula is good to 2 %."""
    drawn = np.random.default_rng(1).normal(0, 0.1, (20_000, 50)).max(axis=1).mean()
    assert expected_best_sharpe(50, 0.01) == pytest.approx(drawn, rel=0.02)


def test_moments_are_scipys():
    """Skewness and kurtosis (not excess), deviation of the sample."""
    values = np.random.default_rng(2).standard_t(5, 200) * 0.01 + 0.001
    found = moments(list(values))
    assert found.sharpe == pytest.approx(values.mean() / values.std(ddof=1), rel=1e-12)
    assert (found.skew, found.kurtosis) == pytest.approx((stats.skew(values), stats.kurtosis(values, fisher=False)))


@pytest.mark.parametrize("returns", [[], [0.01] * 3, [0.0] * 10, [0.5] * 10])
def test_without_variance_there_are_no_moments(returns):
    """Flat or too short."""
    assert moments(returns) is None


def naive_pbo(returns, blocks):
    """The procedure of Bailey et al. (2017), section 3, step by step, sharing no code."""
    parts = np.array_split(returns, blocks)
    logits = []
    for chosen in combinations(range(blocks), blocks // 2):
        inside = np.vstack([parts[b] for b in chosen])
        outside = np.vstack([parts[b] for b in range(blocks) if b not in chosen])
        sharpe_in = inside.mean(axis=0) / inside.std(axis=0, ddof=1)
        sharpe_out = outside.mean(axis=0) / outside.std(axis=0, ddof=1)
        omega = stats.rankdata(sharpe_out)[sharpe_in.argmax()] / (returns.shape[1] + 1)
        logits.append(np.log(omega / (1 - omega)))
    return np.mean(np.array(logits) <= 0), logits


def test_pbo_equals_a_plain_version_of_the_papers_steps():
    """Every logit, on noise of 64 sessions and 9 trials."""
    returns = np.random.default_rng(3).normal(0, 0.01, (64, 9))
    found = backtest_overfitting(returns, 8)
    pbo, logits = naive_pbo(returns, 8)
    assert found.pbo == pbo
    assert list(found.logits) == pytest.approx(logits, abs=1e-12)
    assert found.combinations == math.comb(8, 4)


def test_pbo_is_one_where_what_wins_here_must_lose_there():
    """Trials that sum to zero: the best half's winner is the other half's loser (the paper's full overfit)."""
    returns = np.random.default_rng(4).normal(0, 0.01, (80, 20))
    returns -= returns.mean(axis=0)
    assert backtest_overfitting(returns, 8).pbo == pytest.approx(1.0)


def test_pbo_is_none_of_it_where_one_trial_has_skill_and_half_of_it_in_noise():
    """A Sharpe ratio of 1 a session beside noise: 0; noise alone: about one half over 200 worlds."""
    rng = np.random.default_rng(5)
    skilled = rng.normal(0, 0.01, (80, 20))
    skilled[:, 7] += 0.01
    noise = [backtest_overfitting(rng.normal(0, 0.01, (80, 20)), 8).pbo for _ in range(200)]
    assert backtest_overfitting(skilled, 8).pbo == pytest.approx(0.0, abs=0.05)
    assert np.mean(noise) == pytest.approx(0.5, abs=0.06)


def test_too_little_to_split_gives_no_pbo():
    """One trial, or fewer than two sessions a block."""
    assert backtest_overfitting(np.zeros((40, 1))) is None
    assert backtest_overfitting(np.zeros((15, 3))) is None


@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=30), st.integers(0, 50))
def test_tests_that_are_not_listed_count_as_failures(values, more):
    """Over the true N: as if the others had had p = 1; never below p, never above 1."""
    q = benjamini_hochberg(values, len(values) + more)
    full = benjamini_hochberg([*values, *[1.0] * more])[: len(values)]
    assert q == pytest.approx(full)
    assert full == pytest.approx(multipletests([*values, *[1.0] * more], method="fdr_bh")[1][: len(values)])
    assert all(p * (1 - 1e-12) <= each <= 1 + 1e-12 for p, each in zip(values, q, strict=True))


# Runs


@pytest.fixture(scope="module")
def result():
    """A run of two rules."""
    return replay(load_episode("deepseek-2025"), ["shock", "buy-hold"])


def test_a_run_is_weighed_against_all_that_was_tried_before(tmp_path, result):
    """Ten others make it one of eleven, lower its deflated Sharpe ratio, and are named in words."""
    path = tmp_path / "t.jsonl"
    window, mine = result.document["window"], trials_of(result)
    where = {"episode": "deepseek-2025", "start": window["start"], "end": window["end"]}
    alone = weigh(mine, read_chain(path), *where.values())
    rng = np.random.default_rng(6)
    for number in range(10):
        append(path, kind="run", trials=[trial(f"t{number}", rng.normal(0.02, 0.01, 19))], **where)
    beside = weigh(mine, read_chain(path), *where.values())
    assert (alone.says, beside.says) == ("the only one tried", "no. 11 of 11 tried")
    assert (len(beside.tried), len(beside.baselines)) == (11, 1)
    assert beside.rows[0]["dsr"] < alone.rows[0]["dsr"] == alone.rows[0]["psr"]
    assert beside.pbo.trials == 11


def test_a_users_strategy_whose_text_changed_is_another_trial(tmp_path):
    """The same name and parameters, another file: the key holds the text's hash."""
    from backtests.user_strategies.loading import make_rule as own_rule

    text = "from strategies import Rule\n\nclass Mine(Rule):\n"
    text += "    def observe(self, view):\n        return (view.masks('chips'),)\n\n"
    text += "    def step(self, state, rows):\n        return rows[0] * {part}\n"
    keys = []
    for part in ("0.01", "0.01", "0.02"):
        (tmp_path / "mine.py").write_text(text.format(part=part))
        rule = own_rule(str(tmp_path / "mine.py"))
        keys.append(trials_of(replay(load_episode("deepseek-2025"), rule))[0].key)
    assert keys[0] == keys[1] != keys[2]


def test_run_writes_itself_into_the_ledger_unless_told_not_to(tmp_path, monkeypatch):
    """One line a run; its evidence holds the head, which verify looks for; a cut-off end is noticed."""
    monkeypatch.chdir(tmp_path)
    words = ["run", "deepseek-2025", "-s", "buy-hold", "--trials", "t.jsonl", "-o"]
    for folder in ("a", "b"):
        assert CliRunner().invoke(cli, [*words, folder], catch_exceptions=False).exit_code == 0
    off = CliRunner().invoke(cli, ["run", "deepseek-2025", "-s", "buy-hold", "--trials", "off", "-o", "c"])
    assert (off.exit_code, len(read_chain(tmp_path / "t.jsonl").entries)) == (0, 2)
    verify = ["trials", "--trials", "t.jsonl", "verify", "a", "b"]
    assert CliRunner().invoke(cli, verify).exit_code == 0
    assert "trials" in Result.load("b").evidence
    kept = (tmp_path / "t.jsonl").read_text().splitlines(keepends=True)[0]
    (tmp_path / "t.jsonl").write_text(kept)
    cut = CliRunner().invoke(cli, verify)
    assert (cut.exit_code, "b: the ledger no longer holds" in cut.stdout) == (1, True)


def test_a_configuration_of_a_sweep_that_is_run_again_is_one_trial(tmp_path, monkeypatch):
    """Two of the grid, one of them run: two were tried, and the run knows."""
    monkeypatch.chdir(tmp_path)
    sweep = ["sweep", "deepseek-2025", "--strategy", "shock", "--grid", "threshold=0.4,0.5", "--trials", "t.jsonl"]
    run = ["run", "deepseek-2025", "-s", "shock", "--set", "threshold=0.5", "--set", "reactions=with-cause"]
    for words in ([*sweep, "-o", "sw"], [*run, "--trials", "t.jsonl", "-o", "out"]):
        assert CliRunner().invoke(cli, words, catch_exceptions=False).exit_code == 0
    found = json.loads((tmp_path / "out" / "evidence" / "trials.json").read_text())
    assert (found["tried"], found["runs"]) == (2, 2)


def test_a_run_on_a_broken_ledger_says_so(tmp_path, monkeypatch):
    """The run is written all the same; its report names the line that was changed."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "t.jsonl"
    add(path, "a", "b")
    path.write_text(path.read_text().replace("1.5", "9.5", 1))
    done = CliRunner().invoke(
        cli, ["run", "deepseek-2025", "-s", "shock", "--trials", "t.jsonl", "-o", "out"], catch_exceptions=False
    )
    assert "BROKEN: line 1: was changed after it was written" in " ".join(done.stdout.split())
    assert len(path.read_text().splitlines()) == 3


def test_the_ledger_is_listed_by_episode_and_window(tmp_path):
    """As a table, and whole as JSON without the returns."""
    path = tmp_path / "t.jsonl"
    add(path, "a", "b")
    table = CliRunner().invoke(cli, ["trials", "--trials", str(path)], catch_exceptions=False)
    listed = json.loads(CliRunner().invoke(cli, ["trials", "--trials", str(path), "--json"]).stdout)
    assert ["e", "2025-01-02", "2025-01-31", "2", "2", "0"] in [line.split() for line in table.stdout.splitlines()]
    assert [entry["trials"][0]["strategy"] for entry in listed["entries"]] == ["a", "b"]


def test_a_ledger_that_cannot_be_written_stops_the_run_before_it_begins(tmp_path, monkeypatch):
    """One line that names the way out, and no work lost."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="--trials off"):
        CliRunner().invoke(cli, ["run", "deepseek-2025", "--trials", "folder"], catch_exceptions=False)
    assert not (tmp_path / "runs").exists()
