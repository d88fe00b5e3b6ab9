"""Makes a new episode's folder of prices, actions, dated tables and news; it is checked before it appears."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from backtests.authoring.episode_files import (
    DELAYS,
    TABLES,
    EpisodeRequest,
    manifest_text,
    provenance_text,
    write_actions,
    write_prices,
    write_sessions,
    write_tables,
    write_text,
)
from backtests.authoring.news_selection import write_news
from backtests.authoring.validate import check_folder
from backtests.engine.news import news_span
from backtests.episodes.listing_checks import apply_status
from backtests.episodes.listing_status import status_of
from backtests.episodes.prices import Bars, Prices, read_actions, read_prices
from feeds.errors import EpisodeError, InputError
from strategies.sessions import Sessions, calendar_sessions
from strategies.universe import exposures

BEFORE, AFTER = 250, 20  # sessions kept before the window (models are estimated there) and after it
UNKNOWN_SECTOR = "stocks"


def by_sector(texts: Iterable[str], benchmark: str) -> dict[str, list[str]]:
    """Sorts symbols into sectors.

    Args:
        texts: Each "SECTOR=A,B,C", or "A,B,C", whose sectors the table of exposures knows; others go to "stocks".
        benchmark: Is added to "funds" where no sector holds it.

    Raises:
        InputError: A symbol given twice, or none at all.
    """
    known = {row.symbol: row.sector for row in exposures()}
    sectors: dict[str, list[str]] = {}
    named: set[str] = set()
    for text in texts:
        sector, equals, symbols = text.rpartition("=") if text.count("=") == 1 and "=F" not in text else ("", "", text)
        for symbol in filter(None, (each.strip() for each in symbols.split(","))):
            if symbol in named:
                raise InputError(f"--symbols: {symbol} is named twice; a symbol has one sector")
            named.add(symbol)
            sectors.setdefault(sector if equals else known.get(symbol, UNKNOWN_SECTOR), []).append(symbol)
    if not named - {benchmark}:
        raise InputError("--symbols: names nothing to trade; give chips=NVDA,AMD or NVDA,AMD")
    if benchmark not in named:
        sectors.setdefault("funds", []).append(benchmark)
    return sectors


def make_episode(
    folder: Path,
    request: EpisodeRequest,
    prices: Path,
    *,
    date_order: str = "",
    actions: Path | None = None,
    tables: Sequence[Path] = (),
    news: Sequence[Path] = (),
    headlines: Iterable[Mapping[str, Any]] = (),
    origin: str = "",
) -> list[str]:
    """Makes an episode's folder.

    Args:
        folder: Must not exist yet; it appears when it is whole and valid.
        request: What the episode is to be.
        prices: Daily bars, CSV or Parquet, of at least the symbols requested; in our layout or a vendor's.
        date_order: "dmy" or "mdy", where the dates in `prices` are like 27/01/2025.
        actions: Corporate actions, CSV; None: there are none.
        tables: Files called symbols.csv, halts.csv, delistings.csv or loans.csv.
        news: RSS or Atom documents, JSONL and CSV lists of headlines; what was known in the window is kept.
        headlines: Rows of an archive (`seen` beside `published`) of the window, written as news.jsonl.
        origin: Where the figures come from, for PROVENANCE.md.

    Returns:
        What the user should know: how the prices were read, which news is kept, which key session was chosen.

    Raises:
        InputError: Something is missing or wrong; nothing is left behind.
    """
    if folder.exists():
        raise EpisodeError(f"{folder}: is there already; give another name, or remove it")
    unknown = next((path for path in tables if path.name not in TABLES), None)
    if unknown is not None:
        raise InputError(f"--table {unknown}: must be called {', '.join(TABLES)}; rename the file")
    bars = read_prices(prices, date_order=date_order)
    notes = [bars.note] if bars.note else []
    listed = read_actions(actions) if actions is not None else ()
    named = [symbol for members in request.sectors.values() for symbol in members] + list(request.context)
    for symbol in named:
        if symbol not in bars.bars:
            raise EpisodeError(f"{prices}: holds no bars of {symbol}; leave it out of --symbols, or give its prices")
    sessions = _table(request, bars.bars[request.benchmark], prices)
    status = status_of(tables)
    bars, listed = apply_status(status, bars, listed, sessions)
    kept = {symbol: _rows(bars.bars[symbol], sessions) for symbol in named}
    if actions is None:
        notes.append("no corporate actions given: dividends and splits in the window are not known (--actions FILE)")
    notes += _gaps(request, bars, sessions)
    key = request.key_session or _largest_move(request, bars, sessions)
    if request.key_session is None:
        notes.append(f"key session: {key}, on which the symbols moved most on average; --key DATE for another")
    span = news_span(sessions, sessions.window(request.start, request.end))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as place:
        made = Path(place) / folder.name
        made.mkdir()
        write_prices(made / "prices.csv", bars, kept)
        write_sessions(made / "sessions.csv", sessions)
        write_actions(made / "actions.csv", [each for each in listed if each.symbol in kept], sessions)
        write_tables(made, tables, status, kept, sessions)
        delay = timedelta(minutes=DELAYS["assumed_delay_minutes"])
        notes += write_news(made, news, headlines, span, delay)
        write_text(made / "episode.toml", manifest_text(request, key, origin or prices.name))
        write_text(made / "PROVENANCE.md", provenance_text(request, prices, actions, [*tables, *news], origin))
        problems = check_folder(made)
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            raise EpisodeError(problems[0].replace(str(made), str(folder)) + more)
        made.rename(folder)
    return notes


def _table(request: EpisodeRequest, benchmark: Bars, prices: Path) -> Sessions:
    """Returns the exchange's sessions around the window, as far as the benchmark has bars."""
    table = calendar_sessions(benchmark.sessions[0], benchmark.sessions[-1])
    window = table.window(request.start, request.end)
    if window[0] == 0 or table.sessions[window[-1]] > benchmark.sessions[-1] or request.end > benchmark.sessions[-1]:
        raise EpisodeError(
            f"{prices}: {request.benchmark} has bars from {benchmark.sessions[0]} to {benchmark.sessions[-1]}; the "
            f"window {request.start} to {request.end} needs one session before it and all of its own"
        )
    cut = slice(max(0, window[0] - BEFORE), window[-1] + 1 + AFTER)
    return Sessions(sessions=table.sessions[cut], opens=table.opens[cut], closes=table.closes[cut])


def _rows(bars: Bars, sessions: Sessions) -> list[int]:
    first, last = sessions.sessions[0], sessions.sessions[-1]
    return [row for row, day in enumerate(bars.sessions) if first <= day <= last]


def _gaps(request: EpisodeRequest, prices: Prices, sessions: Sessions) -> list[str]:
    """Says which symbols have bars in a part of the sessions only."""
    table, notes = sessions.sessions, []
    for symbol in (symbol for members in request.sectors.values() for symbol in members):
        days = [day for day in prices.bars[symbol].sessions if table[0] <= day <= table[-1]]
        if not days:
            raise EpisodeError(f"{symbol} has no bar from {table[0]} to {table[-1]}; leave it out of --symbols")
        if days[0] > table[0]:
            notes.append(f"{symbol}: bars begin on {days[0]}: listed then, renamed, or cut off by the source?")
        if days[-1] < table[-1]:
            notes.append(f"{symbol}: bars end on {days[-1]}: delisted, renamed, or cut off by the source?")
    return notes


def _largest_move(request: EpisodeRequest, prices: Prices, sessions: Sessions) -> date:
    """Returns the session of the window with the largest mean return, in size, of the symbols beside the benchmark."""
    names = [symbol for members in request.sectors.values() for symbol in members if symbol != request.benchmark]
    moves: dict[date, list[float]] = {}
    for symbol in names:
        bars = prices.bars[symbol]
        for row in range(1, len(bars.sessions)):
            moves.setdefault(bars.sessions[row], []).append(float(bars.close[row] / bars.close[row - 1] - 1))
    days = [sessions.sessions[row] for row in sessions.window(request.start, request.end)]
    means = {day: sum(each) / len(each) for day, each in moves.items()}
    return max(days, key=lambda day: (abs(means.get(day, 0.0)), day))
