"""Reads from a snapshot's name when it was taken, and of which feed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath

_DAY = r"(?P<year>(?:19|20)\d\d)[-_./]?(?P<month>\d\d)[-_./]?(?P<day>\d\d)"
_SECOND = r"(?:[-:_.m]?(?P<second>\d\d)(?:[.,]\d{1,9})?s?)?"
_ZONE = r"(?P<zone>Z|UTC|[+-]\d\d[:-]?\d\d)?"
# The first that fits wins, and of several places the last: the file's name says more than its folder's.
_PATTERNS = tuple(
    re.compile(rf"(?<!\d){pattern}(?!\d)", re.IGNORECASE)
    for pattern in (
        rf"{_DAY}[-T_ /.]*(?P<hour>\d\d)[-:_.hT]?(?P<minute>\d\d){_SECOND}{_ZONE}",
        r"(?P<unix>1\d{9})(?:[._]\d{1,9}|\d{3})?",
        _DAY,
    )
)


def name_and_time(path: PurePosixPath) -> tuple[str, datetime | None]:
    """Returns the feed's name and the moment a snapshot was taken, both from its path alone.

    A time without a zone is one in UTC. A name that gives minutes means the end of that minute, one that gives a day
    the end of that day: nothing may count as known before the last moment that the name allows. What is left of the
    path is the feed's name; the first folder counts only where nothing else is left.

    >>> name_and_time(PurePosixPath("lab/2025-01-23T181616Z_feed_openai.xml"))
    ('feed_openai', datetime.datetime(2025, 1, 23, 18, 16, 16, tzinfo=datetime.timezone.utc))
    >>> name_and_time(PurePosixPath("lab/bbc/2025-01-23/18-16.xml"))
    ('bbc', datetime.datetime(2025, 1, 23, 18, 16, 59, tzinfo=datetime.timezone.utc))
    """
    text = path.with_suffix("").as_posix() if re.fullmatch(r"\.[A-Za-z]\w*", path.suffix) else path.as_posix()
    for pattern in _PATTERNS:
        for found in reversed(list(pattern.finditer(text))):
            seen = _moment(found)
            if seen is not None:
                return _rest(text[: found.start()] + "\0" + text[found.end() :], text), seen
    return _rest(text, text), None


def _moment(found: re.Match[str]) -> datetime | None:
    groups = found.groupdict()
    try:
        if groups.get("unix"):
            return datetime.fromtimestamp(int(groups["unix"]), UTC)
        day = datetime(int(groups["year"]), int(groups["month"]), int(groups["day"]), tzinfo=UTC)
        if groups.get("hour") is None:
            return day.replace(hour=23, minute=59, second=59)
        second = 59 if groups["second"] is None else int(groups["second"])
        made = day.replace(hour=int(groups["hour"]), minute=int(groups["minute"]), second=second)
        return made - _offset(groups["zone"] or "")
    except (ValueError, OverflowError):
        return None


def _offset(zone: str) -> timedelta:
    if zone[:1] not in {"+", "-"}:
        return timedelta()
    size = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    if size > timedelta(hours=14):
        raise ValueError(zone)
    return -size if zone[0] == "-" else size


def _rest(text: str, whole: str) -> str:
    parts = [part.replace("\0", "").strip("_-. ") if "\0" in part else part for part in text.split("/")]
    named = [part for part in parts[1:] if part] or [part for part in parts if part]
    return "/".join(named) or whole
