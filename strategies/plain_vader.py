"""Rival: the same trading as `shock`, on plain VADER of English titles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from strategies.rule import Rule, need, spread
from strategies.signals import Floats
from strategies.timers import crossings, hold_directions
from strategies.view import View


@dataclass(frozen=True, kw_only=True)
class PlainVader(Rule):
    """Trades chips and power on unmodified vaderSentiment; German headlines are skipped (no German word list)."""

    name: ClassVar[str] = "plain-vader"
    about: ClassVar[str] = "unmodified vaderSentiment on English AI headlines, German skipped"
    rival: ClassVar[bool] = True

    threshold: float = 0.5  # decaying sum of compound scores at which it acts
    hold: int = 3  # sessions, open to open
    half_life: float = 1.0  # sessions

    def __post_init__(self) -> None:
        """Checks the ranges."""
        Rule.__post_init__(self)
        need(self.threshold > 0, f"threshold {self.threshold} must be above 0")

    def observe(self, view: View) -> tuple[Floats, ...]:
        """Signal now and one session before, and exposure."""
        sums = view.news("vader", half_life=self.half_life)
        exposed = view.exposure * view.masks("chips", "power")
        before = float(sums[-2]) if len(sums) > 1 else 0.0
        return float(sums[-1]) * exposed, before * exposed, exposed

    def step(self, state: Floats, rows: tuple[Floats, ...]) -> Floats:
        """Holds each triggered symbol in the direction of the tone."""
        now, before, exposed = rows
        hold_directions(
            state[0], state[1], crossings(now, before, self.threshold, level=False), self.hold, refresh=False
        )
        return spread(state[0] * abs(exposed), self.gross, self.name_cap)
