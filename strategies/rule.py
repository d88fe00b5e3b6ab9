"""Defines what a rule is: parameters, what it looks at, and a pure step from that to target weights."""

from __future__ import annotations

import dataclasses
import typing
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from feeds.errors import InputError, did_you_mean
from strategies.signals import Floats
from strategies.sizing import weigh_parts
from strategies.universe import CHANNELS
from strategies.view import Market, View


def parameter(default: Any, unit: str, about: str) -> Any:
    """Returns a field of a rule: its default, its unit ("" for a choice or a switch) and what it does."""
    return dataclasses.field(default=default, metadata={"unit": unit, "about": about})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """Holds the file that a user's strategy comes from."""

    file: str  # as it was given
    name: str  # of the class
    sha256: str
    text: str
    reads: tuple[str, ...]  # what it reached for outside while it was loaded: "opens 'prices.csv'"

    @property
    def place(self) -> str:
        """Returns the place in a run's folder that keeps the text."""
        return f"code/{self.sha256[:8]}/{Path(self.file).name}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rule(ABC):
    """Decides by frozen parameters with defaults and a pure step; the base class of every trading rule.

    `observe` turns the view of a moment into rows of numbers; `step` turns those rows and the rule's own
    state into target weights. Fractions of equity, shorts negative, 0 = flat. Given the same rows, the
    same weights come out.

    The built-in rules write the step as `advance` and `weigh`, static functions of numbers and arrays in plain loops,
    which numba can compile for thousands of runs. A rule of your own may override `step` instead and use all of Python.
    """

    name: ClassVar[str]
    about: ClassVar[str]  # one line for listings
    is_baseline: ClassVar[bool] = False  # a baseline that stands beside every result
    steps: ClassVar[bool] = True  # decides by `step`; a user's bt.Strategy stands in for a rule without
    news: ClassVar[bool] = True  # no news, no position
    every_reaction: ClassVar[bool] = False  # a run of all strategies shows it once for each setting of `reactions`
    after_open: ClassVar[bool] = False  # looks at the session's open, so it fills at that session's close
    state_rows: ClassVar[int] = 2
    code: ClassVar[Code | None] = None  # where a user's own comes from
    traded: ClassVar[tuple[str, ...]] = ("chips", "power")  # sectors it trades where `sectors` names no others
    hedges: ClassVar[tuple[str, ...]] = ()  # sectors it may hold besides, as the other side of its positions

    gross: float = parameter(1.0, "fraction of equity", "bound of the sum of absolute weights")
    net_cap: float = parameter(2.0, "fraction of equity", "bound of the absolute sum of weights; 2 never binds")
    name_cap: float = parameter(
        0.25, "fraction of equity", "largest absolute weight of one name; a hedge is not capped"
    )
    sectors: str = parameter("", "names", "sectors it trades instead of its own, joined by +, like chips+software")

    def __post_init__(self) -> None:
        """Checks the ranges that all rules share; a rule with more parameters checks them and calls this."""
        need(0 < self.gross <= 2, f"gross {self.gross} must be above 0 and at most 2")
        need(0 < self.net_cap <= 2, f"net_cap {self.net_cap} must be above 0 and at most 2")
        need(0 < self.name_cap <= 2, f"name_cap {self.name_cap} must be above 0 and at most 2")
        need(all(self.sectors.split("+")) or not self.sectors, f"sectors {self.sectors!r}: join names by +")
        hold, half_life = getattr(self, "hold", 1), getattr(self, "half_life", 1.0)
        need(hold >= 1, f"hold {hold} must be at least 1 session")
        need(half_life > 0, f"half_life {half_life} must be above 0 sessions")
        threshold = getattr(self, "threshold", 1.0)
        need(threshold > 0, f"threshold {threshold} must be above 0")

    @abstractmethod
    def observe(self, view: View) -> tuple[Floats, ...]:
        """Returns the rows `step` looks at, each of shape (symbols,)."""

    def step(self, state: Floats, rows: tuple[Floats, ...]) -> Floats:
        """Returns target weights, shape (symbols,), and updates `state`, shape (state_rows, symbols), in place."""
        numbers, weights = self.numbers(), np.zeros(state.shape[1])
        if not isinstance(self.advance(numbers, state, np.array(rows)), bool | np.bool_):
            raise TypeError(f"{self.name}: `advance` says whether the weights may have changed; `weigh` makes them")
        self.weigh(self.limits(), numbers, state, weights)
        return weights

    @staticmethod
    def advance(numbers: tuple[float, ...], state: Floats, rows: Floats) -> bool:
        """Notes in the state what to hold, the first half of a step; its first row is direction x size.

        A function of `numbers()` alone, in plain loops over floats and arrays, which numba compiles. Returns whether
        the weights may have changed.
        """
        raise NotImplementedError("a rule defines `step`, or `advance` and `numbers`")

    @staticmethod
    def weigh(limits: tuple[float, ...], numbers: tuple[float, ...], state: Floats, out: Floats) -> None:
        """Writes the weights of what the state says to `out`, shape (symbols,), the second half of a step."""
        weigh_parts(limits, state[0], out)

    def numbers(self) -> tuple[float, ...]:
        """Returns the parameters that `advance` needs, as floats; here the limits."""
        return self.limits()

    def limits(self) -> tuple[float, ...]:
        """Returns the parameters that only `weigh` needs: gross, name cap, net cap, side (0 both, 1 long, -1 short)."""
        return float(self.gross), float(self.name_cap), float(self.net_cap), 0.0

    @classmethod
    def compiles(cls) -> bool:
        """Returns whether the step is an `advance` that numba can compile."""
        return cls.advance is not Rule.advance and cls.step is Rule.step

    def decide(self, view: View, state: Floats) -> Floats:
        """Returns the target weights of this moment."""
        return self.step(state, self.observe(view))

    def fresh_state(self, symbols: int) -> Floats:
        """Returns the state before the first session: zeros."""
        return np.zeros((self.state_rows, symbols))

    @property
    def traded_sectors(self) -> tuple[str, ...]:
        """Returns the sectors it trades: those of the parameter `sectors`, else its own."""
        return tuple(self.sectors.split("+")) if self.sectors else self.traded

    def holds(self, sector: str, symbol: str, benchmark: str) -> bool:
        """Returns whether the rule may ever hold the symbol; only those get a data feed."""
        return sector in self.traded_sectors or sector in self.hedges or symbol == benchmark

    def reached_by(self) -> tuple[str, ...]:
        """Returns the channels of exposure without any of which it takes no position; () where it needs none."""
        return ()

    def why_nothing(self, market: Market, last: int) -> str:
        """Says why it can trade none of a market's symbols up to session `last`, "" where it can."""
        wanted, channels = self.traded_sectors, self.reached_by()
        inside = [column for column, sector in enumerate(market.sectors) if sector in wanted]
        if wanted and not inside:
            return f"there is no symbol of {' or '.join(wanted)}"
        exposed = market.exposure[[CHANNELS.index(name) for name in channels], market.first : last + 1]
        if channels and not exposed[..., inside].any():
            return f"no symbol of {' or '.join(wanted)} has an exposure to {' or '.join(channels)} by then"
        return ""

    @property
    def parameters(self) -> dict[str, Any]:
        """Returns the parameters by name, in order of definition."""
        return dataclasses.asdict(self)

    @classmethod
    def described(cls) -> list[dict[str, Any]]:
        """Lists the parameters: name, default, choices (None: any value of its type), unit, about."""
        hints = typing.get_type_hints(cls)
        return [
            {
                "name": field.name,
                "default": field.default,
                "choices": list(typing.get_args(hints[field.name])) or None,
                "unit": field.metadata.get("unit", ""),
                "about": field.metadata.get("about", ""),
            }
            for field in dataclasses.fields(cls)
        ]

    @classmethod
    def parameter_names(cls) -> tuple[str, ...]:
        """Returns the names of the parameters, in order of definition."""
        return tuple(field.name for field in dataclasses.fields(cls))

    @classmethod
    def with_settings(cls, settings: dict[str, str]) -> Self:
        """Makes the rule from texts, as the command line has them.

        Raises:
            InputError: An unknown parameter or a value that does not fit it.
        """
        hints = typing.get_type_hints(cls)
        known = set(cls.parameter_names())
        values = {}
        for name, text in settings.items():
            if name not in known:
                raise InputError(f"strategy {cls.name} has no parameter {name!r}; {did_you_mean(name, known)}")
            values[name] = parse_value(name, text, hints[name])
        try:
            return cls(**values)
        except ValueError as wrong:
            raise InputError(f"strategy {cls.name}: {wrong}") from wrong


def parse_value(name: str, text: str, kind: Any) -> Any:
    """Turns a text into a value of a parameter's type: bool, int, float, str or one of a Literal's choices."""
    if typing.get_origin(kind) is typing.Literal:
        choices = typing.get_args(kind)
        if text not in choices:
            raise InputError(f"{name}={text!r}: {did_you_mean(text, choices)}")
        return text
    if kind is bool:
        if text.lower() not in {"true", "false", "1", "0", "yes", "no"}:
            raise InputError(f"{name}={text!r}: give true or false")
        return text.lower() in {"true", "1", "yes"}
    if kind is str:
        return text
    try:
        value = kind(text)
    except ValueError:
        wanted = "a whole number" if kind is int else "a number"
        raise InputError(f"{name}={text!r}: give {wanted}") from None
    if not np.isfinite(value):
        raise InputError(f"{name}={text!r}: give a finite number")
    return value


def need(condition: bool, message: str) -> None:
    """Raises ValueError with the message unless the condition holds."""
    if not condition:
        raise ValueError(message)
