"""Counts AI headlines without reading them: a baseline."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from strategies.holding import STATE_ROWS, TRIGGER, hold_equal
from strategies.rule import Rule, need, parameter
from strategies.signals import Floats
from strategies.view import View


@dataclass(frozen=True, kw_only=True)
class HeadlineCount(Rule):
    """Trades chips and power when there are unusually many AI headlines, measured against the days before."""

    name: ClassVar[str] = "headline-count"
    about: ClassVar[str] = "short chips and power on unusually many AI headlines"
    is_baseline: ClassVar[bool] = True
    state_rows: ClassVar[int] = STATE_ROWS

    z: float = parameter(1.5, "standard deviations", "above the mean of the days before at which it acts")
    baseline: int = parameter(10, "sessions", "before this one that make the mean; it waits for half of them")
    sign: int = parameter(-1, "", "-1: much news is bad news; +1: good news")
    hold: int = parameter(3, "sessions", "holding period, open to open")

    def __post_init__(self) -> None:
        """Checks the ranges."""
        Rule.__post_init__(self)
        need(self.z > 0, f"z {self.z} must be above 0")
        need(self.baseline >= 4, f"baseline {self.baseline} must be at least 4 sessions")
        need(self.sign in {-1, 1}, f"sign {self.sign} must be -1 or 1")

    def observe(self, view: View) -> tuple[Floats, ...]:
        """Returns the z-score of this session's headline count (one number for all) and the traded symbols."""
        counts = view.news("count", half_life=None)
        return z_score(counts, self.baseline) + np.zeros(len(view.symbols)), view.masks(*self.traded_sectors)

    def numbers(self) -> tuple[float, ...]:
        """Returns the z-score, sign, holding period."""
        return float(self.z), float(self.sign), float(self.hold)

    @staticmethod
    def advance(numbers: tuple[float, ...], state: Floats, rows: Floats) -> bool:
        """Holds all traded symbols in the direction of `sign`."""
        triggered = False
        for index in range(rows.shape[1]):
            trigger = numbers[1] * rows[1, index] if rows[0, index] >= numbers[0] else 0.0
            state[TRIGGER, index] = trigger
            triggered = triggered or trigger != 0
        return hold_equal(state, triggered, numbers[2], False)


def z_score(counts: Floats, baseline: int) -> Floats:
    """Returns how unusual the last count is against up to `baseline` counts before it.

    In sample standard deviations; 0 when there are fewer than half of them or they do not vary.

    Args:
        counts: Shape (sessions, ...): one series, or one for each version of the news.
        baseline: Counts before the last that make the mean.
    """
    before = counts[-baseline - 1 : -1]
    if len(before) < max(2, baseline // 2):
        return np.zeros(counts.shape[1:])
    mean = np.apply_along_axis(math.fsum, 0, before) / len(before)
    deviation = np.sqrt(np.apply_along_axis(math.fsum, 0, (before - mean) ** 2) / (len(before) - 1))
    away = counts[-1] - mean
    return np.asarray(np.divide(away, deviation, out=np.zeros_like(away), where=deviation > 0))
