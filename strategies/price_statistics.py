"""Computes volatility and beta from the sessions before a decision. Explicit loops: one order of addition."""

from __future__ import annotations

import math

import numpy as np

from strategies.signals import Floats


def log_returns(closes: Floats) -> Floats:
    """Returns close-to-close log returns, shape (sessions - 1, symbols), NaN where a close is missing."""
    return np.log(closes[1:] / closes[:-1])


def volatility(closes: Floats) -> Floats:
    """Returns the sample standard deviation of each symbol's log returns, a fraction per session.

    Args:
        closes: Shape (sessions, symbols), NaN where there was no bar.

    Returns:
        Shape (symbols,); NaN for a symbol that lacks more than half of the returns, has fewer than two of them, or
        whose price did not move.
    """
    returns = log_returns(closes)
    out = np.full(closes.shape[1], np.nan)
    for column in range(closes.shape[1]):
        known = [float(value) for value in returns[:, column] if not math.isnan(value)]
        if len(known) >= max(2, len(returns) / 2):
            mean = math.fsum(known) / len(known)
            variance = math.fsum((value - mean) ** 2 for value in known) / (len(known) - 1)
            out[column] = math.sqrt(variance) if variance > 0 else np.nan
    return out


def basket_returns(closes: Floats, members: Floats) -> Floats:
    """Returns the mean log return of the members (non-zero in `members`), shape (sessions - 1,); NaN: none known."""
    returns = log_returns(closes[:, members != 0])
    out = np.full(len(returns), np.nan)
    for row, inside in enumerate(returns.tolist()):
        known = [value for value in inside if not math.isnan(value)]
        if known:
            out[row] = math.fsum(known) / len(known)
    return out


def beta(leg: Floats, hedge: Floats, *, lowest: float = 0.0, highest: float = 3.0) -> float:
    """Returns the slope of `leg` on `hedge` by least squares, clipped to [lowest, highest].

    Both are returns of the same sessions; sessions with a NaN are left out. 1, a hedge of equal size, when fewer than
    ten are left (or fewer than half) or the hedge did not move.
    """
    both = zip(leg.tolist(), hedge.tolist(), strict=True)
    pairs = [(a, b) for a, b in both if not (math.isnan(a) or math.isnan(b))]
    if len(pairs) < max(10, len(leg) / 2):
        return 1.0
    mean_leg = math.fsum(a for a, _ in pairs) / len(pairs)
    mean_hedge = math.fsum(b for _, b in pairs) / len(pairs)
    below = math.fsum((b - mean_hedge) ** 2 for _, b in pairs)
    if below <= 0:
        return 1.0
    slope = math.fsum((a - mean_leg) * (b - mean_hedge) for a, b in pairs) / below
    return min(max(slope, lowest), highest)
