"""Links syndicated near-copies: the first of a story carries the weight, later ones are buzz.

Titles are sets of words. Two titles tell one story when at least 60 % of their words are common (Jaccard index) and
they were known within a day of each other. Candidates are found by min-hashing, as in Broder, "On the resemblance and
containment of documents" (1997): two titles that share the two smallest of their permuted word hashes are compared,
for any of five permutations.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from zlib import crc32

import numpy as np

DAY = 86_400_000_000  # microseconds
SAME_STORY = 0.6
_LEAST_WORDS = 4  # "Market report" is a rubric, not a story
_KEPT_DAYS = 16  # days of candidates kept in memory
_WORD = re.compile(r"\w{3,}")
_SALTS = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0x165667B1)
_MASK = 0xFFFFFFFF
_PUBLISHER = re.compile(r"\s[-–—|]\s[^-–—|]{2,40}$")  # " - Reuters"

Row = tuple[int, int, str]  # story, known, title
Words = tuple[frozenset[int], tuple[int, ...]]  # hashes of a title's words, and its bands


class _Hashes(dict[str, int]):
    """CRC-32 of words, remembered: the same words come again and again."""

    def __missing__(self, word: str) -> int:
        self[word] = found = crc32(word.encode("utf-8", "surrogatepass"))
        return found


_KEPT_HASHES = 200_000
_HASHES = _Hashes()


def words_of(titles: Sequence[str]) -> list[Words]:
    """Returns each title's word hashes and bands; without bands where it has too few words to be a story."""
    if len(_HASHES) > _KEPT_HASHES:
        _HASHES.clear()
    hash_of = _HASHES.__getitem__
    sets = [frozenset(map(hash_of, _WORD.findall(_bare(title).casefold()))) for title in titles]
    long = [words for words in sets if len(words) >= _LEAST_WORDS]
    if not long:
        return [(words, ()) for words in sets]
    lengths = np.array([len(words) for words in long])
    flat = np.fromiter(chain.from_iterable(long), dtype=np.uint32, count=int(lengths.sum()))
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    columns = []
    for salt in _SALTS:
        mixed = flat * np.uint32(salt)  # modulo 2 to the power of 32
        first = np.minimum.reduceat(mixed, starts)
        mixed[mixed == np.repeat(first, lengths)] = _MASK
        second = np.minimum.reduceat(mixed, starts)
        columns.append((first.astype(np.uint64) << np.uint64(32) | second).tolist())
    bands = iter(zip(*columns, strict=True))
    return [(words, next(bands) if len(words) >= _LEAST_WORDS else ()) for words in sets]


def _bare(title: str) -> str:
    """The title without the publisher's name at its end."""
    return _PUBLISHER.sub("", title) if " - " in title or " | " in title or "—" in title or "–" in title else title


class Stories:
    """Finds the story that a title belongs to.

    Args:
        load: Returns the rows (story, known, title) known in a span [start, stop) of microseconds, as stored.
    """

    def __init__(self, load: Callable[[int, int], Iterable[Row]]) -> None:
        self._load = load
        self._days: OrderedDict[int, dict[int, tuple[int, frozenset[int]]]] = OrderedDict()

    def forget(self) -> None:
        """Drops what is in memory, after somebody else has written or a transaction was undone."""
        self._days.clear()

    def find(self, title: Words, known: int) -> int | None:
        """Returns the story that a title tells; None when it is a new one."""
        words, bands = title
        if not bands:
            return None
        day = known // DAY
        for each in (day, day - 1, day + 1):
            candidates = self._day(each)
            if candidates.keys().isdisjoint(bands):
                continue
            for band in bands:
                candidate = candidates.get(band)
                if candidate is not None:
                    common = len(words & candidate[1])
                    if common >= SAME_STORY * (len(words) + len(candidate[1]) - common):
                        return candidate[0]
        return None

    def add(self, story: int, known: int, title: Words) -> None:
        """Remembers a title's words under its story."""
        words, bands = title
        if bands:
            day = self._day(known // DAY)
            entry = (story, words)
            for band in bands:
                day.setdefault(band, entry)

    def _day(self, day: int) -> dict[int, tuple[int, frozenset[int]]]:
        if day not in self._days:
            self._days[day] = {}
            rows = list(self._load(day * DAY, (day + 1) * DAY))
            for (story, known, _), title in zip(rows, words_of([row[2] for row in rows]), strict=True):
                self.add(story, known, title)
            while len(self._days) > _KEPT_DAYS:
                self._days.popitem(last=False)
        return self._days[day]
