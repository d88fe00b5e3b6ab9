"""Finds when a headline can first be traded, from the exchange's sessions with their opens and closes in UTC."""

from __future__ import annotations

import csv
from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from feeds.errors import EpisodeError, InputError

LEAD = timedelta(minutes=10)  # orders are in this long before the open
LATENCY = timedelta(minutes=5)  # from knowing a headline to having an order


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """Holds sessions in order; opens and closes are aware and in UTC."""

    sessions: tuple[date, ...]
    opens: tuple[datetime, ...]
    closes: tuple[datetime, ...]

    def index(self, session: date) -> int:
        """Returns the row of a session.

        Raises:
            ValueError: The date is no session of this table.
        """
        row = bisect_left(self.sessions, session)
        if row == len(self.sessions) or self.sessions[row] != session:
            raise ValueError(f"{session} is no session of this table")
        return row

    def first_tradable(self, known_at: datetime, *, lead: timedelta = LEAD, latency: timedelta = LATENCY) -> int | None:
        """Returns the row of the first session whose open - lead >= known_at + latency; equal counts as in time.

        None when that lies beyond the table.

        Raises:
            ValueError: `known_at` has no time zone.
        """
        if known_at.tzinfo is None:
            raise ValueError(f"known_at {known_at} has no time zone; give an aware datetime in UTC")
        row = bisect_left(self.opens, known_at + latency + lead)
        return row if row < len(self.opens) else None

    def window(self, start: date, end: date) -> range:
        """Returns the rows of the sessions from `start` to `end`, both included.

        Raises:
            InputError: There is none.
        """
        first, stop = bisect_left(self.sessions, start), bisect_left(self.sessions, end + timedelta(days=1))
        if first >= stop:
            covered = f"{self.sessions[0]} to {self.sessions[-1]}" if self.sessions else "nothing"
            raise InputError(
                f"no sessions from {start} to {end}: the exchange was closed or the window is reversed; "
                f"the table covers {covered}"
            )
        return range(first, stop)

    def nights(self, row: int) -> int:
        """Returns the calendar days between this session and the one before it.

        Raises:
            ValueError: The first row of the table, whose session before is not known.
        """
        if row < 1:
            raise ValueError(f"row {row} has no session before it")
        return (self.sessions[row] - self.sessions[row - 1]).days


def read_sessions(path: Path) -> Sessions:
    """Reads a table `session,open_utc,close_utc`.

    Raises:
        EpisodeError: A row that cannot be read or is out of order, with file and line.
    """
    rows: list[tuple[date, datetime, datetime]] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = next(reader, [])
            if header != ["session", "open_utc", "close_utc"]:
                raise EpisodeError(f"{path}:1: columns must be session,open_utc,close_utc, not {','.join(header)}")
            for cells in reader:
                rows.append(_session(cells, path, reader.line_num))
                if len(rows) > 1 and not (rows[-2][0] < rows[-1][0] and rows[-2][2] < rows[-1][1]):
                    raise EpisodeError(
                        f"{path}:{reader.line_num}: {rows[-1][0]} is not after the row before; sort them"
                    )
    except OSError as wrong:
        raise EpisodeError(f"{path}: cannot be read ({wrong.strerror}); an episode needs its sessions") from None
    except (UnicodeDecodeError, csv.Error) as wrong:
        raise EpisodeError(f"{path}: is no CSV in UTF-8 ({wrong}); save it as one") from None
    if not rows:
        raise EpisodeError(f"{path}: holds no sessions; give rows of session,open_utc,close_utc")
    return Sessions(
        sessions=tuple(row[0] for row in rows),
        opens=tuple(row[1] for row in rows),
        closes=tuple(row[2] for row in rows),
    )


def _session(cells: list[str], path: Path, line: int) -> tuple[date, datetime, datetime]:
    try:
        session, opened, closed = cells
        row = date.fromisoformat(session), datetime.fromisoformat(opened), datetime.fromisoformat(closed)
    except ValueError:
        raise EpisodeError(
            f"{path}:{line}: {','.join(cells)!r}: give session,open_utc,close_utc as 2025-01-27,"
            "2025-01-27T14:30:00+00:00,2025-01-27T21:00:00+00:00"
        ) from None
    if row[1].utcoffset() != timedelta(0) or row[2].utcoffset() != timedelta(0) or not row[1] < row[2]:
        raise EpisodeError(f"{path}:{line}: open and close must be in UTC (+00:00), the open before the close")
    return row


def calendar_sessions(start: date, end: date, exchange: str = "XNYS") -> Sessions:
    """Asks exchange_calendars for the sessions from `start` to `end`; costs a quarter of a second to import."""
    import exchange_calendars

    schedule = exchange_calendars.get_calendar(exchange, start=start.isoformat(), end=end.isoformat()).schedule
    return Sessions(
        sessions=tuple(stamp.date() for stamp in schedule.index),
        opens=tuple(stamp.to_pydatetime().astimezone(UTC) for stamp in schedule["open"]),
        closes=tuple(stamp.to_pydatetime().astimezone(UTC) for stamp in schedule["close"]),
    )
