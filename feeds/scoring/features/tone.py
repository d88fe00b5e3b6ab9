"""Reads the tone of a text by vaderSentiment's own analyzer, on its word list with finance words of ours.

English: phrases become single words of known valence, words that mean nothing in business headlines are dropped.
German: its words, negations and boosters are put in VADER's, then the same analyzer reads them. The tone is one feature
of the tone head, and what the directions of companies fall back on.
"""

from __future__ import annotations

import re
import string
from datetime import date
from functools import cache
from typing import Final

from vaderSentiment.vaderSentiment import BOOSTER_DICT, SPECIAL_CASES, SentimentIntensityAnalyzer, negated

from feeds.scoring.features.german import german_word
from feeds.scoring.features.phrases import MARKS, dropped, replace, words
from feeds.scoring.score import SPEAKS
from feeds.scoring.text.clauses import asks, main_clause, wishes
from feeds.scoring.text.words import PerWord, split

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


def _watched(word: str) -> bool:
    """Whether a word may be part of a negation or an idiom of the package's."""
    return negated([word]) or word.lower() in _IN_IDIOMS


_IN_IDIOMS: Final = frozenset(("so", "this", "doubt")).union(
    *[idiom.split() for idiom in (*SPECIAL_CASES, *BOOSTER_DICT) if " " in idiom]
)
_WATCHED: Final = PerWord(_watched)


class Analyzer(SentimentIntensityAnalyzer):  # type: ignore[misc] # the package has no types
    """The package's analyzer; it looks for negations and idioms only where a word stands near that may be part of one.

    It asks for both at each word with a valence, which takes half of its time and nearly always finds none.
    """

    def _negation_check(self, valence: float, words_and_emoticons: list[str], start_i: int, i: int) -> float:
        if not any(_WATCHED.all(words_and_emoticons[max(0, i - 3) : i])):
            return valence
        found: float = super()._negation_check(valence, words_and_emoticons, start_i, i)
        return found

    def _special_idioms_check(self, valence: float, words_and_emoticons: list[str], i: int) -> float:
        if not any(_WATCHED.all(words_and_emoticons[max(0, i - 3) : i + 3])):
            return valence
        found: float = super()._special_idioms_check(valence, words_and_emoticons, i)
        return found


@cache
def analyzer(language: str, as_of: date | None) -> Analyzer:
    """Returns vaderSentiment's analyzer with a language's words, "en" or "de", for its own."""
    engine = object.__new__(Analyzer)  # its constructor reads the package's files again
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
    found = {word: valence for word, valence in _listed(language, as_of).all(marked.split()) if word}
    features = (*phrases, *[word for word in found if word not in MARKS])
    if not found:
        return 0.0, features
    engine = analyzer(language, as_of)
    value = float(engine.polarity_scores(marked)["compound"])
    if len({valence > 0 for valence in found.values()}) > 1 and (main := main_clause(marked)) != marked:
        first = float(engine.polarity_scores(main)["compound"])
        if first * value < 0 or abs(value) < SPEAKS <= abs(first):  # both cancel out: what happened stands first
            value = first
    return (0.0 if value > 0 and wishes(row.words) else value), features


@cache
def _listed(language: str, as_of: date | None) -> PerWord[tuple[str, float]]:
    """Returns the word of the analyzer's list that stands between two blanks, with its valence; "" for none."""
    lexicon = analyzer(language, as_of).lexicon

    def look(piece: str) -> tuple[str, float]:
        lower = piece.lower()
        word = lower.strip(string.punctuation)
        found = word if word in lexicon else lower  # emoticons are marks alone
        return (found, lexicon[found]) if found in lexicon else ("", 0.0)

    return PerWord(look)


def german(text: str, as_of: date | None) -> str:
    """Returns a German text with negations, boosters and compounds in words that the analyzer knows."""
    return _WORD.sub(lambda match: match[0] if match[0] in MARKS else german_word(match[0], as_of), text)
