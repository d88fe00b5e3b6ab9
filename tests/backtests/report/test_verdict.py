"""The verdict, the benchmark, the limits and the thresholds that a report prints."""

from __future__ import annotations

import shutil
from datetime import date

import pytest

from backtests import load_episode, replay
from backtests.episodes.prices import Action
from backtests.records.benchmark_return import benchmark
from backtests.report.text.limits import limits
from backtests.report.text.run_report import result_rows, text_report, threshold_lines
from backtests.report.text.verdict import luck, verdict
from backtests.runs.folder import page_of
from backtests.user_strategies.selection import standard_rules, with_baselines, without_baselines
from feeds.errors import EpisodeError
from strategies.registry import rules
from tests.helpers.folders import edit
from tests.helpers.markets import episode_of, flat_bars, weekdays
from tests.helpers.paths import EPISODES


@pytest.fixture(scope="module")
def record():
    """One strategy and one baseline on the shipped episode."""
    return replay(load_episode("deepseek-2025"), ["rebound", "buy-hold"])


def test_the_verdict_comes_first_and_says_move_benchmark_and_luck(record):
    """Nvidia's fall of 27 January 2025, SPY from 575.77 to 600.77; nothing was counted, so luck is not judged."""
    said = verdict(record)
    assert said.startswith("On 2025-01-27 NVDA closed −16.97 %, of which −12.49 % was the overnight gap and −5.11 % ")
    assert f"against {(600.77 / 575.77 - 1) * 100:+.1f} % of SPY" in said
    assert said.endswith("what was tried was not counted, so luck is not judged.")
    first = text_report(record, "title").split("\n\n")[0]
    assert " ".join(first.split()) == said
    assert said.split(";")[0] in page_of(record).split("<main")[0]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"dsr": 0.99, "entry_sessions": 40}, "luck does not easily explain what it made (deflated Sharpe ratio 0.99"),
        ({"dsr": 0.44, "entry_sessions": 40}, "luck alone could explain what it made (deflated Sharpe ratio 0.44"),
        ({"dsr": None, "entry_sessions": 1}, "luck cannot be ruled out: it entered in 1 session, and below 10"),
        ({"dsr": None, "entry_sessions": 40}, "luck is not judged for it: not deflated: nothing else was tried here"),
        ({"dsr": None, "sharpe_annual": None}, "the returns of it do not vary, so nothing can be said about luck"),
    ],
)
def test_luck_is_judged_by_what_the_count_of_trials_says(row, says):
    """The five answers."""
    trials = {"tried": 53, "least_entry_sessions": 10, "says": "not deflated: nothing else was tried here"}
    assert luck(trials, {"sharpe_annual": 1.0, **row}, "it").startswith(says)


def test_the_benchmark_keeps_dividends_and_follows_splits():
    """100 to 55 after a split of 2 for 1 and a dividend of 1 on two shares: (2 × 55 + 2) / 100."""
    days = weekdays(5)
    actions = [
        Action(symbol="SPY", ex_date=days[2], kind="split", value=2.0),
        Action(symbol="SPY", ex_date=days[3], kind="dividend", value=1.0),
    ]
    made = episode_of({"SPY": flat_bars([90, 100, 50, 50, 55], days)}, days, actions=actions, adjusted="none")
    assert benchmark(made)["return_pct"] == pytest.approx(12.0)


def test_the_benchmark_is_a_row_of_every_table_of_results(record):
    """In the terminal's and the page's, after the strategies."""
    assert result_rows(record)[-1][:2] == ("= SPY held", "+4.34")
    assert "= SPY held" in page_of(record)


def test_baselines_stand_beside_a_strategy_unless_they_are_left_out():
    """All of them, once each, also where one was named; `--no-baselines` keeps what was named."""
    baselines = {name for name, kind in rules().items() if kind.is_baseline}
    beside = with_baselines(standard_rules(["shock", "buy-hold"], {"reactions": "exclude"}))
    assert sorted(rule.name for rule in beside) == sorted({"shock", *baselines})
    alone = without_baselines(standard_rules(), ())
    assert not any(rule.is_baseline for rule in alone)
    assert [rule.name for rule in without_baselines(standard_rules(["buy-hold"]), ["buy-hold"])] == ["buy-hold"]


def test_limits_of_news_and_window_are_printed_only_where_they_hold(record, tmp_path):
    """Not with other news, not with another window."""
    sampled = "The headlines are a sample by the rule in SAMPLING.md, in the project's own words."
    one_day = "The fall of chip and power shares is one day, 27 January: for them this window is nearly one event."
    assert {sampled, one_day} <= set(limits(record))
    short = load_episode("deepseek-2025", end=date(2025, 1, 29))
    assert [says for _, says in short.limits if says == one_day] == []
    other = load_episode("deepseek-2025", news=EPISODES / "bard-2023" / "news.en.xml")
    assert [says for _, says in other.limits if says == sampled] == []


def test_a_limit_that_is_none_is_refused(tmp_path):
    """In one line, with its place."""
    folder = tmp_path / "own"
    shutil.copytree(EPISODES / "bard-2023", folder)
    edit(folder / "episode.toml", 'of = "window"', 'of = "weather"')
    with pytest.raises(EpisodeError, match=r"episode.toml:\d+: limits must be a list like .* news or window or prices"):
        load_episode(folder)


def test_contradicted_names_its_threshold(record):
    """`massive` means −5 % or lower: Meta rose, Google fell by 4.2 %."""
    (line,) = threshold_lines(record)
    assert line == "contradicted: META +1.91 %, GOOGL −4.20 %; to confirm it: return of −5 % or lower"
    assert "return of −5 % or lower" in page_of(record)


def test_the_page_prints_the_notes_of_the_run():
    """How the user's prices were understood, what was halted: escaped, in the head."""
    made = replay(load_episode("deepseek-2025"), "buy-hold")
    made.document["notes"] = ["X: no volume on <2025-01-28>"]
    assert '<p class="note">X: no volume on &lt;2025-01-28&gt;</p>' in page_of(made).split("<main")[0]
