"""Thins what is drawn of years: weeks instead of sessions, months instead of days, the largest of long lists.

Nothing is lost by it: the tables of the run hold every session, headline and trade, and the page says how many it
leaves to which of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from backtests.report.page.markup import Markup, esc, folded

SESSIONS = 250  # of a window; longer ones are drawn by weeks
DAYS = 400  # of a time axis; longer ones get months
DRAWN = 400  # headlines in a drawing of years, the strongest
OF_A_MONTH = 10  # headlines listed, the strongest
LISTED = 40  # trades, the largest profits and losses

T = TypeVar("T")


def is_long(sessions: int) -> bool:
    """Says whether a window has more sessions than can be drawn one by one."""
    return sessions > SESSIONS


def weeks(sessions: Sequence[str]) -> list[range]:
    """Groups sessions (ISO dates in order) by calendar week, as ranges of their places."""
    starts = [
        place
        for place, day in enumerate(sessions)
        if place == 0
        or date.fromisoformat(day).isocalendar()[:2] != date.fromisoformat(sessions[place - 1]).isocalendar()[:2]
    ]
    return [range(start, stop) for start, stop in zip(starts, [*starts[1:], len(sessions)], strict=True)]


def months(start: float, end: float) -> list[datetime]:
    """Returns the first moments (UTC) of the months that begin within a span of seconds since 1970."""
    first = datetime.fromtimestamp(start, UTC)
    count = first.year * 12 + first.month - 1
    found = []
    while (day := datetime(count // 12, count % 12 + 1, 1, tzinfo=UTC)).timestamp() <= end:
        if day.timestamp() >= start:
            found.append(day)
        count += 1
    return found


def by_month(
    rows: Sequence[dict[str, Any]],
    strength: Callable[[dict[str, Any]], float],
    draw: Callable[[list[dict[str, Any]]], str],
) -> Iterator[Markup]:
    """Folds headlines away by the year and month in which they were known, the strongest listed, the others counted."""
    held: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for row in sorted(rows, key=lambda row: (row["known_at"], row["id"])):
        held.setdefault(row["known_at"][:4], {}).setdefault(row["known_at"][:7], []).append(row)
    for year, by in held.items():
        yield folded(f"{year}: {_headlines(sum(map(len, by.values())))}", *_months(by, strength, draw))


def _headlines(count: int) -> str:
    return f"{count:,} headline{'' if count == 1 else 's'} about AI"


def _months(
    held: dict[str, list[dict[str, Any]]],
    strength: Callable[[dict[str, Any]], float],
    draw: Callable[[list[dict[str, Any]]], str],
) -> Iterator[Markup]:
    for month, mine in held.items():
        strongest = sorted(mine, key=lambda row: (-strength(row), row["known_at"], row["id"]))[:OF_A_MONTH]
        strongest.sort(key=lambda row: (row["known_at"], row["id"]))
        rest = left_to(len(mine) - len(strongest), "scores.csv", "weaker headlines")
        name = f"{datetime.fromisoformat(f'{month}-01'):%B %Y}"
        yield folded(f"{name}: {_headlines(len(mine))}", draw(strongest), rest)


def largest(rows: Sequence[T], size: Callable[[T], float]) -> list[T]:
    """Returns the `LISTED` largest rows by absolute size, in the order they came in."""
    kept = sorted(range(len(rows)), key=lambda place: (-abs(size(rows[place])), place))[:LISTED]
    return [rows[place] for place in sorted(kept)]


def left_to(count: int, file: str, what: str) -> str:
    """Says how many rows only a file holds; "" for none."""
    return f'<p class="note">{count:,} {esc(what)} are in {esc(file)}.</p>' if count else ""
