"""Turns directions x sizes into target weights, in one place for all rules. Plain loops, which numba compiles.

directions x sizes ─► side ─► shares of gross ─► name cap ─► net cap ─► weights

`limits` are `Rule.limits()`: gross, name cap, net cap, side (0 both, 1 long, -1 short). What is written to `out` is
written in place: in the compiled engine a new array costs as much as the loop that fills it.
"""

from __future__ import annotations

import numpy as np

from strategies.signals import Floats


def inverse(volatilities: Floats) -> Floats:
    """Returns 1 / volatility; a symbol of unknown volatility counts as the most volatile one, all unknown as equal."""
    largest = 0.0
    for value in volatilities:
        if value > largest:  # False for NaN
            largest = float(value)
    if largest == 0.0:
        return np.ones(len(volatilities))
    return 1.0 / np.where(volatilities > 0, volatilities, largest)


def weigh_parts(limits: tuple[float, ...], parts: Floats, out: Floats) -> None:
    """Turns directions x sizes, shape (symbols,), into weights, written to `out`."""
    share_out(parts, limits[3], limits[0], limits[1], out)
    if limits[2] < limits[0]:  # else no weights of that gross can reach the cap
        cap_net(out, limits[2])


def weighted(parts: Floats, limits: tuple[float, ...]) -> Floats:
    """Returns the weights of directions x sizes, shape (symbols,)."""
    out = np.zeros(len(parts))
    weigh_parts(limits, parts, out)
    return out


def spread(parts: Floats, gross: float, cap: float = np.inf) -> Floats:
    """Returns `gross` shared out over the parts of both sides, as `share_out` does."""
    out = np.zeros(len(parts))
    share_out(parts, 0.0, gross, cap, out)
    return out


def share_out(parts: Floats, side: float, gross: float, cap: float, out: Floats) -> None:
    """Shares `gross` out over the non-zero parts of a side in proportion to their size, none above `cap`.

    What a cap cuts off stays cash; zeros stay zero. `side` 1 keeps the longs, -1 the shorts, 0 both.
    """
    total = 0.0
    for value in parts:
        total += abs(value) if value * side >= 0 else 0.0
    scale = gross / total if total > 0 else 0.0
    for index in range(len(parts)):
        share = min(max(parts[index] * scale, -cap), cap)
        out[index] = share if parts[index] * side >= 0 else 0.0


def cap_net(weights: Floats, cap: float) -> None:
    """Shrinks the heavier side until the absolute sum of the weights is no more than `cap`."""
    longs, shorts = 0.0, 0.0
    for weight in weights:
        longs += weight if weight > 0 else 0.0
        shorts -= weight if weight < 0 else 0.0
    if abs(longs - shorts) <= cap:
        return
    up = (shorts + cap) / longs if longs > shorts else 1.0
    down = (longs + cap) / shorts if shorts > longs else 1.0
    for index in range(len(weights)):
        weights[index] *= up if weights[index] > 0 else down
