"""Splits a text into words and marks, as the patterns of the lists and the features see them.

"Nvidia's AI-driven sell-off, again" ─► nvidia, ai-driven, sell-off, ",", again
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_TOKEN: Final = re.compile(
    r"[$€£¥]?\d[\d.,]*[a-zA-Z%]*|(?:[^\W\d_]\.){2,}|[^\W_]+(?:[-'’.&][^\W_]+)*|--|(?<= )-(?= )"
    r"|[;:,.!?–—…|$€£¥%()\"„“”‚‘]"
)
_AMOUNT: Final = re.compile(r"(?<![\d.,])[$€£¥]?\d[\d.,]*[a-z]")
BREAKS: Final = frozenset(";:.!?–—…|--")  # marks that end a clause
_ABBREVIATION: Final = 6  # characters of "U.S.A." at most
LONGEST_WORD: Final = 40  # characters; a longer word is in no list and its letters are no features


@dataclass(frozen=True, slots=True)
class Row:
    """The words and marks of a text, in lower case; a hyphen between blanks is a dash."""

    text: str
    words: list[str]
    spans: list[tuple[int, int]]  # start and end of each word in the text


@lru_cache(maxsize=64)
def split(text: str) -> Row:
    """Splits a text; one that several steps of a score ask for is split once."""
    found = list(_TOKEN.finditer(text))
    return Row(text, [_plain(match[0]) for match in found], [match.span() for match in found])


def _plain(raw: str) -> str:
    """Returns a word in lower case, without possessive and the dots of A.I."""
    if raw.isascii() and raw.isalpha():
        return raw.lower()
    if raw == "-":
        return "–"
    word = raw.lower().replace("’", "'").removesuffix("'s")
    if "." in word and len(word) <= _ABBREVIATION and word[0].isalpha():
        word = word.replace(".", "")
    word = word.rstrip(".,'") or word
    if word[-1:] in {"b", "t"} and _AMOUNT.fullmatch(word):  # $5b, €2t
        return f"{word}n"
    return word
