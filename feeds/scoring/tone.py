"""Tone by vaderSentiment: English with a finance overlay, German with words of its own. The only room that knows VADER.

Phrases, German compounds and separated verbs are replaced by marks of known valence before VADER adds up, since it
knows single words only.
"""

from __future__ import annotations

import copy
import re
from datetime import date
from functools import cache
from typing import Any

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from feeds.scoring.clauses import asks, main_clause
from feeds.scoring.german import german_word
from feeds.scoring.matching import split
from feeds.scoring.phrases import MARKS, dropped, replace, words

_WORD = re.compile(r"[^\W\d_][\w-]*")


@cache
def _plain() -> Any:
    return SentimentIntensityAnalyzer()


@cache
def single_words(language: str, as_of: date | None) -> dict[str, float]:
    """Returns all single words with their valence: the list's, and for English those of vaderSentiment that count."""
    if language == "de":
        return words("de", as_of)
    kept = {word: float(valence) for word, valence in _plain().lexicon.items() if word not in dropped()}
    return {**kept, **words("en", as_of)}


@cache
def _analyzer(language: str, as_of: date | None) -> Any:
    analyzer = copy.copy(_plain())
    analyzer.lexicon = {**single_words(language, as_of), **MARKS}
    return analyzer


def plain_vader(text: str) -> float:
    """Returns unmodified vaderSentiment's compound in [-1, 1]; means nothing on other languages than English."""
    return float(_plain().polarity_scores(text)["compound"])


def tone(text: str, language: str, as_of: date | None = None) -> tuple[float, tuple[str, ...]]:
    """Returns the tone in [-1, 1] of an English or German text, and the words and phrases that made it.

    Where main clause and whole differ in sign, the main clause says what happened; a mere question says nothing.
    """
    if asks(split(text).words):
        return 0.0, ()
    marked, phrases = replace(text, language, as_of)
    analyzer = _analyzer("de" if language == "de" else "en", as_of)
    hits: list[str] = []
    if language == "de":
        marked = _WORD.sub(lambda match: _seen(match[0], hits, as_of), marked)
    else:
        single = (word.strip(".,;:!?'\"()").lower() for word in marked.split())
        hits = [word for word in single if word in analyzer.lexicon and word not in MARKS]
    if not hits and not phrases:
        return 0.0, ()
    value = _compound(analyzer, marked)
    main = main_clause(marked)
    if main != marked and (first := _compound(analyzer, main)) * value < 0:
        value = first
    return value, (*phrases, *hits)


def _seen(word: str, hits: list[str], as_of: date | None) -> str:
    """What VADER sees of a German word, which is noted where it has a tone."""
    if word in MARKS:
        return word
    seen = german_word(word, as_of)
    if seen in MARKS or seen in words("de", as_of):
        hits.append(word.lower())
    return seen


def _compound(analyzer: Any, text: str) -> float:
    return float(analyzer.polarity_scores(text)["compound"])
