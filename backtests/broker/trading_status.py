"""Says when a share cannot be traded: in a bar without volume, in a declared halt, and after its last bar.

A bar has no volume where its volume is 0 and the symbol has volume in another bar: a source that gives no volume at all
halts nothing. A share is delisted where its bars end inside the window.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from backtests.broker.terms import share_value
from backtests.episodes.episode import Episode

NO_VOLUME = "no volume on "  # in an order's reason, before the sessions in which it waited


@dataclass(frozen=True, slots=True, kw_only=True)
class Delisting:
    """Holds the end of a share's bars inside the window. Days are ordinals of dates."""

    symbol: str
    last: int  # its last session with a bar
    settles: int  # the session after that, before whose open positions are closed
    value: float | None  # part of the last close that is paid, from the episode's table; None: the broker's term

    @property
    def reason(self) -> str:
        """Returns why its orders are not filled."""
        return f"delisted: bars end on {date.fromordinal(self.last)}"


def without_trade(
    episode: Episode, symbol: str, days: Sequence[date], volume: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Returns for each bar of a symbol whether nothing can be traded in it: no volume, or a declared halt.

    Args:
        episode: Whose halts count.
        symbol: Whose bars they are.
        days: The session of each bar.
        volume: Shares traded in each bar.
    """
    silent: NDArray[np.bool_] = (volume == 0) & bool((volume > 0).any())
    for halted, first, last in episode.halts:
        if halted == symbol:
            silent |= np.array([first <= day <= last for day in days], dtype=bool)
    return silent


def delistings(episode: Episode, symbols: Iterable[str]) -> tuple[Delisting, ...]:
    """Finds, among symbols with bars, the shares whose bars end inside the window, before its last priced session."""
    table, window = episode.sessions.sessions, episode.window
    end = episode.priced_until or table[window[-1]]
    stated = {symbol: share_value(value) for symbol, _, value in episode.delistings}
    found = []
    for symbol in symbols:
        minutes = episode.intraday
        last = episode.prices.bars[symbol].sessions[-1] if minutes is None else minutes.bars[symbol].starts[-1].date()
        if table[window[0] - 1] <= last < end:
            settles = table[bisect_right(table, last)].toordinal()
            value = stated.get(symbol)
            found.append(Delisting(symbol=symbol, last=last.toordinal(), settles=settles, value=value))
    return tuple(found)
