"""Reads the tone of a text by vaderSentiment's own analyzer, on its word list with finance words of ours.

English: phrases become single words of known valence, words that mean nothing in business headlines are dropped.
German: its words, negations and boosters are put in VADER's, then the same analyzer reads them. The tone is one feature
of the tone head, and what the directions of companies fall back on.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Final

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from feeds.scoring.clauses import asks, main_clause, wishes
from feeds.scoring.german import german_word
from feeds.scoring.phrases import MARKS, dropped, replace, words
from feeds.scoring.score import SPEAKS
from feeds.scoring.words import split

_WORD: Final = re.compile(r"[^\W\d_][\w-]*")


@cache
def _package() -> SentimentIntensityAnalyzer:
    return SentimentIntensityAnalyzer()


@cache
def single_words(language: str, as_of: date | None) -> dict[str, float]:
    """Returns all single words with their valence: the list's, and for English those of vaderSentiment that count."""
    if language == "de":
        return words("de", as_of)
    kept = {word: float(valence) for word, valence in _package().lexicon.items() if word not in dropped()}
    return {**kept, **words("en", as_of)}


@cache
def analyzer(language: str, as_of: date | None) -> SentimentIntensityAnalyzer:
    """Returns vaderSentiment's analyzer with a language's words, "en" or "de", for its own."""
    engine = object.__new__(SentimentIntensityAnalyzer)  # its constructor reads the package's files again
    engine.lexicon = {**single_words(language, as_of), **MARKS}
    engine.emojis = _package().emojis
    return engine


def plain_vader(text: str) -> float:
    """Returns unmodified vaderSentiment's compound in [-1, 1]; means nothing on other languages than English."""
    return float(_package().polarity_scores(text)["compound"])


def tone(text: str, language: str, as_of: date | None = None) -> tuple[float, tuple[str, ...]]:
    """Returns the tone in [-1, 1] of an English or German text, and the words and phrases that made it.

    Where main clause and whole differ in sign, the main clause says what happened; a mere question says nothing.
    """
    row = split(text)
    if asks(row.words):
        return 0.0, ()
    marked, phrases = replace(text, language, as_of)
    if language == "de":
        marked = german(marked, as_of)
    engine = analyzer(language, as_of)
    found = listed(marked, engine.lexicon)
    features = (*phrases, *(word for word in found if word not in MARKS))
    if not found:
        return 0.0, features
    value = float(engine.polarity_scores(marked)["compound"])
    main = main_clause(marked)
    if main != marked and len({valence > 0 for valence in found.values()}) > 1:
        first = float(engine.polarity_scores(main)["compound"])
        if first * value < 0 or abs(value) < SPEAKS <= abs(first):  # both cancel out: what happened stands first
            value = first
    return (0.0 if value > 0 and wishes(row.words) else value), features


def listed(text: str, lexicon: Mapping[str, float]) -> dict[str, float]:
    """Returns the words of a text that stand in a lexicon, with their valence."""
    found = {}
    for piece in text.lower().split():
        word = piece.strip(string.punctuation)
        if word in lexicon:
            found[word] = lexicon[word]
        elif piece in lexicon:  # emoticons
            found[piece] = lexicon[piece]
    return found


def german(text: str, as_of: date | None) -> str:
    """Returns a German text with negations, boosters and compounds in words that the analyzer knows."""
    return _WORD.sub(lambda match: match[0] if match[0] in MARKS else german_word(match[0], as_of), text)
