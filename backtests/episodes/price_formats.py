"""Understands tables of bars as vendors write them: their column names, wide frames, dates and numbers.

What was understood is kept as notes; where a text has two meanings (01/02/2025; 1,234) it is refused, not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from feeds.errors import EpisodeError

DATE_ORDERS = ("dmy", "mdy")
_NEW_YORK = ZoneInfo("America/New_York")
_OTHER_NAMES = {
    "ticker": "symbol", "tic": "symbol", "day": "date", "trade date": "date", "datetime": "timestamp",
    "close last": "close", "vol": "volume",
}  # fmt: skip
_ADJUSTED = re.compile(r"adj(?:usted)? ?(?:open|high|low|close|volume|vol)")
_BY_ORDER = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(?:[ T]0?0:00(?::00(?:\.0+)?)?)?")  # midnight may follow


def delimiter(header: str) -> str:
    """Returns what separates the columns: a comma, semicolon or tab, whichever the header has most of."""
    return max(",;\t", key=header.count)


def field_name(header: str) -> str:
    """Returns our name of a vendor's column: "<TICKER>" is symbol, "Adj. Close*" adj close."""
    name = " ".join(re.sub(r"[_./<>*]", " ", header).lower().split())
    return _OTHER_NAMES.get(name, name)


def find_columns(place: str, header: Sequence[str], columns: Sequence[str]) -> tuple[list[int], list[str]]:
    """Finds the wanted columns in a header.

    Adjusted prices (dividends in them) are left out: an account is paid dividends in cash, and prices of two kinds in
    one bar are no prices.

    Returns:
        The position of each wanted column, and notes on what was understood.

    Raises:
        EpisodeError: A column is missing, or there twice.
    """
    header = [shown(each) for each in header]
    names = [field_name(each) for each in header]
    adjusted = [each.strip() for each, name in zip(header, names, strict=True) if _ADJUSTED.fullmatch(name)]
    missing = [name for name in columns if name not in names]
    if missing:
        if adjusted and set(missing) <= {"open", "high", "low", "close", "volume"}:
            raise EpisodeError(
                f"{place}: no column {', '.join(missing)} beside {', '.join(adjusted)}: adjusted prices have dividends "
                "in them, which the account is paid in cash; give prices with splits in them and dividends not"
            )
        hint = "; for bars of minutes say --bars 5m" if missing == ["date"] and "timestamp" in names else ""
        raise EpisodeError(f"{place}: no column {', '.join(missing)}; the header must name {','.join(columns)}{hint}")
    twice = next((name for name in columns if names.count(name) > 1), None)
    if twice:
        both = [each.strip() for each, name in zip(header, names, strict=True) if name == twice]
        raise EpisodeError(f"{place}: columns {' and '.join(both)} both hold the {twice}; keep one")
    order = [names.index(name) for name in columns]
    renamed = [
        f"{header[each].strip()} as {name}"
        for name, each in zip(columns, order, strict=True)
        if header[each].strip().lower() != name
    ]
    notes = [f"columns {', '.join(renamed)}"] if renamed else []
    return order, notes + ([f"{', '.join(adjusted)} left out (dividends in them)"] if adjusted else [])


def shown(text: str) -> str:
    """Returns a text of a file as it can be shown: in escapes where it holds controls or direction marks."""
    return text if text.isprintable() else ascii(text)


def is_wide(header: Sequence[str], second: Sequence[str]) -> bool:
    """Tells whether two rows are the double header of a wide frame: a column for each field of each symbol."""
    if len(second) != len(header) or len(header) < 2 or "symbol" in map(field_name, header[1:]):
        return False
    return all(each.strip() and not _is_number(each) for each in second[1:])


def unfold(
    place: str, heads: Sequence[Sequence[str]], rows: Iterable[tuple[int, Sequence[str]]], columns: Sequence[str]
) -> tuple[list[int], list[tuple[str, ...]], list[str]]:
    """Turns a wide frame (yfinance: fields over symbols or symbols over fields) into rows of one bar each.

    Args:
        place: "file:line" of the double header.
        heads: Its two rows; one of them names fields, the other symbols.
        rows: Line and cells of the rest; rows without any date or figure are passed over.
        columns: The columns wanted: symbol, date, then figures.

    Returns:
        Each bar's line, the wanted columns' cells, and notes on what was understood.

    Raises:
        EpisodeError: Neither row names fields, a symbol lacks one, or a row has another length.
    """
    known = [sum(field_name(each) in columns[2:] for each in head) for head in heads]
    level = 0 if known[0] >= known[1] else 1  # the row that names fields
    fields, symbols = heads[level][1:], heads[1 - level][1:]
    places: dict[str, list[int]] = {}
    for number, symbol in enumerate(symbols, 1):
        places.setdefault(symbol.strip(), []).append(number)
    notes: list[str] = []
    orders: dict[str, list[int]] = {}
    for symbol, mine in places.items():
        found, said = find_columns(f"{place}: {shown(symbol)}", [fields[each - 1] for each in mine], columns[2:])
        orders[symbol] = [mine[each] for each in found]
        notes += [each for each in said if each not in notes and not each.startswith("columns")]
    lines: list[int] = []
    bars: list[tuple[str, ...]] = []
    empty = 0
    for line, cells in rows:
        if len(cells) != len(symbols) + 1:
            raise EpisodeError(
                f"{place}: line {line} has {len(cells)} values, the header {len(symbols) + 1}; fix the row"
            )
        if not any(each.isdigit() for each in cells[0]):  # the row that names the dates, "Date,,,"
            continue
        for symbol, order in orders.items():
            figures = [cells[each].strip() for each in order]
            if all(each.lower() in {"", "nan"} for each in figures):
                empty += 1
            else:
                lines.append(line)
                bars.append((symbol, cells[0], *figures))
    notes.insert(0, f"a wide table of {len(orders)} symbol{'s' if len(orders) > 1 else ''}")
    if empty:
        notes.append(f"{empty} days of a symbol without any figure are no bars")
    return lines, list(zip(*bars, strict=True)), notes


def read_day(text: str, order: str = "") -> tuple[date, str]:
    """Reads a day, with a midnight behind it or not.

    Args:
        text: 2025-01-27, 20250127, 2025/01/27, "2025-01-27 00:00:00-05:00", or in a stated order 27/01/2025.
        order: "dmy" or "mdy"; "" where none is stated.

    Returns:
        The day, and what was understood ("" for a plain date).

    Raises:
        ValueError: It cannot be read, or can be read in two ways; with the remedy.
    """
    text = text.strip()
    try:
        return date.fromisoformat(text), ""
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return _by_order(text, order)
    if moment.time() != time() and moment.tzinfo is not None:
        moment = moment.astimezone(_NEW_YORK)  # midnight in New York, written in UTC
    if moment.time() != time():
        raise ValueError(f"{text!r} has a time of day: give YYYY-MM-DD, or say --bars 5m for bars of minutes")
    return moment.date(), "dates without their midnight"


def _by_order(text: str, order: str) -> tuple[date, str]:
    found = _BY_ORDER.fullmatch(text)
    try:
        if found and len(found[1]) == 4:
            return date(int(found[1]), int(found[3]), int(found[4])), "dates as year, month, day"
        if found and len(found[4]) == 4 and order:
            day, month = (found[1], found[3]) if order == "dmy" else (found[3], found[1])
            note = f"dates as {'day, month' if order == 'dmy' else 'month, day'}, year"
            return date(int(found[4]), int(month), int(day)), note
    except ValueError:
        raise ValueError(f"{text!r} is no date in this order; look at --date-order") from None
    more = ", or say what comes first with --date-order dmy or mdy" if found and len(found[4]) == 4 else ""
    raise ValueError(f"{text!r}: give it as YYYY-MM-DD{more}")


def plain_numbers(columns: Sequence[Sequence[str]]) -> tuple[list[tuple[str, ...]], str]:
    """Rewrites numbers with separators of thousands, decimal commas or a dollar sign, all of a file in one way.

    Returns:
        The columns as `float` reads them where it can, and what was understood.

    Raises:
        ValueError: The numbers are written in two ways, or 1,234 may mean two numbers and no other cell says which.
    """
    columns = [[each.strip().removeprefix("$") for each in column] for column in columns]
    commas = {each for column in columns for each in column if "," in each}
    decimal = {each for each in commas if _DECIMAL_COMMA.fullmatch(each)}
    grouped = {each for each in commas if _GROUPED.fullmatch(each)}
    unclear = commas - decimal - grouped
    if decimal:
        grouped |= {each for column in columns for each in column if "." in each and not _POINTS.fullmatch(each)}
    if decimal and grouped:
        raise ValueError(f"numbers are written in two ways, {min(decimal)!r} and {min(grouped)!r}; write them in one")
    if unclear and not decimal and not grouped:
        raise ValueError(f"{min(unclear)!r} may be thousands or decimals; write it with a point, or without a comma")
    if decimal:
        return [tuple([each.replace(".", "").replace(",", ".") for each in column]) for column in columns], _COMMAS[0]
    return [tuple([each.replace(",", "") for each in column]) for column in columns], _COMMAS[1] if commas else ""


_DECIMAL_COMMA = re.compile(r"-?(?:\d{1,3}(?:\.\d{3})+,\d+|\d+,(?:\d{1,2}|\d{4,}))")  # 1.234,5 and 118,42
_GROUPED = re.compile(r"-?\d{1,3}(?:(?:,\d{3})+\.\d+|(?:,\d{3}){2,})")  # 1,234.5 and 1,234,567
_POINTS = re.compile(r"-?\d{1,3}(?:\.\d{3})+(?:,\d+)?")  # points of thousands beside decimal commas
_COMMAS = ("decimal commas", "commas between thousands")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
