"""Counts how many different outcomes a family of trials has, and the best Sharpe ratio to expect of their luck. Pure.

A thousand near copies of one configuration are one chance, not a thousand; a thousand copies must not make the
others look like a tighter crowd either. So trials are grouped by their session returns in deviations: two are one
outcome when the root mean square of the difference is at most a radius. (It is the root of 2 (1 - correlation) + the
square of the difference of the Sharpe ratios.) A trial joins the first group whose first member is that near.

| figure            | formula                                                                                    |
|-------------------|--------------------------------------------------------------------------------------------|
| effective trials  | groups at the smallest radius, 0.05 (a correlation of 0.9987)                              |
| best by luck, SR0 | the largest over the radii of `expected_best_sharpe`(groups, variance of their first members) |

The largest over radii, as in Sudakov's bound of the supremum of a Gaussian process: however many trials are added near
one another, the groups at a coarser radius stay, so that trying more never makes less luck.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backtests.evidence.trials.deflated_sharpe import expected_best_sharpe
from strategies.signals import Floats

RADII = (0.05, 0.1, 0.2, 0.4)  # in deviations of a session's return
_SHARED = 0.5  # part of the shorter window that two trials must share to be compared
_AT_ONCE = 512


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcomes:
    """The different outcomes of a family.

    Attributes:
        count: Effective number of trials.
        firsts: Places of the groups' first members among the rows given, at the smallest radius.
        luck: The best Sharpe ratio to expect without skill, per session; 0 with fewer than two outcomes.
    """

    count: int
    firsts: tuple[int, ...]
    luck: float


def outcomes(
    returns: Floats, sharpes: Sequence[float], others: Sequence[float] = (), *, flat: bool = False
) -> Outcomes:
    """Groups trials by what came of them.

    Args:
        returns: Session returns, shape (trials, sessions), NaN where a trial's window does not reach.
        sharpes: Sharpe ratios per session, of the rows.
        others: Sharpe ratios of trials whose returns were not kept; equal ones are one outcome.
        flat: Whether a trial never held anything, which is one outcome more.
    """
    unique = sorted({round(value, 6) for value in others})
    places: NDArray[np.int64] = np.arange(len(returns), dtype=np.int64)
    firsts: tuple[int, ...] = ()
    luck = 0.0
    for radius in RADII:
        places = places[_firsts(_standard(returns[places]), radius)]  # a group's first stays one of a wider group
        firsts = firsts or tuple(places.tolist())
        found = np.array([*(sharpes[place] for place in places), *unique])
        if len(found) > 1:
            luck = max(luck, expected_best_sharpe(len(found) + flat, float(found.var(ddof=1))))
    return Outcomes(count=len(firsts) + len(unique) + flat, firsts=firsts, luck=luck)


def first_members(returns: Floats, most: int) -> tuple[list[int], NDArray[np.int64]]:
    """Groups trials of one window at the smallest radius.

    Returns:
        The first members of at most `most` groups, and for each trial its group, -1 beyond them.
    """
    standard = _standard(returns)
    _, places = np.unique(np.round(standard, 9), axis=0, return_index=True)
    unique = np.sort(places)
    firsts = unique[_firsts(standard[unique], RADII[0], most)]
    groups = np.full(len(returns), -1, dtype=np.int64)
    for first in range(0, len(returns), _AT_ONCE):
        near = _distances(standard[first : first + _AT_ONCE], standard[firsts]) <= RADII[0]
        groups[first : first + _AT_ONCE] = np.where(near.any(axis=1), near.argmax(axis=1), -1)
    return firsts.tolist(), groups


def same_outcome(row: Floats, rows: Floats) -> NDArray[np.bool_]:
    """Says which rows of returns are the same outcome as a row, shape (rows,)."""
    return np.asarray(_distances(_standard(rows), _standard(row[None]))[:, 0] <= RADII[0])


def _standard(returns: Floats) -> Floats:
    """Returns in deviations of each row."""
    if not returns.size:
        return returns
    return np.asarray(returns / np.nanstd(returns, axis=1, ddof=1, keepdims=True))


def _firsts(standard: Floats, radius: float, most: int | None = None) -> NDArray[np.int64]:
    """Places of the rows that are near none of the rows taken before them."""
    taken: list[int] = []
    for start in range(0, len(standard), _AT_ONCE):
        part = standard[start : start + _AT_ONCE]
        left = np.arange(len(part))
        if taken:
            left = left[(_distances(part, standard[taken]) > radius).all(axis=1)]
        while len(left) and (most is None or len(taken) < most):
            taken.append(start + int(left[0]))
            left = left[1:][_distances(part[left[1:]], part[left[:1]])[:, 0] > radius]
    return np.array(taken, dtype=np.int64)


def _distances(one: Floats, other: Floats) -> Floats:
    """Root mean square differences over the sessions that two rows share, shape (rows, other rows)."""
    here, there = np.isfinite(one), np.isfinite(other)
    a, b = np.where(here, one, 0.0), np.where(there, other, 0.0)
    mine, theirs = here.astype(float), there.astype(float)
    shared = mine @ theirs.T
    squares = (a**2) @ theirs.T + mine @ (b**2).T - 2 * a @ b.T
    least = _SHARED * np.minimum(mine.sum(axis=1)[:, None], theirs.sum(axis=1)[None, :])
    root = np.sqrt(np.maximum(squares, 0.0) / np.maximum(shared, 1.0))
    return np.asarray(np.where((shared >= least) & (shared > 0), root, np.inf))
