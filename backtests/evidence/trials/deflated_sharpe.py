"""Deflates a Sharpe ratio by what was tried: PSR, DSR, PBO, false discoveries. Pure.

Sharpe ratios here are per session (mean over deviation of session returns in excess of cash), never annualised.

| figure       | formula                                                                                       |
|--------------|-----------------------------------------------------------------------------------------------|
| PSR(SR*)     | Φ((SR - SR*) √(T - 1) / √(1 - g3 SR + (g4 - 1)/4 SR²)); g3 skewness, g4 kurtosis (normal: 3)   |
| SR0          | √V ((1 - γ) Φ⁻¹(1 - 1/N) + γ Φ⁻¹(1 - 1/(N e))): the best Sharpe ratio to expect of N without skill |
| DSR          | PSR(SR0): the probability that the best of N is more than the luck of the best of N            |
| MinTRL       | 1 + (1 - g3 SR + (g4 - 1)/4 SR²) (Φ⁻¹(0.95) / (SR - SR*))²: sessions needed to believe SR > SR*    |
| PBO          | share of splits in which the best in one half is below the median in the other (CSCV)          |
| q (BH)       | smallest p_(j) m / j over j ≥ rank: false discovery rate at which the result would be accepted |

Sources: Bailey and López de Prado (2012), "The Sharpe ratio efficient frontier", J. of Risk 15(2); the same (2014),
"The deflated Sharpe ratio", J. Portfolio Management 40(5); Bailey, Borwein, López de Prado and Zhu (2017), "The
probability of backtest overfitting", J. Computational Finance 20(4); Benjamini and Hochberg (1995), J. Royal
Statistical Society B 57.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from statistics import NormalDist
from typing import Any

import numpy as np

from backtests.records.metrics import disperses
from strategies.signals import Floats

EULER_GAMMA = 0.5772156649015329
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Sharpe ratio per session, skewness and kurtosis (normal: 3) of session returns."""

    sessions: int
    sharpe: float
    skew: float
    kurtosis: float


def moments(returns: Sequence[float]) -> Moments | None:
    """Returns the moments of session returns; None without variance or with fewer than four of them.

    The deviation is the sample's (n - 1), skewness and kurtosis are the ratios of central moments.
    """
    count = len(returns)
    if count < 4:
        return None
    mean = math.fsum(returns) / count
    second, third, fourth = (math.fsum((value - mean) ** power for value in returns) / count for power in (2, 3, 4))
    deviation = math.sqrt(second * count / (count - 1))
    if not disperses(mean, deviation):
        return None
    return Moments(sessions=count, sharpe=mean / deviation, skew=third / second**1.5, kurtosis=fourth / second**2)


def _spread(m: Moments) -> float:
    """1 - g3 SR + (g4 - 1)/4 SR²: variance of the Sharpe ratio's estimate times T - 1."""
    return max(1 - m.skew * m.sharpe + (m.kurtosis - 1) / 4 * m.sharpe**2, 1e-12)


def probabilistic_sharpe(m: Moments, benchmark: float = 0.0) -> float:
    """Returns the probability in [0, 1] that the true Sharpe ratio is above the benchmark, both per session."""
    return _NORMAL.cdf((m.sharpe - benchmark) * math.sqrt(m.sessions - 1) / math.sqrt(_spread(m)))


def minimum_track_record(m: Moments, benchmark: float = 0.0, confidence: float = 0.95) -> float | None:
    """Returns how many sessions it takes to believe that the Sharpe ratio is above the benchmark; None if it is not."""
    if m.sharpe <= benchmark:
        return None
    return 1 + _spread(m) * (_NORMAL.inv_cdf(confidence) / (m.sharpe - benchmark)) ** 2


def expected_best_sharpe(trials: int, variance: float) -> float:
    """Returns the Sharpe ratio to expect of the best of `trials` without skill, whose ratios have this variance."""
    if trials < 2:
        return 0.0
    first, second = _NORMAL.inv_cdf(1 - 1 / trials), _NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return math.sqrt(variance) * ((1 - EULER_GAMMA) * first + EULER_GAMMA * second)


def deflated_sharpe(m: Moments, trials: int, variance: float) -> float:
    """Returns the probability in [0, 1] that a result is more than the luck of the best of `trials`."""
    return probabilistic_sharpe(m, expected_best_sharpe(trials, variance))


def benjamini_hochberg(values: Sequence[float | None], tests: int | None = None) -> list[float | None]:
    """Returns the q of each p-value over all tests that were made, also those that are not in the list.

    Args:
        values: p in (0, 1]; None (nothing to test) stays None.
        tests: The true number of tests; those that are not listed count as p = 1.
    """
    places = np.array([place for place, p in enumerate(values) if p is not None], dtype=np.int64)
    known = np.array([p for p in values if p is not None], dtype=float)
    order = np.argsort(known)
    scaled = known[order] * max(tests or 0, len(known)) / np.arange(1, len(known) + 1)
    smallest = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    out: list[float | None] = [None] * len(values)
    for place, q in zip(places[order].tolist(), smallest.tolist(), strict=True):
        out[place] = q
    return out


@dataclass(frozen=True, slots=True, kw_only=True)
class Overfitting:
    """Probability of backtest overfitting by combinatorially symmetric cross-validation."""

    pbo: float  # [0, 1]
    combinations: int
    blocks: int
    trials: int
    logits: tuple[float, ...]
    pairs: tuple[tuple[float, float], ...]  # of each split: the chosen trial's Sharpe ratio in sample and out of it
    slope: float | None  # of the chosen trial's out-of-sample Sharpe ratio on its in-sample one
    loss: float  # [0, 1]: share of splits in which the chosen trial loses out of sample

    def document(self) -> dict[str, Any]:
        """As JSON has it; of the logits quantiles."""
        places = (5, 25, 50, 75, 95)
        return {
            "pbo": self.pbo,
            "combinations": self.combinations,
            "blocks": self.blocks,
            "trials": self.trials,
            "logits_quantiles": {str(q): float(np.percentile(self.logits, q)) for q in places},
            "degradation_slope": self.slope,
            "probability_of_loss": self.loss,
        }


def backtest_overfitting(returns: Floats, blocks: int = 8) -> Overfitting | None:
    """Returns the probability that choosing the best trial was overfitting.

    The sessions are cut into blocks; each half of the blocks in turn chooses the trial with the best Sharpe ratio,
    the other half ranks it. A logit of 0 or less is a rank at or below the median (Bailey et al. 2017, section 3).

    Args:
        returns: Session returns, shape (sessions, trials).
        blocks: An even number of blocks.

    Returns:
        None with fewer than two trials or two sessions a block.
    """
    sessions, trials = returns.shape
    if blocks % 2 or blocks < 2:
        raise ValueError(f"blocks {blocks} must be an even number")
    if trials < 2 or sessions < 2 * blocks:
        return None
    edges = [sessions * block // blocks for block in range(blocks + 1)]
    parts = [returns[a:b] for a, b in pairwise(edges)]
    sums = np.array([part.sum(axis=0) for part in parts])
    squares = np.array([(part**2).sum(axis=0) for part in parts])
    counts = np.array([len(part) for part in parts], dtype=float)
    logits: list[float] = []
    pairs: list[tuple[float, float]] = []
    for chosen in combinations(range(blocks), blocks // 2):
        inside = list(chosen)
        outside = [block for block in range(blocks) if block not in chosen]
        before, after = (_sharpes(sums[half], squares[half], counts[half]) for half in (inside, outside))
        best = int(np.argmax(before))
        rank = (after < after[best]).sum() + ((after == after[best]).sum() + 1) / 2  # ties share the middle
        share = float(rank) / (trials + 1)
        logits.append(math.log(share / (1 - share)))
        pairs.append((float(before[best]), float(after[best])))
    return Overfitting(
        pbo=sum(logit <= 0 for logit in logits) / len(logits),
        combinations=len(logits),
        blocks=blocks,
        trials=trials,
        logits=tuple(logits),
        pairs=tuple(pairs),
        slope=_slope(pairs),
        loss=sum(after < 0 for _, after in pairs) / len(pairs),
    )


def _sharpes(sums: Floats, squares: Floats, counts: Floats) -> Floats:
    count = counts.sum()
    mean = sums.sum(axis=0) / count
    variance = np.maximum(squares.sum(axis=0) / count - mean**2, 0.0)
    deviation = np.sqrt(variance * count / (count - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(deviation > 1e-15, mean / deviation, 0.0)


def _slope(pairs: Sequence[tuple[float, float]]) -> float | None:
    x, y = np.array(pairs).T
    spread = float(((x - x.mean()) ** 2).sum())
    return float(((x - x.mean()) * (y - y.mean())).sum() / spread) if spread > 1e-18 else None
