"""Words of a text, as the patterns of the lists see them.

    "Nvidia's AI-driven sell-off, again" ─► nvidia, ai-driven, sell-off, ",", again

What stands between two blanks is taken apart once, when it is first seen.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain
from typing import Final

_TOKEN: Final = re.compile(
    r"[$€£¥]?\d[\d.,]*[a-zA-Z%]*|(?:[^\W\d_]\.){2,}|[^\W_]+(?:[-'’.&][^\W_]+)*|--|(?<= )-(?= )"
    r"|[;:,.!?–—…|$€£¥%()\"„“”‚‘]"
)
_AMOUNT: Final = re.compile(r"(?<![\d.,])[$€£¥]?\d[\d.,]*[a-z]")
STOPS: Final = frozenset(",:;.?!")  # at the end of a piece a word of its own
BREAKS: Final = frozenset(";:.!?–—…|--")
REMEMBERED: Final = 100_000  # words of which is kept in memory what they are
LONGEST_WORD: Final = 40  # characters of a word that is kept


class _Pieces(dict[str, tuple[str, ...]]):
    """What stands between two blanks, as patterns see it. No word goes over a blank, so each piece is split once."""

    def __missing__(self, piece: str) -> tuple[str, ...]:
        stem, end = piece[:-1], piece[-1:]
        if piece.isalpha() or piece.isdecimal():  # the common kinds first; they need no search
            words: tuple[str, ...] = (piece.lower(),)
        elif end in STOPS and stem.isalpha():  # "chips,"
            words = (stem.lower(), end)
        elif end == "s" and stem[-1:] == "'" and stem[:-1].isalpha():  # "Nvidia's"
            words = (stem[:-1].lower(),)
        else:
            words = tuple(map(_plain, _TOKEN.findall(f" {piece} " if piece == "-" else piece)))
        if len(self) < REMEMBERED and len(piece) <= LONGEST_WORD:
            self[piece] = words
        return words


def _plain(raw: str) -> str:
    """A word in lower case, without possessive and the dots of A.I."""
    if raw.isascii() and raw.isalpha():
        return raw.lower()
    if raw == "-":
        return "–"
    word = raw.lower().replace("’", "'").removesuffix("'s")
    if "." in word and len(word) <= 6 and word[0].isalpha():
        word = word.replace(".", "")
    word = word.rstrip(".,'") or word
    if word[-1:] in {"b", "t"} and _AMOUNT.fullmatch(word):  # $5b, €2t
        return f"{word}n"
    return word


_PIECES: Final = _Pieces()


def words_of(piece: str) -> tuple[str, ...]:
    """Returns the words of what stands between two blanks."""
    return _PIECES[piece]


class Row:
    """The words and marks of a text; a hyphen between blanks is a dash."""

    __slots__ = ("_spans", "pieces", "text", "words")

    def __init__(self, text: str, pieces: list[str] | None = None, words: list[str] | None = None) -> None:
        """Splits the text; `pieces` are what stands between its blanks, `words` theirs, if that is known."""
        self.text = text
        self.pieces = text.split(" ") if pieces is None else pieces
        self.words = _words(self.pieces) if words is None else words  # and marks, as patterns see them
        self._spans: list[tuple[int, int]] | None = None

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Start and end of each word in the text."""
        if self._spans is None:
            self._spans = self._measured()
        return self._spans

    def _measured(self) -> list[tuple[int, int]]:
        """A piece of letters and digits that is one word needs no search."""
        spans: list[tuple[int, int]] = []
        start = 0
        for piece in self.pieces:
            if piece.isalnum() and len(_PIECES[piece]) == 1:
                spans.append((start, start + len(piece)))
            elif piece:
                spans += [match.span() for match in _TOKEN.finditer(self.text, start, start + len(piece) + 1)]
            start += len(piece) + 1
        return spans


def _words(pieces: list[str]) -> list[str]:
    words = list(chain.from_iterable(map(_PIECES.__getitem__, pieces)))
    if words and pieces[-1] == "-":  # no blank stands after it
        del words[-1]
    if words and pieces[0] == "-":
        del words[0]
    return words


@lru_cache(maxsize=64)
def split(text: str) -> Row:
    """Returns the words of a text; a text that several parts of a score ask for is split once."""
    return Row(text)
