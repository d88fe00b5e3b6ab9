"""One look over a headline: each piece between two blanks says once, for all engines, what it is to them.

    pieces ─► their records, made when first seen ─► votes for a language, flags, words that VADER knows

Most pieces of most headlines are nothing to anybody. The flags say which engines must read the headline: a glance may
see what a closer look does not find; it never misses what one would find.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache

from feeds.scoring.begins import Begins
from feeds.scoring.clauses import ASKING, FOLDED, OPENERS, opens
from feeds.scoring.language import ACCENT, UMLAUT, votes, weights
from feeds.scoring.lists import name_words
from feeds.scoring.phrases import MARKS, matcher
from feeds.scoring.rows import LONGEST_WORD, REMEMBERED, STOPS, words_of
from feeds.scoring.rules import rule_book
from feeds.scoring.tone import engine
from feeds.scoring.vader import Word, holds_emoji

LETTERS = UMLAUT | ACCENT  # of a language: the lowest bits
ASKS, NAMES, PHRASE, DISRUPTION = 4, 8, 16, 32  # may be a question, name a company, hold a phrase, be about AI
REACTION = 64  # may report a price move
OPENS = 128  # may hold a subordinate clause
ODD = 256  # holds an emoji, blanks in a row or other blanks than " ": VADER has to split it for itself
COUNTS, ACTS, SHOUTS = 512, 1024, 2048  # words that have a tone, act upon others, have a tone and stand in capitals
SUBJECT = 4096  # a word with which something of the disruption list begins
_SHORT = 2  # letters of a word of which VADER does not take stops away
_SHIFT = 13  # above them: classes of price moves

Record = tuple[int, int, Word | None]  # votes for languages, bits, the word where VADER counts it


class Glance(dict[str, Record | None]):
    """Looks over headlines of a language. As a dict it says what a piece is, None for nothing.

    Args:
        language: "en" or "de".
        as_of: Lists are taken as that day knew them.
    """

    def __init__(self, language: str, as_of: date | None) -> None:
        super().__init__()
        self._words = _Words(language, as_of)
        self._alike: dict[Record, Record] = {}
        self._weights = weights()
        self._known = engine(language, as_of).known if language == "en" else None
        lists = {*self._words.begins.words(), *self._weights}
        if self._known is not None:
            lists |= self._known.special
        self._lists = frozenset(lists)  # words that are something
        self._edged = self._words.begins.edges().begins  # whole or by their first or last letters
        self._stops = {stop: self._shared(self._words[stop]) for stop in STOPS}

    def __call__(self, pieces: Sequence[str]) -> tuple[int, int, list[Word], int]:
        """Looks over the pieces of a text between blanks.

        Returns:
            Votes for languages, flags, the English words that VADER counts, and the pairs that `openers` wants.
        """
        votes = bits = 0
        words: list[Word] = []
        for said, own, word in filter(None, map(self.__getitem__, pieces)):
            votes += said
            bits |= own
            if word is not None:
                words.append(word)
        pairs = self._words.begins.pairs(bits)
        return votes, self._words.flags(bits, pairs), words, pairs

    def counted(self, pieces: Sequence[str]) -> list[Word | None]:
        """Returns for each piece the word where VADER counts it."""
        return [record[2] if record is not None else None for record in map(self.__getitem__, pieces)]

    def begins(self, words: Sequence[str]) -> list[tuple[int, int]]:
        """Returns the places of words with which something begins, each with its bits."""
        return [each for each in enumerate(map(self._words.__getitem__, words)) if each[1]]

    def openers(self, pairs: int) -> tuple[int, int]:
        """Returns the bits of words that may begin a phrase, or a class of price moves, in a text with these pairs."""
        return pairs & self._words.phrases | PHRASE, pairs & self._words.moves | self._words.classes

    def __missing__(self, piece: str) -> Record | None:
        if piece.isascii() and piece.isalpha():
            lower = piece.lower()
            if lower in self._lists:
                record = self._record(piece, self._weights.get(lower, 0), self._words[lower])
            else:  # nearly always
                record = self._shared(self._words[lower]) if self._edged(lower) else None
        else:
            record = self._mixed(piece)
        if len(self) < REMEMBERED and len(piece) <= LONGEST_WORD:
            self[piece] = record
        return record

    def _shared(self, bits: int, votes: int = 0) -> Record | None:
        """The record of a word that VADER does not count; many words are alike."""
        if not (votes or bits):
            return None
        record = (votes, bits, None)
        return self._alike.setdefault(record, record) if len(self._alike) < REMEMBERED else record

    def _record(self, piece: str, votes: int, bits: int) -> Record | None:
        counts = None
        if self._known is not None and (word := self._known.take_apart(piece)) is not None:
            bits |= ACTS * word.acts
            if word.counts:
                counts = word
                bits |= COUNTS | SHOUTS * word.shouts | ODD * (word.lower in MARKS)
        return self._shared(bits, votes) if counts is None else (votes, bits, counts)

    def _mixed(self, piece: str) -> Record | None:
        """A piece that is more than letters; the common kinds first."""
        stem, stop = piece[:-1], piece[-1:]
        if stop in STOPS and stem.isascii() and stem.isalpha():  # "chips,"
            lower = stem.lower()
            if lower in self._lists or len(stem) <= _SHORT:
                return self._record(piece, self._weights.get(lower, 0), self._words[lower] | self._words[stop])
            return self._shared(self._words[lower] | self._words[stop]) if self._edged(lower) else self._stops[stop]
        if piece.isascii():
            if piece.isdecimal():
                return self._record(piece, 0, self._words[piece])
            if stem[-1:] == "'" and stop == "s" and stem[:-1].isalpha():  # "Nvidia's"
                return self._record(piece, self._weights.get(piece.lower(), 0), self._words[stem[:-1].lower()])
            parts = piece.split("-")
            if len(parts) > 1 and all(map(str.isalpha, parts)):  # "AI-driven"
                lower = piece.lower()
                said = sum([self._weights.get(part, 0) for part in lower.split("-")])
                return self._record(piece, said, self._words[lower])
        said, bits = votes(piece)
        for word in words_of(piece):
            bits |= self._words[word]
        if not piece.isascii() and not FOLDED.isdisjoint(piece) and opens(piece):
            bits |= OPENS
        if not piece.isprintable() or not piece or holds_emoji(piece):
            bits |= ODD
        return self._record(piece, said, bits)


class _Words(dict[str, int]):
    """Bits of words, as patterns see them."""

    def __init__(self, language: str, as_of: date | None) -> None:
        super().__init__()
        self._moves = rule_book("reaction.toml", as_of)
        self._wanted = 0  # classes of price moves that a rule asks for
        for rule in self._moves.rules:
            for group in rule.groups:
                self._wanted |= group
        self.classes = (1 << len(self._moves.bits)) - 1 << _SHIFT
        base, self.moves = _any_language(as_of)
        self.begins = base.copy()
        self.phrases = self.begins.add(matcher(language, as_of), lambda _: PHRASE)

    def flags(self, bits: int, pairs: int) -> int:
        """Returns the flags of a text by the bits of its words, and its pairs."""
        flags = self.begins.announced(bits, pairs)
        moves = flags >> _SHIFT & self._wanted
        if moves & self._moves.matters and self._moves.possible[moves]:
            flags |= REACTION
        return flags

    def __missing__(self, word: str) -> int:
        bits = self.begins.bits(word)
        if "-" in word:  # its parts count too
            for part in word.split("-"):
                bits |= self[part] if part else 0
        if len(self) < REMEMBERED and len(word) <= LONGEST_WORD:
            self[word] = bits
        return bits


@cache
def _any_language(as_of: date | None) -> tuple[Begins, int]:
    """What words are in every language, and the bits of those that open a price move."""
    moves, subjects = rule_book("reaction.toml", as_of), rule_book("disruption.toml", as_of)
    begins = Begins(_SHIFT + len(moves.bits))
    begins.alone(ASKING, ASKS)
    names = name_words()
    begins.alone(names, NAMES)
    begins.alone([f"{name}s" for name in names], NAMES)
    begins.alone(OPENERS, OPENS)
    begins.add(subjects.matcher, lambda mask: DISRUPTION if mask & subjects.matters else 0, SUBJECT)
    return begins, begins.add(moves.matcher, lambda mask: mask << _SHIFT)


@cache
def glance(language: str, as_of: date | None) -> Glance:
    """Returns what looks over headlines of a language, with the lists as a day knew them."""
    return Glance(language, as_of)
