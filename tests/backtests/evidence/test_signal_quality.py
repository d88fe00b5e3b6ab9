"""Is the signal any good, before any rule? Figures against scipy and statsmodels, and on markets made by hand."""

from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import spearmanr
from statsmodels import api

from backtests.cli import cli
from backtests.evidence import signal_quality as quality
from backtests.evidence.shapes import SIGNAL
from backtests.records.shape import read_text
from backtests.report.page.evidence.signal_section import signal_section
from backtests.report.text.signal_text import signal_text
from feeds.scoring import Score
from tests.helpers.markets import episode_of, news_of, weekdays

DAYS = weekdays(70)
CHIPS = ("NVDA", "AMD", "MU", "AVGO", "MRVL", "INTC")


def market(moves, gaps=None):
    """Chips that move by so many per cent from open to close of each session (and before the open); SPY stands still."""
    bars = {"SPY": dict.fromkeys(DAYS, (100.0,) * 4)}
    for symbol in CHIPS:
        price, rows = 100.0, {}
        for row, day in enumerate(DAYS):
            opened = price * (1 + (gaps or {}).get(row, 0.0) / 100)
            price = opened * (1 + moves.get(row, 0.0) / 100)
            rows[day] = (opened, max(opened, price), min(opened, price), price)
        bars[symbol] = rows
    return episode_of(bars, DAYS, sectors={"funds": ("SPY",), "chips": CHIPS})


def told(episode, *rows, sentiment=1.0, source=""):
    """One clear headline two hours before the open of each of some sessions."""
    score = Score(language="en", relevance=1.0, sentiment=sentiment, tone=0.0)
    opens = [episode.sessions.opens[row] - timedelta(hours=2) for row in rows]
    return news_of(
        episode, *((f"AI demand, session {row}", moment, score) for row, moment in zip(rows, opens, strict=True))
    )


def head(episode, news, name="sentiment"):
    """What is found of one head."""
    document = quality.signal_quality(episode, news)
    return next(each for each in document["heads"] if each["head"] == name)


def test_what_follows_the_open_counts_and_the_gap_does_not():
    """+3 % before the open and +2 % after it on each day of good news: the tradable part is 2."""
    rows = range(5, 65, 5)
    episode = market(dict.fromkeys(rows, 2.0), dict.fromkeys(rows, 3.0))
    found = head(episode, told(episode, *rows))
    assert (found["news_days"], found["horizons"][0]["signed_pct"]["n"]) == (12, 12)
    assert found["gap"]["mean"] == pytest.approx(3.0)
    assert found["horizons"][0]["signed_pct"]["mean"] == pytest.approx(2.0)
    good = found["after_good_news"]
    assert (good["days"], good["tradable_pct"][0]["mean"]) == (12, pytest.approx(2.0))
    assert found["after_bad_news"]["days"] == 0


def test_bad_news_before_a_fall_is_right():
    """The signed return is positive, the abnormal return after bad news negative; each sign was a hit."""
    rows = range(5, 65, 5)
    episode = market(dict.fromkeys(rows, -2.0))
    found = head(episode, told(episode, *rows, sentiment=-0.8))
    assert found["horizons"][0]["signed_pct"]["mean"] == pytest.approx(2.0)
    assert found["after_bad_news"]["tradable_pct"][0]["mean"] == pytest.approx(-2.0)
    (hit,) = [each for each in found["hits"] if each["n_1"]]
    assert (hit["sign"], hit["above"], hit["up_to"], hit["n_1"], hit["hit_share_1"]) == (-1, 0.5, 1.0, 12, 1.0)


def test_days_that_share_sessions_are_not_counted_twice():
    """Ten days in a row are two for a horizon of five, one for twenty."""
    assert [quality.independent(range(10), each) for each in (1, 5, 20)] == [10, 2, 1]
    assert quality.independent([], 5) == 0


def test_too_few_days_have_no_t():
    """Nine sessions have a mean and none; ten have one."""
    for count, none in ((9, True), (10, False)):
        rows = range(5, 5 + 3 * count, 3)
        episode = market({row: 1.0 + row / 50 for row in rows})
        found = head(episode, told(episode, *rows))["horizons"][0]["signed_pct"]
        assert (found["n"], found["t"] is None) == (count, none)


@settings(max_examples=60, deadline=None)
@given(values=hnp.arrays(float, (2, 9), elements=st.integers(-3, 3).map(float)))
def test_rank_correlation_is_scipys(values):
    """Over the symbols with a factor, ties at their mean rank."""
    factor, after = values
    found = quality.rank_ic(factor, after / 100)
    known = factor != 0
    if known.sum() < quality.LEAST_NAMES or np.ptp(factor[known]) == 0 or np.ptp(after[known]) == 0:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(spearmanr(factor[known], after[known]).statistic, abs=1e-12)


@pytest.mark.parametrize("lags", [0, 4, 19])
def test_the_error_of_a_mean_is_statsmodels(lags):
    """Newey and West, on a series that hangs together."""
    series = np.convolve(np.random.default_rng(5).normal(0.1, 1, 404), [1, 0.7, 0.4, 0.2, 0.1], "valid")
    theirs = api.OLS(series, np.ones(len(series))).fit(cov_type="HAC", cov_kwds={"maxlags": lags})
    assert quality.newey_west_error(series, lags) == pytest.approx(theirs.bse[0], rel=1e-10)


def test_a_session_without_news_is_no_observation():
    """It widens no distance: two observations a session apart hang together, three sessions apart do not."""
    near = np.array([1.0, 2.0, np.nan, np.nan])
    far = np.array([1.0, np.nan, np.nan, 2.0])
    assert quality.newey_west_error(far, 1) == pytest.approx(np.sqrt(0.5) / 2)
    assert quality.newey_west_error(near, 1) < quality.newey_west_error(far, 1)


@settings(max_examples=6, deadline=None)
@given(row=st.integers(30, 60), move=st.floats(-20, 20))
def test_a_move_before_the_news_changes_nothing(row, move):
    """Only what happened from the open on at which the news could be traded is measured."""
    rows = [each for each in range(5, 65, 5) if each > row]
    quiet, moved = market({}), market({row: move})
    found = [head(each, told(each, *rows))["horizons"] for each in (quiet, moved)]
    assert found[0] == found[1]


def test_on_news_that_means_nothing_t_is_beyond_two_in_one_of_twenty():
    """Random returns, news on 40 random days of 120: the share of |t| > 1.96 is 5 % within its error, also overlapping."""
    random = np.random.default_rng(11)
    for horizon in (1, 3):
        beyond = 0
        for _ in range(400):
            made = np.convolve(random.normal(0, 0.02, 119 + horizon), np.ones(horizon), "valid")
            factor = np.zeros((120, 1))
            factor[random.choice(120, 40, replace=False), 0] = random.choice([-1.0, 1.0], 40)
            beyond += abs(quality._mean(quality.signed(factor, made[:, None]), horizon)["t"]) > 1.96
        assert 8 <= beyond <= 36  # 20 expected, and the errors are a little small in samples of 40


def test_the_command_prints_and_keeps_it(tmp_path):
    """On an episode; in a run's folder, whose page then shows it."""
    done = CliRunner().invoke(cli, ["signal", "deepseek-2025", "--json"], catch_exceptions=False)
    document = read_text(done.stdout, SIGNAL)
    assert [each["head"] for each in document["heads"]] == ["sentiment", "displacement", "tone", "companies"]
    assert max(map(len, signal_text(document).splitlines())) <= 100
    assert "Is the signal any good" in signal_section(document)
    words = ["run", "deepseek-2025", "-s", "shock", "--no-baselines", "-o", str(tmp_path / "run")]
    assert CliRunner().invoke(cli, words, catch_exceptions=False).exit_code == 0
    assert CliRunner().invoke(cli, ["signal", str(tmp_path / "run")], catch_exceptions=False).exit_code == 0
    kept = json.loads((tmp_path / "run" / "evidence" / "signal.json").read_text())
    assert kept["heads"] == document["heads"]
    assert "Is the signal any good" in (tmp_path / "run" / "report.html").read_text()


def test_a_headline_is_counted_once_by_year_language_kind_and_source():
    """The parts of each division have all the headlines."""
    rows = range(5, 65, 5)
    episode = market({})
    found = head(episode, told(episode, *rows))["groups"]
    for by in ("year", "language", "kind", "source"):
        assert sum(each["headlines"] for each in found if each["by"] == by) == 12
