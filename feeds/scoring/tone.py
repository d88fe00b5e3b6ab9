"""Tone on vaderSentiment's engine: English with a finance overlay, German with words of its own.

Phrases, German compounds and separated verbs are replaced by marks of known valence before VADER adds up, since it
knows single words only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Final

from feeds.scoring.clauses import asks, main_clause, wishes
from feeds.scoring.german import german_word
from feeds.scoring.phrases import MARKS, Found, dropped, find, replace, replaced, words
from feeds.scoring.rows import LONGEST_WORD, REMEMBERED, Row, split
from feeds.scoring.score import SPEAKS
from feeds.scoring.vader import Hit, Vader, Word, package_words

_WORD: Final = re.compile(r"[^\W\d_][\w-]*")


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
def engine(language: str, as_of: date | None) -> Vader:
    """Returns VADER on a language's words, "en" or "de"."""
    return Vader({**single_words(language, as_of), **MARKS})


def plain_vader(text: str) -> float:
    """Returns unmodified vaderSentiment's compound in [-1, 1]; means nothing on other languages than English."""
    return _plain().compound(text)


def tone(text: str, language: str, as_of: date | None = None) -> tuple[float, tuple[str, ...]]:
    """Returns the tone in [-1, 1] of an English or German text, and the words and phrases that made it.

    Where main clause and whole differ in sign, the main clause says what happened; a mere question says nothing.
    """
    row = split(text)
    if asks(row.words):
        return 0.0, ()
    value, features = statement_tone(row, find(row.words, language, as_of), language, as_of)
    return (0.0, features) if value > 0 and wishes(row.words) else (value, features)


def statement_tone(
    row: Row, found: Sequence[Found], language: str, as_of: date | None, *, opens: bool = True
) -> tuple[float, tuple[str, ...]]:
    """The tone of a text that is no question, with its phrases; `opens`: may a subordinate clause begin in it."""
    text, phrases = replaced(row, found) if found else (row.text, ())
    vader = engine(language, as_of)
    if language == "de":
        text, features = _german(text, as_of)
        if not features and not phrases:
            return 0.0, ()
        value, agreed = vader.compound(text), False
    else:
        value, features, agreed = _weighed(vader, *vader.split(text))
        agreed = agreed or not opens
    return decided(vader, text, value, (*phrases, *features), agreed=agreed)


def _weighed(vader: Vader, text: str, pieces: Sequence[str], known: list[Word]) -> tuple[float, tuple[str, ...], bool]:
    """The compound of a text, its words with a tone, and whether they all speak the same way."""
    value, words, _, plain = vader.weigh(text, pieces, known)
    features = tuple([word.lower for word in words if word.lower not in MARKS])
    return value, features, plain and agree([word.listed for word in words])


def decided(
    vader: Vader, text: str, value: float, features: tuple[str, ...], *, agreed: bool
) -> tuple[float, tuple[str, ...]]:
    """The tone of the whole, or of its main clause where they differ in sign; where all agree they do not."""
    if not features:
        return 0.0, ()
    if not agreed:
        main = main_clause(text)
        if main != text:
            first = vader.compound(main)
            if first * value < 0 or abs(value) < SPEAKS <= abs(first):  # both cancel out: what happened stands first
                value = first
    return value, features


def agree(listed: list[float]) -> bool:
    """Whether all words speak the same way."""
    return bool(listed) and (min(listed) > 0 or max(listed) < 0)


def words_read(text: str, language: str, as_of: date | None = None) -> tuple[str, list[Hit]]:
    """Returns a text as VADER reads it, with marks for phrases and compounds, and the words that count there."""
    marked, _ = replace(text, language, as_of)
    if language == "de":
        marked, _ = _german(marked, as_of)
    return marked, engine(language, as_of).read(marked)


def _german(text: str, as_of: date | None) -> tuple[str, tuple[str, ...]]:
    """A German text as VADER reads it, and the words that have a tone."""
    pieces = list(map(_pieces(as_of).__getitem__, text.split(" ")))
    return " ".join([seen for seen, _ in pieces]), tuple([hit for _, features in pieces for hit in features])


class _Pieces(dict[str, tuple[str, tuple[str, ...]]]):
    """What VADER sees of what stands between two blanks, and the words in it that have a tone."""

    def __init__(self, as_of: date | None) -> None:
        """Takes the lists as a day knew them."""
        super().__init__()
        self._as_of = as_of

    def __missing__(self, piece: str) -> tuple[str, tuple[str, ...]]:
        features: list[str] = []
        found = _WORD.sub(lambda match: _seen(match[0], features, self._as_of), piece), tuple(features)
        if len(self) < REMEMBERED and len(piece) <= LONGEST_WORD:
            self[piece] = found
        return found


@cache
def _pieces(as_of: date | None) -> _Pieces:
    return _Pieces(as_of)


def _seen(word: str, features: list[str], as_of: date | None) -> str:
    """What VADER sees of a German word, which is noted where it has a tone."""
    if word in MARKS:
        return word
    seen = german_word(word, as_of)
    if seen in MARKS or seen in words("de", as_of):
        features.append(word.lower())
    return seen
