"""Is a headline English, German or something else?

Common words decide where they can, together with what the channel claims (data/language.toml). Only where both leave it
open is py3langid asked, with a dozen candidates: with German and English alone it takes Swedish for German. It costs
half a second to load, so it is imported then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from feeds.scoring.lists import load
from feeds.scoring.matching import LONGEST_WORD, REMEMBERED

CANDIDATES = ("en", "de", "fr", "es", "it", "nl", "sv", "da", "no", "fi", "pt", "pl", "cs", "hu", "ro", "tr")
_ACCENTED = frozenset(("cs", "hu", "ro", "tr"))  # hardly a headline of theirs is without an accent
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_UMLAUTS = frozenset("äöüß")
_FOREIGN = frozenset("åøæéèêçñãõáíóúàìòùâîôûëïœłśżźćńęąőűčšžřěůğışıșțăđþð")  # no German or English word has them

_LISTS = ("english", "german", "others", "sure")  # sure: it is English and nothing else
_BITS = 24  # of each count
_MANY = (1 << _BITS) - 1
_SHIFTS = (0, _BITS, 2 * _BITS, 3 * _BITS)
_A_WORD, _UMLAUT, _ACCENT = 1 << 4 * _BITS, 1 << 5 * _BITS, 1 << 6 * _BITS


class _Votes(dict[str, int]):
    """For which languages the words between two blanks speak: counts side by side in one number, added up at once."""

    def __init__(self) -> None:
        """Reads the words that tell languages apart."""
        super().__init__()
        lists = {name: frozenset(text.split()) for name, text in load("language.toml").items()}
        self._weights = {
            word: sum((word in lists[name]) << shift for name, shift in zip(_LISTS, _SHIFTS, strict=True))
            for word in frozenset().union(*lists.values())
        }

    def __missing__(self, piece: str) -> int:
        lower = piece.lower()
        if lower.isascii() and lower.isalpha():
            votes = self._weights.get(lower, 0) + _A_WORD
        else:
            words = _WORD.findall(lower)
            votes = sum(self._weights.get(word, 0) for word in words) + len(words) * _A_WORD
            if not _UMLAUTS.isdisjoint(lower):
                votes += _UMLAUT
            if not _FOREIGN.isdisjoint(lower):
                votes += _ACCENT
        if len(self) < REMEMBERED and len(piece) <= LONGEST_WORD:
            self[piece] = votes
        return votes


@cache
def _votes() -> _Votes:
    return _Votes()


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
    return decide(votes(text.split(" ")), text, declared)


def votes(pieces: Iterable[str]) -> int:
    """Returns what the pieces of a text between blanks say; votes of several texts are added up."""
    return sum(map(_votes().__getitem__, pieces))


def decide(votes: int, text: str, declared: str) -> str:
    """Returns the language by a text's votes; see `detect`."""
    english, german = votes & _MANY, votes >> _BITS & _MANY
    others, sure = votes >> 2 * _BITS & _MANY, votes >> 3 * _BITS & _MANY
    if votes >= _UMLAUT:
        german += votes & _MANY * _UMLAUT > 0
        others += votes >= _ACCENT
    own, rivals = (german, max(english, others)) if declared == "de" else (english, max(german, others))
    if declared in {"en", "de"} and rivals - own < 2:
        return declared
    if english > german + others and (english >= 2 or sure):
        return "en"
    if german > english + others and german >= 2:
        return "de"
    if not votes & _MANY * _A_WORD:
        return declared or "en"
    found = str(_identifier().classify(text)[0])
    if found in _ACCENTED and votes < _ACCENT:
        return next(str(code) for code, _ in _identifier().rank(text) if code not in _ACCENTED)
    return found
