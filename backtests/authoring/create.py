"""A new episode's folder from prices, corporate actions and news; checked before it appears under its name."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from backtests.authoring.validate import check_folder
from backtests.episodes.prices import COLUMNS, Action, Bars, Prices, read_actions, read_prices
from feeds.errors import EpisodeError, InputError
from strategies.sessions import Sessions, calendar_sessions
from strategies.universe import exposures

BEFORE, AFTER = 250, 20  # sessions kept before the window (models are estimated there) and after it
UNKNOWN_SECTOR = "stocks"
_HEAD = """# Made by `backtest episodes new`. Claims (what was reported, checked against the prices) are yours to add,
# at the end of this file, `[[claims]]` and below it
#     symbol = "NVDA"
#     session = 2025-01-27
#     said = "almost −17 %"
#     kind = "return"
#     reported = -17.0
#     tolerance = 1.0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeRequest:
    """What a new episode is to be."""

    name: str
    title: str
    start: date
    end: date
    sectors: Mapping[str, Sequence[str]]  # in the order in which they are traded; the benchmark's own among them
    context: Sequence[str] = ()  # shown, never traded
    benchmark: str = "SPY"
    adjusted: str = "splits"
    control: bool = False
    key_session: date | None = None  # None: the session on which the mean of the symbols moved most


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
    given: set[str] = set()
    for text in texts:
        sector, equals, symbols = text.rpartition("=") if text.count("=") == 1 and "=F" not in text else ("", "", text)
        for symbol in filter(None, (each.strip() for each in symbols.split(","))):
            if symbol in given:
                raise InputError(f"--symbols: {symbol} is named twice; a symbol has one sector")
            given.add(symbol)
            sectors.setdefault(sector if equals else known.get(symbol, UNKNOWN_SECTOR), []).append(symbol)
    if not given - {benchmark}:
        raise InputError("--symbols: names nothing to trade; give chips=NVDA,AMD or NVDA,AMD")
    if benchmark not in given:
        sectors.setdefault("funds", []).append(benchmark)
    return sectors


def make_episode(
    folder: Path,
    wish: EpisodeRequest,
    prices: Path,
    *,
    actions: Path | None = None,
    news: Sequence[Path] = (),
    headlines: Iterable[Mapping[str, Any]] = (),
    origin: str = "",
) -> list[str]:
    """Makes an episode's folder.

    Args:
        folder: Must not exist yet; it appears when it is whole and sound.
        wish: What the episode is to be.
        prices: Daily bars, CSV or Parquet, of at least the symbols wished for.
        actions: Corporate actions, CSV; None: there are none.
        news: RSS or Atom files, copied as they are.
        headlines: Rows of an archive (`seen` beside `published`), written as news.jsonl.
        origin: Where the figures come from, for PROVENANCE.md.

    Returns:
        What the user should know: the key session that was chosen, what is not known.

    Raises:
        InputError: Something is missing or wrong; nothing is left behind.
    """
    if folder.exists():
        raise EpisodeError(f"{folder}: is there already; give another name, or remove it")
    bars = read_prices(prices)
    named = [symbol for members in wish.sectors.values() for symbol in members] + list(wish.context)
    for symbol in named:
        if symbol not in bars.bars:
            raise EpisodeError(f"{prices}: holds no bars of {symbol}; leave it out of --symbols, or give its prices")
    sessions = _table(wish, bars.bars[wish.benchmark], prices)
    kept = {symbol: _rows(bars.bars[symbol], sessions) for symbol in named}
    notes = []
    if actions is None:
        notes.append("no corporate actions given: dividends and splits in the window are not known (--actions FILE)")
    notes += _gaps(wish, bars, sessions)
    key = wish.key_session or _largest_move(wish, bars, sessions)
    if wish.key_session is None:
        notes.append(f"key session: {key}, on which the symbols moved most on average; --key DATE for another")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as place:
        made = Path(place) / folder.name
        made.mkdir()
        _write_prices(made / "prices.csv", bars, kept)
        _write_sessions(made / "sessions.csv", sessions)
        listed = read_actions(actions) if actions is not None else ()
        _write_actions(made / "actions.csv", [each for each in listed if each.symbol in kept], sessions)
        _write_news(made, news, headlines)
        _write(made / "episode.toml", _manifest(wish, key, origin or prices.name))
        _write(made / "PROVENANCE.md", _provenance(wish, prices, actions, news, origin))
        problems = check_folder(made)
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            raise EpisodeError(problems[0].replace(str(made), str(folder)) + more)
        made.rename(folder)
    return notes


def _table(wish: EpisodeRequest, benchmark: Bars, prices: Path) -> Sessions:
    """The exchange's sessions around the window, as far as the benchmark has bars."""
    table = calendar_sessions(benchmark.sessions[0], benchmark.sessions[-1])
    window = table.window(wish.start, wish.end)
    if window[0] == 0 or table.sessions[window[-1]] > benchmark.sessions[-1] or wish.end > benchmark.sessions[-1]:
        raise EpisodeError(
            f"{prices}: {wish.benchmark} has bars from {benchmark.sessions[0]} to {benchmark.sessions[-1]}; the window "
            f"{wish.start} to {wish.end} needs one session before it and all of its own"
        )
    cut = slice(max(0, window[0] - BEFORE), window[-1] + 1 + AFTER)
    return Sessions(sessions=table.sessions[cut], opens=table.opens[cut], closes=table.closes[cut])


def _rows(bars: Bars, sessions: Sessions) -> list[int]:
    first, last = sessions.sessions[0], sessions.sessions[-1]
    return [row for row, day in enumerate(bars.sessions) if first <= day <= last]


def _gaps(wish: EpisodeRequest, prices: Prices, sessions: Sessions) -> list[str]:
    """Says which symbols have bars in a part of the sessions only: listed later, delisted, or cut off by the source."""
    table, notes = sessions.sessions, []
    for symbol in (symbol for members in wish.sectors.values() for symbol in members):
        days = [day for day in prices.bars[symbol].sessions if table[0] <= day <= table[-1]]
        if not days:
            raise EpisodeError(f"{symbol} has no bar from {table[0]} to {table[-1]}; leave it out of --symbols")
        if (days[0], days[-1]) != (table[0], table[-1]):
            notes.append(f"{symbol}: bars from {days[0]} to {days[-1]} only: check that it was listed no longer")
    return notes


def _largest_move(wish: EpisodeRequest, prices: Prices, sessions: Sessions) -> date:
    """The session of the window on which the mean return of the symbols beside the benchmark was largest in size."""
    names = [symbol for members in wish.sectors.values() for symbol in members if symbol != wish.benchmark]
    moves: dict[date, list[float]] = {}
    for symbol in names:
        bars = prices.bars[symbol]
        for row in range(1, len(bars.sessions)):
            moves.setdefault(bars.sessions[row], []).append(float(bars.close[row] / bars.close[row - 1] - 1))
    days = [sessions.sessions[row] for row in sessions.window(wish.start, wish.end)]
    return max(days, key=lambda day: (abs(sum(moves.get(day, [0.0])) / len(moves.get(day, [0.0]))), day))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _write_rows(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)


def _number(value: float) -> str:
    """The shortest text that reads back as the same number; whole numbers of volume without a point."""
    return str(int(value)) if value == int(value) and abs(value) >= 1e6 else repr(float(value))


def _write_prices(path: Path, prices: Prices, kept: Mapping[str, Sequence[int]]) -> None:
    def rows() -> Iterable[Sequence[object]]:
        for symbol, mine in kept.items():
            bars = prices.bars[symbol]
            columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
            for row in mine:
                yield symbol, bars.sessions[row], *(_number(float(column[row])) for column in columns)

    _write_rows(path, COLUMNS, rows())


def _write_sessions(path: Path, table: Sessions) -> None:
    stamps = zip(table.sessions, table.opens, table.closes, strict=True)
    rows = ((day, opened.isoformat(), closed.isoformat()) for day, opened, closed in stamps)
    _write_rows(path, ("session", "open_utc", "close_utc"), rows)


def _write_actions(path: Path, actions: Sequence[Action], table: Sessions) -> None:
    first, last = table.sessions[0], table.sessions[-1]
    rows = [
        (each.symbol, each.ex_date, each.kind, repr(each.value)) for each in actions if first <= each.ex_date <= last
    ]
    _write_rows(path, ("symbol", "ex_date", "kind", "value"), rows)


def _write_news(made: Path, news: Sequence[Path], headlines: Iterable[Mapping[str, Any]]) -> None:
    names: set[str] = set()
    for path in news:
        name = path.name if path.name.startswith("news") else f"news.{path.name}"
        name = f"{name.removesuffix(path.suffix)}.xml"
        if name in names:
            raise InputError(f"{path}: two files of news would both be called {name}; rename one")
        names.add(name)
        shutil.copyfile(path, made / name)
    rows = [json.dumps(row, ensure_ascii=False) for row in headlines]
    if rows:
        _write(made / "news.jsonl", "\n".join(rows) + "\n")
    if not rows and not names:
        raise InputError("no news: give --news FILE_OR_FOLDER, or --from-archive")


def _manifest(wish: EpisodeRequest, key: date, origin: str) -> str:
    def text(value: str) -> str:
        return json.dumps(value, ensure_ascii=False)

    def symbols(values: Iterable[str]) -> str:
        return f"[{', '.join(map(text, values))}]"

    sectors = "\n".join(f"{text(name)} = {symbols(members)}" for name, members in wish.sectors.items())
    return f"""{_HEAD}title = {text(wish.title)}
start = {wish.start}
end = {wish.end}
key_session = {key}
benchmark = {text(wish.benchmark)}
adjusted = {text(wish.adjusted)} # "splits": prices have splits in them; "none": they do not
control = {str(wish.control).lower()} # true: a quiet window, in which every trade is a false alarm
context = {symbols(wish.context)} # shown, never traded
provenance = {text(f"PROVENANCE.md: prices from {origin}")}

[sectors]
{sectors}

[delays]
assumed_delay_minutes = 5 # published to known, where no archive saw the item
latency_minutes = 5 # known to order ready
lead_minutes = 10 # orders are in this long before the open
"""


def _provenance(wish: EpisodeRequest, prices: Path, actions: Path | None, news: Sequence[Path], origin: str) -> str:
    def file(path: Path) -> str:
        return f"{path.name}, SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()}"

    lines = [f"# Where the figures of {wish.name} come from", ""]
    lines.append(f"- **prices.csv**: {origin or file(prices)}; of it the symbols and sessions that the episode needs.")
    lines.append(f"- **actions.csv**: {file(actions) if actions is not None else origin or 'none were given'}.")
    lines.append("- **sessions.csv**: the New York Stock Exchange's, from exchange_calendars.")
    lines += [f"- **news**: {file(path)}." for path in news] or ["- **news.jsonl**: an archive's headlines, as seen."]
    return "\n".join(lines) + "\n"
