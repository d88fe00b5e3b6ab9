"""Makes the signal lines of a user's `bt.Strategy`: each bar with what is known before the open after it."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator

from backtests.episodes.prices import Bars
from feeds.errors import InputError
from strategies.rule import Rule
from strategies.signals import Floats
from strategies.view import Market, View

Around = Callable[[int], contextlib.AbstractContextManager[None]]


class SignalLines:
    """Gives out bars with the signal lines of a market, one at a time, and none while a decision is being made."""

    def __init__(self, rule: Rule, market: Market, known: Callable[[int], Market]) -> None:
        self._rule, self._market, self._known = rule, market, known
        self._lines: dict[int, tuple[Floats, ...]] = {}
        self._columns = {symbol: column for column, symbol in enumerate(market.symbols)}
        self._rows = {session: row for row, session in enumerate(market.sessions)}
        self._deciding = False

    def shut(self, around: Around | None) -> Around:
        """Returns a context for a decision in which no bar is given out, inside `around`."""

        @contextlib.contextmanager
        def shut(row: int) -> Iterator[None]:
            with around(row) if around else contextlib.nullcontext():
                self._deciding = True
                try:
                    yield
                finally:
                    self._deciding = False

        return shut

    def bars(self, bars: Bars, first: float, last: float) -> Iterator[tuple[float, ...]]:
        """Gives a symbol's bars from one session to another, each with what is known before the open after it."""
        for index, session in enumerate(bars.sessions):
            clock = float(session.toordinal())
            if first <= clock <= last:
                if self._deciding:
                    raise InputError("its feed is asked for a bar that has not happened")
                prices = (bars.open[index], bars.high[index], bars.low[index], bars.close[index], bars.volume[index])
                yield (clock, *map(float, prices), *self.line(bars.symbol, self._rows[session] + 1))

    def line(self, symbol: str, row: int) -> tuple[float, ...]:
        """Returns sentiment, tone and headlines for a decision on the session of `row`; NaN outside the window."""
        if not self._market.first <= row < len(self._market.sessions):
            return math.nan, math.nan, math.nan
        if row not in self._lines:
            self._lines[row] = self._rule.observe(View(self._known(row), row, after_open=False))
        return tuple(float(line[self._columns[symbol]]) for line in self._lines[row])
