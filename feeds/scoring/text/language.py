"""Tells English, German and other languages apart.

Common words decide where they can, together with what the channel claims (data/language.toml). Only where both leave it
open is py3langid asked, with sixteen candidates: with German and English alone it takes Swedish for German. It costs
half a second to load, so it is imported then.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

import numpy as np

from feeds.scoring.text.lists import load
from feeds.scoring.text.words import PerWord

CANDIDATES: Final = ("en", "de", "fr", "es", "it", "nl", "sv", "da", "no", "fi", "pt", "pl", "cs", "hu", "ro", "tr")
_ACCENTED: Final = frozenset(("cs", "hu", "ro", "tr"))  # hardly a headline of theirs is without an accent
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_BITS: Final = 32  # of each of the seven counts: more than a text has words
_MOST: Final = (1 << _BITS) - 1
_PLACES: Final = range(0, 7 * _BITS, _BITS)
_UMLAUTS: Final = frozenset("äöüß")
_FOREIGN: Final = frozenset("åøæéèêçñãõáíóúàìòùâîôûëïœłśżźćńęąőűčšžřěůğışıșțăđþð")  # no German or English word has them


@cache
def _votes() -> PerWord[int]:
    """For whom the words between two blanks speak, how many they are, and whether they have letters of a language.

    All counts in one number, so that a text's are added up at once.
    """
    lists = [frozenset(load("language.toml")[name].split()) for name in ("english", "german", "others", "sure")]
    one, umlaut, foreign = [1 << place for place in _PLACES[len(lists) :]]
    known = {
        word: one + sum([(word in words) << place for words, place in zip(lists, _PLACES, strict=False)])
        for word in frozenset().union(*lists)
    }

    def look(piece: str) -> int:
        lower = piece.lower()
        votes = sum([known.get(word, one) for word in _WORD.findall(lower)])
        if not lower.isascii():
            votes += umlaut * (not _UMLAUTS.isdisjoint(lower)) + foreign * (not _FOREIGN.isdisjoint(lower))
        return votes

    return PerWord(look)


def detect(text: str, declared: str = "") -> str:
    """Returns the code of a text's language: "en", "de", or another of the candidates.

    Args:
        text: Title and summary.
        declared: What the channel says it is written in; breaks ties.
    """
    votes = sum(_votes().all(text.split(" ")))
    english, german, others, sure, words, umlauts, foreign = [votes >> place & _MOST for place in _PLACES]
    if not words:
        return declared or "en"
    accented = foreign > 0
    german += umlauts > 0
    others += accented
    if declared in {"en", "de"}:
        own, rivals = (german, max(english, others)) if declared == "de" else (english, max(german, others))
        if rivals - own < 2:
            return declared
    if english > german + others and (english >= 2 or sure):
        return "en"
    if german > english + others and german >= 2:
        return "de"
    return identify(text, accented=accented)


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(list(CANDIDATES))
    identifier.nb_ptc = np.ascontiguousarray(identifier.nb_ptc)  # a row of it is read for each letter
    return identifier


def identify(text: str, *, accented: bool = True) -> str:
    """Returns the language that py3langid finds, one of `CANDIDATES`.

    Args:
        text: The text.
        accented: Whether it has accents; without, some languages are out of the question.
    """
    found = str(_identifier().classify(text)[0])
    if found in _ACCENTED and not accented:
        return next(str(code) for code, _ in _identifier().rank(text) if code not in _ACCENTED)
    return found
