"""Buys what fell on panic, sells what rose on euphoria."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from strategies.holding import TRIGGER, hold_positions
from strategies.rule import need, parameter
from strategies.signals import Floats
from strategies.sized_rule import SIDES, Side, SizedRule
from strategies.view import View


@dataclass(frozen=True, kw_only=True)
class Rebound(SizedRule):
    """Buys symbols that fell hard in the last session while the tone of the news is one of panic.

    With `side=short` or `both` it also sells what rose as hard while the tone is as good.
    """

    name: ClassVar[str] = "rebound"
    about: ClassVar[str] = "buy what fell when the tone is panic, hold briefly"

    side: Side = parameter("long", "", "long: buy falls on panic; short: sell rises on euphoria; both")
    panic: float = parameter(
        1.0, "tone", "decaying sum of tone x relevance, in size, at which panic or euphoria begins"
    )
    drop_pct: float = parameter(5.0, "percent", "fall (or rise) of the last session, close to close")
    hold: int = parameter(2, "sessions", "holding period, open to open")
    half_life: float = parameter(1.0, "sessions", "after which half of a headline's weight is left")

    def __post_init__(self) -> None:
        """Checks the ranges."""
        SizedRule.__post_init__(self)
        need(self.panic > 0, f"panic {self.panic} must be above 0")
        need(0 < self.drop_pct < 100, f"drop_pct {self.drop_pct} must be above 0 and below 100 percent")

    def observe(self, view: View) -> tuple[Floats, ...]:
        """Returns the tone (one number for all), each symbol's last session return (0: unknown), and sizes."""
        tone = view.news("tone", half_life=self.half_life)[-1]
        closes = view.closes
        traded = view.masks(*self.traded_sectors)
        returns = closes[-1] / closes[-2] - 1 if len(closes) > 1 else np.zeros(len(traded))
        returns = np.nan_to_num(returns) * traded
        return tone * np.ones(len(traded)), returns, self.sizes(view, returns)

    def numbers(self) -> tuple[float, ...]:
        """Returns panic, the fall as a fraction, holding period, side."""
        return float(self.panic), self.drop_pct / 100, float(self.hold), SIDES[self.side]

    @staticmethod
    def advance(numbers: tuple[float, ...], state: Floats, rows: Floats) -> bool:
        """Holds against the last move where tone and move agree; a side that is not kept never triggers."""
        panic, move, side = numbers[0], numbers[1], numbers[3]
        triggered = False
        for index in range(rows.shape[1]):
            tone, moved, trigger = rows[0, index], rows[1, index], 0.0
            if side >= 0 and tone <= -panic and moved <= -move:
                trigger = 1.0
            elif side <= 0 and tone >= panic and moved >= move:
                trigger = -1.0
            state[TRIGGER, index] = trigger
            triggered = triggered or trigger != 0
        return hold_positions(state, triggered, rows[2], numbers[2], False)
