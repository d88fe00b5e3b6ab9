"""Finds the headlines that made a position, and the share of each.

A rule reads decaying sums of the news. Each sum is linear in its headlines, so a headline's part of it is the sum
of that headline alone. What the rule read when it took a side is found by recording it; the headlines that
pushed the same way as the sum share the position in proportion to their parts. A headline that pushed the other
way did not make the position and has none of it (leaving it out shows what it did).

What a `bt.Strategy` read cannot be recorded: it counts as having read those of its signal lines that its code
names, on the bar on which it took its side.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from types import CodeType
from typing import Any, cast

import numpy as np

from strategies.rule import Rule
from strategies.signals import Floats, NewsItem, SignalBook
from strategies.view import Market, View

Call = tuple[str, tuple[Any, ...], tuple[tuple[str, Any], ...]]


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


class PositionHeadlines:
    """Finds the headlines behind a rule's positions."""

    def __init__(self, rule: Rule, market: Market, items: Sequence[NewsItem]) -> None:
        """Takes a rule, and the market whose signals were built from `items`."""
        from backtests.user_strategies.adapter import StrategyRule

        self._rule, self._market = rule, market
        self._names = _names(rule.strategy) if isinstance(rule, StrategyRule) else None
        self._items = [item for item in items if item.used]
        self._columns = {symbol: column for column, symbol in enumerate(market.symbols)}
        self._rows = {session.isoformat(): row for row, session in enumerate(market.sessions)}
        self._calls_at: dict[int, list[Call]] = {}
        self._parts: dict[Call, Floats] = {}

    def shares(self, session: str, symbol: str) -> dict[str, float]:
        """Returns each headline's share of a position in `symbol` taken for `session`, by id; they sum to 1.

        Empty where the rule read no news or no headline was in what it read.
        """
        row = self._rows.get(session)
        if row is None or symbol not in self._columns:
            return {}
        pushes = np.zeros(len(self._items))
        readings = 0
        for call in self._calls(row):
            parts = self._part(call)
            place = row - self._market.first
            if not 0 <= place < parts.shape[1]:
                continue
            own = parts[:, place] if parts.ndim == 2 else parts[:, place, self._columns[symbol]]
            total = float(own.sum())
            kept = np.where(own * total > 0, np.abs(own), 0.0)
            if kept.sum() > 0:
                pushes += kept / kept.sum()
                readings += 1
        if not readings:
            return {}
        return {
            item.headline.id: float(push) / readings for item, push in zip(self._items, pushes, strict=True) if push > 0
        }

    def newest(self, shares: dict[str, float]) -> NewsItem | None:
        """Returns, of the headlines that share a position, the first known among those that arrived last."""
        mine = [item for item in self._items if item.headline.id in shares and item.session is not None]
        if not mine:
            return None
        last = max(item.session or 0 for item in mine)
        return min((item for item in mine if item.session == last), key=lambda item: item.known_at)

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

    def _part(self, call: Call) -> Floats:
        """Returns each headline's part of what was read, shape (items, sessions) or (items, sessions, symbols)."""
        if call not in self._parts:
            name, args, kwargs = call
            last = len(self._market.sessions) - 1
            alone = [
                getattr(SignalBook((item,), self._market.first, last), name)(*args, **dict(kwargs))
                for item in self._items
            ]
            self._parts[call] = np.array(alone) if alone else np.zeros((0, 0))
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
