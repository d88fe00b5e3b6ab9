"""Checks the times of one feed or source: each check returns what it found in words, or None.

Thresholds are set so that a feed with the rhythm of a newspaper passes: most ask for a dozen items and for a majority
of them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from feeds.doctor.group import Group, times_of

_FEW = 12  # items; fewer show no pattern
_MOST = 0.6  # of the items must show a fault
_BAND = timedelta(minutes=30)  # lags that lie this close together are one offset
_OFFSET = timedelta(minutes=45)  # a smaller offset is the interval between two polls
_NIGHT = {"de": (23, 4), "ja": (15, 20)}  # hours in UTC in which papers of a language's one time zone are quiet


def _offset(group: Group) -> str | None:
    found = constant(group.lags)
    if found is None:
        return None
    share, lag = found
    side = "before" if lag > timedelta() else "after"
    return f"{share:.0%} of {len(group.lags)} items state a time {hours(lag)} {side} they were seen"


def constant(lags: Sequence[timedelta]) -> tuple[float, timedelta] | None:
    """Returns the offset around which most of the lags (ascending) lie close together, and their share."""
    if len(lags) < _FEW:
        return None
    width = int(len(lags) * _MOST)
    start = min(range(len(lags) - width), key=lambda place: lags[place + width] - lags[place])
    middle = lags[start + width // 2]
    close = sum(abs(lag - middle) <= _BAND / 2 for lag in lags)
    return (close / len(lags), middle) if close >= len(lags) * _MOST and abs(middle) >= _OFFSET else None


def _night(group: Group) -> str | None:
    times = group.unseen
    languages = Counter(item.language for item in group.items)
    language = languages.most_common(1)[0][0]
    if len(times) < 2 * _FEW or language not in _NIGHT or languages[language] < len(group.items) * 0.9:
        return None
    start, end = _NIGHT[language]
    share = sum((moment.hour - start) % 24 < (end - start) % 24 for moment in times) / len(times)
    if share < 0.4:
        return None
    return f"{share:.0%} of {len(times)} items in {language!r} are dated {start}:00 to {end}:00 UTC, in the night"


def _flat(group: Group) -> str | None:
    times = group.unseen
    if len(times) < 200:
        return None
    hours = Counter(moment.hour for moment in times)
    quiet = min(sum(hours[(start + more) % 24] for more in range(6)) for start in range(24)) / len(times)
    if quiet < 0.19:
        return None
    return f"no hour of the day is quiet: the quietest six hold {quiet:.0%} of {len(times)} items"


def _bare_dates(group: Group) -> str | None:
    times = group.published
    if len(times) < _FEW:
        return None
    (clock, count) = Counter(moment.time() for moment in times).most_common(1)[0]
    days = len({moment.date() for moment in times if moment.time() == clock})
    if days < 3 or count < len(times) * _MOST or count < 1.5 * days:  # a daily letter has one stamp a day
        return None
    return f"{count} of {len(times)} items, of {days} days, are dated {clock:%H:%M:%S} UTC"


def _day_stamps(group: Group) -> str | None:
    days: dict[object, Counter[datetime]] = defaultdict(Counter)
    for moment in group.published:
        days[moment.date()][moment] += 1
    full = [stamps for stamps in days.values() if stamps.total() >= 3]
    alike = [stamps for stamps in full if stamps.most_common(1)[0][1] >= 0.8 * stamps.total()]
    if len(alike) < 5 or len(alike) < 0.8 * len(full) or _bare_dates(group) is not None:
        return None
    return f"on {len(alike)} of {len(full)} days all items share one time"


def _build(group: Group) -> str | None:
    """Finds documents whose items are all dated to the moment at which the document was made."""
    documents: dict[datetime | None, list[datetime]] = defaultdict(list)
    for item in group.items:
        if item.published is not None:
            documents[item.seen].append(item.published)
    total = stamped = 0
    for seen, times in documents.items():
        total += len(times)
        together = max(times) - min(times) <= timedelta(minutes=2)
        fresh = seen is None or abs(seen - max(times)) <= timedelta(minutes=10)
        if together and fresh and len(times) >= 5:
            stamped += len(times)
    if total < _FEW or stamped < total * _MOST:
        return None
    return f"{stamped} of {total} items are dated within two minutes of the others of their document"


def _future(group: Group) -> str | None:
    late = [item for item in group.items if max(times_of(item)) > group.now + timedelta(minutes=10)]
    if late:
        latest = max(moment for item in late for moment in times_of(item))
        return f"{len(late)} of {len(group.items)} items lie in the future, up to {latest:%Y-%m-%d %H:%M} UTC"
    ahead = sum(lag < timedelta(days=-1) for lag in group.lags)
    if ahead < 3 or ahead < len(group.lags) * 0.05:
        return None
    return f"{ahead} of {len(group.lags)} items state a time more than a day after they were seen"


def _placeholder(group: Group) -> str | None:
    old = [moment for moment in group.published if moment.year < 1995]
    return f"{len(old)} of {len(group.published)} items are dated {old[0]:%Y-%m-%d}" if old else None


def _whole_hours(group: Group) -> str | None:
    times = group.unseen
    whole = [moment for moment in times if moment.minute == 0 and moment.second == 0]
    if len(times) < 2 * _FEW or len(whole) < 0.8 * len(times) or len({moment.hour for moment in whole}) < 4:
        return None
    return f"{len(whole)} of {len(times)} items are dated to a whole hour"


def _swapped(group: Group) -> str | None:
    times = group.published
    if len(times) < 30 or times[-1] - times[0] < timedelta(days=75) or any(moment.day > 12 for moment in times):
        return None
    months = len({(moment.year, moment.month) for moment in times})
    return f"no date of {len(times)} in {months} months lies after a 12th" if months >= 3 else None


def _import_time(group: Group) -> str | None:
    dated = [item for item in group.items if item.seen is not None and item.published is not None]
    if len(dated) < 50:
        return None
    (seen, count) = Counter(item.seen for item in dated).most_common(1)[0]
    span = group.published[-1] - group.published[0]
    if seen is None or count < 0.9 * len(dated) or span < timedelta(days=14):
        return None
    return f"{count} items published in {span.days} days were all seen at {seen:%Y-%m-%d %H:%M:%S} UTC"


def _silent(group: Group) -> str | None:
    known = group.known
    if len(known) < _FEW or known[-1] - known[0] < timedelta(days=5):
        return None
    longest = max(later - earlier for earlier, later in pairwise(known))
    pause = group.last - known[-1]
    if pause <= max(5 * longest, timedelta(days=3)):
        return None
    return (
        f"has brought nothing since {known[-1]:%Y-%m-%d}, for {pause.days} days while others went on; "
        f"its longest pause before was {hours(longest)}"
    )


def hours(span: timedelta) -> str:
    """Returns a span without its sign, as hours and minutes."""
    minutes = round(abs(span) / timedelta(minutes=1))
    return f"{minutes // 60}:{minutes % 60:02} h"


CLOCK = "its clock or its zone is wrong: take `seen`, or shift the times before importing"
REDATED = "the dates are those of the build: take `seen`, never `published`"
SILENT = "open its address; if it has moved or ended, `backtest feeds remove` it and add its successor"
HOLE = "polling stood still: fill it with `backtest feeds backfill`, or keep the stretch out of a test"

CHECKS: dict[str, tuple[Callable[[Group], str | None], str]] = {
    "offset": (_offset, CLOCK),
    "night": (_night, CLOCK),
    "flat": (_flat, "the times were made up or mixed from several zones: find where they come from before using them"),
    "bare dates": (_bare_dates, "these are days, not times: import the last second of the day, or leave the feed out"),
    "day stamps": (_day_stamps, "a day's items carry the time of its list: count them as known at its end"),
    "build": (_build, REDATED),
    "future": (_future, "the clock of the feed or of this machine was ahead: correct it, and import the items anew"),
    "placeholder": (
        _placeholder,
        "the date stands for none: import the items without it, with the time they were seen",
    ),
    "whole hours": (_whole_hours, "the minutes were cut off: add 59 minutes before importing"),
    "swapped": (_swapped, "day and month are exchanged, or rows are missing: read the dates in the other order"),
    "import time": (_import_time, "`seen` is when the file was made: leave it out, so that `published` counts"),
    "silent": (_silent, SILENT),
}
OF_FEEDS = {"silent", "build"}  # one source within a feed may well have no news, or come in a bundle
