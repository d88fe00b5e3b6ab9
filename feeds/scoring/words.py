"""Splits a text into words and marks, as the patterns of the lists and the features see them.

"Nvidia's AI-driven sell-off, again" ─► nvidia, ai-driven, sell-off, ",", again
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final, TypeVar

T = TypeVar("T")

_TOKEN: Final = re.compile(
    r"[$€£¥]?\d[\d.,]*[a-zA-Z%]*|(?:[^\W\d_]\.){2,}|[^\W_]+(?:[-'’.&][^\W_]+)*|--|(?<= )-(?= )"
    r"|[;:,.!?–—…|$€£¥%()\"„“”‚‘]"
)
_AMOUNT: Final = re.compile(r"(?<![\d.,])[$€£¥]?\d[\d.,]*[a-z]")
BREAKS: Final = frozenset(";:.!?–—…|--")  # marks that end a clause
_ABBREVIATION: Final = 6  # characters of "U.S.A." at most
LONGEST_WORD: Final = 40  # characters; a longer word is in no list and its letters are no features
_REMEMBERED: Final = 50_000  # words of which is kept what they are


class PerWord(dict[str, T]):
    """What a word is, found when it is met first; so many words are kept that headlines repeat, and no more."""

    def __init__(self, look: Callable[[str], T]) -> None:
        """Takes what finds it."""
        super().__init__()
        self._look = look

    def __missing__(self, word: str) -> T:
        """Finds what a word is."""
        found = self._look(word)
        if len(self) < _REMEMBERED and len(word) <= LONGEST_WORD:
            self[word] = found
        return found

    def all(self, words: list[str]) -> list[T]:
        """Returns what each word is."""
        return list(map(self.__getitem__, words))


@dataclass(frozen=True)
class Row:
    """The words and marks of a text, in lower case; a hyphen between blanks is a dash."""

    text: str
    words: list[str]

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        """Start and end of each word in the text."""
        return [match.span() for match in _TOKEN.finditer(self.text)]


@lru_cache(maxsize=64)
def split(text: str) -> Row:
    """Splits a text; one that several steps of a score ask for is split once."""
    pieces = text.split(" ")
    words = [word for own in _WORDS.all(pieces) for word in own]
    if "-" in pieces:  # a dash where it stands between blanks
        words = [_plain(match[0]) for match in _TOKEN.finditer(text)]
    return Row(text, words)


def _cut(piece: str) -> tuple[str, ...]:
    """Returns the words and marks of what stands between two blanks."""
    return tuple(_plain(match[0]) for match in _TOKEN.finditer(piece))


_WORDS: Final = PerWord(_cut)


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
