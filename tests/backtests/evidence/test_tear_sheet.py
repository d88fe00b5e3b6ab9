"""The tear sheet: figures as empyrical, quantstats and statsmodels have them on the same series, and its sums."""

from __future__ import annotations

import json
import math
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from statsmodels import api

from backtests import load_episode, replay
from backtests.evidence.shapes import TEAR_SHEET
from backtests.evidence.tear_sheet import return_figures as mine
from backtests.evidence.tear_sheet.regression import lags, regress
from backtests.evidence.tear_sheet.tear_sheet import tear_sheet
from backtests.records.metrics import sharpe_of
from backtests.records.shape import read_text
from backtests.report.page.evidence.tear_sheet_section import tear_sheet_section
from backtests.report.text.tear_sheet_text import tear_sheet_text

RETURNS = hnp.arrays(float, st.integers(60, 400), elements=st.floats(-0.2, 0.25).map(lambda each: round(each, 6)))


def series(returns) -> pd.Series:
    """The same returns as a frame of dates, as those packages want them."""
    return pd.Series(returns, index=pd.bdate_range("2022-01-03", periods=len(returns)))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (mine.annual_return, "cagr"),
        (mine.volatility, "annual_volatility"),
        (sharpe_of, "sharpe_ratio"),
        (mine.sortino_ratio, "sortino_ratio"),
        (mine.tail_ratio, "tail_ratio"),
    ],
)
@settings(max_examples=25, deadline=None)
@given(returns=RETURNS)
def test_figures_are_those_of_empyrical(ours, theirs, returns):
    """To 1e-10; where ours says there is none, theirs is no number or rounding."""
    empyrical = pytest.importorskip("empyrical")
    with np.errstate(all="ignore"):
        found, other = ours(returns), getattr(empyrical, theirs)(series(returns))
    if found is None:
        assert not np.isfinite(other) or abs(other) > 1e6 or np.ptp(returns) == 0
    else:
        assert found == pytest.approx(other, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (mine.annual_return, "cagr"), (mine.volatility, "volatility"), (sharpe_of, "sharpe"),
        (mine.sortino_ratio, "sortino"), (mine.skewness, "skew"), (mine.tail_ratio, "tail_ratio"),
        (lambda returns: min(each.depth for each in mine.drawdowns(returns)), "max_drawdown"),
    ],
)  # fmt: skip
def test_figures_are_those_of_quantstats(ours, theirs):
    """To 1e-10, on two years of made-up returns."""
    from quantstats import stats

    returns = np.random.default_rng(4).standard_t(4, 504) * 0.012 + 0.0004
    assert ours(returns) == pytest.approx(getattr(stats, theirs)(series(returns)), rel=1e-10)


@pytest.mark.parametrize("funds", [1, 4])
def test_alpha_beta_and_their_errors_are_those_of_statsmodels(funds):
    """Newey–West with as many lags, on returns that hang together."""
    random = np.random.default_rng(7)
    x = random.normal(0, 0.01, (700, funds))
    noise = np.convolve(random.normal(0, 0.01, 703), [1, 0.6, 0.3, 0.1], "valid")
    y = 0.0003 + x @ np.arange(1, funds + 1) / 2 + noise
    found = regress(y, x)
    theirs = api.OLS(y, api.add_constant(x)).fit(cov_type="HAC", cov_kwds={"maxlags": lags(700)})
    assert [found.alpha, *found.betas] == pytest.approx(list(theirs.params), rel=1e-10)
    assert [found.alpha_error, *found.beta_errors] == pytest.approx(list(theirs.bse), rel=1e-10)
    assert (found.r2, found.alpha_t) == (pytest.approx(theirs.rsquared), pytest.approx(theirs.tvalues[0], rel=1e-10))


@settings(max_examples=60, deadline=None)
@given(returns=RETURNS)
def test_a_drawdown_is_a_fall_from_a_peak_to_its_recovery(returns):
    """Between both nothing is above the peak; the deepest is the largest fall from any close to a later one."""
    value = mine.growth(returns)
    falls = mine.drawdowns(returns)
    for each in falls:
        end = len(value) if each.recovered is None else each.recovered
        assert max(value[each.peak + 1 : end]) < value[each.peak]
        assert each.depth == pytest.approx(min(value[each.peak : end]) / value[each.peak] - 1)
        assert each.recovered is None or value[each.recovered] >= value[each.peak]
    worst = min(value[late] / max(value[: late + 1]) - 1 for late in range(len(value)))
    assert min((each.depth for each in falls), default=0.0) == pytest.approx(worst, abs=1e-12)


def test_hits_and_payoff():
    """Two gains of 10 and 20 in four, a loss of 5: half are gains, a mean gain is three mean losses."""
    assert mine.hits([10.0, 20.0, -5.0, 0.0]) == {"n": 4, "hit_share": 0.5, "payoff": pytest.approx(3.0)}
    assert mine.hits([]) == {"n": 0, "hit_share": None, "payoff": None}


@pytest.fixture(scope="module")
def two_years():
    """Sessions of parts of two years, with the prices that ship."""
    return load_episode("deepseek-2025", start=date(2024, 7, 1), end=date(2025, 2, 14))


@pytest.fixture(scope="module")
def long_run(two_years):
    """A rule and a baseline over them, with their tear sheet."""
    result = replay(two_years, "shock", "buy-hold")
    return result, tear_sheet(result, two_years)


def test_years_add_up_to_the_whole_to_the_cent(long_run):
    """Their dollars to the profit, their returns and the months' compounded to the return."""
    result, document = long_run
    for row, whole in zip(document["strategies"], result.document["results"], strict=True):
        assert math.fsum(each["pnl_usd"] for each in row["years"]) == pytest.approx(
            whole["final_equity"] - result.config["broker"]["cash"], abs=0.005
        )
        for parts in ([each["return_pct"] for each in row["years"]], row["months"].values()):
            assert math.prod(1 + each / 100 for each in parts) == pytest.approx(1 + whole["return_pct"] / 100)
        assert row["max_drawdown_pct"] == pytest.approx(whole["max_drawdown_pct"])
        assert row["sharpe"] == (whole["sharpe"] and pytest.approx(whole["sharpe"]))


def test_it_has_its_shape_and_is_shown(long_run):
    """Saved, read, printed and drawn; lines fit a terminal."""
    result, document = long_run
    assert read_text(json.dumps(document), TEAR_SHEET) == document
    text = tear_sheet_text(document)
    assert max(map(len, text.splitlines())) <= 100
    assert all(each["label"] in text for each in result.document["results"])
    assert "<table>" in tear_sheet_section(document)


def test_a_fund_held_earns_its_dividends(two_years, long_run):
    """SPY's returns are those of its closes, the dividend added on its day."""
    (spy,) = [each for each in long_run[1]["held"] if each["symbol"] == "SPY"]
    bars = two_years.prices.bars["SPY"]
    rows = [row for row, day in enumerate(bars.sessions) if two_years.start <= day <= two_years.end]
    paid = {each.ex_date: each.value for each in two_years.actions if each.symbol == "SPY"}
    assert len([day for day in paid if two_years.start <= day <= two_years.end]) > 1
    growth = math.prod((bars.close[row] + paid.get(bars.sessions[row], 0.0)) / bars.close[row - 1] for row in rows)
    assert math.prod(1 + each["return_pct"] / 100 for each in spy["years"]) == pytest.approx(growth)


def test_a_short_window_has_none_and_says_so():
    """Figures a year of twenty sessions mean nothing."""
    episode = load_episode("deepseek-2025", start=date(2025, 1, 24), end=date(2025, 1, 31))
    document = tear_sheet(replay(episode, "buy-hold"), episode)
    assert document["strategies"] == []
    assert "has 6 sessions, and figures a year need 60" in tear_sheet_text(document)
    assert tear_sheet_section(document) == ""
