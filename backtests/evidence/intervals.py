"""Draws intervals of return, Sharpe ratio and drawdown by the stationary bootstrap. Pure.

Blocks of sessions of random (geometric) length are drawn with replacement, round the window's end, so that what
depends on the days before stays together: Politis and Romano (1994), "The stationary bootstrap", J. of the American
Statistical Association 89. The mean length is the cube root of the number of sessions, their rate for a variance.
An interval is the middle share of the redrawn figures (Efron's percentile interval).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backtests.records.metrics import LEAST_DEVIATION, SESSIONS_A_YEAR, are_enough
from strategies.signals import Floats

LEVEL_PCT = 90.0


def stationary_rows(rng: np.random.Generator, sessions: int, n: int) -> NDArray[np.int64]:
    """Draws the rows of n samples of as many sessions as there are, shape (n, sessions)."""
    block = mean_block(sessions)
    rows = rng.integers(sessions, size=(n, sessions))
    begins = rng.random((n, sessions)) < 1 / block
    begins[:, 0] = True
    last = np.maximum.accumulate(np.where(begins, np.arange(sessions), 0), axis=1)
    return np.asarray((np.take_along_axis(rows, last, axis=1) + np.arange(sessions) - last) % sessions)


def mean_block(sessions: int) -> float:
    """Returns the mean length of a block in sessions."""
    return max(1.0, math.cbrt(sessions))


def block_share(sessions: int) -> float:
    """Returns the part of the variance of a mean of independent returns that the redrawn means have, in (0, 1).

    Politis and Romano (1994), lemma 1: the variance is γ0 + Σ b(k) γ(k) over T, with b(k) = (1 - k/T) q^k + (k/T)
    q^(T-k) and q one less the chance of a new block. Of independent returns the sample's γ(k), taken round the window's
    end, are -γ0 / (T - 1) on average, and γ0 is (T - 1) / T of the variance.
    """
    lag, keep = np.arange(1, sessions), 1 - 1 / mean_block(sessions)
    weights = (1 - lag / sessions) * keep**lag + lag / sessions * keep ** (sessions - lag)
    return float((sessions - 1) / sessions * (1 - weights.sum() / (sessions - 1)))


def intervals(
    returns: Sequence[float], excess: Sequence[float] | None = None, *, n: int = 1_000, seed: int = 1
) -> dict[str, Any] | None:
    """Returns the intervals of a run's return, Sharpe ratio and drawdown, as `evidence/trials.json` has them.

    Args:
        returns: Session returns as fractions.
        excess: The same less the cash rate, which the Sharpe ratio takes; `returns` without.
        n: Samples.
        seed: Of the draws.

    Returns:
        `return_pct`, `sharpe_annual` and `max_drawdown_pct` as [low, high] (the Sharpe ratio None where a sample in ten
        has none), with `level_pct`, `n`, `seed` and `block_sessions`; None for returns that do not vary or fewer than
        ten of them.
    """
    own = np.asarray(returns, dtype=float)
    beyond = own if excess is None else np.asarray(excess, dtype=float)
    if not are_enough(len(own)) or not own.std() > LEAST_DEVIATION:
        return None
    rows = stationary_rows(np.random.default_rng(seed), len(own), n)
    wealth = np.cumprod(1 + own[rows], axis=1)
    peaks = np.maximum(np.maximum.accumulate(wealth, axis=1), 1.0)
    drawn = beyond[rows]
    deviation = drawn.std(axis=1, ddof=1)
    varied = deviation > LEAST_DEVIATION
    ratios = drawn[varied].mean(axis=1) / deviation[varied] * math.sqrt(SESSIONS_A_YEAR)
    return {
        "level_pct": LEVEL_PCT,
        "n": n,
        "seed": seed,
        "block_sessions": mean_block(len(own)),
        "return_pct": _middle((wealth[:, -1] - 1) * 100),
        "sharpe_annual": _middle(ratios) if varied.mean() > 0.9 else None,
        "max_drawdown_pct": _middle((wealth / peaks - 1).min(axis=1) * 100),
    }


def _middle(values: Floats) -> list[float]:
    tail = (100 - LEVEL_PCT) / 2
    return [float(each) for each in np.percentile(values, (tail, 100 - tail))]
