"""Reads when a symbol stood for which company in which currency, and when its trading was halted or ended.

Three dated tables of an episode's folder, each optional: symbols.csv, halts.csv, delistings.csv.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

from backtests.episodes.csv_rows import csv_rows
from feeds.errors import EpisodeError

TABLES = ("symbols.csv", "halts.csv", "delistings.csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One company under one symbol: from when until when, both included, and in which currency."""

    symbol: str
    valid_from: date
    valid_to: date  # date.max: still
    currency: str
    formerly: str  # "" where the company had no other symbol just before
    place: str  # "file:line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """A span of sessions, both ends included, in which a symbol did not trade."""

    symbol: str
    first: date
    last: date
    reason: str
    place: str

    @property
    def text(self) -> str:
        """Returns the halt in one line, for the notes of a run."""
        return f"{self.symbol} did not trade from {self.first} to {self.last} ({self.reason or 'no reason given'})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delisting:
    """The last session of a listing, and what a share was worth after it."""

    symbol: str
    session: date
    value: str  # "last", "zero", or percent of the last close: "35"
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingStatus:
    """The three tables of an episode's folder; empty where the folder has none."""

    listings: tuple[Listing, ...] = ()
    halts: tuple[Halt, ...] = ()
    delistings: tuple[Delisting, ...] = ()
    files: tuple[Path, ...] = ()  # those that are there


def read_status(folder: Path) -> ListingStatus:
    """Reads those of symbols.csv, halts.csv and delistings.csv that a folder has.

    Raises:
        EpisodeError: A row that cannot be read, with file and line.
    """
    return status_of([path for path in (folder / name for name in TABLES) if path.is_file()])


def status_of(files: Sequence[Path]) -> ListingStatus:
    """Reads tables by their names; files of other names are passed over.

    Raises:
        EpisodeError: A row that cannot be read, with file and line.
    """
    by_name = {path.name: path for path in files if path.name in TABLES}
    symbols, halts, delistings = (by_name.get(name) for name in TABLES)
    return ListingStatus(
        listings=read_listings(symbols) if symbols else (),
        halts=read_halts(halts) if halts else (),
        delistings=read_delistings(delistings) if delistings else (),
        files=tuple(by_name.values()),
    )


def read_listings(path: Path) -> tuple[Listing, ...]:
    """Reads symbols.csv: symbol, valid_from, valid_to (empty: still), currency, formerly (may be left out).

    Raises:
        EpisodeError: A row that cannot be read, or two rows of one symbol for one day; with file and line.
    """
    rows = []
    for place, cells in csv_rows(path, ("symbol", "valid_from", "valid_to", "currency", "formerly"), optional=1):
        first = _day(cells["valid_from"], place)
        last = _day(cells["valid_to"], place) if cells["valid_to"] else date.max
        currency = cells["currency"]
        if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
            raise EpisodeError(f"{place}: currency {currency!r}: give a code of three letters like USD")
        rows.append(
            Listing(
                symbol=_symbol(cells["symbol"], place),
                valid_from=first,
                valid_to=_not_before(first, last, place),
                currency=currency,
                formerly=cells["formerly"],
                place=place,
            )
        )
    rows.sort(key=lambda row: (row.symbol, row.valid_from))
    for one, other in pairwise(rows):
        if one.symbol == other.symbol and other.valid_from <= one.valid_to:
            raise EpisodeError(
                f"{other.place}: {other.symbol} has two companies on {other.valid_from}; end the first row before it"
            )
    return tuple(rows)


def read_halts(path: Path) -> tuple[Halt, ...]:
    """Reads halts.csv: symbol, from, to, reason; a halt covers the sessions from `from` to `to`, both included.

    Raises:
        EpisodeError: A row that cannot be read, or two halts of one symbol on one day; with file and line.
    """
    rows = []
    for place, cells in csv_rows(path, ("symbol", "from", "to", "reason")):
        first = _day(cells["from"], place)
        last = _not_before(first, _day(cells["to"], place), place)
        symbol = _symbol(cells["symbol"], place)
        rows.append(Halt(symbol=symbol, first=first, last=last, reason=cells["reason"], place=place))
    rows.sort(key=lambda row: (row.symbol, row.first))
    for one, other in pairwise(rows):
        if one.symbol == other.symbol and other.first <= one.last:
            raise EpisodeError(f"{other.place}: {other.symbol} is halted twice on {other.first}; make it one row")
    return tuple(rows)


def read_delistings(path: Path) -> tuple[Delisting, ...]:
    """Reads delistings.csv: symbol, session (the last with a bar), value (last, zero, or percent of the last close).

    Raises:
        EpisodeError: A row that cannot be read, or a symbol that is delisted twice; with file and line.
    """
    rows: dict[str, Delisting] = {}
    for place, cells in csv_rows(path, ("symbol", "session", "value")):
        symbol, value = _symbol(cells["symbol"], place), cells["value"].lower()
        try:
            fits = value in {"last", "zero"} or 0 <= float(value) <= 1000
        except ValueError:
            fits = False
        if not fits:
            raise EpisodeError(f"{place}: value {value!r}: give last, zero, or percent of the last close, like 35")
        if symbol in rows:
            raise EpisodeError(f"{place}: {symbol} is delisted twice; drop one row")
        rows[symbol] = Delisting(symbol=symbol, session=_day(cells["session"], place), value=value, place=place)
    return tuple(rows.values())


def _symbol(text: str, place: str) -> str:
    if not text:
        raise EpisodeError(f"{place}: symbol is empty; name it or drop the row")
    return text


def _day(text: str, place: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise EpisodeError(f"{place}: date {text!r}: give it as YYYY-MM-DD") from None


def _not_before(first: date, last: date, place: str) -> date:
    if last < first:
        raise EpisodeError(f"{place}: ends on {last}, before it begins on {first}; swap them")
    return last
