"""Downloads daily bars and corporate actions from Yahoo with yfinance (extra `data`), checked before a file is written.

A download may be late, partial, adjusted in another way than last month, or in columns of other names: each of these
ends in one line. The seam to the network is `Fetch`; tests put recorded shapes in its place.
"""

from __future__ import annotations

import csv
import math
import warnings
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backtests.episodes.prices import COLUMNS
from feeds.errors import InputError
from strategies.sessions import calendar_sessions

if TYPE_CHECKING:
    import pandas as pd

_NEEDED = ("Open", "High", "Low", "Close", "Adj Close", "Volume", "Dividends", "Stock Splits")
_REMEDY = "try again later, or give --prices FILE"
Fetch = Callable[[str, date, date], "pd.DataFrame"]  # symbol, first day, day after the last: unadjusted daily bars


def yahoo(symbol: str, start: date, stop: date) -> pd.DataFrame:
    """Fetches one symbol.

    Raises:
        InputError: yfinance is not installed, refuses, or finds nothing.
    """
    try:
        import yfinance
    except ImportError:
        raise InputError("--download needs yfinance: pip install 'aftershock[data]'") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # yfinance calls pandas in ways that pandas 4 will drop; no user can change that
            found: pd.DataFrame = yfinance.Ticker(symbol).history(
                start=start.isoformat(), end=stop.isoformat(), auto_adjust=False, back_adjust=False, actions=True,
                raise_errors=True,
            )  # fmt: skip
    except Exception as wrong:  # its errors have no common class, and their names have changed before
        if "ratelimit" in type(wrong).__name__.lower() or "too many requests" in str(wrong).lower():
            raise InputError(
                f"{symbol}: Yahoo answers too many requests; wait an hour, or give --prices FILE"
            ) from wrong
        raise InputError(f"{symbol}: Yahoo gave no prices ({' '.join(str(wrong).split())[:160]}); {_REMEDY}") from wrong
    return found


def download(
    symbols: Sequence[str], continuous: Sequence[str], start: date, end: date, folder: Path, fetch: Fetch = yahoo
) -> tuple[Path, Path]:
    """Downloads symbols and writes `prices.csv` and `actions.csv` into a folder, or nothing.

    Args:
        symbols: Traded on the exchange: a bar for each of its sessions from their first bar on is asked for.
        continuous: Others (indices, futures, crypto), of which any days will do.
        start: First day.
        end: Last day, itself included.
        folder: Where the files go; it exists.
        fetch: The seam to the network.

    Returns:
        The two files.

    Raises:
        InputError: Something is missing, or looks adjusted in another way than asked for.
    """
    sessions = calendar_sessions(start, end).sessions
    bars: list[tuple[object, ...]] = []
    actions: list[tuple[object, ...]] = []
    for symbol in (*symbols, *continuous):
        frame = _checked(symbol, fetch(symbol, start, end + timedelta(days=1)))
        days = [stamp.date() for stamp in frame.index]
        if symbol in symbols:
            _check_sessions(symbol, days, sessions)
        _check_adjustment(symbol, frame)
        for day, (opened, high, low, close, volume) in zip(
            days, frame[["Open", "High", "Low", "Close", "Volume"]].to_numpy(dtype=float), strict=True
        ):
            prices = (round(float(value), 6) for value in (opened, high, low, close))
            bars.append((symbol, day, *prices, int(volume)))
        actions += _actions(symbol, days, frame)
    _write(folder / "prices.csv", COLUMNS, bars)
    _write(folder / "actions.csv", ("symbol", "ex_date", "kind", "value"), actions)
    return folder / "prices.csv", folder / "actions.csv"


def _checked(symbol: str, frame: Any) -> pd.DataFrame:
    if frame is None or not len(frame):
        raise InputError(f"{symbol}: Yahoo gave no prices for these days; check the symbol and the dates")
    columns = [str(name) for name in getattr(frame, "columns", [])]
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        raise InputError(
            f"{symbol}: the answer has no column {', '.join(missing)} (it has {', '.join(columns)[:120]}); this "
            "version of yfinance does something else; give --prices FILE"
        )
    found: pd.DataFrame = frame
    if not found.index.is_monotonic_increasing or found.index.has_duplicates:
        raise InputError(f"{symbol}: the answer has days twice or out of order; {_REMEDY}")
    values = found[["Open", "High", "Low", "Close"]].to_numpy(dtype=float)
    if not all(math.isfinite(value) and value > 0 for row in values for value in row):
        raise InputError(f"{symbol}: the answer has prices that are empty or 0; {_REMEDY}")
    others = found[["Volume", "Dividends", "Stock Splits"]].to_numpy(dtype=float)
    if not all(math.isfinite(value) and value >= 0 for row in others for value in row):
        raise InputError(f"{symbol}: the answer has a volume, dividend or split that is empty or negative; {_REMEDY}")
    return found


def _check_sessions(symbol: str, days: Sequence[date], sessions: Sequence[date]) -> None:
    """Checks that there is every session of the exchange from the first bar on, and no other day."""
    expected = [day for day in sessions if day >= days[0]]
    missing, extra = sorted(set(expected) - set(days)), sorted(set(days) - set(expected))
    if missing:
        raise InputError(
            f"{symbol}: the answer lacks {len(missing)} of {len(expected)} sessions, the first {missing[0]}; {_REMEDY}"
        )
    if extra:
        raise InputError(f"{symbol}: the answer has a bar on {extra[0]}, when the exchange was closed; {_REMEDY}")


def _check_adjustment(symbol: str, frame: pd.DataFrame) -> None:
    """Checks that closes have splits in them and dividends not."""
    closes, adjusted = frame["Close"].to_numpy(dtype=float), frame["Adj Close"].to_numpy(dtype=float)
    dividends, splits = frame["Dividends"].to_numpy(dtype=float), frame["Stock Splits"].to_numpy(dtype=float)
    paid = [row for row in range(1, len(closes)) if dividends[row] > 0.001 * closes[row]]
    if paid and all(abs(closes[row - 1] / adjusted[row - 1] - 1) < 1e-6 for row in paid):
        raise InputError(
            f"{symbol}: closes have dividends in them already, though unadjusted ones were asked for; this version of "
            "yfinance does something else; give --prices FILE"
        )
    for row in range(1, len(closes)):
        if splits[row] > 0 and splits[row] != 1:
            ratio = float(frame["Open"].iloc[row]) / closes[row - 1]
            if abs(ratio * splits[row] - 1) < 0.25 < abs(ratio - 1):
                raise InputError(
                    f"{symbol}: closes do not have the split of {frame.index[row].date()} in them, which Yahoo's "
                    "usually have; give --prices FILE"
                )


def _actions(symbol: str, days: Sequence[date], frame: pd.DataFrame) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for day, dividend, split in zip(days, frame["Dividends"], frame["Stock Splits"], strict=True):
        if dividend > 0:
            rows.append((symbol, day, "dividend", round(float(dividend), 6)))
        if split > 0 and split != 1:
            rows.append((symbol, day, "split", float(split)))
    return rows


def _write(path: Path, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)
