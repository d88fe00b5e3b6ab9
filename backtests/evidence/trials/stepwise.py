"""Tests many strategies at once on the same sessions: stepwise p-values that allow for all that were tried. Pure.

Romano and Wolf (2005), "Stepwise multiple testing as formalized data snooping", Econometrica 73; p-values as in the
same (2016), "Efficient computation of adjusted p-values for resampling-based stepdown multiple testing", Statistics and
Probability Letters 113. The chance that any of the tried looks this good without skill is at most p, whatever their
correlation: near copies cost nothing, where Benjamini-Hochberg counts each.
"""

from __future__ import annotations

import numpy as np

from backtests.evidence.intervals import block_share, stationary_rows
from strategies.signals import Floats


def romano_wolf(returns: Floats, *, n: int = 999, seed: int = 1) -> Floats:
    """Returns each strategy's stepwise p that its mean return is above 0, shape (strategies,), one-sided.

    The statistic is the mean over its standard error, s / √T, and so is the redrawn one, around the mean that was found
    (stationary bootstrap). Blocks vary too little between them, since a sample's autocorrelations sum to -1/2 without
    any; redrawn statistics are widened by what that takes from independent returns (`block_share`).

    Args:
        returns: Session returns, shape (sessions, strategies); each must vary.
        n: Samples.
        seed: Of the draws.
    """
    sessions, strategies = returns.shape
    rows = stationary_rows(np.random.default_rng(seed), sessions, n)
    counts = np.zeros((n, sessions))
    np.add.at(counts, (np.arange(n)[:, None], rows), 1.0)
    means, deviation = returns.mean(axis=0), returns.std(axis=0, ddof=1)
    drawn = counts @ returns / sessions
    spread = np.sqrt(np.maximum(counts @ returns**2 / sessions - drawn**2, 0.0) * sessions / (sessions - 1))
    varied = spread > 1e-9 * deviation
    null = np.where(varied, (drawn - means) / np.where(varied, spread, 1.0), -np.inf) / np.sqrt(block_share(sessions))
    found = means / deviation
    order = np.argsort(-found, kind="stable")
    # the largest among a strategy and all that did worse, for each sample
    largest = np.maximum.accumulate(null[:, order[::-1]], axis=1)[:, ::-1]
    p = (1 + (largest >= found[order]).sum(axis=0)) / (1 + n)
    out = np.empty(strategies)
    out[order] = np.maximum.accumulate(p)
    return out
