"""Weighs repeats of a story less: 1, 0.75, 0.5625 … within 24 hours.

Two headlines tell one story when their content words overlap (shared words over the words of the shorter one at
least half, and at least two shared), or when they share a topic: a company together with what is said of it. A
headline's weight depends only on headlines before it.

Earlier headlines are found through an index of words. Each word has a set of bits, one for each headline of the last
day that holds it, in order of time; a few AND and OR of such sets tell which headlines share enough words.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

REPEAT = 0.75
WINDOW = timedelta(hours=24)
_LEAST_SHARED = 2
_LONG = 64  # words; a longer title is compared with each of the day's one by one, which is then quicker
_WORD = re.compile(r"[^\W_]{3,}")
_COMMON = frozenset(
    "the and for with after its from that this will has have how what why who says over more than new into could would "
    "about amid der die das und ein eine für mit auf von den dem des sich auch nach bei wie wird werden als aus über "
    "vor zum zur noch mehr sind hat".split()
)


def content_words(text: str) -> frozenset[str]:
    """Returns the words that tell a title's story, cut to six letters: roughly their stems."""
    return frozenset(word[:6] for word in _WORD.findall(text.lower()) if word not in _COMMON)


def same_story_weights(
    texts: Sequence[str], times: Sequence[datetime], topics: Sequence[frozenset[str]] | None = None
) -> list[float]:
    """Returns the weight of each headline, given in order of time: 0.75 to the power of its predecessors.

    Args:
        texts: Titles.
        times: When each was known, ascending.
        topics: What each is about, such as {"META spending raised"}; a shared topic makes one story.

    Raises:
        ValueError: The times are not in order.
    """
    if any(later < earlier for earlier, later in pairwise(times)):
        raise ValueError("headlines must come in order of time")
    subjects = topics or [frozenset()] * len(texts)
    index = _Index()
    weights = []
    first = 0
    for number, (text, about) in enumerate(zip(texts, subjects, strict=True)):
        start = times[number] - WINDOW
        while times[first] < start:
            first += 1
        index.forget(first)
        words = content_words(text)
        weights.append(REPEAT ** index.count(words, about))
        index.add(number, words, about)
    return weights


class _Index:
    """The headlines of the last day, by word and by topic. Bit n of a set is headline `_base` + n."""

    def __init__(self) -> None:
        self._base = 0
        self._first = 0
        self._next = 0
        self._titles: list[frozenset[str]] = []  # from `_base` on
        self._words: dict[Hashable, int] = {}
        self._topics: dict[Hashable, int] = {}
        self._sizes: dict[Hashable, int] = {}  # headlines by half the number of their words, rounded up

    def forget(self, first: int) -> None:
        """Leaves out headlines before number `first`."""
        self._first = first
        old = first - self._base
        if old > 64 and old * 2 > self._next - self._base:  # rarely, since every set is written anew
            for sets in (self._words, self._topics, self._sizes):
                kept = {key: left for key, bits in sets.items() if (left := bits >> old)}
                sets.clear()
                sets.update(kept)
            del self._titles[:old]
            self._base = first

    def count(self, words: frozenset[str], topics: frozenset[str]) -> int:
        """Returns how many of the headlines tell the same story as one with these words and topics."""
        same = 0
        for topic in topics:
            same |= self._topics.get(topic, 0)
        same |= self._overlapping(words) if len(words) <= _LONG else self._compared(words)
        return (same >> (self._first - self._base)).bit_count()

    def _overlapping(self, words: frozenset[str]) -> int:
        # A pair must share half the words of the shorter title, rounded up, and two at least; `most` is what a title
        # at least as long as this one must share.
        most = max(_LEAST_SHARED, (len(words) + 1) // 2)
        sharing = [0] * (most + 1)  # sharing[n]: headlines that share n words or more
        for word in words:
            bits = self._words.get(word)
            if bits:
                for least in range(most, 1, -1):
                    sharing[least] |= sharing[least - 1] & bits
                sharing[1] |= bits
        same = sharing[most]
        for half in range(1, most):
            enough = sharing[max(_LEAST_SHARED, half)]
            if enough:
                same |= enough & self._sizes.get(half, 0)
        return same

    def _compared(self, words: frozenset[str]) -> int:
        same = 0
        for place, earlier in enumerate(self._titles):
            shared = len(words & earlier)
            if shared >= _LEAST_SHARED and shared * 2 >= min(len(words), len(earlier)):
                same |= 1 << place
        return same

    def add(self, number: int, words: frozenset[str], topics: frozenset[str]) -> None:
        """Adds a headline, the next in order of time."""
        self._next = number + 1
        self._titles.append(words)
        bit = 1 << (number - self._base)
        for sets, keys in ((self._words, words), (self._topics, topics), (self._sizes, ((len(words) + 1) // 2,))):
            for key in keys:
                sets[key] = sets.get(key, 0) | bit
