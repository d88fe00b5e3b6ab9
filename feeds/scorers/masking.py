"""Replaces names by roles, so that a reader cannot remember what became of whom.

"Nvidia falls on DeepSeek's R1" ─► "AIChipCo A falls on ChinaLabCo A's ChinaModel A"

Companies, people, products and dates; the same name has the same placeholder in all headlines that one `Mask` sees, and
no two names share one. Letters are given out in the order of the headlines, so that nothing later decides them.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from feeds.scoring.text.lists import choices, names

_DATA: Final = Path(__file__).with_name("data") / "masks.toml"
_MONTHS: Final = (
    "January|February|March|April|May|June|July|August|September|October|November|December|Januar|Februar|März|Mai|"
    "Juni|Juli|Oktober|Dezember"
)
_DAY: Final = r"(?:3[01]|[12]\d|0?[1-9])"
_YEAR: Final = r"(?:19[89]\d|20[0-4]\d)"
_DATE: Final = re.compile(
    rf"\b(?:{_YEAR}-\d\d-\d\d|{_DAY}\.(?:\d\d?\.{_YEAR}\b| (?:{_MONTHS})(?: {_YEAR})?)"
    rf"|{_DAY} (?:{_MONTHS})(?: {_YEAR})?|(?:{_MONTHS}) (?:{_YEAR}|{_DAY}(?:st|nd|rd|th)?(?:, {_YEAR})?))\b"
    rf"|(?P<year>(?<![\w$€£.,-]){_YEAR}(?![\w%]|[.,]\d))"
)


class _Known(NamedTuple):
    role: str
    of: str  # what all names of the same have in common: a symbol, or the first of the names
    veto: re.Pattern[str] | None  # what, anywhere in the text, says that it is something else


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(_DATA.read_text(encoding="utf-8"))


@cache
def _known() -> dict[str, _Known]:
    """Returns every name: those of the entity table as their company, where masks.toml does not know them better."""
    table = _table()
    roles = {symbol: role for role, symbols in table["symbols"].items() for symbol in symbols.split()}
    found = {each.name: _Known(roles.get(each.symbol, "company"), each.symbol, each.veto) for each in names()}
    for role, lines in table["names"].items():
        for line in lines.split("\n"):
            own = line.split("|")
            for name in filter(None, own):
                veto = found[name].veto if name in found else None
                found[name] = _Known(role, own[0], veto)
    return found


@cache
def _names() -> re.Pattern[str]:
    longest_first = sorted(_known(), key=lambda name: (-len(name), name))
    return re.compile(rf"(?<!\w)(?:{choices(longest_first)})(?=s?(?:'s|’s)?(?!\w))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """Holds a masked headline."""

    title: str
    summary: str
    names: int  # replaced, dates included


class Mask:
    """Masks the headlines of an episode, in their order."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], str] = {}  # role and who: the letters
        self._given: dict[str, int] = {}  # role: how many

    @property
    def names(self) -> dict[str, str]:
        """Returns who stands behind each placeholder."""
        return {f"{_table()['placeholders'][role]} {code}": of for (role, of), code in self._codes.items()}

    def mask(self, title: str, summary: str = "") -> Masked:
        """Masks a headline, English or German."""
        count = 0

        def placed(role: str, of: str) -> str:
            nonlocal count
            count += 1
            return f"{_table()['placeholders'][role]} {self._code(role, of)}"

        def name(match: re.Match[str]) -> str:
            known = _known()[match[0]]
            if known.veto and known.veto.search(match.string):
                return match[0]
            return placed(known.role, known.of)

        def moment(match: re.Match[str]) -> str:
            return placed("year" if match["year"] else "date", match[0].casefold())

        title, summary = (_DATE.sub(moment, _names().sub(name, text)) for text in (title, summary))
        return Masked(title=title, summary=summary, names=count)

    def _code(self, role: str, of: str) -> str:
        """Returns the letters of a name: A to Z, then AA and so on."""
        if (role, of) not in self._codes:
            number = self._given.get(role, 0)
            self._given[role] = number + 1
            code = chr(ord("A") + number % 26)
            while number >= 26:
                number = number // 26 - 1
                code = chr(ord("A") + number % 26) + code
            self._codes[role, of] = code
        return self._codes[role, of]
