"""The evidence's figures against worked numbers that others have published, each with where it was read.

Where an example draws its input by chance, the draws are made again to the bit: R's defaults, the Mersenne Twister and
the inverse of the normal distribution, are a dozen lines here.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtri

from backtests.evidence.event_study.abnormal_returns import abnormal_returns
from backtests.evidence.event_study.significance import bmp, corrado, kolari_pynnonen, mean_correlation, patell
from backtests.evidence.trials.deflated_sharpe import (
    Moments,
    backtest_overfitting,
    benjamini_hochberg,
    deflated_sharpe,
    expected_best_sharpe,
    minimum_track_record,
    moments,
    probabilistic_sharpe,
)


def r_normals(seed, count):
    """What `set.seed(seed); rnorm(count)` gives in R (its help page Random: Mersenne-Twister, Inversion).

    The seed goes through x -> 69069 x + 1, 50 times in vain and once for each of 625 words, the first of which only says
    where the twister stands. A normal takes two of its numbers; the first gives the 27 leading bits.
    """
    words = []
    for _ in range(50 + 625):
        seed = (69069 * seed + 1) % 2**32
        words.append(seed)
    twister = np.random.RandomState()
    twister.set_state(("MT19937", np.array(words[51:], dtype=np.uint32), 624))
    first, second = (twister.randint(0, 2**32, 2 * count, dtype=np.uint64) / 2**32).reshape(count, 2).T
    return ndtri((np.floor(2**27 * first) + second) / 2**27)


def test_normals_are_those_of_r():
    """`set.seed(5); rnorm(5)` as printed at edureka.co/community/questions/2119."""
    printed = [-0.84085548, 1.38435934, -1.25549186, 0.07014277, 1.71144087]
    assert list(r_normals(5, 5)) == pytest.approx(printed, abs=5e-9)


# Sharpe ratios


def test_the_deflated_sharpe_ratio_of_the_papers_example():
    """Bailey and López de Prado (2014), "A numerical example".

    An annual 2.5 over 1,250 days, skewness -3, kurtosis 10, variance 1/2 a year: of 100 trials SR0 = 0.1132 and
    DSR = 0.9004; of 46 trials 0.9505; with normal returns still above 0.95 of 88 trials, and no longer of 89.
    """
    daily = 2.5 / math.sqrt(250)
    skewed = Moments(sessions=1250, sharpe=daily, skew=-3, kurtosis=10)
    normal = Moments(sessions=1250, sharpe=daily, skew=0, kurtosis=3)
    variance = 0.5 / 250
    assert expected_best_sharpe(100, variance) == pytest.approx(0.1132, abs=5e-5)
    assert deflated_sharpe(skewed, 100, variance) == pytest.approx(0.9004, abs=5e-5)
    assert deflated_sharpe(skewed, 46, variance) == pytest.approx(0.9505, abs=5e-5)
    assert deflated_sharpe(normal, 88, variance) >= 0.95 > deflated_sharpe(normal, 89, variance)


def test_the_best_of_a_thousand_without_skill_has_a_sharpe_ratio_of_3_26():
    """Of variance 1: a figure of the same authors that others quote ("after only 1,000 independent backtests")."""
    assert expected_best_sharpe(1000, 1.0) == pytest.approx(3.26, abs=5e-3)


def test_the_probabilistic_sharpe_ratio_of_the_papers_example():
    """Bailey and López de Prado (2012): 24 months of 0.458; 0.982 if normal, 0.913 with skewness and kurtosis."""
    normal = Moments(sessions=24, sharpe=0.458, skew=0, kurtosis=3)
    skewed = Moments(sessions=24, sharpe=0.458, skew=-2.448, kurtosis=10.164)
    assert probabilistic_sharpe(normal) == pytest.approx(0.982, abs=1e-3)
    assert probabilistic_sharpe(skewed) == pytest.approx(0.913, abs=1e-3)


@pytest.mark.parametrize(("periods", "years"), [(252, 2.73), (52, 2.83), (12, 3.24)])
def test_the_minimum_track_record_of_the_papers_example(periods, years):
    """The same paper: years until an annual 2 is believed to be above 1, from daily, weekly and monthly returns."""
    found = Moments(sessions=100, sharpe=2 / math.sqrt(periods), skew=0, kurtosis=3)
    assert minimum_track_record(found, 1 / math.sqrt(periods)) / periods == pytest.approx(years, abs=0.005)


def test_the_minimum_track_record_of_hedge_funds():
    """The same paper, appendix: skewness -0.72 and kurtosis 5.78 make it 59.895 months."""
    found = Moments(sessions=100, sharpe=2 / math.sqrt(12), skew=-0.72, kurtosis=5.78)
    assert minimum_track_record(found, 1 / math.sqrt(12)) == pytest.approx(59.895, abs=5e-4)


def test_sharpe_ratios_of_drawn_returns_are_those_of_skfolio():
    """`skfolio.measures` 1.12.2 on 250 returns and 30 trials: PSR against 0 and 0.02, and DSR."""
    found = moments(list(0.0005 + 0.01 * r_normals(42, 250)))
    trials = 0.05 * r_normals(7, 30)
    assert probabilistic_sharpe(found) == pytest.approx(0.6838227307656832, rel=1e-12)
    assert probabilistic_sharpe(found, 0.02) == pytest.approx(0.5647827740946579, rel=1e-12)
    assert deflated_sharpe(found, 30, float(trials.var(ddof=1))) == pytest.approx(0.08648371859958959, rel=1e-12)


# Overfitting


def test_overfitting_is_what_the_vignette_of_rs_pbo_prints():
    """Barry, "pbo" 1.3.5, cran.r-project.org/web/packages/pbo/vignettes/pbo.html: 1, -0.0030456, 0.97, 1.

    100 trials of 2,400 days without skill, each of mean 0 and an annual deviation of 1, in 8 blocks, against 3 % a year.
    What it calls the slope is the intercept of in-sample on out-of-sample ratios (R's lm takes the first column for the
    answer and gives the intercept first).
    """
    trials = r_normals(765, 240_000).reshape(100, 2400).T
    trials = trials * 252**-0.5 / trials.std(axis=0, ddof=1)
    found = backtest_overfitting(trials - trials.mean(axis=0) - 0.03 / 252, 8)
    inside, outside = np.array(found.pairs).T
    line = stats.linregress(outside, inside)
    adjusted = 1 - (1 - line.rvalue**2) * (found.combinations - 1) / (found.combinations - 2)
    assert (found.pbo, found.loss) == (1.0, 1.0)
    assert line.intercept == pytest.approx(-0.0030456, abs=5e-8)
    assert adjusted == pytest.approx(0.97, abs=5e-3)
    assert found.slope == pytest.approx(stats.linregress(inside, outside).slope, rel=1e-9)


def test_overfitting_lies_where_the_tests_of_rs_pbo_want_it():
    """github.com/mrbcuda/pbo, tests/testthat/test_pbo_parallel.R: 40 trials of 200 days in 4 blocks, 0.47 to 0.53."""
    trials = r_normals(852, 8_000).reshape(200, 40)  # R fills this one by row
    assert backtest_overfitting(trials - 0.03 / 252, 4).pbo == 0.5


@pytest.mark.parametrize(
    ("skill", "blocks", "pbo", "logit", "slope"),
    [
        (0.0, 6, 16 / 20, -1.0484716816892088, -0.10682819040355648),
        (0.0, 8, 29 / 70, 0.28633796582295484, -0.7602747716093751),
        (0.0, 10, 119 / 252, 0.19580131099137968, -0.5815435037224194),
        (0.12, 6, 13 / 20, -0.6113839332961855, -1.0052349398762894),
        (0.12, 8, 25 / 70, 0.341061307338935, -1.219540008858107),
        (0.12, 10, 88 / 252, 0.4088796630555309, -0.9782057568500923),
    ],
)
def test_overfitting_of_drawn_trials_is_that_of_two_other_packages(skill, blocks, pbo, logit, slope):
    """Phacker 0.1.0 (PBO, mean logit) and purgedcv 0.1.11 (the same and the slope): noise, and one trial with skill."""
    trials = r_normals(765, 240_000).reshape(100, 2400).T[:240, :20].copy()
    trials[:, 7] += skill
    found = backtest_overfitting(trials, blocks)
    assert found.pbo == pytest.approx(pbo, rel=1e-12)
    assert np.mean(found.logits) == pytest.approx(logit, rel=1e-12)
    assert found.slope == pytest.approx(slope, rel=1e-9)


def test_benjamini_and_hochbergs_own_example():
    """Their 15 p-values (1995), as scipy's page on `false_discovery_control` has them: four are below 5 %."""
    values = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240]
    values += [0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    q = benjamini_hochberg(values)
    assert sum(each <= 0.05 for each in q) == 4
    assert q == pytest.approx(list(stats.false_discovery_control(values)))


# Event study: Müller, "EventStudy" 0.3.0 for R, github.com/sipemu/eventstudy, tests/testthat/test_golden_values.R. Three
# events with 8 sessions to estimate from and 3 in the window; alpha, beta, index and residuals from helper-golden-data.R.

ALPHA_BETA = ((0.004, 1.2), (0.003, 1.0), (0.005, 1.4))
INDEX = (
    (-0.02, -0.01, 0.00, 0.01, 0.02, 0.03, -0.015, 0.005),
    (-0.018, -0.008, 0.002, 0.012, 0.022, 0.028, -0.012, 0.008),
    (-0.025, -0.012, 0.001, 0.010, 0.020, 0.030, -0.010, 0.006),
)
ERRORS = (
    (0.001, -0.001, 0.002, -0.002, 0.0015, -0.0015, 0.0005, -0.0005),
    (0.0012, -0.0008, 0.0018, -0.0016, 0.0010, -0.0012, 0.0006, -0.0010),
    (0.0008, -0.0012, 0.0016, -0.0014, 0.0012, -0.0010, 0.0004, -0.0004),
)
FORWARD = ((0.015, -0.005, 0.010), (0.012, -0.004, 0.009), (0.018, -0.006, 0.011))
RETURNS = ((0.040, 0.000, 0.030), (0.030, -0.010, 0.020), (0.050, -0.005, 0.035))


@pytest.fixture(scope="module")
def events():
    """The three fits side by side: abnormal returns, forecast-standardised, residual-standardised, and residuals."""
    fits = []
    for (alpha, beta), index, errors, ahead, own in zip(ALPHA_BETA, INDEX, ERRORS, FORWARD, RETURNS, strict=True):
        before = alpha + beta * np.array(index) + np.array(errors)
        columns = before[:, None], np.array(index), np.array(own)[:, None], np.array(ahead)
        fits.append(abnormal_returns("market", *columns))
    return {
        "abnormal": np.hstack([fit.abnormal for fit in fits]),
        "sar": np.hstack([fit.sar for fit in fits]),
        "simple": np.hstack([fit.abnormal / fit.sd for fit in fits]),  # without the forecast's error, as theirs has it
        "residuals": np.hstack([fit.residuals for fit in fits]),
    }


def test_the_cross_sectional_test_is_that_of_eventstudy(events):
    """Averages of each session, their t, and the t of the running sums."""
    abnormal = events["abnormal"]
    averages = [0.017858427448395411, -0.003055141803282022, 0.012352491200872388]
    assert list(abnormal.mean(axis=1)) == pytest.approx(averages, abs=1e-10)
    assert list(bmp(abnormal)) == pytest.approx(
        [12.785674729349529, -0.93664440956979689, 5.8589693453114027], abs=1e-9
    )
    running = [12.785674729349529, 3.3332365393903789, 4.1627875088073241]
    assert list(bmp(abnormal.cumsum(axis=0))) == pytest.approx(running, abs=1e-9)


def test_patell_is_that_of_eventstudy(events):
    """Each session; 6 degrees of freedom."""
    printed = [17.404798533168357, -3.239085545200092, 12.231088522816789]
    assert list(patell(events["sar"], 6)) == pytest.approx(printed, abs=1e-9)


def test_bmp_and_kolari_pynnonen_are_those_of_eventstudy(events):
    """Each session and the running sums, with the mean correlation of the residuals."""
    simple, pairs = events["simple"], mean_correlation(events["residuals"])
    running = simple.cumsum(axis=0)
    assert list(bmp(simple)) == pytest.approx([9.262881651878164, -0.99419205506945918, 5.6244379647718095], abs=1e-9)
    assert list(bmp(running)) == pytest.approx([9.262881651878164, 3.431336898228547, 4.2274213480688871], abs=1e-9)
    robust = [0.70742152433092598, -0.075928084316215713, 0.42954758876108962]
    summed = [0.70742152433092598, 0.26205684907413279, 0.32285512936825822]
    assert list(kolari_pynnonen(simple, pairs)) == pytest.approx(robust, abs=1e-9)
    assert list(kolari_pynnonen(running, pairs)) == pytest.approx(summed, abs=1e-9)


@pytest.mark.parametrize(
    ("day", "printed"), [(0, 1.586435792425881), (1, -0.95186147545552868), (2, 1.269148633940705)]
)
def test_the_rank_test_is_that_of_eventstudy(events, day, printed):
    """Each session against the eleven; theirs divides the variance by 10, Corrado (1989) by all 11."""
    eleven = np.vstack([events["residuals"], events["abnormal"]])
    others = np.delete(eleven, 8 + day, axis=0)
    statistic, _ = corrado(others, eleven[[8 + day]])
    assert float(statistic) * math.sqrt(10 / 11) == pytest.approx(printed, abs=1e-9)
