"""Phrases of tone: several words, a German compound or a separated verb become one word of known valence.

vaderSentiment knows single words only. A phrase is replaced by a mark such as `xxn26xx` (-2.6) at its last word; words
in its gaps stay where they are, so that a booster or a negation between them still works: "bricht massiv ein" becomes
"massiv xxn28xx". Where a fear is taken back ("Fears of a bubble overblown"), what it is about is spent with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Final

from feeds.scoring.lists import known, load
from feeds.scoring.matching import Matcher
from feeds.scoring.words import Row, split

LISTS: Final = {"en": "tone_en.toml", "de": "tone_de.toml"}
MARK: Final = "xx"


def mark(valence: float) -> str:
    """Returns a word of that valence, in tenths: xxn26xx is -2.6."""
    return f"{MARK}{'n' if valence < 0 else 'p'}{round(abs(valence) * 10):02d}{MARK}"


MARKS: Final = {mark(tenths / 10): tenths / 10 for tenths in range(-40, 41)}


@cache
def words(language: str, as_of: date | None) -> dict[str, float]:
    """Returns the single words of a language's list with their valence in [-4, 4], as a day knew them."""
    blocks = [block for block in load(LISTS[language])["valence"] if known(block, as_of)]
    return {word: float(block["value"]) for block in blocks for word in block["words"].split()}


@cache
def dropped() -> frozenset[str]:
    """Returns the words of vaderSentiment that carry no tone in business headlines."""
    return frozenset(load(LISTS["en"])["drop"].split())


@cache
def matcher(language: str, as_of: date | None) -> Matcher[tuple[float, str, bool]]:
    """Returns the patterns with their valence, what stands in for them, and whether words in their gaps are spent."""
    raw = load(LISTS[language])
    phrases = [
        (text, (float(block["value"]), mark(block["value"]), bool(block.get("spends", False))))
        for block in raw["phrase"]
        if known(block, as_of)
        for text in block["patterns"]
    ]
    turns = [(text, (0.0, str(block["with"]), False)) for block in raw.get("turn", ()) for text in block["patterns"]]
    return Matcher(phrases + turns, LISTS[language])


Found = tuple[tuple[int, ...], float, str]  # places of a phrase's words, its valence, what stands in for it


def replace(text: str, language: str, as_of: date | None = None) -> tuple[str, tuple[str, ...]]:
    """Returns the text with its phrases replaced by marks, and the phrases found; the longest at a place counts."""
    row = split(text)
    return replaced(row, find(row.words, language, as_of))


def replaced(row: Row, found: Iterable[Found]) -> tuple[str, tuple[str, ...]]:
    """The same with phrases that are found already."""
    found = list(found)
    if not found:
        return row.text, ()
    parts: list[str] = []
    features: list[str] = []
    done = 0
    text, spans = row.text, row.spans
    for places, value, word in found:
        if value:
            features.append(_phrase(text, spans, places))
        last = places[-1]
        for place in places:
            start, end = spans[place]
            parts += (text[done:start], f" {word} " if place == last else " ")
            done = end
    return "".join((*parts, text[done:])), tuple(features)


def find(words: list[str], language: str, as_of: date | None) -> list[Found]:
    """Returns the phrases of a row of words, from left to right."""
    patterns = matcher(language, as_of)
    out = []
    free = 0  # words before it are spent
    for index, starts in enumerate(patterns.beginning.all(words)):
        found = patterns.at(words, index) if starts is not None and index >= free else None
        if found is not None:
            taken, payloads = found
            value, word, spends = payloads[0] if len(payloads) == 1 else max(payloads, key=_strength)
            out.append((tuple(range(taken[0], taken[-1] + 1)) if spends else taken, value, word))
            free = taken[-1] + 1
    return out


def _strength(payload: tuple[float, str, bool]) -> float:
    return abs(payload[0])


def _phrase(text: str, spans: list[tuple[int, int]], places: tuple[int, ...]) -> str:
    """The words of a phrase as they stand in the text: neighbours together, others with dots between."""
    runs: list[str] = []
    first = before = places[0]
    for place in (*places[1:], -1):
        if place != before + 1:
            runs.append(text[spans[first][0] : spans[before][1]])
            first = place
        before = place
    return " … ".join(runs)
