"""Sells the chips short on the first day and stays short: a baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from strategies.rule import Rule
from strategies.signals import Floats
from strategies.view import View


@dataclass(frozen=True, kw_only=True)
class AlwaysShort(Rule):
    """Shorts the chips in equal parts at the first open and never trades again."""

    name: ClassVar[str] = "always-short"
    about: ClassVar[str] = "short the chips in equal parts, sold once"
    is_baseline: ClassVar[bool] = True
    news: ClassVar[bool] = False
    traded: ClassVar[tuple[str, ...]] = ("chips",)

    def observe(self, view: View) -> tuple[Floats, ...]:
        """Returns which symbols it wants and which are listed by now."""
        return (view.masks(*self.traded_sectors) * np.where(np.isnan(view.closes[-1]), 0.0, 1.0),)

    @staticmethod
    def advance(numbers: tuple[float, ...], state: Floats, rows: Floats) -> bool:
        """Shorts what is listed at the first session and keeps it."""
        if state[1, 0] != 0:
            return False
        for index in range(rows.shape[1]):
            state[0, index], state[1, index] = -rows[0, index], 1.0
        return True
