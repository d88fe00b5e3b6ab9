"""Buy what fell on panic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from strategies.rule import Rule, need, spread
from strategies.signals import Floats
from strategies.timers import hold_directions
from strategies.view import View


@dataclass(frozen=True, kw_only=True)
class Rebound(Rule):
    """Buys symbols that fell hard in the last session while the tone of the news is one of panic."""

    name: ClassVar[str] = "rebound"
    about: ClassVar[str] = "buy what fell when the tone is panic, hold briefly"

    panic: float = 1.0  # decaying sum of negative tone, relevance-weighted, at which panic begins
    drop_pct: float = 5.0  # fall of the last session, close to close, in percent
    hold: int = 2  # sessions, open to open
    half_life: float = 1.0  # sessions

    def __post_init__(self) -> None:
        """Checks the ranges."""
        Rule.__post_init__(self)
        need(self.panic > 0, f"panic {self.panic} must be above 0")
        need(0 < self.drop_pct < 100, f"drop_pct {self.drop_pct} must be above 0 and below 100 percent")

    def observe(self, view: View) -> tuple[Floats, ...]:
        """Tone of the moment (one number for all) and each symbol's last session return, 0 where unknown."""
        tone = float(view.news("tone", half_life=self.half_life)[-1])
        closes = view.closes
        traded = view.masks("chips", "power")
        returns = closes[-1] / closes[-2] - 1 if len(closes) > 1 else np.zeros(len(traded))
        return np.full(len(traded), tone), np.nan_to_num(returns) * traded

    def step(self, state: Floats, rows: tuple[Floats, ...]) -> Floats:
        """Holds the fallen, equally weighted."""
        tone, returns = rows
        triggers = np.where((tone <= -self.panic) & (returns <= -self.drop_pct / 100), 1.0, 0.0)
        hold_directions(state[0], state[1], triggers, self.hold, refresh=False)
        return spread(state[0], self.gross, self.name_cap)
