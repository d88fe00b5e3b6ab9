"""Repeats of a story weigh less: 1, 0.75, 0.5625 … within 24 hours.

Two headlines tell one story when their content words overlap (shared words over the words of the shorter one at
least half, and at least two shared), or when they share a topic: a company together with what is said of it. A
headline's weight depends only on headlines before it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

REPEAT = 0.75
WINDOW = timedelta(hours=24)
_OVERLAP = 0.5
_WORD = re.compile(r"[^\W_]{3,}")
_COMMON = frozenset(
    "the and for with after its from that this will has have how what why who says over more than new into could would "
    "about amid der die das und ein eine für mit auf von den dem des sich auch nach bei wie wird werden als aus über "
    "vor zum zur noch mehr sind hat".split()
)


def _words(text: str) -> frozenset[str]:
    return frozenset(word[:6] for word in _WORD.findall(text.lower()) if word not in _COMMON)  # stems, roughly


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
    bags = [_words(text) for text in texts]
    subjects = topics or [frozenset()] * len(bags)
    weights = []
    first = 0
    for index, bag in enumerate(bags):
        while times[first] < times[index] - WINDOW:
            first += 1
        repeats = sum(
            _same(bag, bags[earlier]) or not subjects[index].isdisjoint(subjects[earlier])
            for earlier in range(first, index)
        )
        weights.append(REPEAT**repeats)
    return weights


def _same(one: frozenset[str], other: frozenset[str]) -> bool:
    shared = len(one & other)
    return shared >= 2 and shared >= _OVERLAP * min(len(one), len(other))
