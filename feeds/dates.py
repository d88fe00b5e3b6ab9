"""What feeds write as a date becomes a moment in UTC, or nothing. Pure; no machine's zone or language matters.

Where a text leaves room, the later moment counts: news that is taken for younger than it is costs profit, news that
is taken for older is look-ahead.

    a bare date                        its last second
    an abbreviation of two zones       the one farther west (IST: Ireland, not India)
    summer time in winter (MESZ, EDT)  the zone's winter time
    winter time in summer (MEZ, EST)   as it stands, which is the later one
    no zone                            UTC, as RSS readers agree; feeds that mean something else must be corrected
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar jänner",
            "feb february februar",
            "mar march mär märz mrz maerz",
            "apr april",
            "may mai",
            "jun june juni",
            "jul july juli",
            "aug august",
            "sep sept september",
            "oct october okt oktober",
            "nov november",
            "dec december dez dezember",
        ),
        1,
    )
    for name in names.split()
}
_SHORT = {name.title(): number for name, number in _MONTHS.items() if len(name) == 3 and name.isascii()}
# Hours from UTC. Of an ambiguous abbreviation the westernmost meaning that news feeds use.
_ZONES = {
    "z": 0.0, "gmt": 0.0, "ut": 0.0, "utc": 0.0, "wet": 0.0, "wez": 0.0,
    "west": 1.0, "wesz": 1.0, "bst": 1.0, "ist": 1.0, "cet": 1.0, "mez": 1.0, "met": 1.0,
    "cest": 2.0, "mesz": 2.0, "mest": 2.0, "eet": 2.0, "oez": 2.0, "eest": 3.0, "oesz": 3.0, "msk": 3.0,
    "jst": 9.0, "kst": 9.0, "hkt": 8.0, "sgt": 8.0, "aest": 10.0, "aedt": 11.0, "nzst": 12.0, "nzdt": 13.0,
    "est": -5.0, "edt": -4.0, "cst": -6.0, "cdt": -5.0, "mst": -7.0, "mdt": -6.0, "pst": -8.0, "pdt": -7.0,
}  # fmt: skip
# Summer times and a place that keeps them: named outside of summer they are a mistake.
_SUMMER = {
    "west": "Europe/Lisbon", "wesz": "Europe/Lisbon", "bst": "Europe/London", "cest": "Europe/Berlin",
    "mesz": "Europe/Berlin", "mest": "Europe/Berlin", "eest": "Europe/Helsinki", "oesz": "Europe/Helsinki",
    "edt": "America/New_York", "cdt": "America/Chicago", "mdt": "America/Denver", "pdt": "America/Los_Angeles",
    "aedt": "Australia/Sydney", "nzdt": "Pacific/Auckland",
}  # fmt: skip
_TIME = (
    r"(?:[,\s]+(?:um\s+|at\s+)?(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d{1,9})?)?"
    r"(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?(?:\s*Uhr)?(?:\s*(?P<zone>[+-]\d\d:?\d\d|[A-Za-z]{1,5}(?:[+-]\d{1,2}(?::?\d\d)?)?))?)?"
    r"(?:\s*\([\w\s]{0,40}\))?$"
)
_WORDS = re.compile(
    r"(?:[^\W\d_]{2,10}\.?,?\s+)?(?P<day>\d{1,2})\.?[\s-]+(?P<month>[^\W\d_]{3,9})\.?[\s-]+(?P<year>\d{4}|\d\d)" + _TIME
)
_AMERICAN = re.compile(
    r"(?:[^\W\d_]{3,10}\.?,?\s+)?(?P<month>[^\W\d_]{3,9})\.?\s+(?P<day>\d{1,2}),?\s+(?P<year>\d{4})" + _TIME
)
_DOTS = re.compile(
    r"(?:[^\W\d_]{2,10}\.?,?\s+)?(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?(?P<year>\d{4})(?:\s*[-–|])?" + _TIME
)
_ISO = re.compile(
    r"(?P<year>\d{4})-?(?P<month>\d\d)-?(?P<day>\d\d)"
    r"(?:[Tt\s]\s*(?P<hour>\d\d):?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:[.,]\d{1,9})?)?"
    r"\s*(?P<zone>[+-]\d\d(?::?\d\d)?|[A-Za-z]{1,5})?)?$"
)
# What nine feeds of ten write, read without a second look.
_USUAL = re.compile(r"[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):([0-5]\d) (?:GMT|UTC|Z|([+-]\d{4}))$")
_SECONDS = re.compile(r"[12]\d{9}$")  # since 1970
_NONE = timedelta(0)
_LONGEST = 80  # characters; longer texts are no dates


def moment(stated: str) -> datetime | None:
    """Reads what a feed states as a date.

    Args:
        stated: Such as "Mon, 27 Jan 2025 14:10:00 +0100", "Mo, 27. Januar 2025 14:10 MEZ", "2025-01-27T13:10Z".

    Returns:
        The moment, aware and in UTC; None where the text is none of the forms above or names no real date.
    """
    return _read(stated.strip()[: _LONGEST + 1])


@lru_cache(maxsize=16_384)  # the same items come again with every fetch
def _read(text: str) -> datetime | None:
    usual = _USUAL.match(text)
    if usual is not None:
        day, month, year, hour, minute, second, zone = usual.groups()
        try:
            local = datetime(
                int(year), _MONTHS[month.lower()], int(day), int(hour), int(minute), int(second), tzinfo=UTC
            )
            offset = _NONE if zone is None else _numeric(zone)
            return None if offset is None else local - offset
        except (KeyError, ValueError, OverflowError):
            return None
    if not text or len(text) > _LONGEST:
        return None
    for form in (_WORDS, _ISO, _DOTS, _AMERICAN):
        found = form.match(text)
        if found is not None:
            return _moment(found)
    if _SECONDS.match(text):
        return datetime.fromtimestamp(int(text), UTC)
    return None


def _moment(found: re.Match[str]) -> datetime | None:
    month = found["month"]
    number = int(month) if month.isdigit() else _MONTHS.get(month.lower(), 0)
    year = int(found["year"])
    if len(found["year"]) == 2:
        year += 2000 if year < 69 else 1900
    parts = found.groupdict()
    try:
        if parts["hour"] is None:
            return datetime(year, number, int(found["day"]), 23, 59, 59, tzinfo=UTC)
        hour = _hour(int(parts["hour"]), parts.get("half"))
        second = min(int(parts["second"] or 0), 59)  # a leap second has no place of its own in POSIX time
        local = datetime(year, number, int(found["day"]), hour, int(parts["minute"]), second, tzinfo=UTC)
        offset = _offset(parts["zone"], local)
        return None if offset is None else local - offset
    except (ValueError, OverflowError):
        return None


def _hour(hour: int, half: str | None) -> int:
    """A clock of twelve hours or of twenty-four."""
    if half is None:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError(hour)
    return hour % 12 + (12 if half in "pP" else 0)


def _offset(zone: str | None, local: datetime) -> timedelta | None:
    """How far a zone is ahead of UTC; None for a zone that nobody knows."""
    if zone is None:
        return _NONE
    if zone[0] in "+-":
        return _numeric(zone)
    name = zone.lower()
    if name in _SUMMER and not _is_summer(name, local):
        return timedelta(hours=_ZONES[name] - 1)
    if name in _ZONES:
        return timedelta(hours=_ZONES[name])
    for prefix in ("utc", "gmt"):  # UTC+1
        if name.startswith(prefix):
            return _numeric(name[len(prefix) :])
    return None


@cache
def _numeric(text: str) -> timedelta | None:
    """Reads +0100, +01:00, +01 or +1; a day or more is no offset."""
    digits = text[1:].replace(":", "")
    hours, minutes = (digits, "0") if len(digits) <= 2 else (digits[:-2], digits[-2:])
    if int(hours) > 14 or int(minutes) > 59:
        return None
    size = timedelta(hours=int(hours), minutes=int(minutes))
    return -size if text[0] == "-" else size


def _is_summer(name: str, local: datetime) -> bool:
    return bool(local.replace(tzinfo=ZoneInfo(_SUMMER[name])).dst())
