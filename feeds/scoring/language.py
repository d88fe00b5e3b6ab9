"""Is a headline English, German or something else?

Function words decide where they can, together with what the channel claims. Only where both leave it open is
py3langid asked, with ten candidates: with German and English alone it takes Swedish for German. It costs half a
second to load, so it is imported then.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

CANDIDATES = ("en", "de", "fr", "es", "it", "nl", "sv", "da", "pt", "pl")
_WORD = re.compile(r"[^\W\d_]+")
_ENGLISH = frozenset(
    "the of and to in for on with as is are was after its by at from that this will has have be it how what why who "
    "not but says over more than up new his her their into could would about amid against".split()
)
_GERMAN = frozenset(
    "der die das und ist nicht ein eine einen einem einer für mit auf von zu im den dem des sich auch nach bei wie "
    "wird werden als aus über vor zum zur noch kein keine mehr sind hat haben will gegen um bis was so es er sie wir "
    "ich ihr unter nur beim vom warum wer sein seine ohne durch".split()
)
_UMLAUT = re.compile(r"[äöüßÄÖÜ]")


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(list(CANDIDATES))
    return identifier


def detect(text: str, declared: str = "") -> str:
    """Returns "en", "de" or the code of another language.

    Args:
        text: Title and summary.
        declared: The channel's claim; it breaks ties.
    """
    words = _WORD.findall(text.lower())
    english = sum(word in _ENGLISH for word in words)
    german = sum(word in _GERMAN for word in words) + bool(_UMLAUT.search(text))
    if declared == "en" and english >= german and (english or not german):
        return "en"
    if declared == "de" and german >= english:
        return "de"
    if declared not in {"en", "de"} and max(english, german) >= 2 and abs(english - german) >= 2 and not declared:
        return "en" if english > german else "de"
    if not words:
        return declared or "en"
    return str(_identifier().classify(text)[0])
