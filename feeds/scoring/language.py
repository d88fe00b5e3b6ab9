"""Tells English, German and other languages apart.

Common words decide where they can, together with what the channel claims (data/language.toml). Only where both leave it
open is py3langid asked, with sixteen candidates: with German and English alone it takes Swedish for German. It costs
half a second to load, so it is imported then.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

from feeds.scoring.lists import load

CANDIDATES: Final = ("en", "de", "fr", "es", "it", "nl", "sv", "da", "no", "fi", "pt", "pl", "cs", "hu", "ro", "tr")
_ACCENTED: Final = frozenset(("cs", "hu", "ro", "tr"))  # hardly a headline of theirs is without an accent
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_BITS: Final = 32  # of each of the four counts of votes: more than a text has words
_MOST: Final = (1 << _BITS) - 1
_UMLAUTS: Final = frozenset("äöüß")
_FOREIGN: Final = frozenset("åøæéèêçñãõáíóúàìòùâîôûëïœłśżźćńęąőűčšžřěůğışıșțăđþð")  # no German or English word has them


@cache
def _votes() -> dict[str, int]:
    """For whom each common word speaks: English, German, another language; whether it is English and nothing else.

    All four in one number, so that a text's are added up at once.
    """
    lists = {name: frozenset(text.split()) for name, text in load("language.toml").items()}
    names = ("english", "german", "others", "sure")
    return {
        word: sum((word in lists[name]) << (_BITS * place) for place, name in enumerate(names))
        for word in frozenset().union(*lists.values())
    }


def detect(text: str, declared: str = "") -> str:
    """Returns the code of a text's language: "en", "de", or another of the candidates.

    Args:
        text: Title and summary.
        declared: What the channel says it is written in; breaks ties.
    """
    lower = text.lower()
    words = _WORD.findall(lower)
    if not words:
        return declared or "en"
    known = _votes()
    votes = sum([known[word] for word in words if word in known])
    english, german, others, sure = (votes >> (_BITS * place) & _MOST for place in range(4))
    accented = False
    if not lower.isascii():
        accented = not _FOREIGN.isdisjoint(lower)
        german += not _UMLAUTS.isdisjoint(lower)
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
