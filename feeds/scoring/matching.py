"""Finds patterns of words, which the lists of the data folder are written in.

A pattern is a row of slots: `scal* back`, `fears|worries ~3 overblown`.

    a|b     either word
    a*      begins with; `*a` ends with (German compounds: `*sturz` finds Kurssturz, not Sturz)
    ~3      up to three words that stay as they are; never across the end of a clause
    rises?  the last letter may be missing
    (a|b)   may be missing
    <end>   the end of the clause or text, or a comma

A pattern is looked at only where its first word stands, and gaps are bounded, so that the time is linear in the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final, Generic, TypeVar

from feeds.errors import InputError
from feeds.scoring.words import BREAKS, PerWord

T = TypeVar("T")

_LONGEST_GAP: Final = 12
_KEY: Final = 2  # first letters by which patterns such as "a*" are found; "*a" by its last one
_REACH: Final = 40  # words that the longest pattern may take
_Places = tuple[int, ...]


@dataclass(slots=True)
class _Slot:
    words: frozenset[str]
    heads: tuple[str, ...] = ()  # "a*"
    tails: tuple[str, ...] = ()  # "*a"
    gap: int = 0  # > 0: that many words of any kind
    optional: bool = False
    end: bool = False
    certain: bool = False  # one of its words must stand there

    def takes(self, word: str) -> bool:
        return (
            word in self.words
            or (bool(self.heads) and word.startswith(self.heads))
            or (bool(self.tails) and word.endswith(self.tails) and word not in self.tails)
        )


@cache
def _slot(text: str, where: str) -> _Slot:
    if text == "<end>":
        return _Slot(frozenset(), end=True)
    if text[0] == "~" and text[1:].isdecimal():
        gap = int(text[1:])
        if not 0 < gap <= _LONGEST_GAP:
            raise InputError(f"{where}: the gap {text} must be ~1 to ~{_LONGEST_GAP}")
        return _Slot(frozenset(), gap=gap)
    optional = len(text) > 2 and text.startswith("(") and text.endswith(")")
    words = [form for word in (text[1:-1] if optional else text).split("|") for form in _spellings(word)]
    if any(not word.strip("*") for word in words):
        raise InputError(f"{where}: an empty word in {text!r}")
    starred = [word for word in words if "*" in word]
    return _Slot(
        frozenset(words).difference(starred),
        tuple(word[:-1] for word in starred if word.endswith("*")),
        tuple(word[1:] for word in starred if word.startswith("*")),
        optional=optional,
        certain=not (starred or optional),
    )


def _spellings(word: str) -> list[str]:
    """Returns both spellings of a word with "?" at its end."""
    return [word[:-1], word[:-2]] if len(word) > 2 and word[-1] == "?" else [word]


@dataclass(slots=True)
class _Starts:
    """Numbers of the patterns that may begin with a word."""

    single: list[int] = field(default_factory=list)  # that are this word
    pairs: dict[str, list[int]] = field(default_factory=dict)  # that go on with a certain word
    others: list[tuple[int, frozenset[str] | None]] = field(default_factory=list)  # with words of which one must follow


_WORD: Final = (_Slot(frozenset()),)


class Matcher(Generic[T]):
    """Finds patterns in a row of words."""

    def __init__(self, patterns: Iterable[tuple[str, T]], where: str) -> None:
        """Compiles the patterns.

        Raises:
            InputError: A pattern is empty, starts with a gap or an optional word, or has too long a gap.
        """
        self._patterns: list[tuple[tuple[_Slot, ...], T]] = []
        self._exact: dict[str, list[int]] = {}  # numbers of patterns by their first word
        self._heads: dict[str, list[tuple[str, int]]] = {}  # by their first letters
        self._tails: dict[str, list[tuple[str, int]]] = {}  # by their last letter
        self.beginning = PerWord(self._beginning)
        for text, payload in patterns:
            plain = text.isalnum()  # most are one word and nothing else
            slots = _WORD if plain else tuple(_slot(word, where) for word in text.lower().split())
            if not slots or slots[0].gap or slots[0].optional:
                raise InputError(f"{where}: {text!r} must start with a word")
            number = len(self._patterns)
            self._patterns.append((slots, payload))
            for word in (text.lower(),) if plain else slots[0].words:
                self._exact.setdefault(word, []).append(number)
            for head in slots[0].heads:
                self._heads.setdefault(head[:_KEY], []).append((head, number))
            for tail in slots[0].tails:
                self._tails.setdefault(tail[-1], []).append((tail, number))

    def firsts(self) -> Iterable[str]:
        """Returns the words with which patterns begin, those with "*" left out."""
        return self._exact

    def _beginning(self, word: str) -> _Starts | None:
        """Returns the patterns that may begin with a word, None for none."""
        numbers = set(self._exact.get(word, ()))
        for key in (word[0], word[:_KEY]):
            if heads := self._heads.get(key):
                numbers.update(number for head, number in heads if word.startswith(head))
        if tails := self._tails.get(word[-1]):
            numbers.update(number for tail, number in tails if word.endswith(tail) and word != tail)
        return self._sorted(sorted(numbers)) if numbers else None

    def _sorted(self, numbers: Iterable[int]) -> _Starts:
        starts = _Starts()
        for number in numbers:
            slots = self._patterns[number][0]
            if len(slots) == 1:
                starts.single.append(number)
            elif slots[1].certain:
                for second in slots[1].words:
                    starts.pairs.setdefault(second, []).append(number)
            else:
                needed = next((slot.words for slot in slots[2:] if slot.certain), None)
                starts.others.append((number, needed))
        return starts

    def at(self, words: Sequence[str], index: int) -> tuple[_Places, list[T]] | None:
        """Returns the places that the longest pattern starting at a word takes, and the payloads of all as long."""
        starts = self.beginning[words[index]]
        if starts is None:
            return None
        best: _Places = ()
        payloads: list[T] = []
        numbers = starts.pairs.get(words[index + 1], ()) if starts.pairs and index + 1 < len(words) else ()
        if starts.others:
            ahead = words[index + 1 : index + 1 + _REACH]
            numbers = [
                *numbers,
                *(number for number, needed in starts.others if needed is None or not needed.isdisjoint(ahead)),
            ]
        for number in numbers:
            slots, payload = self._patterns[number]
            places = _match(slots, 1, words, index + 1, (index,))
            if places is None or (best and (len(places), places[-1]) < (len(best), best[-1])):
                continue
            if places != best:
                best, payloads = places, []
            payloads.append(payload)
        if len(best) > 1:
            return best, payloads
        payloads = [
            *(self._patterns[number][1] for number in starts.single),
            *payloads,
        ]  # "falls <end>" is one word too
        return ((index,), payloads) if payloads else None

    def single(self, word: str) -> list[T]:
        """Returns the payloads of the patterns that are this one word."""
        starts = self.beginning[word]
        return [self._patterns[number][1] for number in starts.single] if starts is not None else []

    def longer(self, word: str) -> bool:
        """Returns whether a pattern of several words may begin with a word."""
        starts = self.beginning[word]
        return starts is not None and bool(starts.pairs or starts.others)


def _match(slots: tuple[_Slot, ...], number: int, words: Sequence[str], index: int, places: _Places) -> _Places | None:
    """Returns the places of the remaining slots from a word on, or None."""
    if number == len(slots):
        return places
    slot = slots[number]
    if slot.end:
        stops = index >= len(words) or words[index] in BREAKS or words[index] == ","
        return _match(slots, number + 1, words, index, places) if stops else None
    if slot.gap:
        for width in range(slot.gap + 1):
            found = _match(slots, number + 1, words, index + width, places)
            if found is not None:
                return found
            if index + width >= len(words) or words[index + width] in BREAKS:
                return None
        return None
    if index < len(words) and slot.takes(words[index]):
        found = _match(slots, number + 1, words, index + 1, (*places, index))
        if found is not None:
            return found
    return _match(slots, number + 1, words, index, places) if slot.optional else None
