"""Buys everything tradable on the first day and keeps it: a baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from strategies.rule import Rule
from strategies.signals import Floats
from strategies.view import View


@dataclass(frozen=True, kw_only=True)
class BuyHold(Rule):
    """Buys chips and power in equal parts at the first open and never trades again."""

    name: ClassVar[str] = "buy-hold"
    about: ClassVar[str] = "chips and power in equal parts, bought once"
    is_baseline: ClassVar[bool] = True
    news: ClassVar[bool] = False

    def observe(self, view: View) -> tuple[Floats, ...]:
        """Returns which symbols it wants and which are listed by now."""
        closes = view.closes
        return (view.masks(*self.traded_sectors) * np.where(np.isnan(closes[-1]), 0.0, 1.0),)

    @staticmethod
    def advance(numbers: tuple[float, ...], state: Floats, rows: Floats) -> bool:
        """Takes what is listed at the first session and keeps it."""
        if state[1, 0] != 0:
            return False
        for index in range(rows.shape[1]):
            state[0, index], state[1, index] = rows[0, index], 1.0
        return True
