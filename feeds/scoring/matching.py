"""Words of a headline, and patterns of words. What the lists of the data folder are written in.

A pattern is a row of slots: `scal* back`, `fears|worries ~3 overblown`.

    a|b     either word
    a*      begins with; `*a` ends with (German compounds: `*sturz` finds Kurssturz, not Sturz)
    ~3      up to three words that stay as they are; never across the end of a clause
    rises?  the last letter may be missing
    (a|b)   may be missing

A pattern is looked at only where its first word stands, and gaps are bounded, so that the time is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from feeds.errors import InputError

T = TypeVar("T")

_TOKEN = re.compile(
    r"[$€£¥]?\d[\d.,]*[a-zA-Z%]*|(?:[^\W\d_]\.){2,}|[^\W_]+(?:[-'’.&][^\W_]+)*|--|[;:,.!?–—…|$€£¥%()\"„“”‚‘]"
)
_AMOUNT = re.compile(r"[$€£¥]?\d[\d.,]*[a-z]")
BREAKS = frozenset(";:.!?–—…|--")
_LONGEST_GAP = 12


@dataclass(frozen=True, slots=True)
class Token:
    """A word or mark as a pattern sees it: lower case, without the possessive."""

    word: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """Returns the words and marks of a text; a hyphen between blanks is a dash."""
    found = [Token(_plain(match[0]), match.start(), match.end()) for match in _TOKEN.finditer(text)]
    if " - " in text:
        found += [Token("–", match.start() + 1, match.start() + 2) for match in re.finditer(r" - ", text)]
        found.sort(key=lambda each: each.start)
    return found


@lru_cache(maxsize=65536)
def _plain(word: str) -> str:
    lower = word.lower().replace("’", "'")
    lower = lower.removesuffix("'s")
    if "." in lower and not lower[0].isdigit() and lower[0] not in "$€£¥":
        lower = lower.replace(".", "") if len(lower) <= 6 else lower
    lower = lower.rstrip(".,'") or lower
    if lower[-1:] in {"b", "t"} and _AMOUNT.fullmatch(lower):  # $5b, €2t
        return f"{lower}n"
    return lower


@dataclass(frozen=True, slots=True)
class _Slot:
    words: frozenset[str]
    heads: tuple[str, ...]  # "a*"
    tails: tuple[str, ...]  # "*a"
    gap: int  # > 0: that many words of any kind
    optional: bool

    def takes(self, word: str) -> bool:
        return (
            word in self.words
            or (bool(self.heads) and word.startswith(self.heads))
            or (bool(self.tails) and word.endswith(self.tails) and word not in self.tails)
        )


def _slot(text: str, where: str) -> _Slot:
    if re.fullmatch(r"~\d+", text):
        gap = int(text[1:])
        if not 0 < gap <= _LONGEST_GAP:
            raise InputError(f"{where}: the gap {text} must be ~1 to ~{_LONGEST_GAP}")
        return _Slot(frozenset(), (), (), gap, False)
    optional = len(text) > 2 and text.startswith("(") and text.endswith(")")
    words = _spelled((text[1:-1] if optional else text).split("|"))
    if any(not word.strip("*") for word in words):
        raise InputError(f"{where}: an empty word in {text!r}")
    return _Slot(
        frozenset(word for word in words if "*" not in word),
        tuple(word[:-1] for word in words if word.endswith("*")),
        tuple(word[1:] for word in words if word.startswith("*")),
        0,
        optional,
    )


def _spelled(words: list[str]) -> list[str]:
    """Both spellings of a word with "?" at its end."""
    return [
        form for word in words for form in ([word[:-1], word[:-2]] if len(word) > 2 and word[-1] == "?" else [word])
    ]


class Matcher(Generic[T]):
    """Finds patterns in a row of words; the longest one that starts at a place counts."""

    def __init__(self, patterns: Iterable[tuple[str, T]], where: str) -> None:
        """Compiles the patterns.

        Raises:
            InputError: A pattern is empty, starts with a gap or an optional word, or has too long a gap.
        """
        self._patterns: list[tuple[tuple[_Slot, ...], T]] = []
        self._exact: dict[str, list[int]] = {}
        self._heads: dict[str, list[int]] = {}
        self._tails: dict[str, list[int]] = {}
        self._cache: dict[str, tuple[int, ...]] = {}
        for text, payload in patterns:
            slots = tuple(_slot(word, where) for word in text.lower().split())
            if not slots or slots[0].gap or slots[0].optional:
                raise InputError(f"{where}: {text!r} must start with a word")
            number = len(self._patterns)
            self._patterns.append((slots, payload))
            first = slots[0]
            for words, index in ((first.words, self._exact), (first.heads, self._heads), (first.tails, self._tails)):
                for word in words:
                    index.setdefault(word, []).append(number)

    def starts(self, word: str) -> tuple[int, ...]:
        """Numbers of the patterns that may begin with a word."""
        known = self._cache.get(word)
        if known is None:
            found = set(self._exact.get(word, ()))
            for length in range(1, len(word) + 1):
                found.update(self._heads.get(word[:length], ()))
                if length < len(word):
                    found.update(self._tails.get(word[-length:], ()))
            known = tuple(sorted(found))
            if len(self._cache) < 200_000:
                self._cache[word] = known
        return known

    def single(self, word: str) -> list[T]:
        """Payloads of the patterns of one word that take it."""
        return [
            payload for number in self.starts(word) for slots, payload in [self._patterns[number]] if len(slots) == 1
        ]

    def at(self, row: Sequence[Token], index: int) -> tuple[tuple[int, ...], list[T]] | None:
        """Returns the places that the longest pattern starting at a word takes, and the payloads of all as long."""
        best: tuple[int, ...] = ()
        payloads: list[T] = []
        for number in self.starts(row[index].word):
            slots, payload = self._patterns[number]
            places = (index,) if len(slots) == 1 else _match(slots, 1, row, index + 1, (index,))
            if places is None or (best and (len(places), places[-1]) < (len(best), best[-1])):
                continue
            if places != best:
                best, payloads = places, []
            payloads.append(payload)
        return (best, payloads) if best else None


def _match(
    slots: tuple[_Slot, ...], number: int, row: Sequence[Token], index: int, places: tuple[int, ...]
) -> tuple[int, ...] | None:
    """Places of the remaining slots from a word on, or None."""
    if number == len(slots):
        return places
    slot = slots[number]
    if slot.gap:
        for width in range(slot.gap + 1):
            found = _match(slots, number + 1, row, index + width, places)
            if found is not None:
                return found
            if index + width >= len(row) or row[index + width].word in BREAKS:
                return None
        return None
    if index < len(row) and slot.takes(row[index].word):
        found = _match(slots, number + 1, row, index + 1, (*places, index))
        if found is not None:
            return found
    return _match(slots, number + 1, row, index, places) if slot.optional else None
