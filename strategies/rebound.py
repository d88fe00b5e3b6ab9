"""Buy what fell on panic; sell what rose on euphoria."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from strategies.rule import need, parameter
from strategies.signals import Floats
from strategies.sizing import Side, SizedRule, weighted
from strategies.timers import hold_positions
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
        """Tone of the moment (one number for all), each symbol's last session return (0: unknown), and sizes."""
        tone = view.news("tone", half_life=self.half_life)[-1]
        closes = view.closes
        traded = view.masks("chips", "power")
        returns = closes[-1] / closes[-2] - 1 if len(closes) > 1 else np.zeros(len(traded))
        returns = np.nan_to_num(returns) * traded
        return tone * np.ones(len(traded)), returns, self.sizes(view, returns)

    def numbers(self) -> tuple[float, ...]:
        """The limits, panic, the fall as a fraction, holding period."""
        return (*SizedRule.numbers(self), float(self.panic), self.drop_pct / 100, float(self.hold))

    @staticmethod
    def advance(numbers: tuple[float, ...], state: Floats, rows: tuple[Floats, ...]) -> Floats:
        """Holds against the last move where tone and move agree; a side that is not kept never triggers."""
        tone, returns, sizes = rows
        side, panic, move = numbers[3], numbers[4], numbers[5]
        triggers = returns * 0.0
        for index in range(len(triggers)):
            if side >= 0 and tone[index] <= -panic and returns[index] <= -move:
                triggers[index] = 1.0
            elif side <= 0 and tone[index] >= panic and returns[index] >= move:
                triggers[index] = -1.0
        return weighted(hold_positions(state, triggers, sizes, numbers[6], False), numbers)
