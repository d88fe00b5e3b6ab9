"""Checks prices against the dated tables of listings, joins renamed symbols, and fills halted sessions."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from backtests.episodes.bar_table import FIGURES
from backtests.episodes.listing_status import Delisting, Halt, Listing, ListingStatus
from backtests.episodes.prices import Action, Bars, Prices
from feeds.errors import EpisodeError
from strategies.sessions import Sessions

ACCOUNT_CURRENCY = "USD"


def apply_status(
    status: ListingStatus, prices: Prices, actions: Iterable[Action], sessions: Sessions
) -> tuple[Prices, tuple[Action, ...]]:
    """Joins renamed symbols in prices and actions, and fills declared halts.

    Raises:
        EpisodeError: A halt that the bars contradict.
    """
    prices, joined = join_renamed(prices, actions, status.listings)
    return fill_halts(prices, status.halts, sessions), joined


def check_status(
    status: ListingStatus,
    prices: Prices,
    tradable: Sequence[str],
    known: Container[str],
    window: tuple[date, date],
    path: Path,
) -> None:
    """Checks the prices against the dated tables.

    Args:
        status: The tables.
        prices: Bars, of the tradable symbols at least.
        tradable: Symbols that may be traded.
        known: The symbols that the episode names; halts and delistings are of these.
        window: First and last day of the window.
        path: The file of prices, for messages.

    Raises:
        EpisodeError: A listing in another currency, a bar of another company, or a row that the bars contradict.
    """
    dated: tuple[Halt | Delisting, ...] = (*status.halts, *status.delistings)
    for row in dated:
        if row.symbol not in known:
            raise EpisodeError(f"{row.place}: {row.symbol} is in no sector and not in context; drop the row")
    check_currency(status.listings, tradable, prices)
    check_validity(status.listings, filter(known.__contains__, prices.bars), prices, window, path)
    check_delistings(status.delistings, prices)


def check_currency(listings: Iterable[Listing], tradable: Iterable[str], prices: Prices) -> None:
    """Checks that what is traded is quoted in the account's currency on every day with a bar.

    Raises:
        EpisodeError: A listing in another currency.
    """
    traded = set(tradable)
    for row in listings:
        if row.symbol in traded and row.currency != ACCOUNT_CURRENCY and _days_within(row, prices.bars[row.symbol]):
            raise EpisodeError(
                f"{row.place}: {row.symbol} is quoted in {row.currency} and the account is kept in {ACCOUNT_CURRENCY}; "
                f"take its listing in {ACCOUNT_CURRENCY}, or move it to context, where nothing is traded"
            )


def _days_within(row: Listing, bars: Bars) -> bool:
    return any(row.valid_from <= day <= row.valid_to for day in bars.sessions)


def check_validity(
    listings: Sequence[Listing], symbols: Iterable[str], prices: Prices, window: tuple[date, date], path: Path
) -> None:
    """Checks that each bar of a symbol belongs to the company that had the symbol in the window.

    A symbol without a row is not looked at. Bars before `valid_from` are the same company's where `formerly` names the
    symbol that it had then, and that symbol's row covers them.

    Args:
        listings: The rows of symbols.csv.
        symbols: Those looked at.
        prices: Their bars.
        window: First and last day of the window.
        path: The file of prices, for messages.

    Raises:
        EpisodeError: A bar from a time when the symbol was nobody's, or another company's.
    """
    for symbol in symbols:
        histories = [_history(row, listings) for row in listings if row.symbol == symbol]
        if not histories:
            continue
        in_window = (
            each for each in histories if any(first <= window[1] and last >= window[0] for first, last in each)
        )
        meant = next(in_window, histories[-1])
        days = prices.bars[symbol].sessions
        strange = next((day for day in days if not any(first <= day <= last for first, last in meant)), None)
        if strange is not None:
            raise EpisodeError(
                f"{path}: {symbol} has a bar on {strange}, when symbols.csv has the company under it from "
                f"{meant[0][0]} to {'now' if meant[0][1] == date.max else meant[0][1]}; drop bars of another company, "
                "or give the row of the symbol that it had formerly"
            )


def _history(row: Listing, listings: Iterable[Listing]) -> list[tuple[date, date]]:
    """Collects the spans of one company's listing, under its present symbol and those before; the present one first."""
    spans, earlier = [(row.valid_from, row.valid_to)], True
    while row.formerly and earlier:
        before = [each for each in listings if each.symbol == row.formerly and each.valid_to < row.valid_from]
        earlier = bool(before)
        if before:
            row = before[-1]
            spans.append((row.valid_from, row.valid_to))
    return spans


def join_renamed(
    prices: Prices, actions: Iterable[Action], listings: Iterable[Listing]
) -> tuple[Prices, tuple[Action, ...]]:
    """Puts the bars and actions of a company's former symbol before those of its present one.

    Only where the present symbol has no bars of its own from before the change: vendors rename the past, or do not.
    """
    bars, actions = dict(prices.bars), tuple(actions)
    for row in sorted(listings, key=lambda each: each.valid_from):
        old, new = bars.get(row.formerly), bars.get(row.symbol)
        if old is None or new is None or new.sessions[0] < row.valid_from:
            continue
        kept = sum(day < row.valid_from for day in old.sessions)
        columns = {name: np.concatenate([getattr(old, name)[:kept], getattr(new, name)]) for name in FIGURES}
        bars[row.symbol] = Bars(symbol=row.symbol, sessions=(*old.sessions[:kept], *new.sessions), **columns)
        del bars[row.formerly]
        actions = tuple(
            replace(each, symbol=row.symbol) if each.symbol == row.formerly and each.ex_date < row.valid_from else each
            for each in actions
        )
    return Prices(bars=bars, note=prices.note), actions


def fill_halts(prices: Prices, halts: Iterable[Halt], sessions: Sessions) -> Prices:
    """Gives a halted session without a bar the close before it, with volume 0: to value by, not to trade at.

    Raises:
        EpisodeError: A halt before the first bar, or over a session in which it traded.
    """
    bars = dict(prices.bars)
    for halt in halts:
        if halt.symbol not in bars:  # prices of the user's own may lack it
            continue
        mine = bars[halt.symbol]
        within = {day: row for row, day in enumerate(mine.sessions) if halt.first <= day <= halt.last}
        traded = next((day for day, row in within.items() if mine.volume[row] > 0), None)
        if traded is not None:
            raise EpisodeError(
                f"{halt.place}: {halt.symbol} traded {mine.volume[within[traded]]:,.0f} shares on {traded}, in its "
                "halt; shorten the halt, or drop the bar"
            )
        missing = [day for day in sessions.sessions if halt.first <= day <= halt.last and day not in within]
        if missing and missing[0] < mine.sessions[0]:
            raise EpisodeError(f"{halt.place}: {halt.symbol} has no bar before the halt to value it by; add one")
        if missing:
            bars[halt.symbol] = _filled(mine, missing)
    return Prices(bars=bars, note=prices.note)


def _filled(bars: Bars, missing: Iterable[date]) -> Bars:
    rows = dict(zip(bars.sessions, zip(*(getattr(bars, name).tolist() for name in FIGURES), strict=True), strict=True))
    for day in missing:
        close = rows[max(each for each in rows if each < day)][3]
        rows[day] = (close, close, close, close, 0.0)
    days = sorted(rows)
    columns = np.array([rows[day] for day in days]).T
    return Bars(symbol=bars.symbol, sessions=tuple(days), **dict(zip(FIGURES, columns, strict=True)))


def check_delistings(delistings: Iterable[Delisting], prices: Prices) -> None:
    """Checks that a delisted symbol's bars end with the session that is stated.

    Raises:
        EpisodeError: Bars that end on another day.
    """
    for row in delistings:
        if row.symbol not in prices.bars:  # prices of the user's own may lack it
            continue
        last = prices.bars[row.symbol].sessions[-1]
        if last != row.session:
            raise EpisodeError(f"{row.place}: {row.symbol}'s bars end on {last}, not on {row.session}; correct one")
