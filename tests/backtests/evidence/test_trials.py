"""The ledger of trials, and the figures that need to know how many were tried."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import multiprocessing
import shutil
from datetime import UTC, date, datetime
from itertools import combinations

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from backtests import load_episode, replay
from backtests.broker.terms import BrokerTerms
from backtests.cli import cli
from backtests.evidence.intervals import intervals
from backtests.evidence.trials.deflated_sharpe import (
    backtest_overfitting,
    benjamini_hochberg,
    expected_best_sharpe,
    moments,
)
from backtests.evidence.trials.entries import GENESIS, Past, Sample, Trial
from backtests.evidence.trials.from_run import sample_of_run, strategies_of, trials_of
from backtests.evidence.trials.ledger import append, past, read_chain, trial_key
from backtests.evidence.trials.outcomes import outcomes
from backtests.evidence.trials.stepwise import romano_wolf
from backtests.evidence.trials.trials import record, weigh
from backtests.runs.result import Result
from feeds.errors import InputError

JANUARY = Sample(episode="e", start="2025-01-02", end="2025-01-31")


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
        append(path, kind="run", sample=JANUARY, trials=[trial(name)])


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
    append(path, kind="run", sample=Sample(episode="e", start="2024-01-02", end="2024-01-31"), trials=[trial("c")])
    assert [each.strategy for _, each in read_chain(path).past(JANUARY).trials] == ["a", "b"]


def test_a_line_holds_a_clock_that_is_given(tmp_path):
    """In UTC, to the second."""
    entry = append(
        tmp_path / "t.jsonl", kind="run", sample=JANUARY, trials=[], at=datetime(2025, 1, 27, 14, 30, tzinfo=UTC)
    )
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
    """Ten others make it one of eleven, and lower its deflated Sharpe ratio; alone it is not deflated, and says so."""
    path, sample, mine = tmp_path / "t.jsonl", sample_of_run(result), strategies_of(result)
    alone = weigh(mine, past(path, sample), sample, least_entries=1)
    rng = np.random.default_rng(6)
    for number in range(10):
        append(path, kind="run", sample=sample, trials=[trial(f"t{number}", rng.normal(0.02, 0.01, 19))])
    beside = weigh(mine, past(path, sample), sample, least_entries=1)
    assert alone.says == "not deflated: nothing else was tried here"
    assert beside.says == "rank 11 of 11 configurations tried (11 outcomes)"
    assert (beside.tried, beside.baselines) == (11, 1)
    assert alone.rows[0]["dsr"] is None
    assert beside.rows[0]["dsr"] < alone.rows[0]["psr"] == beside.rows[0]["psr"]
    assert beside.pbo.trials == 11


def test_below_ten_sessions_with_an_entry_a_ratio_has_an_interval_and_no_p(result):
    """`shock` entered in four sessions; with a bar of four it would be given its probabilities."""
    sample, mine = sample_of_run(result), strategies_of(result)
    nothing = Past(entries=0, head=GENESIS, broken="", runs=0, trials=())
    few, enough = (weigh(mine, nothing, sample, least_entries=least).rows[0] for least in (10, 4))
    chances = ("psr", "p", "dsr", "q_bh", "p_stepwise", "min_track_record_sessions")
    opened = {row["opened"] for row in result.tables["trades"].records() if row["strategy"] == mine[0].trial.strategy}
    assert few["entry_sessions"] == len(opened) == 4
    assert few["not_deflated"] == "It entered positions in 4 sessions, fewer than 10: nothing can be said about luck."
    assert enough["not_deflated"] == "Nothing else was tried here, so its Sharpe ratio is not deflated."
    assert [few[name] for name in chances] == [None] * 6
    assert enough["psr"] is not None
    low, high = few["intervals"]["sharpe_annual"]
    assert low < few["sharpe_annual"] < high


def test_an_account_that_only_earned_interest_has_no_ratio():
    """Cash at 5 %, no position: nothing varies but the nights, and all of it is the cash rate."""
    idle = replay(load_episode("bard-2023"), "rebound", terms=BrokerTerms(cash_pct=5.0))
    (mine,) = strategies_of(idle)
    assert (mine.trial.sharpe, idle.document["results"][0]["sharpe"]) == (None, None)
    assert mine.trial.profit_usd > 100
    row = weigh([mine], Past(entries=0, head=GENESIS, broken="", runs=0, trials=()), sample_of_run(idle)).rows[0]
    assert (row["psr"], row["dsr"], row["intervals"]) == (None, None, None)


# The family


def varied(count=40, sessions=19):
    """Trials without skill, apart from one another."""
    rng = np.random.default_rng(9)
    return [trial(f"other {number}", rng.normal(0.001, 0.01, sessions)) for number in range(count)]


def deflated(path, result):
    """The run's deflated Sharpe ratio, whatever its entries."""
    sample = sample_of_run(result)
    return weigh(strategies_of(result), past(path, sample), sample, least_entries=0).rows[0]["dsr"]


@pytest.mark.parametrize("wobble", [0.0, 1e-4])
def test_a_thousand_copies_leave_the_deflated_sharpe_ratio_where_it_was(tmp_path, result, wobble):
    """Of the run itself, bought with a little more or less, or changed by noise that nobody would call another idea."""
    path, sample = tmp_path / "t.jsonl", sample_of_run(result)
    append(path, kind="run", sample=sample, trials=varied())
    before = deflated(path, result)
    mine, rng = np.array(strategies_of(result)[0].trial.returns), np.random.default_rng(3)
    clones = [
        trial(f"clone {number}", mine * (1 + number / 10_000) + rng.normal(0, wobble, len(mine)))
        for number in range(1_000)
    ]
    append(path, kind="sweep", sample=sample, trials=clones)
    assert deflated(path, result) == pytest.approx(before, abs=0.02)


def test_neighbours_a_little_apart_never_make_luck_smaller(tmp_path):
    """A thousand variations of one idea, each an outcome of its own: the bar does not sink below what it was."""
    rng = np.random.default_rng(4)
    base = rng.normal(0, 0.01, (30, 60))
    idea = base[0] + rng.normal(0, 0.0015, (1_000, 60))
    sharpes = [moments(row).sharpe for row in base]
    more = [moments(row).sharpe for row in idea]
    few, many = outcomes(base, sharpes), outcomes(np.vstack([base, idea]), [*sharpes, *more])
    assert many.count > 500
    assert many.luck >= few.luck * 0.999


def copied(folder, name):
    """The episode's folder under another name."""
    shutil.copytree(load_episode("deepseek-2025").folder, folder / name)
    return load_episode(str(folder / name))


def test_neither_a_later_start_nor_a_copy_of_the_folder_makes_it_the_only_one_tried(tmp_path):
    """Both are one family with the run before, and trades that are the same are one outcome."""
    path, rule = tmp_path / "t.jsonl", "rebound"
    first = replay(load_episode("deepseek-2025"), rule)
    append(path, kind="run", sample=sample_of_run(first), trials=varied())
    record(first, path)
    before = deflated(path, first)
    others = [
        replay(load_episode("deepseek-2025", start=date(2025, 1, 14)), rule),
        replay(copied(tmp_path, "mine"), rule),
    ]
    for each in others:
        found = record(each, path, least_entries=0)
        assert found.outcomes.count == 41
        assert found.rows[0]["dsr"] == pytest.approx(before, abs=0.02)
    assert others[1].document["episode"] == "mine"
    assert deflated(path, first) == pytest.approx(before, abs=0.02)


def test_other_data_of_another_name_is_another_family():
    """And so is another time of the same."""
    one = Sample(episode="a", start="2025-01-02", end="2025-01-31", data=("p", "n"))
    assert one.related(dataclasses.replace(one, episode="b", data=("n", "x"), start="2025-01-31", end="2025-03-01"))
    assert not one.related(dataclasses.replace(one, episode="b", data=("x",)))
    assert not one.related(dataclasses.replace(one, start="2025-02-01", end="2025-03-01"))


def test_a_ledger_of_the_first_version_is_read_and_its_chain_holds(tmp_path):
    """It says `rival` where it is `baseline` now, and knows nothing of its data; the next run follows it."""
    path, previous, lines = tmp_path / "t.jsonl", GENESIS, []
    for number in (1, 2):
        old = trial(f"r{number}").document()
        old["rival"] = old.pop("baseline")
        body = {
            "number": number, "at": "2026-11-24T09:00:00Z", "kind": "run", "episode": "e", "start": "2025-01-02",
            "end": "2025-01-31", "trials": [{**old, "rival": number == 2}], "previous": previous,
        }  # fmt: skip
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        previous = hashlib.sha256(text.encode()).hexdigest()
        lines.append(json.dumps({**body, "hash": previous}, sort_keys=True, separators=(",", ":")) + "\n")
    path.write_text("".join(lines))
    add(path, "new")
    chain = read_chain(path)
    assert (chain.broken, len(chain.entries)) == ("", 3)
    assert [each.baseline for _, each in past(path, JANUARY).trials] == [False, True, False]


# The index


def test_the_index_says_what_the_whole_ledger_says(tmp_path):
    """After each of several runs, and after it was lost or damaged."""
    path = tmp_path / "t.jsonl"
    index = tmp_path / "t.jsonl.index"
    for number, harm in enumerate((None, None, index.unlink, lambda: index.write_bytes(b"no index"), None)):
        if harm:
            harm()
        append(path, kind="run", sample=JANUARY, trials=[trial(f"{number % 3}", (0.01 * number, 0.02, -0.01, 0.0))])
        whole, quick = read_chain(path).past(JANUARY), past(path, JANUARY)
        assert (quick.entries, quick.head, quick.runs) == (whole.entries, whole.head, whole.runs)
        assert [(own, dataclasses.replace(each, params={})) for own, each in whole.trials] == [
            (own, dataclasses.replace(each, params={})) for own, each in quick.trials
        ]


def test_a_run_reads_the_index_and_not_the_ledger_until_somebody_touched_it(tmp_path, monkeypatch):
    """Untouched, the whole ledger is not read again; a changed line is noticed all the same."""
    path = tmp_path / "t.jsonl"
    add(path, "a", "b")
    with monkeypatch.context() as patched:
        patched.setattr("backtests.evidence.trials.ledger.read_chain", pytest.fail)
        assert len(past(path, JANUARY).trials) == 2
    path.write_text(path.read_text().replace("1.5", "9.5", 1))
    assert past(path, JANUARY).broken.startswith("line 1: was changed")


# Several at once


def test_stepwise_p_values_allow_for_all_that_were_tried_and_for_their_likeness():
    """20 strategies without skill, alike by half, 400 times: in 5 % (± 3) of them any p is at most 0.05."""
    rng = np.random.default_rng(8)
    low = 0
    for seed in range(400):
        returns = 0.01 * (rng.normal(size=(60, 1)) + rng.normal(size=(60, 20)))
        low += romano_wolf(returns, n=199, seed=seed).min() <= 0.05
    assert 0.02 <= low / 400 <= 0.08


def test_a_copy_costs_a_stepwise_p_nothing_and_skill_is_found():
    """The same p with 50 copies beside it; a strategy of one deviation a session is at the smallest p there is."""
    rng = np.random.default_rng(2)
    returns = rng.normal(0, 0.01, (60, 5))
    returns[:, 2] += 0.01
    copies = np.hstack([returns, np.repeat(returns[:, :1], 50, axis=1)])
    one, many = romano_wolf(returns), romano_wolf(copies)
    assert one[2] == 1 / 1000
    assert many[:5] == pytest.approx(one, abs=1e-12)


def test_intervals_hold_what_they_say_and_come_from_the_seed_alone():
    """The 90 % interval of a Sharpe ratio holds the true one in about 90 % of 300 samples of 250 sessions."""
    rng = np.random.default_rng(5)
    inside = 0
    for _ in range(300):
        low, high = intervals(rng.normal(0.001, 0.01, 250), n=300)["sharpe_annual"]
        inside += low <= 0.1 * math.sqrt(252) <= high
    assert 0.83 <= inside / 300 <= 0.95
    returns = rng.normal(0.001, 0.01, 30)
    assert intervals(returns, seed=2) == intervals(returns, seed=2) != intervals(returns, seed=3)
    assert intervals([0.0] * 30) is None


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
