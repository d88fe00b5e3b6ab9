"""Judges a grid of returns: its most robust region, and whether anybody would have picked it in time. Pure.

Returns are of the whole window in percent unless said otherwise; ties go to the combination that comes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from backtests.sweep.grid import Grid
from strategies.signals import Floats

FOLDS = 4  # parts of a window; the first is only learned from
NOTES = (
    "The best of many combinations flatters; a robust region does well with its neighbouring values too.",
    "Walk-forward: each part of the window is traded with what was best in all parts before it.",
    "In the walk-forward a configuration carries on with the positions it had; it does not begin flat.",
)


def robust_region(values: Floats, grid: Grid) -> Floats:
    """Returns for each combination the median of it and its neighbours, one step along one numeric axis.

    Args:
        values: Shape (combinations,), in the grid's order.
        grid: The grid.
    """
    cube = values.reshape(grid.shape)
    around = [cube]
    for place, axis in enumerate(grid.axes):
        if not axis.numeric or len(axis.values) == 1:
            continue
        order = np.argsort(axis.values)  # neighbours by value, whatever the order in which they were given
        back = np.argsort(order)
        for step in (1, -1):
            moved = np.roll(cube.take(order, axis=place), step, axis=place)
            edge = [slice(None)] * cube.ndim
            edge[place] = slice(0, 1) if step == 1 else slice(-1, None)
            moved[tuple(edge)] = np.nan
            around.append(moved.take(back, axis=place))
    return np.asarray(np.nanmedian(np.array(around), axis=0).ravel())


def heat(values: Floats, grid: Grid) -> dict[str, Any]:
    """Reduces the grid to its first two axes: medians over the others, in the unit of `values`."""
    cube = values.reshape(grid.shape)
    shown = grid.axes[:2]
    table = np.median(cube, axis=tuple(range(len(shown), cube.ndim))) if cube.ndim > len(shown) else cube
    return {
        "rows": shown[0].name,
        "row_values": list(shown[0].values),
        "columns": shown[1].name if len(shown) > 1 else None,
        "column_values": list(shown[1].values) if len(shown) > 1 else [None],
        "median_return_pct": table.reshape(len(shown[0].values), -1).tolist(),
    }


def walk_forward(equity: Floats, cash: Floats) -> list[dict[str, Any]]:
    """Trades each part of a window with the combination that earned most in all parts before it.

    Args:
        equity: US dollars at each close, shape (combinations, sessions).
        cash: US dollars at the start, shape (combinations,).

    Returns:
        One row per part but the first; empty where the window has fewer than eight sessions. Returns of the parts
        in percent, NaN-free: a ruined combination's is None.
    """
    sessions = equity.shape[1]
    if sessions < 2 * FOLDS:
        return []
    filled = np.column_stack([cash, equity])
    for column in range(1, filled.shape[1]):
        filled[:, column] = np.where(np.isnan(filled[:, column]), filled[:, column - 1], filled[:, column])
    edges = [sessions * fold // FOLDS for fold in range(FOLDS + 1)]
    rows = []
    for fold in range(1, FOLDS):
        before = _between(filled, 0, edges[fold])
        after = _between(filled, edges[fold], edges[fold + 1])
        best = int(np.argmax(before))
        rows.append(
            {
                "first_session": edges[fold],
                "last_session": edges[fold + 1] - 1,
                "number": best,
                "learned_return_pct": float(before[best]),
                "return_pct": float(after[best]),
                "median_return_pct": float(np.median(after)),
                "better_pct": float((after > after[best]).mean() * 100),
            }
        )
    return rows


def _between(equity: Floats, start: int, stop: int) -> Floats:
    """Computes returns in percent; −100 where equity was lost already."""
    base = equity[:, start]
    return np.asarray(np.where(base > 0, equity[:, stop] / np.where(base > 0, base, 1.0) - 1, -1.0) * 100)


def left_out(returns: Floats, episodes: Sequence[str]) -> list[dict[str, Any]]:
    """Takes each episode out, picks what was best on the others on average, and looks at it there.

    Args:
        returns: Percent, shape (episodes, combinations).
        episodes: Names.
    """
    rows = []
    for place, name in enumerate(episodes) if len(episodes) > 1 else ():
        others = np.delete(returns, place, axis=0).mean(axis=0)
        best = int(np.argmax(others))
        rows.append(
            {
                "episode": name,
                "number": best,
                "others_return_pct": float(others[best]),
                "return_pct": float(returns[place, best]),
                "median_return_pct": float(np.median(returns[place])),
                "better_pct": float((returns[place] > returns[place, best]).mean() * 100),
            }
        )
    return rows


def judge(
    grid: Grid, episodes: Sequence[str], returns: Floats, walks: Sequence[list[dict[str, Any]]]
) -> dict[str, Any]:
    """Puts a sweep's findings together.

    Args:
        grid: The grid.
        episodes: Names.
        returns: Percent, shape (episodes, combinations).
        walks: From `walk_forward`, one of each episode.
    """
    mean = returns.mean(axis=0)
    around = robust_region(mean, grid)
    best, robust = int(np.argmax(mean)), int(np.argmax(around))
    settings = {number: grid.combinations(number, number + 1)[0] for number in {best, robust}}
    walked = [{"episode": name, **row} for name, rows in zip(episodes, walks, strict=True) for row in rows]
    outs = left_out(returns, episodes)
    for row in (*walked, *outs):
        row["settings"] = grid.combinations(row["number"], row["number"] + 1)[0]
    return {
        "combinations": len(grid),
        "trials": len(grid) * len(episodes),
        "profitable_pct": float((mean > 0).mean() * 100),
        "median_return_pct": float(np.median(mean)),
        "best": {
            "number": best, "settings": settings[best], "return_pct": float(mean[best]),
            "around_return_pct": float(around[best]),
        },
        "robust": {
            "number": robust, "settings": settings[robust], "return_pct": float(mean[robust]),
            "around_return_pct": float(around[robust]),
        },
        "heat": heat(mean, grid),
        "walk_forward": walked,
        "leave_one_episode_out": outs,
        "notes": list(NOTES),
    }  # fmt: skip
