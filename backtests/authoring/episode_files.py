"""Writes the files of a new episode's folder: episode.toml, prices, actions, sessions, dated tables, PROVENANCE.md."""

from __future__ import annotations

import csv
import hashlib
import shutil
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import tomli_w

from backtests.episodes.listing_status import TABLES as STATUS_TABLES
from backtests.episodes.listing_status import ListingStatus
from backtests.episodes.prices import COLUMNS, Action, Prices
from strategies.sessions import Sessions

TABLES = (*STATUS_TABLES, "loans.csv")
DELAYS = {"assumed_delay_minutes": 5, "latency_minutes": 5, "lead_minutes": 10}
_HEAD = """# Made by `backtest episodes new`.
#
# adjusted: "splits": prices have splits in them; "none": they do not
# control: true: a quiet window, in which every trade is a false alarm
# context: shown, never traded
# assumed_delay_minutes: published to known, where no archive saw the item
# latency_minutes: known to order ready
# lead_minutes: orders are in this long before the open
#
# Claims (what was reported, checked against the prices) are yours to add at the end; docs/episodes.md has their kinds:
#     [[claims]]
#     symbol = "NVDA"
#     session = 2025-01-27
#     said = "almost −17 %"
#     kind = "return"
#     reported = -17.0
#     tolerance = 1.0

"""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeRequest:
    """States what a new episode is to be."""

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


def write_text(path: Path, text: str) -> None:
    """Writes a text file in UTF-8 with plain line ends."""
    path.write_text(text, encoding="utf-8", newline="\n")


def _write_rows(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)


def _number(value: float) -> str:
    """Returns the shortest text that reads back as the same number; whole numbers of volume without a point."""
    return str(int(value)) if value == int(value) and abs(value) >= 1e6 else repr(float(value))


def write_prices(path: Path, prices: Prices, kept: Mapping[str, Sequence[int]]) -> None:
    """Writes prices.csv: of each symbol the rows that are kept, numbers as they were read."""

    def rows() -> Iterable[Sequence[object]]:
        for symbol, mine in kept.items():
            bars = prices.bars[symbol]
            columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
            for row in mine:
                yield symbol, bars.sessions[row], *(_number(float(column[row])) for column in columns)

    _write_rows(path, COLUMNS, rows())


def write_sessions(path: Path, table: Sessions) -> None:
    """Writes sessions.csv: each session's open and close in UTC."""
    stamps = zip(table.sessions, table.opens, table.closes, strict=True)
    rows = ((day, opened.isoformat(), closed.isoformat()) for day, opened, closed in stamps)
    _write_rows(path, ("session", "open_utc", "close_utc"), rows)


def write_actions(path: Path, actions: Sequence[Action], table: Sessions) -> None:
    """Writes actions.csv: the corporate actions of the sessions."""
    first, last = table.sessions[0], table.sessions[-1]
    rows = [
        (each.symbol, each.ex_date, each.kind, repr(each.value)) for each in actions if first <= each.ex_date <= last
    ]
    _write_rows(path, ("symbol", "ex_date", "kind", "value"), rows)


def write_tables(
    made: Path, tables: Sequence[Path], status: ListingStatus, kept: Container[str], sessions: Sessions
) -> None:
    """Writes the dated tables: halts and delistings of the symbols and sessions kept, others as they are."""
    first, last = sessions.sessions[0], sessions.sessions[-1]
    for path in tables:
        if path.name not in {"halts.csv", "delistings.csv"}:
            shutil.copyfile(path, made / path.name)
    halts = [each for each in status.halts if each.symbol in kept and each.first <= last and first <= each.last]
    if halts:
        rows = [(each.symbol, each.first, each.last, each.reason) for each in halts]
        _write_rows(made / "halts.csv", ("symbol", "from", "to", "reason"), rows)
    ends = [each for each in status.delistings if each.symbol in kept and first <= each.session <= last]
    if ends:
        _write_rows(
            made / "delistings.csv",
            ("symbol", "session", "value"),
            [(each.symbol, each.session, each.value) for each in ends],
        )


def manifest_text(request: EpisodeRequest, key: date, origin: str) -> str:
    """Returns the text of episode.toml."""
    values = {
        "title": request.title,
        "start": request.start,
        "end": request.end,
        "key_session": key,
        "benchmark": request.benchmark,
        "adjusted": request.adjusted,
        "control": request.control,
        "context": list(request.context),
        "provenance": f"PROVENANCE.md: prices from {origin}",
        "sectors": {name: list(members) for name, members in request.sectors.items()},
        "delays": DELAYS,
    }
    return _HEAD + tomli_w.dumps(values)


def provenance_text(
    request: EpisodeRequest, prices: Path, actions: Path | None, others: Sequence[Path], origin: str
) -> str:
    """Returns the text of PROVENANCE.md: which file each figure comes from, with its hash."""

    def file(path: Path) -> str:
        return f"{path.name}, SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()}"

    lines = [f"# Where the figures of {request.name} come from", ""]
    lines.append(f"- **prices.csv**: {origin or file(prices)}; of it the symbols and sessions that the episode needs.")
    lines.append(f"- **actions.csv**: {file(actions) if actions is not None else origin or 'none were given'}.")
    lines.append("- **sessions.csv**: the New York Stock Exchange's, from exchange_calendars.")
    lines += [f"- **{path.name if path.name in TABLES else 'news'}**: {file(path)}." for path in others]
    if all(path.name in TABLES for path in others):
        lines.append("- **news.jsonl**: an archive's headlines, as seen.")
    return "\n".join(lines) + "\n"
