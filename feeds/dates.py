"""Reads what feeds write as a date: a moment in UTC, or nothing. Pure; no machine's clock, zone or language matters.

Where a text leaves room, the latest moment that it can mean counts: news that is taken for younger than it is costs
profit, news that is taken for older is look-ahead.

    a bare date, month or year         its last second
    01/02/2025                         the later of the two readings
    an abbreviation of several zones   the one farthest west (IST: Ireland, not India)
    summer time in winter (MESZ, EDT)  the zone's winter time
    winter time in summer (MEZ, EST)   as it stands, which is the later one
    a zone's name (Europe/Berlin)      that zone; an hour that comes twice counts as the second one
    a zone that nobody knows           twelve hours behind UTC, the last on earth
    no zone                            UTC, as RSS readers agree; feeds that mean something else must be corrected
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

UNREADABLE: Final = "date not understood: none"
UNKNOWN_ZONE: Final = "time zone not known: counted as UTC-12"
NO_ZONE: Final = "no time zone: counted as UTC"
NO_TIME: Final = "no time of day: counted as the end of the day, month or year, in UTC"
TWO_WAYS: Final = "day and month can be exchanged: counted as the later date"

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
# Hours from UTC. Of an abbreviation that several zones share, the westernmost.
_ZONES = {
    "z": 0.0, "gmt": 0.0, "ut": 0.0, "utc": 0.0, "uct": 0.0, "wet": 0.0, "wez": 0.0,
    "west": 1.0, "wesz": 1.0, "bst": 1.0, "ist": 1.0, "cet": 1.0, "mez": 1.0, "met": 1.0, "wat": 1.0,
    "cest": 2.0, "mesz": 2.0, "mest": 2.0, "eet": 2.0, "oez": 2.0, "cat": 2.0, "sast": 2.0, "eest": 3.0, "oesz": 3.0,
    "msk": 3.0, "eat": 3.0, "pkt": 5.0, "wib": 7.0, "jst": 9.0, "kst": 9.0, "hkt": 8.0, "sgt": 8.0, "awst": 8.0,
    "acst": 9.5, "acdt": 10.5, "aest": 10.0, "aedt": 11.0, "nzst": 12.0, "nzdt": 13.0,
    "brt": -3.0, "brst": -2.0, "art": -3.0, "clt": -4.0, "clst": -3.0, "cot": -5.0, "pet": -5.0, "vet": -4.5,
    "nst": -3.5, "ndt": -2.5, "ast": -4.0, "adt": -3.0, "est": -5.0, "edt": -4.0, "cst": -6.0, "cdt": -5.0,
    "mst": -7.0, "mdt": -6.0, "pst": -8.0, "pdt": -7.0, "akst": -9.0, "akdt": -8.0, "hst": -10.0, "hdt": -9.0,
    "sst": -11.0,
}  # fmt: skip
# Summer times and a place that keeps them: named outside of summer they are a mistake.
_SUMMER = {
    "west": "Europe/Lisbon", "wesz": "Europe/Lisbon", "bst": "Europe/London", "cest": "Europe/Berlin",
    "mesz": "Europe/Berlin", "mest": "Europe/Berlin", "eest": "Europe/Helsinki", "oesz": "Europe/Helsinki",
    "edt": "America/New_York", "cdt": "America/Chicago", "mdt": "America/Denver", "pdt": "America/Los_Angeles",
    "akdt": "America/Anchorage", "adt": "America/Halifax", "ndt": "America/St_Johns", "hdt": "America/Adak",
    "acdt": "Australia/Adelaide", "aedt": "Australia/Sydney", "nzdt": "Pacific/Auckland",
    "brst": "America/Sao_Paulo", "clst": "America/Santiago",
}  # fmt: skip
# Names of a zone's two times together; and what zone files hold that is no place.
_GENERIC = {
    "et": "America/New_York", "ct": "America/Chicago", "mt": "America/Denver", "pt": "America/Los_Angeles",
    "cet/cest": "Europe/Berlin", "mez/mesz": "Europe/Berlin",
}  # fmt: skip
_NO_PLACES = {"factory", "localtime", "posixrules"}
_NUMERIC = r"[+-](?:\d\d?:?\d\d|\d\d?)"
_CLOCK = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?:\s*(?P<half>[AaPp])\.?[Mm]\b\.?)?(?:\s*Uhr\b)?"
)
_NAME = rf"{_NUMERIC}|[A-Za-z][\w/+:-]{{0,39}}"
_ZONE = (
    rf"(?:\s*(?P<zone>{_NAME}))?"
    r"(?:\s*[(](?P<comment>[^()]{0,40})[)]|\[(?P<place>[\w/+-]{1,40})\])?$"
)
_TIME = rf"(?:(?:\s*[,\s|-]\s*)(?:um\s+|at\s+)?{_CLOCK})?{_ZONE}"
_WEEKDAY = r"(?:[^\W\d_]{2,10}\.?,?\s+)?"
_DIGITS = r"(?P<year>\d{4})(?P<between>[-/.]?)(?P<month>\d\d|(?<=[-/.])\d)(?P=between)(?P<day>\d\d|(?<=[-/.])\d)(?!\d)"
_FORMS = tuple(
    re.compile(form)
    for form in (
        # 27 Jan 2025, 27-Jan-25, Mo, 27. Januar 2025
        _WEEKDAY + r"(?P<day>\d{1,2})\.?[\s-]+(?P<month>[^\W\d_]{3,9})\.?[\s-]+(?P<year>\d{4}|\d\d)(?!\d)" + _TIME,
        # 2025-01-27T14:10, 2025/1/27, 2025.01.27, 20250127T141000
        _DIGITS + rf"(?:(?:[Tt]|\s*[,\s]\s*)(?:{_CLOCK}|(?P<hour2>\d\d)(?P<minute2>\d\d)(?P<second2>\d\d)?))?{_ZONE}",
        # 2025年1月27日
        rf"(?P<year>\d{{4}})\s?年\s?(?P<month>\d{{1,2}})\s?月\s?(?P<day>\d{{1,2}})\s?日(?:\s*{_CLOCK})?{_ZONE}",
        # 27.1.2025
        _WEEKDAY + r"(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?(?P<year>\d{4})(?:\s*[-–|])?" + _TIME,
        # 27/1/2025 or 1/27/2025
        _WEEKDAY + r"(?P<either>\d{1,2})/(?P<other>\d{1,2})/(?P<year>\d{4})" + _TIME,
        # January 27, 2025
        _WEEKDAY + r"(?P<month>[^\W\d_]{3,9})\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<year>\d{4})" + _TIME,
        # Mon Jan 27 14:10:00 CET 2025
        _WEEKDAY
        + rf"(?P<month>[^\W\d_]{{3,9}})\s+(?P<day>\d{{1,2}})\s+{_CLOCK}(?:\s+(?P<zone>{_NAME}))?\s+(?P<year>\d{{4}})$",
    )
)
_PERIODS = (
    re.compile(r"(?P<year>\d{4})(?:[-/.](?P<number>\d\d?))?$"),
    re.compile(r"(?P<name>[^\W\d_]{3,9})\.? (?P<year>\d{4})$"),
)
# What nine feeds of ten write, read without a second look.
_USUAL = re.compile(r"[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):([0-5]\d) (?:GMT|UTC|Z|([+-]\d{4}))$")
_SINCE_1970 = re.compile(r"([12]\d{9})(?:(\d{3})|\.(\d{1,9}))?$")  # seconds or milliseconds
_DASHES = {ord(dash): "-" for dash in "‐‑‒–—−﹣－"} | {ord("＋"): "+"}
_NONE = timedelta(0)
_LAST_ON_EARTH = timedelta(hours=-12)
_NEVER = datetime.min.replace(tzinfo=UTC)
_LONGEST = 80  # characters; longer texts are no dates


class Reading(NamedTuple):
    """Says what a stated date was taken for."""

    moment: datetime | None  # aware and in UTC; None where it is no date
    remark: str  # what had to be assumed, one of the constants above; "" where nothing had to


def read(stated: str) -> Reading:
    """Reads what a feed states as a date, and says what had to be assumed.

    Args:
        stated: Such as "Mon, 27 Jan 2025 14:10:00 +0100", "Mo, 27. Januar 2025 14:10 MEZ", "2025-01-27T13:10Z".
    """
    return _read(stated.strip()[: _LONGEST + 1])


def latest(stated: Sequence[str]) -> Reading:
    """Reads the dates that one item states, at least one; the latest counts."""
    return read(stated[0]) if len(stated) == 1 else max(map(read, stated), key=lambda reading: reading.moment or _NEVER)


def moment(stated: str) -> datetime | None:
    """Returns the moment that a feed states, aware and in UTC; None where the text names no real date."""
    return read(stated).moment


@lru_cache(maxsize=16_384)  # the same items come again with every fetch
def _read(text: str) -> Reading:
    try:
        usual = _USUAL.match(text)
        if usual is not None:
            day, month, year, hour, minute, second, zone = usual.groups()
            local = datetime(
                int(year), _MONTHS[month.lower()], int(day), int(hour), int(minute), int(second), tzinfo=UTC
            )
            return Reading(local - (_NONE if zone is None else _numeric(zone)), "")
        return _read_any(text)
    except (KeyError, ValueError, OverflowError):  # no such month, hour or offset
        return Reading(None, UNREADABLE)


def _read_any(text: str) -> Reading:
    if not text or len(text) > _LONGEST:
        return Reading(None, UNREADABLE)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_DASHES)).strip()
    for form in _FORMS:
        found = form.match(text)
        if found is not None:
            return _date(found.groupdict())
    for period in _PERIODS:
        found = period.match(text)
        if found is not None:
            return _end_of_period(found.groupdict())
    since = _SINCE_1970.match(text)
    if since is not None:
        more = int(since[2] or 0) or int(since[3] or 0)
        return Reading(datetime.fromtimestamp(int(since[1]), UTC) + timedelta(seconds=bool(more)), "")
    return Reading(None, UNREADABLE)


def _date(parts: dict[str, str | None]) -> Reading:
    """Reads the parts of a date; raises ValueError, KeyError or OverflowError where there is no such one."""
    if parts.get("either"):
        ways = [
            reading
            for day, month in (("either", "other"), ("other", "either"))
            if (reading := _possible({**parts, "either": None, "day": parts[day], "month": parts[month]})) is not None
        ]
        latest = max(ways, key=lambda way: way.moment or _NEVER)
        return Reading(latest.moment, TWO_WAYS) if ways[0] != ways[-1] and not latest.remark else latest
    month = parts["month"] or ""
    number = int(month) if month.isdigit() else _MONTHS[month.lower()]
    year = int(parts["year"] or 0)
    if year < 100:
        year += 2000 if year < 69 else 1900
    midnight = datetime(year, number, int(parts["day"] or 0), tzinfo=UTC)
    hour, minute, second = (parts.get(name) or parts.get(f"{name}2") for name in ("hour", "minute", "second"))
    if hour is None or minute is None:
        offset, remark = _offset(parts, midnight + timedelta(days=1, seconds=-1))
        return Reading(midnight + timedelta(days=1, seconds=-1) - offset, remark if remark == UNKNOWN_ZONE else NO_TIME)
    # Whatever is beyond the second counts as the next one, and a leap second is the first of the next minute.
    more = int(second or 0) + bool((parts.get("fraction") or "").strip("0"))
    if int(minute) > 59 or int(second or 0) > 60:
        raise ValueError(minute)
    local = midnight + timedelta(hours=_hour(int(hour), parts.get("half")), minutes=int(minute), seconds=more)
    if int(hour) == 24 and local != midnight + timedelta(days=1):
        raise ValueError(hour)
    offset, remark = _offset(parts, local)
    return Reading(local - offset, remark)


def _possible(parts: dict[str, str | None]) -> Reading | None:
    try:
        return _date(parts)
    except (ValueError, KeyError, OverflowError):
        return None


def _end_of_period(parts: dict[str, str | None]) -> Reading:
    """The last second of a month or a year."""
    year = int(parts["year"] or 0)
    name, number = parts.get("name"), parts.get("number")
    month = _MONTHS[name.lower()] if name else int(number) if number else 12
    last = calendar.monthrange(year, month)[1] if 1 <= month <= 12 else 0
    return Reading(datetime(year, month, last, 23, 59, 59, tzinfo=UTC), NO_TIME)


def _hour(hour: int, half: str | None) -> int:
    """A clock of twelve hours or of twenty-four; midnight may be the end of a day."""
    if half is None:
        if hour > 24:
            raise ValueError(hour)
        return hour
    if not 1 <= hour <= 12:
        raise ValueError(hour)
    return hour % 12 + (12 if half in "pP" else 0)


def _offset(parts: dict[str, str | None], local: datetime) -> tuple[timedelta, str]:
    """How far the stated zone is ahead of UTC, and what had to be assumed; a zone in brackets counts where none is."""
    zone = parts.get("zone") or parts.get("comment") or parts.get("place")
    if not zone:
        return _NONE, NO_ZONE
    name = zone.strip().casefold()
    if name[:1] in {"+", "-"}:
        return _numeric(name), ""
    if name in _SUMMER and not _is_summer(name, local):
        return timedelta(hours=_ZONES[name] - 1), ""
    if name in _ZONES:
        return timedelta(hours=_ZONES[name]), ""
    prefixed = re.fullmatch(rf"(?:utc|gmt|ut|z)\s?({_NUMERIC})", name)  # UTC+1
    if prefixed is not None:
        return _numeric(prefixed[1]), ""
    place = _place(_GENERIC.get(name, name))
    if place is None:
        return _LAST_ON_EARTH, UNKNOWN_ZONE
    plain = local.replace(tzinfo=None)
    # Of an hour that comes twice the second one; of one that never comes the later reading.
    offsets = [plain.replace(tzinfo=place, fold=fold).utcoffset() or _NONE for fold in (0, 1)]
    return min(offsets), ""


@cache
def _numeric(text: str) -> timedelta:
    """Reads +0100, +01:00, +01 or +1; raises ValueError where no place on earth is that far from Greenwich."""
    digits = text[1:].replace(":", "")
    hours, minutes = (digits, "0") if len(digits) <= 2 else (digits[:-2], digits[-2:])
    if int(hours) > 14 or int(minutes) > 59:
        raise ValueError(text)
    size = timedelta(hours=int(hours), minutes=int(minutes))
    return -size if text[0] == "-" else size


def _is_summer(name: str, local: datetime) -> bool:
    place = _place(_SUMMER[name].casefold())
    return place is not None and bool(local.replace(tzinfo=place).dst())


@cache
def _places() -> dict[str, str]:
    """The zones of the IANA database, by their names in small letters."""
    return {name.casefold(): name for name in available_timezones()}


@lru_cache(maxsize=1_024)
def _place(name: str) -> ZoneInfo | None:
    """The zone of that name, None where the IANA database has none."""
    known = _places().get(name.casefold().replace(" ", "_"))
    if known is None or name in _NO_PLACES:
        return None
    try:
        return ZoneInfo(known)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
