"""What a word may begin: flags of what it is alone, and which other word a pattern that begins with it must have.

Each set of such needed words has a bit of its own, on words that open a pattern and on the needed words that close it.
The bits of a text's words are or-ed together; where one is set on both sides, the pattern is worth looking for.

    "steps up ~2 spending" ─► steps opens 7, up closes 7 ─► any text with both words: look for it

What is announced may turn out not to be there; what is there is always announced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from feeds.scoring.edges import Edges
from feeds.scoring.matching import Matcher

_REMEMBERED: Final = 50_000  # combinations of which is kept in memory what they announce

T = TypeVar("T")
Bits = tuple[int, int, int]  # of a word: flags, what it opens, what it closes
_Ends = dict[str, tuple[int, int]]  # beginnings or ends of words: flags, what they open


class Begins:
    """Bits of words."""

    def __init__(self) -> None:
        self._flags: dict[str, int] = {}
        self._opens: dict[str, int] = {}
        self._closes: dict[str, int] = {}
        self._heads: _Ends = {}
        self._tails: _Ends = {}
        self._pairs: dict[tuple[frozenset[str], int], int] = {}  # needed words and what they announce: number
        self._announced: list[int] = []
        self._known = _Known(self._announced)
        self._edges: Edges | None = None  # of all that was added until it was asked for

    def alone(self, words: Iterable[str], flags: int) -> None:
        """Adds words that are something by themselves."""
        self._edges = None
        _set(self._flags, words, flags)

    def add(self, patterns: Matcher[T], flags: Callable[[T], int], first: int = 0) -> int:
        """Adds patterns.

        Args:
            patterns: They.
            flags: What one of them announces; 0 for one that need not be looked for.
            first: A flag of all words that begin one, announced or not.

        Returns:
            The bits of all that opens one of these patterns.
        """
        self._edges = None
        opening = 0
        for words, heads, tails, needed, payload in patterns.openings():
            own, opens = flags(payload), 0
            if own and needed:
                own, opens = 0, self._pair(needed, own)
                opening |= opens
                _set(self._opens, words, opens)
            own |= first
            if own:
                _set(self._flags, words, own)
            for ends, known in ((heads, self._heads), (tails, self._tails)):
                for end in ends:  # hardly ever
                    flagged, opened = known.get(end, (0, 0))
                    known[end] = flagged | own, opened | opens
        return opening

    def _pair(self, needed: frozenset[str], flags: int) -> int:
        """The bit of words that open what these words close."""
        number = self._pairs.setdefault((needed, flags), len(self._pairs))
        if number == len(self._announced):
            self._announced.append(flags)
            _set(self._closes, needed, 1 << number)
        return 1 << number

    def copy(self) -> Begins:
        """Returns one that knows the same, to which more can be added."""
        twin = Begins()
        twin._flags, twin._opens, twin._closes = dict(self._flags), dict(self._opens), dict(self._closes)
        twin._heads, twin._tails, twin._pairs = dict(self._heads), dict(self._tails), dict(self._pairs)
        twin._announced.extend(self._announced)
        return twin

    def words(self) -> frozenset[str]:
        """Returns all whole words that are something or begin or close something."""
        return frozenset(self._flags).union(self._opens, self._closes)

    def edges(self) -> Edges:
        """Returns a quick no for words that are nothing."""
        if self._edges is None:
            self._edges = Edges(self.words(), self._heads, self._tails)
        return self._edges

    def bits(self, word: str) -> Bits:
        """Returns the bits of a word."""
        flags, opens = self._flags.get(word, 0), self._opens.get(word, 0)
        heads, tails = self.edges().found(word)
        if heads or tails:  # hardly ever
            for own, opened in (*map(self._heads.__getitem__, heads), *map(self._tails.__getitem__, tails)):
                flags |= own
                opens |= opened
        return flags, opens, self._closes.get(word, 0)

    def announced(self, pairs: int) -> int:
        """Returns the flags of a text by what is both opened and closed in it."""
        return self._known[pairs]


def _set(known: dict[str, int], words: Iterable[str], bits: int) -> None:
    for word in words:
        known[word] = known.get(word, 0) | bits


class _Known(dict[int, int]):
    """What pairs announce."""

    def __init__(self, announced: list[int]) -> None:
        super().__init__()
        self._announced = announced

    def __missing__(self, pairs: int) -> int:
        flags, rest = 0, pairs
        while rest:
            lowest = rest & -rest
            flags |= self._announced[lowest.bit_length() - 1]
            rest ^= lowest
        if len(self) < _REMEMBERED:
            self[pairs] = flags
        return flags
