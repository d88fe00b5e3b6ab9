"""Makes an episode that holds each bar, corporate action and stock loan only from the moment it is due.

A bt.Strategy is replayed whole and keeps its state where it likes. So the replay itself is given an episode whose
later figures are made up; a session's true ones are put in when the engine asks for its bars, which it does after the
decision for that session. While a decision is being made nothing is given out.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

from backtests.auditing.poisoning import poisoned_action, poisoned_bars
from backtests.episodes.bar_table import FIGURES
from backtests.episodes.episode import Episode
from backtests.episodes.prices import Bars, Prices
from backtests.episodes.stock_loans import Loan, Loans
from feeds.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The true figures up to a session, that session's included."""

    bars: dict[str, Bars]  # of the sessions since the last ones that were given
    actions: dict[int, float]  # place in the episode's actions, value
    loans: dict[str, tuple[Loan, ...]]


def due(episode: Episode, since: date, session: date) -> Due:
    """Returns what an episode says of the sessions after `since` and up to `session`."""
    return Due(
        bars={symbol: _between(bars, since, session) for symbol, bars in episode.prices.bars.items()},
        actions={n: each.value for n, each in enumerate(episode.actions) if since < each.ex_date <= session},
        loans={
            symbol: tuple(each for each in rows if each.valid_from <= session)
            for symbol, rows in episode.loans.by_symbol.items()
        },
    )


def _between(bars: Bars, since: date, session: date) -> Bars:
    days = [n for n, day in enumerate(bars.sessions) if since < day <= session]
    figures = {name: getattr(bars, name)[days].copy() for name in FIGURES}
    return replace(bars, sessions=tuple(bars.sessions[n] for n in days), **figures)


def without_future(episode: Episode, session: date, seed: int) -> Episode:
    """Copies an episode with every figure from a session on made up; news, claims and paths of files are left out."""
    bars = {s: poisoned_bars(each, session, seed, after_open=False) for s, each in episode.prices.bars.items()}
    actions = [poisoned_action(each, seed) if each.ex_date >= session else replace(each) for each in episode.actions]
    loans = {
        symbol: tuple(
            replace(each, rate_pct=0.0, max_shares=0.0) if each.valid_from >= session else replace(each)
            for each in rows
        )
        for symbol, rows in episode.loans.by_symbol.items()
    }
    return replace(
        episode, prices=Prices(bars=bars), actions=tuple(actions), loans=Loans(by_symbol=loans), claims=(), news=(),
        files=(),
    )  # fmt: skip


class _Sessions(tuple[date, ...]):  # noqa: SLOT001 (a tuple's subclass can have no slots of its own)
    """A bar series' sessions; walking along them asks for each before it is given out."""

    ask: Callable[[date, str], None]
    symbol: str

    def __iter__(self) -> Iterator[date]:
        for n in range(len(self)):
            self.ask(self[n], self.symbol)
            yield self[n]


class PointInTimeEpisode:
    """An episode for one replay, and the tap through which its true figures come."""

    def __init__(self, hidden: Episode, first: date, ask: Callable[[date, date], Due]) -> None:
        """Takes an episode without its future (`without_future`) and who gives out what is due.

        Args:
            hidden: Bars and tables with a made-up future from `first` on.
            first: The first session that is still to come.
            ask: Given the last session that is true and the next one wanted, returns what is due.
        """
        days = hidden.sessions.sessions
        self._last = days[bisect_left(days, first) - 1]
        self._next = dict(pairwise(days))
        self._ask = ask
        self._deciding = False
        bars = {}
        for symbol, each in hidden.prices.bars.items():
            sessions = _Sessions(each.sessions)
            sessions.ask, sessions.symbol = self._reveal, symbol
            bars[symbol] = replace(each, sessions=sessions)
        self.episode = replace(hidden, prices=Prices(bars=bars))

    @contextmanager
    def shut(self) -> Iterator[None]:
        """A context in which nothing is given out."""
        self._deciding = True
        try:
            yield
        finally:
            self._deciding = False

    def _reveal(self, session: date, symbol: str) -> None:
        if session <= self._last:
            return
        if self._deciding:
            raise InputError("its feed is asked for a bar that has not happened")
        if session != self._next[self._last]:  # backtrader reads the first bar of a symbol that is listed later
            self._put(symbol, self._ask(session - timedelta(days=1), session).bars[symbol])
            return
        found = self._ask(self._last, session)
        self._last = session
        for name, true in found.bars.items():
            self._put(name, true)
        for n, value in found.actions.items():
            object.__setattr__(self.episode.actions[n], "value", value)
        for name, rows in found.loans.items():
            for loan, known in zip(self.episode.loans.by_symbol[name], rows, strict=False):
                object.__setattr__(loan, "rate_pct", known.rate_pct)
                object.__setattr__(loan, "max_shares", known.max_shares)

    def _put(self, symbol: str, true: Bars) -> None:
        bars = self.episode.prices.bars[symbol]
        for n, day in enumerate(true.sessions):
            at = bisect_left(bars.sessions, day)
            for name in FIGURES:
                getattr(bars, name)[at] = getattr(true, name)[n]
