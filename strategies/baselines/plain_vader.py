"""Trades like `shock` on plain VADER of English titles: a baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from strategies.holding import DIRECTION, PART, STATE_ROWS, crossings, hold_directions
from strategies.rule import Rule, parameter
from strategies.signals import Floats
from strategies.universe import DEMAND
from strategies.view import View


@dataclass(frozen=True, kw_only=True)
class PlainVader(Rule):
    """Trades chips and power on unmodified vaderSentiment; German headlines are skipped (no German word list)."""

    name: ClassVar[str] = "plain-vader"
    about: ClassVar[str] = "unmodified vaderSentiment on English AI headlines, German skipped"
    is_baseline: ClassVar[bool] = True
    state_rows: ClassVar[int] = STATE_ROWS

    threshold: float = parameter(0.5, "compound score", "decaying sum, in size, at which it acts")
    hold: int = parameter(3, "sessions", "holding period, open to open")
    half_life: float = parameter(1.0, "sessions", "after which half of a headline's weight is left")

    def observe(self, view: View) -> tuple[Floats, ...]:
        """Returns the signal now and one session before, and exposure."""
        sums = view.news("vader", half_life=self.half_life)
        exposed = view.exposure * view.masks(*self.traded_sectors)
        before = sums[-2] if len(sums) > 1 else 0.0
        return sums[-1] * exposed, before * exposed, exposed

    def reached_by(self) -> tuple[str, ...]:
        """Returns the channels of AI demand."""
        return DEMAND

    def numbers(self) -> tuple[float, ...]:
        """Returns threshold, holding period."""
        return float(self.threshold), float(self.hold)

    @staticmethod
    def advance(numbers: tuple[float, ...], state: Floats, rows: Floats) -> bool:
        """Holds each triggered symbol in the direction of the tone, by its exposure of the day."""
        hold_directions(state, crossings(state, rows, numbers[0], False), numbers[1], False)
        for index in range(rows.shape[1]):
            state[PART, index] = state[DIRECTION, index] * abs(rows[2, index])
        return True
