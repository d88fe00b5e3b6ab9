"""What a word may begin, as bits: what it is alone, and which other word a pattern that begins with it must have.

Each set of such needed words has two bits, one on words that open a pattern, one on the needed words that close it. The
bits of a text's words are or-ed together; where both bits of a pair are set, the pattern is worth looking for.

    "steps up ~2 spending" ─► steps opens 7, up closes 7 ─► any text with both words: look for it

What is announced may turn out not to be there; what is there is always announced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from feeds.scoring.edges import Edges
from feeds.scoring.matching import Matcher

_KEY = 3  # letters by which beginnings and ends of words are found
_REMEMBERED = 50_000  # combinations of which is kept in memory what they announce

T = TypeVar("T")
_Ends = dict[str, tuple[tuple[str, int], ...]]


class Begins:
    """Bits of words: flags of what a word is alone, above them two bits for each set of needed words.

    Args:
        width: How many bits the flags have.
    """

    def __init__(self, width: int) -> None:
        self._flags = (1 << width) - 1
        self._width = width
        self._opening = 0  # all bits of words that open
        self._exact: dict[str, int] = {}
        self._heads: _Ends = {}
        self._tails: _Ends = {}
        self._short_heads: tuple[str, ...] = ()
        self._short_tails: tuple[str, ...] = ()
        self._pairs: dict[tuple[frozenset[str], int], int] = {}  # needed words and what they announce: number
        self._announced: list[int] = []
        self._known = _Known(self._announced, width)

    def alone(self, words: Iterable[str], bits: int) -> None:
        """Adds words that are something by themselves."""
        for word in words:
            self._exact[word] = self._exact.get(word, 0) | bits

    def add(self, patterns: Matcher[T], flags: Callable[[T], int], first: int = 0) -> int:
        """Adds patterns.

        Args:
            patterns: They.
            flags: What one of them announces; 0 for one that need not be looked for.
            first: A flag of all words that begin one, announced or not.

        Returns:
            The bits of words that open one of these patterns.
        """
        opening = 0
        for words, heads, tails, needed, payload in patterns.openings():
            bits = flags(payload)
            if bits and needed:
                bits = self._pair(needed, bits)
                opening |= bits
            bits |= first
            self.alone(words, bits)
            if heads or tails:  # hardly ever
                self._ends(heads, tails, bits)
        return opening

    def _ends(self, heads: tuple[str, ...], tails: tuple[str, ...], bits: int) -> None:
        self._short_heads += tuple(head for head in heads if len(head) < _KEY)
        self._short_tails += tuple(tail for tail in tails if len(tail) < _KEY)
        for head in heads:
            self._heads[head[:_KEY]] = (*self._heads.get(head[:_KEY], ()), (head, bits))
        for tail in tails:
            self._tails[tail[-_KEY:]] = (*self._tails.get(tail[-_KEY:], ()), (tail, bits))

    def _pair(self, needed: frozenset[str], flags: int) -> int:
        """The bit of words that open what these words close."""
        number = self._pairs.setdefault((needed, flags), len(self._pairs))
        opens = 1 << self._width + 2 * number
        if number == len(self._announced):
            self._announced.append(flags)
            self._opening |= opens
            self.alone(needed, opens << 1)
        return opens

    def copy(self) -> Begins:
        """Returns one that knows the same, to which more can be added."""
        twin = Begins(self._width)
        twin._opening, twin._exact, twin._pairs = self._opening, dict(self._exact), dict(self._pairs)
        twin._heads, twin._tails = dict(self._heads), dict(self._tails)
        twin._short_heads, twin._short_tails = self._short_heads, self._short_tails
        twin._announced.extend(self._announced)
        return twin

    def words(self) -> frozenset[str]:
        """Returns all whole words that are something or begin or close something."""
        return frozenset(self._exact)

    def edges(self) -> Edges:
        """Returns a quick no for words that are nothing."""
        heads = [head for known in self._heads.values() for head, _ in known]
        return Edges(self._exact, heads, [tail for known in self._tails.values() for tail, _ in known])

    def bits(self, word: str) -> int:
        """Returns the bits of a word."""
        bits = self._exact.get(word, 0)
        for head, own in self._heads.get(word[:_KEY], ()):
            if word.startswith(head):
                bits |= own
        for tail, own in self._tails.get(word[-_KEY:], ()):
            if word.endswith(tail) and word != tail:
                bits |= own
        if word.startswith(self._short_heads) or word.endswith(self._short_tails):  # hardly ever
            bits |= self._short(word)
        return bits

    def _short(self, word: str) -> int:
        """Bits by beginnings and ends shorter than the key."""
        bits = 0
        for length in range(1, _KEY):
            for head, own in self._heads.get(word[:length], ()):
                bits |= own * word.startswith(head)
            for tail, own in self._tails.get(word[-length:], ()):
                bits |= own * (word.endswith(tail) and word != tail)
        return bits

    def pairs(self, bits: int) -> int:
        """Returns of a text's bits those of words that open what another word closes."""
        return bits & bits >> 1 & self._opening

    def announced(self, bits: int, pairs: int) -> int:
        """Returns the flags of a text by the bits of its words, and its pairs."""
        return (bits | self._known[pairs] if pairs else bits) & self._flags


class _Known(dict[int, int]):
    """What pairs announce."""

    def __init__(self, announced: list[int], width: int) -> None:
        super().__init__()
        self._announced, self._width = announced, width

    def __missing__(self, pairs: int) -> int:
        flags, rest = 0, pairs >> self._width
        while rest:
            lowest = rest & -rest
            flags |= self._announced[(lowest.bit_length() - 1) // 2]
            rest ^= lowest
        if len(self) < _REMEMBERED:
            self[pairs] = flags
        return flags
