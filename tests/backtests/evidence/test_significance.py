"""The statistics of the event study: simulated worlds of known size and power, other libraries, and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from backtests.evidence.event_study import significance
from backtests.evidence.event_study.abnormal_returns import abnormal_returns
from backtests.evidence.event_study.significance import (
    adjusted_patell,
    bmp,
    clustered_correlation,
    corrado,
    effective_number,
    kolari_pynnonen,
    mean_correlation,
    patell,
)


def world(seed, *, samples, sessions, symbols, correlation, window=1, shift=0.0):
    """Returns of many samples with known betas, deviations, and correlation between symbols; `shift` in deviations."""
    rng = np.random.default_rng(seed)
    total = sessions + window
    market = rng.standard_normal((samples, total)) * 0.01
    common = rng.standard_normal((samples, total, 1)) * math.sqrt(correlation)
    own = rng.standard_normal((samples, total, symbols)) * math.sqrt(1 - correlation)
    beta, sd = rng.uniform(0.5, 2, (samples, 1, symbols)), rng.uniform(0.01, 0.04, (samples, 1, symbols))
    returns = 0.0002 + beta * market[..., None] + sd * (common + own)
    returns[:, sessions:] += shift * sd
    return abnormal_returns(
        "market", returns[:, :sessions], market[:, :sessions], returns[:, sessions:], market[:, sessions:]
    )


def rejected(fit, *names):
    """How many per cent of the samples each test rejects at 5 %."""
    pairs, z = mean_correlation(fit.residuals), fit.scar[:, -1]
    t, normal = stats.t.ppf(0.975, z.shape[-1] - 1), stats.norm.ppf(0.975)
    hits = {
        "kolari-pynnonen": np.abs(kolari_pynnonen(z, pairs)) > t,
        "adjusted-patell": np.abs(adjusted_patell(z, fit.freedom, pairs)) > normal,
        "corrado": corrado(fit.sample_sar, fit.sar)[1] <= 0.05,
        "bmp": np.abs(bmp(z)) > t,
        "patell": np.abs(patell(z, fit.freedom)) > normal,
    }
    return [float(hits[name].mean()) * 100 for name in names]


ROBUST = ("kolari-pynnonen", "adjusted-patell", "corrado")


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.7])
def test_robust_five_per_cent_tests_reject_five_per_cent_also_when_all_events_share_a_day(correlation):
    """10,000 samples without any effect: between 4 and 6 % are rejected."""
    fit = world(1, samples=10_000, sessions=100, symbols=10, correlation=correlation)
    assert [rate for rate in rejected(fit, *ROBUST) if not 4 < rate < 6] == []


def test_naive_tests_hold_their_size_on_independent_events_and_lose_it_on_common_days():
    """Patell and BMP: 5 % on independent events, more than 30 % at a correlation of 0.5. That is why both are shown."""
    apart = world(2, samples=10_000, sessions=100, symbols=10, correlation=0.0)
    together = world(2, samples=2_000, sessions=100, symbols=10, correlation=0.5)
    assert all(4 < rate < 6 for rate in rejected(apart, "bmp", "patell"))
    assert all(rate > 30 for rate in rejected(together, "bmp", "patell"))


def test_power_is_that_of_the_effective_number_of_events():
    """A shift of one deviation on 20 independent symbols is found nearly always; the exact power is the normal's."""
    fit = world(3, samples=4_000, sessions=100, symbols=20, correlation=0.0, shift=0.5)
    expected = stats.norm.sf(1.96 - 0.5 * math.sqrt(20)) * 100  # 61 %, less a little for what is estimated
    (found,) = rejected(fit, "adjusted-patell")
    assert expected - 5 < found < expected


def test_windows_of_several_sessions_hold_their_size_too():
    """The sum of five sessions with the estimation's error in it."""
    fit = world(4, samples=10_000, sessions=100, symbols=8, correlation=0.5, window=5)
    assert [rate for rate in rejected(fit, *ROBUST) if not 4 < rate < 6] == []


def test_the_market_model_is_statsmodels_ordinary_least_squares():
    """Parameters, residual deviation, R² and the forecast's deviation, of one session and of the sum of three."""
    rng = np.random.default_rng(5)
    market, window = rng.normal(0, 0.01, 60), rng.normal(0, 0.01, 3)
    own = 0.001 + 1.3 * market + rng.normal(0, 0.02, 60)
    fit = abnormal_returns("market", own[:, None], market, np.zeros((3, 1)), window)
    other = sm.OLS(own, sm.add_constant(market)).fit()
    ahead = other.get_prediction(sm.add_constant(window, has_constant="add"))
    assert [fit.alpha[0], fit.beta[0]] == pytest.approx(list(other.params), rel=1e-10)
    assert (fit.sd[0] ** 2, fit.r_squared[0]) == pytest.approx((other.mse_resid, other.rsquared), rel=1e-10)
    assert fit.sd[0] * np.sqrt(fit.forecast) == pytest.approx(ahead.se_obs, rel=1e-10)
    design = np.array([3.0, window.sum()])
    summed = 3 * other.mse_resid + design @ other.cov_params() @ design
    assert fit.sd[0] ** 2 * fit.cumulated[-1] == pytest.approx(summed, rel=1e-10)


def test_the_statistics_of_three_symbols_by_hand():
    """With z = 1, 2, 3: mean 2, deviation 1; BMP 2 √3, Patell 6 / √(3 x 50/48), with r = 0.5 the factor √(0.5/2)."""
    z = np.array([1.0, 2.0, 3.0])
    assert float(bmp(z)) == pytest.approx(2 * math.sqrt(3))
    assert float(patell(z, 50)) == pytest.approx(6 / math.sqrt(3 * 50 / 48))
    assert float(kolari_pynnonen(z, np.array(0.5))) == pytest.approx(2 * math.sqrt(3) / 2)
    assert float(adjusted_patell(z, 50, np.array(0.5))) == pytest.approx(6 / math.sqrt(3 * 50 / 48) / math.sqrt(2))


def test_corrados_rank_statistic_by_hand():
    """One symbol, four sessions: ranks 1, 3, 2 and 4 for the event; p counts who is as extreme."""
    statistic, p = corrado(np.array([[-0.02], [0.01], [0.0]]), np.array([[0.05]]))
    centred = np.array([1, 3, 2, 4]) / 5 - 0.5
    assert float(statistic) == pytest.approx(0.3 / math.sqrt((centred**2).mean()))
    assert float(p) == pytest.approx((1 + 1) / (1 + 3))  # the lowest rank is as far out as the highest


@pytest.mark.parametrize("pairs", [0.0, 0.3, 0.8])
def test_kolari_pynnonen_is_statsmodels_generalised_least_squares(pairs):
    """A mean of values that all correlate by r: the same t, and the same p with N - 1 degrees of freedom."""
    z = np.random.default_rng(8).normal(0.4, 1, 9)
    shape = (1 - pairs) * np.eye(9) + pairs
    other = sm.GLS(z, np.ones(9), sigma=shape).fit()
    raw, many = z[:, None].T * 0.02, np.random.default_rng(9).normal(size=(60, 9))
    found = {test.test: test for test in significance.tests(raw[0], z, many, raw, 58, pairs)}
    assert found["kolari-pynnonen"].statistic == pytest.approx(other.tvalues[0], rel=1e-9)
    assert found["kolari-pynnonen"].p == pytest.approx(other.pvalues[0], rel=1e-9)
    variance = shape.sum() * 58 / 56  # of the sum, each value with the variance of a t of 58
    assert found["adjusted-patell"].statistic == pytest.approx(z.sum() / math.sqrt(variance), rel=1e-12)
    assert found["adjusted-patell"].p == pytest.approx(2 * stats.norm.sf(abs(z.sum()) / math.sqrt(variance)), rel=1e-9)


def test_bmp_and_the_cross_section_are_scipys_t_test():
    """Of the standardised and of the raw abnormal returns, with its p."""
    rng = np.random.default_rng(10)
    raw, z = rng.normal(0.01, 0.03, 12), rng.normal(0.5, 1, 12)
    found = {test.test: test for test in significance.tests(raw, z, rng.normal(size=(50, 12)), z[None], 48, 0.1)}
    for name, values in (("bmp", z), ("cross-section", raw)):
        other = stats.ttest_1samp(values, 0)
        assert found[name].statistic == pytest.approx(other.statistic, rel=1e-12)
        assert found[name].p == pytest.approx(other.pvalue, rel=1e-9)


@pytest.mark.parametrize("digits", [9, 1])  # with one digit many are equal and share their ranks
@pytest.mark.parametrize("length", [1, 4])
def test_the_rank_test_is_its_formula_with_scipys_ranks(digits, length):
    """Corrado (1989), and Corrado and Truong (2008) for several sessions: written out with loops."""
    values = np.random.default_rng(11).normal(size=(40 + length, 6)).round(digits)
    means = [0.0] * len(values)
    for column in values.T:
        for row, rank in enumerate(stats.rankdata(column)):
            means[row] += (rank / (len(values) + 1) - 0.5) / 6
    deviation = math.sqrt(math.fsum(mean**2 for mean in means) / len(means))
    total = math.fsum(means[40:])
    runs = [abs(math.fsum(means[first : first + length])) for first in range(40 - length + 1)]
    statistic, p = corrado(values[:40], values[40:])
    assert float(statistic) == pytest.approx(total / deviation / math.sqrt(length), rel=1e-9)
    assert float(p) == pytest.approx((1 + sum(run >= abs(total) - 1e-12 for run in runs)) / (1 + len(runs)))


def test_the_mean_correlation_is_the_mean_of_all_pairs():
    """Against numpy's matrix of correlations."""
    residuals = np.random.default_rng(6).normal(size=(40, 5)) + np.linspace(0, 3, 40)[:, None]
    matrix = np.corrcoef(residuals.T)
    assert float(mean_correlation(residuals)) == pytest.approx((matrix.sum() - 5) / 20, rel=1e-12)


def test_two_clusters_of_twenty_events_that_move_as_one_are_two_events():
    """Within a day correlation 1, between days none: effective N is 2, however many symbols fell."""
    path = np.random.default_rng(7).normal(size=(60, 2))
    residuals = np.repeat(path, 20, axis=1)
    pairs = clustered_correlation(residuals, [1] * 20 + [2] * 20)
    assert effective_number(40, pairs) == pytest.approx(2.0)


@pytest.mark.parametrize(("count", "pairs", "number"), [(18, 0.0, 18), (18, 1.0, 1), (1, 0.0, 1), (11, -0.2, 11)])
def test_the_effective_number_lies_between_one_and_all(count, pairs, number):
    """Independent: all of them; as one: one; never more than there are."""
    assert effective_number(count, pairs) == pytest.approx(number)
