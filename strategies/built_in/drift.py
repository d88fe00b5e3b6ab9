"""Stays with the news while it lasts: prices take in what a headline means over days, not in one auction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from strategies.holding import crossings, hold_while
from strategies.rule import need, parameter
from strategies.signals import Floats, Reactions
from strategies.sized_rule import SizedRule, Sizing
from strategies.universe import DEMAND
from strategies.view import View


@dataclass(frozen=True, kw_only=True)
class Drift(SizedRule):
    """Holds chips and power in the direction of the news while it decays.

    A position is entered where the symbol's signal reaches `threshold` and left where it has decayed below `leave`,
    or has changed its sign. There is no clock: fresh news prolongs it, contrary news ends it.
    """

    name: ClassVar[str] = "drift"
    about: ClassVar[str] = "hold chips and power in the direction of the news while it decays"

    sizing: Sizing = parameter("signal", "", "size of a position: the same, by exposure (signal), by 1 / volatility")
    threshold: float = parameter(0.5, "signal", "size at which a position is entered")
    leave: float = parameter(0.25, "signal", "size below which it is left; at most the threshold")
    half_life: float = parameter(3.0, "sessions", "after which half of a headline's weight is left")
    reactions: Reactions = parameter("with-cause", "", "may headlines about a move under way trade")

    def __post_init__(self) -> None:
        """Checks the ranges."""
        SizedRule.__post_init__(self)
        need(0 < self.leave <= self.threshold, f"leave {self.leave} must be above 0 and at most threshold")

    def observe(self, view: View) -> tuple[Floats, ...]:
        """Returns the signal now and one session before, and the size of a position entered now."""
        sums = view.news("sentiment", half_life=self.half_life, reactions=self.reactions)
        exposed = view.exposure * view.masks(*self.traded_sectors)
        before = sums[-2] if len(sums) > 1 else 0.0
        return sums[-1] * exposed, before * exposed, self.sizes(view, exposed)

    def reached_by(self) -> tuple[str, ...]:
        """Returns the channels of AI demand."""
        return DEMAND

    def numbers(self) -> tuple[float, ...]:
        """Returns threshold, leave."""
        return float(self.threshold), float(self.leave)

    @staticmethod
    def advance(numbers: tuple[float, ...], state: Floats, rows: Floats) -> bool:
        """Holds while the signal is strong enough."""
        crossings(state, rows, numbers[0], False)
        return hold_while(state, rows[0], rows[2], numbers[1])
