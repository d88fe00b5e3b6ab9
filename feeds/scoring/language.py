"""Is a headline English, German or something else?

Common words decide where they can, together with what the channel claims (data/language.toml). Only where both leave it
open is py3langid asked, with sixteen candidates: with German and English alone it takes Swedish for German. It costs
half a second to load, so it is imported then.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

from feeds.scoring.identify import identify_many
from feeds.scoring.lists import load

_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_UMLAUTS: Final = frozenset("äöüß")
_FOREIGN: Final = frozenset("åøæéèêçñãõáíóúàìòùâîôûëïœłśżźćńęąőűčšžřěůğışıșțăđþð")  # no German or English word has them

_LISTS: Final = ("english", "german", "others", "sure")  # sure: it is English and nothing else
_BITS: Final = 15  # of each count: more than the words of a title and a summary; four fit in a machine word
_MANY: Final = (1 << _BITS) - 1
UMLAUT: Final = 1  # marks of a text, beside its votes
ACCENT: Final = 2


@cache
def weights() -> dict[str, int]:
    """Returns for which languages a word speaks: counts side by side in one number, added up over a text."""
    lists = {name: frozenset(text.split()) for name, text in load("language.toml").items()}
    return {
        word: sum((word in lists[name]) << place * _BITS for place, name in enumerate(_LISTS))
        for word in frozenset().union(*lists.values())
    }


def votes(piece: str) -> tuple[int, int]:
    """Returns for which languages speaks what stands between two blanks, and which marks it has."""
    lower = piece.lower()
    known = weights()
    marks = 0
    if not lower.isascii():
        marks = UMLAUT * (not _UMLAUTS.isdisjoint(lower)) | ACCENT * (not _FOREIGN.isdisjoint(lower))
    if lower.isalpha():
        return known.get(lower, 0), marks
    return sum([known.get(word, 0) for word in _WORD.findall(lower)]), marks


def decide(votes: int, marks: int, declared: str) -> str:
    """Returns the language by a text's votes and marks, added up over its pieces; "" where they leave it open."""
    english, german, others = votes & _MANY, votes >> _BITS & _MANY, votes >> 2 * _BITS & _MANY
    if marks:
        german += marks & UMLAUT
        others += marks >= ACCENT
    if declared in {"en", "de"}:
        own, rivals = (german, max(english, others)) if declared == "de" else (english, max(german, others))
        if rivals - own < 2:
            return declared
    if english > german + others and (english >= 2 or votes >> 3 * _BITS):
        return "en"
    if german > english + others and german >= 2:
        return "de"
    return ""


def ask(texts: Sequence[str], marks: Sequence[int], declared: Sequence[str]) -> list[str]:
    """Returns the languages of texts whose words leave them open; without a letter what is declared, else English."""
    lettered = [_WORD.search(text) is not None for text in texts]
    asked = [text for text, letters in zip(texts, lettered, strict=True) if letters]
    accented = [own >= ACCENT for own, letters in zip(marks, lettered, strict=True) if letters]
    found = iter(identify_many(asked, accented))
    return [next(found) if letters else own or "en" for letters, own in zip(lettered, declared, strict=True)]
