"""Reads what lists of headlines state: languages, times, names of files, digests."""

from __future__ import annotations

import hashlib
import math
import re
from datetime import UTC, datetime

_YEARS = range(1990, 2101)
_SECONDS = re.compile(r"\d{9,13}(?:\.\d+)?")
_MILLISECONDS = 1e11  # as seconds that were beyond the year 5000
_LANGUAGE = re.compile(r"[a-z]{2}(?:[-_]\w+)?")

# The names that GDELT writes, with the codes of ISO 639-1.
_LANGUAGES = dict(
    pair.split("=")
    for pair in (
        "afrikaans=af albanian=sq arabic=ar armenian=hy azerbaijani=az basque=eu belarusian=be bengali=bn bosnian=bs "
        "bulgarian=bg catalan=ca chinese=zh croatian=hr czech=cs danish=da dutch=nl english=en estonian=et finnish=fi "
        "french=fr galician=gl georgian=ka german=de greek=el gujarati=gu hebrew=he hindi=hi hungarian=hu "
        "icelandic=is indonesian=id italian=it japanese=ja kannada=kn kazakh=kk korean=ko kurdish=ku latvian=lv "
        "lithuanian=lt macedonian=mk malay=ms malayalam=ml marathi=mr mongolian=mn nepali=ne norwegian=no "
        "norwegianbokmal=nb norwegiannynorsk=nn persian=fa polish=pl portuguese=pt punjabi=pa romanian=ro russian=ru "
        "serbian=sr sinhalese=si slovak=sk slovenian=sl somali=so spanish=es swahili=sw swedish=sv tamil=ta "
        "telugu=te thai=th tibetan=bo turkish=tr ukrainian=uk urdu=ur vietnamese=vi welsh=cy"
    ).split()
)


def language(value: str) -> str:
    """Returns two lower-case letters for a code ("de-AT") or an English name ("German"), "" for what is neither."""
    value = value.strip().lower()
    if _LANGUAGE.fullmatch(value):
        return value[:2]
    return _LANGUAGES.get(value.replace(" ", ""), "")


def moment(value: object) -> datetime | None:
    """Returns the UTC moment of an ISO 8601 text or of Unix seconds or milliseconds; None for nothing.

    Raises:
        ValueError: It cannot be read, names no time zone, or lies outside the years 1990 to 2100.
    """
    text = value.strip() if isinstance(value, str) else None
    if value is None or text == "":
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError("is no time")  # noqa: TRY004 (a wrong value of a row, as the others)
    try:
        if text is not None and _SECONDS.fullmatch(text) is None:
            made = datetime.fromisoformat(text)
            if made.tzinfo is None:
                raise ValueError(f"{text[:40]!r} has no time zone; write …Z or …+01:00")
            made = made.astimezone(UTC)
        else:
            made = _of_seconds(float(value))
    except (OverflowError, OSError):
        raise ValueError(f"{str(value)[:40]!r} is no time") from None
    except ValueError as wrong:
        if "time zone" in str(wrong):
            raise
        raise ValueError(f"{str(value)[:40]!r} is no time; write 2025-01-27T14:30:00Z") from None
    if made.year not in _YEARS:
        raise ValueError(f"is of the year {made.year}")
    return made


def _of_seconds(value: float) -> datetime:
    if not math.isfinite(value):
        raise ValueError("not finite")
    return datetime.fromtimestamp(value / 1000 if value >= _MILLISECONDS else value, UTC)


def printable(path: str) -> str:
    """Returns a path in characters that can be stored and shown, whatever bytes its name is made of."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def digest(*parts: bytes | str) -> str:
    """Returns the SHA-256 of the parts as hex digits; where one ends and the next begins counts."""
    whole = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        whole.update(len(raw).to_bytes(8, "big") + raw)
    return whole.hexdigest()
