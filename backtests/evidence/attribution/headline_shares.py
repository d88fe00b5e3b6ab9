"""Finds the headlines that made a position, and the share of each.

A rule reads decaying sums of the news. Each sum is linear in its headlines, so a headline's part of it is the sum
of that headline alone. What the rule read when it took a side is found by recording it; the headlines that
pushed the same way as the sum share the position in proportion to their parts. A headline that pushed the other
way did not make the position and has none of it (leaving it out shows what it did). Over years a sum remembers
thousands of headlines by parts that are no longer worth a cent: those below a thousandth of a position are one
remainder.

What a `bt.Strategy` read cannot be recorded: it counts as having read those of its signal lines that its code
names, on the bar on which it took its side.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any, cast

import numpy as np

from strategies.rule import Rule
from strategies.signals import Floats, NewsItem, SignalBook, half_life_factor
from strategies.view import Market, View

Call = tuple[str, tuple[Any, ...], tuple[tuple[str, Any], ...]]
LEAST = 0.001  # share of a position from which a headline is named
REMAINDER = "(remainder)"  # in the place of an id: all headlines with less


_LINES = {"sentiment": "sentiment", "tone": "tone", "headlines": "count"}  # of a bt.Strategy's feeds: what is in them


class _RecordedSignals:
    """Passes on the sums of the news, and records which of them were read."""

    def __init__(self, signals: SignalBook) -> None:
        self._signals = signals
        self.calls: list[Call] = []

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._signals, name)
        if not callable(value):
            return value
        return self._recording(name, value)

    def _recording(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def asked(*args: Any, **kwargs: Any) -> Any:
            self.calls.append((name, args, tuple(sorted(kwargs.items()))))
            return method(*args, **kwargs)

        return asked


@dataclass(frozen=True, slots=True, eq=False)
class _Arrivals:
    """Holds each headline's part of a decaying sum: what it brought when, and how fast that fades."""

    rows: Floats  # sessions of arrival, from the market's first; shape (items,)
    values: Floats  # shape (items,) or (items, symbols)
    keep: float  # of one session for the next

    def at(self, place: int, column: int) -> Floats:
        """Returns the parts at a session, shape (items,)."""
        own = self.values if self.values.ndim == 1 else self.values[:, column]
        age = place - self.rows
        return np.where(age < 0, 0.0, own * self.keep ** np.maximum(age, 0.0))


class PositionHeadlines:
    """Finds the headlines behind a rule's positions."""

    def __init__(
        self, rule: Rule, market: Market, items: Sequence[NewsItem], parts: dict[Call, _Arrivals] | None = None
    ) -> None:
        """Takes a rule, and the market whose signals were built from `items`; rules may share `parts` of those."""
        from backtests.user_strategies.adapter import StrategyRule

        self._rule, self._market = rule, market
        self._names = _names(rule.strategy) if isinstance(rule, StrategyRule) else None
        last = len(market.sessions)
        self._items = [item for item in items if item.used and market.first <= (item.session or 0) < last]
        self._columns = {symbol: column for column, symbol in enumerate(market.symbols)}
        self._rows = {session.isoformat(): row for row, session in enumerate(market.sessions)}
        self._calls_at: dict[int, list[Call]] = {}
        self._parts = {} if parts is None else parts
        self._shared: dict[tuple[int, str], dict[str, float]] = {}

    def shares(self, session: str, symbol: str) -> dict[str, float]:
        """Returns each headline's share of a position in `symbol` taken for `session`, by id; they sum to 1.

        Shares below `LEAST` are one, under `REMAINDER`. Empty where the rule read no news or no headline was in what
        it read.
        """
        row = self._rows.get(session)
        if row is None or symbol not in self._columns:
            return {}
        calls = self._calls(row) if self._items else []
        own = any(self._part(call).values.ndim == 2 for call in calls)
        key = row, symbol if own else ""  # what is read of all AI news is the same for every symbol
        if key not in self._shared:
            self._shared[key] = self._shares(row, self._columns[symbol], calls)
        return self._shared[key]

    def _shares(self, row: int, column: int, calls: Sequence[Call]) -> dict[str, float]:
        pushes = np.zeros(len(self._items))
        readings = 0
        place = row - self._market.first
        for call in calls if place >= 0 else ():
            own = self._part(call).at(place, column)
            total = float(own.sum())
            kept = np.where(own * total > 0, np.abs(own), 0.0)
            if kept.sum() > 0:
                pushes += kept / kept.sum()
                readings += 1
        if not readings:
            return {}
        pushes /= readings
        named = {self._items[place].headline.id: float(pushes[place]) for place in np.flatnonzero(pushes >= LEAST)}
        if rest := math.fsum(pushes[pushes < LEAST].tolist()):
            named[REMAINDER] = rest
        return named

    def _calls(self, row: int) -> list[Call]:
        if row not in self._calls_at:
            recorded = _RecordedSignals(self._market.signals)
            market = dataclasses.replace(self._market, signals=cast(SignalBook, recorded))
            self._rule.observe(View(market, row, after_open=self._rule.after_open))
            self._calls_at[row] = [call for call in dict.fromkeys(recorded.calls) if self._looked_at(call)]
        return self._calls_at[row]

    def _looked_at(self, call: Call) -> bool:
        """Says whether the rule's own code can have read it: a bt.Strategy is offered three lines and may read none."""
        return self._names is None or any(
            line in self._names and call[1][:1] == (what,) for line, what in _LINES.items()
        )

    def _part(self, call: Call) -> _Arrivals:
        """Returns each headline alone in what was read, when it arrived."""
        if call not in self._parts:
            name, args, kwargs = call
            half_life = dict(kwargs)["half_life"]
            rows = [item.session or 0 for item in self._items]
            alone = [
                getattr(SignalBook((item,), row, row), name)(*args, **dict(kwargs))[0]
                for item, row in zip(self._items, rows, strict=True)
            ]
            self._parts[call] = _Arrivals(
                np.array(rows, float) - self._market.first,
                np.array(alone),
                half_life_factor(half_life) if half_life is not None else 0.0,
            )
        return self._parts[call]


def _names(strategy: type[Any]) -> set[str]:
    """Collects every name and text in the functions of a user's class and its bases, backtrader's own left out."""
    found: set[str] = set()
    for owner in strategy.__mro__:
        if owner.__module__.partition(".")[0] != "backtrader":
            codes = [value.__code__ for value in vars(owner).values() if hasattr(value, "__code__")]
            while codes:
                code = codes.pop()
                codes += [value for value in code.co_consts if isinstance(value, CodeType)]
                found |= {*code.co_names, *(value for value in code.co_consts if isinstance(value, str))}
    return found
