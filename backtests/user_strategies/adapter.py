"""Stands in for a user's `bt.Strategy` where a rule is expected: its name, parameters, symbols and signal lines."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Self

import numpy as np

from feeds.errors import InputError, did_you_mean
from strategies.rule import Rule, parse_value
from strategies.signals import Floats
from strategies.view import View


@dataclasses.dataclass(frozen=True, kw_only=True)
class StrategyRule(Rule):
    """Stands for a user's bt.Strategy: its name, its parameters and which symbols it trades; it is never stepped."""

    name: ClassVar[str] = "bt.Strategy"
    about: ClassVar[str] = ""
    news: ClassVar[bool] = False
    steps: ClassVar[bool] = False
    strategy: ClassVar[type[Any]]

    settings: tuple[tuple[str, Any], ...] = ()

    def observe(self, view: View) -> tuple[Floats, ...]:
        """Returns what the signal lines hold on the bar before the session: sentiment, tone, headlines per symbol."""
        count = len(view.symbols)
        sentiment = float(view.news("sentiment", half_life=1.0, reactions="with-cause")[-1])
        tone = float(view.news("tone", half_life=1.0)[-1])
        headlines = float(view.news("count", half_life=None)[-1])
        return sentiment * view.exposure, np.full(count, tone), np.full(count, headlines)

    def step(self, state: Floats, rows: tuple[Floats, ...]) -> Floats:
        """Refuses: a bt.Strategy is run by backtrader."""
        raise NotImplementedError(f"{self.name} is a bt.Strategy: it trades for itself")

    def holds(self, sector: str, symbol: str, benchmark: str) -> bool:
        """Returns whether it trades the symbol: every one, or those that the class names in `symbols`."""
        wanted = getattr(self.strategy, "symbols", None)
        return wanted is None or symbol in wanted

    @property
    def parameters(self) -> dict[str, Any]:
        """Returns the parameters of the bt.Strategy with the settings of this run."""
        pairs = {**dict(self.strategy.params._getpairs()), **dict(self.settings)}
        return {
            name: value if isinstance(value, bool | int | float | str) else repr(value) for name, value in pairs.items()
        }

    @classmethod
    def described(cls) -> list[dict[str, Any]]:
        """Lists the parameters; backtrader's have no unit and no line about them."""
        pairs = cls.strategy.params._getpairs().items()
        return [{"name": name, "default": value, "choices": None, "unit": "", "about": ""} for name, value in pairs]

    @classmethod
    def parameter_names(cls) -> tuple[str, ...]:
        """Returns the names of the bt.Strategy's parameters."""
        return tuple(cls.strategy.params._getpairs())

    @classmethod
    def with_settings(cls, settings: dict[str, str]) -> Self:
        """Makes it from texts, each read as its default's type."""
        known = cls.strategy.params._getpairs()
        values = []
        for name, text in settings.items():
            if name not in known:
                raise InputError(f"strategy {cls.name} has no parameter {name!r}; {did_you_mean(name, known)}")
            kind = type(known[name])
            values.append((name, parse_value(name, text, kind if kind in {bool, int, float} else str)))
        return cls(settings=tuple(values))


def strategy_type(found: type[Any]) -> type[StrategyRule]:
    """Makes the stand-in of a user's class."""
    about = (found.__doc__ or "").strip() if "__doc__" in vars(found) else ""
    names = {"name": found.__name__, "about": about.splitlines()[0] if about else "", "strategy": found}
    return type(found.__name__, (StrategyRule,), {**names, "__doc__": about})
