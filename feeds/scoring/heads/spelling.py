"""Weighs the letters of words, all that are new in a block of headlines at once.

Letters in a row are a number: twelve bits a letter, by its place in the alphabet of those that have weights. So known
ones are found in a sorted array, and none is taken for another.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from feeds.scoring.features.parts import LENGTHS, spelt

_BITS: Final = 12  # of a letter: five of them make 60
_REMEMBERED: Final = 50_000  # words


class Spelling:
    """The weights of words' letters, added up."""

    def __init__(self, features: Sequence[str], rows: Sequence[int], whole: NDArray[Any]) -> None:
        """Takes the features of letters and where their weights stand; the last row of weights is zero."""
        self._whole = whole
        codes = _codes("".join(features))
        self._alphabet = np.zeros(int(codes.max(initial=0)) + 2, dtype=np.int64)  # the last stands for all others
        known = np.flatnonzero(np.bincount(codes))
        self._alphabet[known] = np.arange(1, len(known) + 1)
        sizes = np.fromiter(map(len, features), dtype=np.int64, count=len(features))
        starts, places = np.cumsum(sizes) - sizes + 1, self._places(codes)  # the first letter is the mark of letters
        self._known = []
        for count in LENGTHS:
            own = np.flatnonzero(sizes == count + 1)
            numbers = _numbers(places, starts[own], count)
            order = np.argsort(numbers, kind="stable")  # they are sorted nearly
            self._known.append((numbers[order], np.asarray(rows, dtype=np.int64)[own[order]]))
        self._lock = Lock()
        self._words: dict[str, int] = {}
        self._sums = np.zeros((1, whole.shape[1]), dtype=np.float32)

    def weigh(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Returns the weights of each word's letters, added up; shape (words, columns)."""
        with self._lock:  # words and their sums belong together
            if len(self._words) > _REMEMBERED:
                self._words, self._sums = {}, self._sums[:1]
            new = [word for word in dict.fromkeys(words) if word not in self._words and spelt(word)]
            if new:
                self._words.update(zip(new, range(len(self._sums), len(self._sums) + len(new)), strict=True))
                self._sums = np.concatenate((self._sums, self._look(new)))
            return self._sums.take([self._words.get(word, 0) for word in words], 0)

    def _look(self, words: Sequence[str]) -> NDArray[np.float32]:
        framed = [f"<{word}>" for word in words]  # "><" is in no feature, so that none is found across two words
        places = self._places(_codes("".join(framed)))
        sums = np.zeros((len(places), self._whole.shape[1]), dtype=np.float32)
        for count, (known, rows) in zip(LENGTHS, self._known, strict=True):
            if len(known) and len(places) >= count:
                numbers = _numbers(places, np.arange(len(places) - count + 1), count)
                at = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
                hit = np.flatnonzero(known[at] == numbers)
                sums[hit] += self._whole.take(rows[at[hit]], 0)
        return np.add.reduceat(sums, np.cumsum([0, *map(len, framed[:-1])]), axis=0)

    def _places(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns the place of each letter in the alphabet; 0 for one that is in no feature."""
        return self._alphabet[np.minimum(codes, len(self._alphabet) - 1)]


def _numbers(places: NDArray[np.int64], starts: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Returns the number of so many letters in a row from each start on."""
    numbers = np.zeros(len(starts), dtype=np.int64)
    for step in range(count):
        numbers = numbers << _BITS | places[starts + step]
    return numbers


def _codes(text: str) -> NDArray[np.int64]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.int64)
