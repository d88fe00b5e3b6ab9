"""How large: position sizing and caps, one place for all rules. Plain loops in fixed order, which numba compiles.

directions x sizes ─► side ─► shares of gross ─► name cap ─► net cap ─► weights
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from strategies.rule import Rule, need, parameter
from strategies.signals import Floats
from strategies.trailing import volatility
from strategies.view import View

Side = Literal["both", "long", "short"]
Sizing = Literal["equal", "signal", "inverse-vol"]
SIDES: dict[Side, float] = {"both": 0.0, "long": 1.0, "short": -1.0}


@dataclass(frozen=True, kw_only=True)
class SizedRule(Rule):
    """A rule with a side and a way of sizing.

    A position's size is fixed when it is entered, so that a target changes only when a position does.
    """

    state_rows: ClassVar[int] = 3  # direction, sessions left, size at entry

    side: Side = parameter("both", "", "which positions are kept: long, short or both")
    sizing: Sizing = parameter(
        "equal", "", "size of a position against the others: the same, by signal, by 1 / volatility"
    )
    vol_sessions: int = parameter(20, "sessions", "close-to-close returns before the decision that make the volatility")

    def __post_init__(self) -> None:
        """Checks the ranges."""
        Rule.__post_init__(self)
        need(2 <= self.vol_sessions <= 250, f"vol_sessions {self.vol_sessions} must be from 2 to 250 sessions")

    def numbers(self) -> tuple[float, ...]:
        """Gross, name cap, net cap, side (0 both, 1 long, -1 short)."""
        return float(self.gross), float(self.name_cap), float(self.net_cap), SIDES[self.side]

    def sizes(self, view: View, strengths: Floats) -> Floats:
        """Returns the size of each symbol's position if it were entered now, relative to the others; at least 0.

        `strengths` are the symbols' own shares of the signal, of any sign.
        """
        if self.sizing == "signal":
            return abs(strengths)
        if self.sizing == "equal":
            return np.where(strengths != 0, 1.0, 0.0)
        return inverse(volatility(view.closes[-self.vol_sessions - 1 :])) * np.where(strengths != 0, 1.0, 0.0)


def inverse(volatilities: Floats) -> Floats:
    """Returns 1 / volatility; a symbol of unknown volatility counts as the most volatile one, all unknown as equal."""
    largest = 0.0
    for value in volatilities:
        if value > largest:  # False for NaN
            largest = float(value)
    if largest == 0.0:
        return np.ones(len(volatilities))
    return 1.0 / np.where(volatilities > 0, volatilities, largest)


def spread(parts: Floats, gross: float, cap: float = np.inf) -> Floats:
    """Shares `gross` out over the non-zero parts in proportion to their size, none above `cap`.

    What a cap cuts off stays cash; zeros stay zero.
    """
    total = 0.0
    for value in parts:
        total += abs(value)
    weights = np.zeros(len(parts))
    if total > 0:
        scale = gross / total
        for index in range(len(parts)):
            weights[index] = min(max(parts[index] * scale, -cap), cap)
    return weights


def kept(parts: Floats, side: float) -> Floats:
    """Returns the parts of one side (1 long, -1 short), the rest 0; all of them when `side` is 0."""
    if side == 0:
        return parts
    out = parts.copy()
    for index in range(len(parts)):
        if parts[index] * side < 0:
            out[index] = 0.0
    return out


def net_capped(weights: Floats, cap: float) -> Floats:
    """Shrinks the heavier side until the absolute sum of the weights is no more than `cap`."""
    longs, shorts = 0.0, 0.0
    for weight in weights:
        if weight > 0:
            longs += weight
        else:
            shorts -= weight
    if abs(longs - shorts) <= cap:
        return weights
    out = weights.copy()
    up = (shorts + cap) / longs if longs > shorts else 1.0
    down = (longs + cap) / shorts if shorts > longs else 1.0
    for index in range(len(out)):
        out[index] *= up if out[index] > 0 else down
    return out


def weighted(parts: Floats, numbers: tuple[float, ...]) -> Floats:
    """Turns directions x sizes into weights; `numbers` begin with gross, name cap, net cap, side."""
    return net_capped(spread(kept(parts, numbers[3]), numbers[0], numbers[1]), numbers[2])
