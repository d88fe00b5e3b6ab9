"""Weighs the letters of words, all that are new in a block of headlines at once.

A row of letters is a number: twelve bits a letter, by its place in the alphabet of the known rows. So known rows are found in a
sorted array, and none is taken for another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from feeds.scoring.features import LENGTHS, spelt

_BITS: Final = 12  # of a letter: five of them make 60
_REMEMBERED: Final = 50_000  # words


class Spelling:
    """The weights of words' letters, added up."""

    def __init__(self, rows: Mapping[str, int], whole: NDArray[Any]) -> None:
        """Takes the row of weights of each row of letters; the last row of weights is zero."""
        self._whole = whole
        self._alphabet = np.unique(_codes("".join(rows) or "<"))
        self._known = []
        for count in LENGTHS:
            own = [(name, row) for name, row in rows.items() if len(name) == count]
            numbers = self._numbers("".join(name for name, _ in own), count)[::count]
            order = np.argsort(numbers)
            self._known.append((numbers[order], np.array([row for _, row in own], dtype=np.intp)[order]))
        self._words: dict[str, int] = {}
        self._sums = np.zeros((1, whole.shape[1]), dtype=np.float32)

    def weigh(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Returns the weights of each word's letters, added up; shape (words, columns)."""
        if len(self._words) > _REMEMBERED:
            self._words, self._sums = {}, self._sums[:1]
        new = [word for word in dict.fromkeys(words) if word not in self._words and spelt(word)]
        if new:
            self._words.update(zip(new, range(len(self._sums), len(self._sums) + len(new))))
            self._sums = np.concatenate((self._sums, self._look(new)))
        return self._sums.take([self._words.get(word, 0) for word in words], 0)

    def _look(self, words: Sequence[str]) -> NDArray[np.float32]:
        framed = [f"<{word}>" for word in words]  # "><" is in no known row, so that none crosses from word to word
        text = "".join(framed)
        sums = np.zeros((len(text), self._whole.shape[1]), dtype=np.float32)
        for count, (known, rows) in zip(LENGTHS, self._known, strict=True):
            numbers = self._numbers(text, count)
            if len(known):
                at = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
                sums += self._whole.take(np.where(known[at] == numbers, rows[at], len(self._whole) - 1), 0)
        starts = np.cumsum([0, *map(len, framed[:-1])])
        return np.add.reduceat(sums, starts, axis=0)

    def _numbers(self, text: str, count: int) -> NDArray[np.int64]:
        """Returns the number of so many letters in a row, from each letter of a text on; 0 stands for none known."""
        codes = _codes(text)
        at = np.minimum(np.searchsorted(self._alphabet, codes), len(self._alphabet) - 1)
        places = np.where(self._alphabet[at] == codes, at + 1, 0)
        padded = np.concatenate((places, np.zeros(count, dtype=np.int64)))
        numbers = np.zeros(len(places), dtype=np.int64)
        for step in range(count):
            numbers = numbers << _BITS | padded[step : step + len(places)]
        return numbers


def _codes(text: str) -> NDArray[np.int64]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.int64)
