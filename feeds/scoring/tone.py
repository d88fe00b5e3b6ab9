"""Tone on vaderSentiment's engine: English with a finance overlay, German with words of its own.

Phrases, German compounds and separated verbs are replaced by marks of known valence before VADER adds up, since it
knows single words only.
"""

from __future__ import annotations

import re
from datetime import date
from functools import cache

from feeds.scoring.clauses import asks, main_clause
from feeds.scoring.german import german_word
from feeds.scoring.matching import split
from feeds.scoring.phrases import MARKS, dropped, replace, words
from feeds.scoring.vader import Hit, Vader, package_words

_WORD = re.compile(r"[^\W\d_][\w-]*")


@cache
def _plain() -> Vader:
    return Vader(package_words())


@cache
def single_words(language: str, as_of: date | None) -> dict[str, float]:
    """Returns all single words with their valence: the list's, and for English those of vaderSentiment that count."""
    if language == "de":
        return words("de", as_of)
    kept = {word: float(valence) for word, valence in package_words().items() if word not in dropped()}
    return {**kept, **words("en", as_of)}


@cache
def _engine(language: str, as_of: date | None) -> Vader:
    return Vader({**single_words(language, as_of), **MARKS})


def plain_vader(text: str) -> float:
    """Returns unmodified vaderSentiment's compound in [-1, 1]; means nothing on other languages than English."""
    return _plain().compound(text)


def tone(text: str, language: str, as_of: date | None = None) -> tuple[float, tuple[str, ...]]:
    """Returns the tone in [-1, 1] of an English or German text, and the words and phrases that made it.

    Where main clause and whole differ in sign, the main clause says what happened; a mere question says nothing.
    """
    if asks(split(text).words):
        return 0.0, ()
    marked, phrases = replace(text, language, as_of)
    engine = _engine("de" if language == "de" else "en", as_of)
    hits: list[str] = []
    if language == "de":
        marked = _WORD.sub(lambda match: _seen(match[0], hits, as_of), marked)
        value = engine.compound(marked)
    else:
        value, found = engine.read(marked)
        hits = [word for word in (hit.word.lower() for hit in found) if word not in MARKS]
    if not hits and not phrases:
        return 0.0, ()
    main = main_clause(marked)
    if main != marked and (first := engine.compound(main)) * value < 0:
        value = first
    return value, (*phrases, *hits)


def words_read(text: str, language: str, as_of: date | None = None) -> tuple[str, list[Hit]]:
    """Returns a text as VADER reads it, with marks for phrases and compounds, and the words that count there."""
    marked, _ = replace(text, language, as_of)
    if language == "de":
        marked = _WORD.sub(lambda match: _seen(match[0], [], as_of), marked)
    return marked, _engine("de" if language == "de" else "en", as_of).read(marked)[1]


def _seen(word: str, hits: list[str], as_of: date | None) -> str:
    """What VADER sees of a German word, which is noted where it has a tone."""
    if word in MARKS:
        return word
    seen = german_word(word, as_of)
    if seen in MARKS or seen in words("de", as_of):
        hits.append(word.lower())
    return seen
