"""Patterns of words, which the lists of the data folder are written in; the words themselves: `rows.py`.

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

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Final, Generic, TypeVar

from feeds.errors import InputError
from feeds.scoring.edges import Edges
from feeds.scoring.rows import BREAKS, LONGEST_WORD, REMEMBERED

T = TypeVar("T")

_COMMON: Final = frozenset(  # words that most texts hold: a pattern is announced by another of its words
    "a after an and as at by for from in is it its new no not of off on or out over s than that the to up was with am "
    "auf aus bei das dem den der des die ein eine einen für im ist mit nach nicht sich und von vor zu zum zur".split()
)
_LONGEST_GAP: Final = 12


@dataclass(slots=True)  # not frozen: thousands are made when the lists are loaded, and that takes half as long
class _Slot:
    words: frozenset[str]
    heads: tuple[str, ...] = ()  # "a*"
    tails: tuple[str, ...] = ()  # "*a"
    gap: int = 0  # > 0: that many words of any kind
    optional: bool = False
    end: bool = False
    certain: bool = True  # one of its words must stand there
    width: int = 1  # words it may take

    def takes(self, word: str) -> bool:
        return (
            word in self.words
            or (bool(self.heads) and word.startswith(self.heads))
            or (bool(self.tails) and word.endswith(self.tails) and word not in self.tails)
        )


@cache
def _slot(text: str, where: str) -> _Slot:
    if text.isalnum():  # one word, as most are
        return _Slot(frozenset((text,)))
    if text == "<end>":
        return _Slot(frozenset(), end=True, certain=False)
    if text[0] == "~" and text[1:].isdecimal():
        gap = int(text[1:])
        if not 0 < gap <= _LONGEST_GAP:
            raise InputError(f"{where}: the gap {text} must be ~1 to ~{_LONGEST_GAP}")
        return _Slot(frozenset(), gap=gap, certain=False, width=gap)
    optional = len(text) > 2 and text.startswith("(") and text.endswith(")")
    words = _spelled((text[1:-1] if optional else text).split("|"))
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


def _spelled(words: list[str]) -> list[str]:
    """Both spellings of a word with "?" at its end."""
    return [
        form for word in words for form in ([word[:-1], word[:-2]] if len(word) > 2 and word[-1] == "?" else [word])
    ]


class Starts(Generic[T]):
    """What may begin with a word."""

    __slots__ = ("following", "others", "single")

    def __init__(
        self, single: tuple[T, ...], following: dict[str, tuple[int, ...]],
        others: tuple[tuple[int, frozenset[str]], ...],
    ) -> None:  # fmt: skip
        """See the fields."""
        self.single = single  # payloads of the patterns that are this word
        self.following = following  # numbers of those that go on with a certain word
        self.others = others  # and of the rest, each with words of which one must be there


class Matcher(Generic[T]):
    """Finds patterns in a row of words."""

    def __init__(self, patterns: Iterable[tuple[str, T]], where: str) -> None:
        """Compiles the patterns.

        Raises:
            InputError: A pattern is empty, starts with a gap or an optional word, or has too long a gap.
        """
        self._known: dict[str, Starts[T] | None] = {}  # by their first word
        self.reach = 0  # words that the longest pattern may take
        self._patterns: list[tuple[tuple[_Slot, ...], T]] = []
        self._needs: dict[int, frozenset[str]] = {}
        self._pairs: dict[tuple[int, ...], tuple[T, ...]] = {}  # by what goes on with a word: the lists bound them
        self._exact: dict[str, list[int]] = {}
        self._heads: dict[str, list[int]] = {}
        self._tails: dict[str, list[int]] = {}
        for text, payload in patterns:
            slots = tuple(_slot(word, where) for word in text.lower().split())
            if not slots or slots[0].gap or slots[0].optional:
                raise InputError(f"{where}: {text!r} must start with a word")
            number = len(self._patterns)
            self._patterns.append((slots, payload))
            self.reach = max(self.reach, sum(map(_width, slots)))
            first = slots[0]
            for word in first.words:
                self._exact.setdefault(word, []).append(number)
            for word in first.heads:
                self._heads.setdefault(word, []).append(number)
            for word in first.tails:
                self._tails.setdefault(word, []).append(number)
        self.edges = Edges(self._exact, self._heads, self._tails)

    def starts(self, word: str) -> Starts[T] | None:
        """Returns what may begin with a word, None for nothing."""
        known = self._known.get(word)
        return self._look(word) if known is None and word not in self._known else known

    def _look(self, word: str) -> Starts[T] | None:
        """Looks a new word up, by its letters from both ends."""
        numbers = self._exact.get(word, [])
        heads, tails = self.edges.found(word)
        if heads or tails:  # hardly ever
            more = set(numbers)
            for head in heads:
                more.update(self._heads[head])
            for tail in tails:
                more.update(self._tails[tail])
            numbers = sorted(more)
        known = self._starts(numbers) if numbers else None
        if len(self._known) < REMEMBERED and len(word) <= LONGEST_WORD:
            self._known[word] = known
        return known

    def _starts(self, numbers: Iterable[int]) -> Starts[T]:
        single: list[T] = []
        following: dict[str, tuple[int, ...]] = {}
        others: list[tuple[int, frozenset[str]]] = []
        for number in numbers:
            slots, payload = self._patterns[number]
            if len(slots) == 1:
                single.append(payload)
            elif slots[1].certain:
                for word in slots[1].words:
                    following[word] = (*following.get(word, ()), number)
            else:
                others.append((number, self._needed(number)))
        return Starts(tuple(single), following, tuple(others))

    def _needed(self, number: int) -> frozenset[str]:
        """Words of which one must follow a pattern's first."""
        known = self._needs.get(number)
        if known is None:
            known = self._needs[number] = _needed(self._patterns[number][0])
        return known

    def firsts(self) -> Iterable[str]:
        """The words with which patterns begin, those with "*" left out."""
        return self._exact

    def openings(
        self,
    ) -> Iterator[tuple[frozenset[str], tuple[str, ...], tuple[str, ...], frozenset[str], T]]:
        """Of each pattern the first words, their beginnings and ends; words of which one must follow; the payload."""
        for number, (slots, payload) in enumerate(self._patterns):
            first = slots[0]
            yield first.words, first.heads, first.tails, self._needed(number), payload

    def at(self, words: Sequence[str], index: int) -> tuple[tuple[int, ...], Sequence[T]] | None:
        """Returns the places that the longest pattern starting at a word takes, and the payloads of all as long."""
        starts = self.starts(words[index])
        if starts is None:
            return None
        single, following, others = starts.single, starts.following, starts.others
        numbers = pairs = following.get(words[index + 1], ()) if following and index + 1 < len(words) else ()
        if others:
            ahead = words[index + 1 : index + self.reach]
            for number, needed in others:
                if not needed or not needed.isdisjoint(ahead):
                    numbers = (*numbers, number)
        if not numbers:  # nearly always
            return ((index,), single) if single else None
        if numbers is pairs and (said := self._pair(pairs)):
            return (index, index + 1), said
        best, payloads = self._longest(numbers, words, index)
        if len(best) > 1:
            return best, payloads
        if single or payloads:  # "falls <end>" takes one word too
            return (index,), (*single, *payloads)
        return None

    def _pair(self, numbers: tuple[int, ...]) -> tuple[T, ...]:
        """The payloads of patterns that are two words, none where one of them is more."""
        if numbers not in self._pairs:
            found = [self._patterns[number] for number in numbers]
            longer = any(len(slots) > 2 for slots, _ in found)
            self._pairs[numbers] = () if longer else tuple(payload for _, payload in found)
        return self._pairs[numbers]

    def _longest(
        self, numbers: tuple[int, ...], words: Sequence[str], index: int
    ) -> tuple[tuple[int, ...], Sequence[T]]:
        best: tuple[int, ...] = ()
        payloads: list[T] = []
        for number in numbers:
            slots, payload = self._patterns[number]
            places = _match(slots, 1, words, index + 1, (index,))
            if places is None or (best and (len(places), places[-1]) < (len(best), best[-1])):
                continue
            if places != best:
                best, payloads = places, []
            payloads.append(payload)
        return best, payloads


_width = attrgetter("width")


def _needed(slots: tuple[_Slot, ...]) -> frozenset[str]:
    """Words of which one must follow the first, the rarest such; none where nothing is certain.

    Short words are common, and a word that may be the first too says nothing.
    """

    def common(words: frozenset[str]) -> tuple[bool, bool, int]:
        return not words.isdisjoint(slots[0].words), not words.isdisjoint(_COMMON), -min(map(len, words))

    return min((slot.words for slot in slots[1:] if slot.certain), key=common, default=frozenset())


def _match(
    slots: tuple[_Slot, ...], number: int, words: Sequence[str], index: int, places: tuple[int, ...]
) -> tuple[int, ...] | None:
    """Places of the remaining slots from a word on, or None."""
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
