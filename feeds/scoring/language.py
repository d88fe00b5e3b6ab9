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
# Words of one language only: "in", "was", "will" and "so" are both English and German and prove nothing.
_ENGLISH = frozenset(
    "the of and to for on with as is are after its by at from that this has have be it how what why who "
    "not but says over more than up new his her their into could would about amid against you your they".split()
)
_SURE = frozenset("the and with from that this after its how why what".split())  # English and nothing else
_GERMAN = frozenset(
    "der die das und ist nicht ein eine einen einem einer für mit auf von zu im den dem des sich auch nach bei wie "
    "wird werden als aus über vor zum zur noch kein keine mehr sind hat haben gegen um bis er sie wir "
    "ich ihr unter nur beim vom warum wer sein seine ohne durch".split()
)
_OTHERS = frozenset(
    "les des une est dans pour avec sur du aux el los las una del por para con il gli della di che nel het een van "
    "voor niet zijn och att det som av på är og ikke til uma não em os da na się jest przez od".split()
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
    others = sum(word in _OTHERS for word in words)
    own, rivals = (german, max(english, others)) if declared == "de" else (english, max(german, others))
    if declared in {"en", "de"} and rivals - own < 2:
        return declared
    sure = german or english >= 2 or not _SURE.isdisjoint(words)
    if sure and not declared and not others and min(english, german) == 0:
        return "de" if german else "en"
    if not words:
        return declared or "en"
    return str(_identifier().classify(text)[0])
