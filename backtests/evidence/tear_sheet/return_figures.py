"""Computes figures of session returns, as fractions, in order of time. Pure; None where a figure has no value.

All are those of empyrical and quantstats on the same series (tests compare them): 252 sessions a year, sample
deviation, downside deviation over all sessions, percentiles with linear interpolation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backtests.records.metrics import SESSIONS_A_YEAR, are_enough, disperses

Floats = NDArray[np.float64]


def growth(returns: Floats) -> Floats:
    """Returns what one dollar has become after each session, shape (sessions + 1,), 1.0 first."""
    return np.concatenate([[1.0], np.cumprod(1.0 + returns)])


def annual_return(returns: Floats) -> float | None:
    """Returns the compound annual growth rate as a fraction; None where nothing is left."""
    final = float(np.prod(1.0 + returns))
    return final ** (SESSIONS_A_YEAR / len(returns)) - 1 if len(returns) and final > 0 else None


def volatility(returns: Floats) -> float | None:
    """Returns the annualised sample deviation as a fraction."""
    return float(np.std(returns, ddof=1)) * math.sqrt(SESSIONS_A_YEAR) if len(returns) > 1 else None


def sortino_ratio(excess: Floats) -> float | None:
    """Returns mean over downside deviation × √252 (Sortino and Price 1994); the target is the cash rate."""
    if not are_enough(len(excess)):
        return None
    mean, deviation = float(np.mean(excess)), math.sqrt(float(np.mean(np.minimum(excess, 0.0) ** 2)))
    return mean / deviation * math.sqrt(SESSIONS_A_YEAR) if disperses(mean, deviation) else None


def skewness(returns: Floats) -> float | None:
    """Returns the sample skewness, bias taken out (G1, Joanes and Gill 1998)."""
    n = len(returns)
    deviations = returns - np.mean(returns) if n else returns
    spread = math.sqrt(float(np.mean(deviations**2))) if n > 2 else 0.0
    if n < 3 or not disperses(float(np.mean(returns)), spread):
        return None
    return float(np.mean(deviations**3)) / spread**3 * math.sqrt(n * (n - 1)) / (n - 2)


def tail_ratio(returns: Floats) -> float | None:
    """Returns the 95th percentile over the size of the 5th."""
    low = abs(float(np.percentile(returns, 5))) if len(returns) else 0.0
    return abs(float(np.percentile(returns, 95))) / low if low else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawdown:
    """Holds a fall from a peak; places count closes, 0 is the start."""

    peak: int
    trough: int
    recovered: int | None  # first close at or above the peak; None: not yet
    depth: float  # fraction, negative
    sessions: int  # from the peak to the recovery, or to the last close


def drawdowns(returns: Floats) -> list[Drawdown]:
    """Returns every fall from a peak, the deepest first."""
    value = growth(returns)
    found: list[Drawdown] = []
    peak = 0
    for now in range(1, len(value) + 1):
        done = now == len(value)
        if done or value[now] >= value[peak]:
            if now - peak > 1:
                trough = peak + int(np.argmin(value[peak:now]))
                found.append(
                    Drawdown(
                        peak=peak, trough=trough, recovered=None if done else now,
                        depth=float(value[trough] / value[peak] - 1), sessions=now - peak - (1 if done else 0),
                    )
                )  # fmt: skip
            peak = now
    return sorted(found, key=lambda each: each.depth)


def hits(profits: Sequence[float]) -> dict[str, float | int | None]:
    """Returns how many of some profits were gains, and the mean gain over the mean loss."""
    won, lost = [each for each in profits if each > 0], [-each for each in profits if each < 0]
    payoff = (math.fsum(won) / len(won)) / (math.fsum(lost) / len(lost)) if won and lost else None
    return {"n": len(profits), "hit_share": len(won) / len(profits) if profits else None, "payoff": payoff}
