"""German words as vaderSentiment gets to see them: negations and boosters in its own, compounds by their head."""

from __future__ import annotations

from datetime import date
from functools import cache, lru_cache
from typing import Final

from feeds.scoring.features.phrases import LISTS, MARKS, mark, words
from feeds.scoring.text.lists import known, load

_SHORTEST: Final = 3  # letters before a head: "Kurs-sturz", not "Un-fall"


@cache
def _lists() -> tuple[frozenset[str], frozenset[str]]:
    raw = load(LISTS["de"])
    return frozenset(raw["negations"].split()), frozenset(raw["boosters"].split())


@cache
def _heads(as_of: date | None) -> dict[str, float]:
    blocks = [block for block in load(LISTS["de"])["head"] if known(block, as_of)]
    return {word: float(block["value"]) for block in blocks for word in block["words"].split()}


@cache
def _ends(as_of: date | None) -> frozenset[str]:
    """The last letters of all heads; none is shorter."""
    return frozenset(head[-_SHORTEST:] for head in _heads(as_of))


@lru_cache(maxsize=65536)
def german_word(word: str, as_of: date | None = None) -> str:
    """Returns what VADER reads for a German word; an unknown one gets a mark it does not know."""
    lower = word.lower()
    if lower in MARKS:
        return lower
    negations, boosters = _lists()
    if lower in negations:
        return "not"
    if lower in boosters:
        return "very"
    if lower in words("de", as_of):
        return lower
    valence = compound(lower, as_of)
    return f"{lower}_" if valence is None else mark(valence)


def compound(word: str, as_of: date | None = None) -> float | None:
    """Returns the valence of a compound's head, the longest that ends it: Gewinn-warnung, not Warnung."""
    heads = _heads(as_of)
    if "-" in word:  # KI-Angst: the last part, a word of its own
        last = word.rsplit("-", 1)[1]
        return heads.get(last, words("de", as_of).get(last)) if last else None
    if word[-_SHORTEST:] not in _ends(as_of):  # nearly always
        return None
    for start in range(_SHORTEST, len(word) - 2):
        valence = heads.get(word[start:])
        if valence is not None:
            return valence or None  # Wirtschaft is no Haft
    return None
