"""Is a headline English, German or something else?

Common words decide where they can, together with what the channel claims (data/language.toml). Only where both leave it
open is py3langid asked, with a dozen candidates: with German and English alone it takes Swedish for German. It costs
half a second to load, so it is imported then.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, NamedTuple

from feeds.scoring.lists import load

CANDIDATES = ("en", "de", "fr", "es", "it", "nl", "sv", "da", "no", "fi", "pt", "pl")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_UMLAUTS = frozenset("äöüß")
_FOREIGN = frozenset("åøæéèêçñãõáíóúàìòùâîôûëïœłśżźćńęąőűčšžřěůğışıșțăđþð")  # no German or English word has them


class _Votes(NamedTuple):
    """For which languages a word speaks, 1 or 0 each."""

    english: int
    german: int
    others: int
    sure: int  # it is English and nothing else


@cache
def _votes() -> dict[str, _Votes]:
    lists = {name: frozenset(text.split()) for name, text in load("language.toml").items()}
    return {
        word: _Votes(*(int(word in lists[name]) for name in ("english", "german", "others", "sure")))
        for word in frozenset().union(*lists.values())
    }


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
    lower = text.lower()
    words = _WORD.findall(lower)
    votes = _votes()
    english = german = others = sure = 0
    for word in words:
        vote = votes.get(word)
        if vote is not None:
            english += vote.english
            german += vote.german
            others += vote.others
            sure += vote.sure
    if not lower.isascii():
        german += not _UMLAUTS.isdisjoint(lower)
        others += not _FOREIGN.isdisjoint(lower)
    own, rivals = (german, max(english, others)) if declared == "de" else (english, max(german, others))
    if declared in {"en", "de"} and rivals - own < 2:
        return declared
    if english > german + others and (english >= 2 or sure):
        return "en"
    if german > english + others and german >= 2:
        return "de"
    if not words:
        return declared or "en"
    return str(_identifier().classify(text)[0])
