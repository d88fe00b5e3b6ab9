"""Beginnings and ends of words, looked up by their letters: most words of most headlines begin no pattern."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Final

_KEY: Final = 3  # letters by which beginnings and ends are found


class Edges:
    """A quick no for words with which nothing begins: most words of most headlines."""

    __slots__ = ("_exact", "_heads", "_short_heads", "_short_tails", "_tails")

    def __init__(self, exact: Container[str], heads: Iterable[str], tails: Iterable[str]) -> None:
        """Takes first words, their beginnings and their ends."""
        self._exact = exact
        self._heads: dict[str, tuple[str, ...]] = {}  # by their first letters
        self._tails: dict[str, tuple[str, ...]] = {}  # by their last
        heads, tails = frozenset(heads), frozenset(tails)
        self._short_heads = tuple(head for head in heads if len(head) < _KEY)
        self._short_tails = tuple(tail for tail in tails if len(tail) < _KEY)
        for head in heads.difference(self._short_heads):
            self._heads[head[:_KEY]] = (*self._heads.get(head[:_KEY], ()), head)
        for tail in tails.difference(self._short_tails):
            self._tails[tail[-_KEY:]] = (*self._tails.get(tail[-_KEY:], ()), tail)

    def begins(self, word: str) -> bool:
        """Whether a pattern may begin with a word."""
        if word in self._exact:
            return True
        heads, tails = self._heads, self._tails
        key = word[:_KEY]
        if key in heads and word.startswith(heads[key]):
            return True
        key = word[-_KEY:]
        if key in tails and word.endswith(tails[key]):
            return True
        return word.startswith(self._short_heads) or word.endswith(self._short_tails)

    def found(self, word: str) -> tuple[Sequence[str], Sequence[str]]:
        """Returns the beginnings and ends that a word has; an end is less than the word."""
        heads, tails = self._heads.get(word[:_KEY], ()), self._tails.get(word[-_KEY:], ())
        if word.startswith(self._short_heads) or word.endswith(self._short_tails):  # hardly ever
            heads, tails = (*heads, *self._short_heads), (*tails, *self._short_tails)
        if not heads and not tails:
            return (), ()
        return (
            [head for head in heads if word.startswith(head)],
            [tail for tail in tails if word != tail and word.endswith(tail)],
        )
