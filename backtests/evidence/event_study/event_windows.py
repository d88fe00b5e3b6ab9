"""Cuts the returns around an episode's events, aligned to each event.

An event on a closed day belongs to the first session after it; its base is the close of the session before that
one. Both are stated in every result. A symbol may have several events: an estimation never uses a session that
lies in the window of another event, nor one on which the episode reports a claim, whose moves are no sample of what
is normal; and of two windows that overlap only the first is pooled.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from feeds.errors import InputError
from strategies.signals import Floats

if TYPE_CHECKING:
    from backtests.episodes.episode import Episode

LEAST = 30  # sessions an estimation needs at least


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which sessions a study looks at, in sessions relative to the event's (0)."""

    before: int = 5
    after: int = 5
    estimation: int = 120
    gap: int = 10  # sessions between estimation and window, so that a leak of the news does not enter the model

    def __post_init__(self) -> None:
        """Checks the ranges."""
        if self.before < 0 or self.after < 0 or self.gap < 0:
            raise InputError("a window's sessions before and after and its gap are counts of 0 or more")
        if self.estimation < LEAST:
            raise InputError(f"--estimation {self.estimation}: a model needs {LEAST} sessions or more")

    @property
    def offsets(self) -> range:
        """Sessions of the window relative to the event's."""
        return range(-self.before, self.after + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A day on which something happened. Rows are those of the table of sessions."""

    day: date  # as given
    row: int  # first session that could trade on it
    base: int  # the session whose close is the price before it
    closed_day: bool  # whether the exchange was shut on the day given


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Column:
    """One symbol at one event: returns as fractions, sessions as rows of the table."""

    symbol: str
    event: Event
    rows: tuple[int, ...]  # of the estimation
    estimation: Floats
    benchmark: Floats
    window: Floats
    forward: Floats
    overlaps: tuple[date, ...]  # earlier events of this symbol whose windows this one overlaps


def find_event(episode: Episode, day: date) -> Event:
    """Places a day: itself when it is a session, else the first session after it.

    Raises:
        InputError: The table of sessions ends before it or begins with it.
    """
    table = episode.sessions.sessions
    row = bisect_left(table, day)
    if row >= len(table) or row == 0:
        raise InputError(f"event {day}: the episode's sessions run from {table[0]} to {table[-1]}; choose a day inside")
    return Event(day=day, row=row, base=row - 1, closed_day=table[row] != day)


def returns_table(episode: Episode, symbols: Sequence[str]) -> Floats:
    """Close-to-close returns, shape (sessions, symbols); NaN where one of the two closes is missing."""
    table = episode.sessions.sessions
    rows = {session: row for row, session in enumerate(table)}
    closes = np.full((len(table), len(symbols)), np.nan)
    for column, symbol in enumerate(symbols):
        bars = episode.prices.bars[symbol]
        for index, session in enumerate(bars.sessions):
            if session in rows:
                closes[rows[session], column] = bars.close[index]
    if episode.adjusted == "none":
        _adjust(closes, episode, symbols)
    out = np.full_like(closes, np.nan)
    out[1:] = closes[1:] / closes[:-1] - 1
    return out


def _adjust(closes: Floats, episode: Episode, symbols: Sequence[str]) -> None:
    """Takes splits out of closes that still have them."""
    for action in episode.actions:
        if action.kind == "split" and action.symbol in symbols:
            row = bisect_left(episode.sessions.sessions, action.ex_date)
            closes[:row, list(symbols).index(action.symbol)] /= action.value


def reported_rows(episode: Episode) -> frozenset[int]:
    """Returns the rows of the key session and of every session that a claim is about."""
    table = episode.sessions.sessions
    days = {episode.key_session, *(claim.session for claim in episode.claims)}
    return frozenset(row for row, day in enumerate(table) if day in days)


def align(
    episode: Episode, symbols: Sequence[str], benchmark: str, events: Sequence[Event], span: Span
) -> tuple[list[Column], list[str]]:
    """Cuts the returns around every event of every symbol.

    Returns:
        The columns, and a sentence for each symbol that had to be left out.

    Raises:
        InputError: A window that the table of sessions does not hold.
    """
    table = episode.sessions.sessions
    for event in events:
        if event.row - span.before < 1 or event.row + span.after >= len(table):
            raise InputError(
                f"event {event.day}: its window of {span.before} sessions before and {span.after} after does not fit "
                f"into {table[0]} to {table[-1]}; make it shorter"
            )
    returns = returns_table(episode, [*symbols, benchmark])
    market = returns[:, -1]
    columns: list[Column] = []
    left_out: list[str] = []
    reported = reported_rows(episode)
    ordered = sorted(events, key=lambda event: event.row)
    for number, symbol in enumerate(symbols):
        for event in ordered:
            column = _column(symbol, returns[:, number], market, event, ordered, span, reported)
            if isinstance(column, str):
                left_out.append(f"{symbol} is left out at {table[event.row]}: {column}")
            else:
                columns.append(column)
    return columns, left_out


def _column(
    symbol: str,
    own: Floats,
    market: Floats,
    event: Event,
    events: Sequence[Event],
    span: Span,
    reported: frozenset[int],
) -> Column | str:
    window = slice(event.row - span.before, event.row + span.after + 1)
    if not np.isfinite(own[window]).all() or not np.isfinite(market[window]).all():
        return "a bar of its window is missing"
    taken = {row for each in events for row in range(each.row - span.before, each.row + span.after + 1)} | reported
    rows: list[int] = []
    for row in range(event.row - span.before - span.gap - 1, 0, -1):
        if row not in taken and np.isfinite(own[row]) and np.isfinite(market[row]):
            rows.append(row)
        if len(rows) == span.estimation:
            break
    if len(rows) < LEAST:
        return f"only {len(rows)} sessions to estimate from, {LEAST} are needed"
    rows.reverse()
    if _like(own[rows], market[rows]):
        return "it moved exactly like the benchmark, or not at all"
    near = span.before + span.after
    return Column(
        symbol=symbol,
        event=event,
        rows=tuple(rows),
        estimation=own[rows],
        benchmark=market[rows],
        window=own[window],
        forward=market[window],
        overlaps=tuple(each.day for each in events if each.row < event.row and event.row - each.row <= near),
    )


def _like(own: Floats, market: Floats) -> bool:
    """Whether nothing is left of a symbol once the benchmark is known."""
    moved, other = own - own.mean(), market - market.mean()
    spread, size = float((moved**2).sum()), float((other**2).sum())
    shared = float((moved * other).sum()) ** 2 / size if size > 0 else 0.0
    return spread - shared <= 1e-18 * len(own) or spread - shared <= 1e-12 * spread
