"""One look over a headline: each piece between two blanks says once, for all engines, what it is to them.

    pieces ─► what each is, made out when first seen ─► votes for a language, flags, words that VADER counts

Most pieces of most headlines are nothing to anybody. The flags say which engines must read the headline: a glance may
see what a closer look does not find; it never misses what one would find.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Final

from feeds.scoring.begins import Begins
from feeds.scoring.clauses import ASKING, FOLDED, OPENERS, opens
from feeds.scoring.language import ACCENT, UMLAUT, votes, weights
from feeds.scoring.lists import name_words
from feeds.scoring.phrases import MARKS, matcher
from feeds.scoring.rows import LONGEST_WORD, REMEMBERED, STOPS, words_of
from feeds.scoring.rules import rule_book
from feeds.scoring.tone import engine
from feeds.scoring.vader import Word, holds_emoji

LETTERS: Final = UMLAUT | ACCENT  # of a language: the lowest bits
ASKS: Final = 4  # may be a question
NAMES: Final = 8  # may name a company
PHRASE: Final = 16  # may hold a phrase
DISRUPTION: Final = 32  # may be about AI
REACTION: Final = 64  # may report a price move
OPENS: Final = 128  # may hold a subordinate clause
ODD: Final = 256  # holds an emoji, blanks in a row or other blanks than " ": VADER has to split it for itself
COUNTS: Final = 512  # a word that has a tone
ACTS: Final = 1024  # one that acts upon others
SHOUTS: Final = 2048  # one that has a tone and stands in capitals
SUBJECT: Final = 4096  # a word with which something of the disruption list begins
_FIGURES: Final = "0123456789.,%$:;"  # what numbers are made of, with what stands beside them
_SHORT: Final = 2  # letters of a word of which VADER does not take stops away
_SHIFT: Final = 13  # above them: classes of price moves
CLASSES: Final = 1 << _SHIFT  # flags from here on are such classes

Mark = tuple[int, int, int]  # of a word that may begin something: its place, flags, what it opens


class Piece:
    """What stands between two blanks, where it is something to an engine."""

    __slots__ = ("closes", "flags", "marks", "opens", "single", "votes", "word", "words")

    def __init__(
        self, votes: int, flags: int, opens: int, closes: int, word: Word | None, words: tuple[str, ...],
        marks: tuple[Mark, ...],
    ) -> None:  # fmt: skip
        """See the fields."""
        self.votes = votes  # for languages
        self.flags = flags
        self.opens = opens  # what may begin with it, where it is closed too
        self.closes = closes
        self.word = word  # where VADER counts it
        self.words = words  # as patterns see them
        self.single = words[0] if len(words) == 1 else ""  # the only one, as there is for most
        self.marks = marks  # those of its words that may begin something


class Glance:
    """Looks over headlines of a language.

    Args:
        language: "en" or "de".
        as_of: Lists are taken as that day knew them.
        most: Pieces, and words, of which is kept what they are.
    """

    def __init__(self, language: str, as_of: date | None, most: int = REMEMBERED) -> None:
        self._most = most
        self.met: dict[str, Piece | None] = {}  # what pieces are, None for nothing
        self._new = Piece(0, 0, 0, 0, None, (), ())  # stands for those that were not met
        self._words = _Words(language, as_of, most)
        self._weights = weights()
        self._known = engine(language, as_of).known if language == "en" else None
        lists: set[str] = {*self._words.begins.words(), *self._weights}
        if self._known is not None:
            lists |= self._known.special
        self._lists = frozenset(lists)  # words that are something
        self._edges = self._words.begins.edges()  # whole or by their first or last letters
        self._stops = {stop: self._words.of(stop) for stop in STOPS}

    def look(self, pieces: Sequence[str]) -> tuple[int, int, list[Word], int, list[Piece | None]]:
        """Looks over the pieces of a text between blanks.

        Returns:
            What `sum_up` returns, and what each piece is.
        """
        known = self.look_up(pieces)
        self.meet(pieces, known)
        return *self.sum_up(known), known

    def look_up(self, pieces: Sequence[str]) -> list[Piece | None]:
        """Returns what pieces are; `meet` has to see to those that are new."""
        met, new = self.met, self._new
        return [met.get(piece, new) for piece in pieces]

    def meet(self, pieces: Sequence[str], known: list[Piece | None]) -> None:
        """Makes out what pieces are that were new when they were looked up, and puts it in its place."""
        for number, own in enumerate(known):
            if own is self._new:
                piece = pieces[number]
                known[number] = self.met[piece] if piece in self.met else self.piece(piece)

    def sum_up(self, known: list[Piece | None]) -> tuple[int, int, list[Word], int]:
        """Returns votes for languages, flags, the English words that VADER counts, and what is opened and closed."""
        votes = flags = opens = closes = 0
        words: list[Word] = []
        for own in known:
            if own is not None:
                votes += own.votes
                flags |= own.flags
                if own.opens:
                    opens = opens | own.opens if opens else own.opens
                if own.closes:
                    closes = closes | own.closes if closes else own.closes
                if own.word is not None:
                    words.append(own.word)
        pairs = opens & closes
        return votes, self._words.announced(flags, pairs), words, pairs

    def openers(self, pairs: int) -> tuple[int, int]:
        """Returns which of a text's pairs open a phrase, and which a class of price moves."""
        return pairs & self._words.phrases, pairs & self._words.moves

    def piece(self, piece: str) -> Piece | None:
        """Makes out what a piece is, None for nothing, and keeps it."""
        if piece.isascii() and piece.isalpha():
            lower = piece.lower()
            if lower in self._lists:
                known = self._known_piece(piece, self._weights.get(lower, 0), (lower,))
            else:  # nearly always
                known = self._known_piece(None, 0, (lower,)) if self._edges.begins(lower) else None
        else:
            known = self._mixed(piece)
        if len(self.met) < self._most and len(piece) <= LONGEST_WORD:
            self.met[piece] = known
        return known

    def _known_piece(self, piece: str | None, votes: int, words: tuple[str, ...], flags: int = 0) -> Piece | None:
        """What a piece of these words is; None in its place says that VADER need not be asked."""
        counts = None
        if piece is not None and self._known is not None and (word := self._known.take_apart(piece)) is not None:
            flags |= ACTS * word.acts
            if word.counts:
                counts = word
                flags |= COUNTS | SHOUTS * word.shouts | ODD * (word.lower in MARKS)
        if len(words) == 1:
            own, opens, closes, marks = self._words.of(words[0])
            flags |= own
        else:
            opens = closes = 0
            marks = ()
            for place, each in enumerate(words):
                own, opened, closed, marked = self._words.of(each)
                flags |= own
                opens |= opened
                closes |= closed
                if marked:
                    marks = (*marks, (place, own, opened))
        if not (flags or votes or opens or closes):
            return None
        return Piece(votes, flags, opens, closes, counts, words, marks)

    def _mixed(self, piece: str) -> Piece | None:
        """A piece that is more than letters; the common kinds first."""
        if not piece.isascii():
            return self._odd(piece)
        stem, stop = piece[:-1], piece[-1:]
        if stop in STOPS and stem.isalpha():  # "chips,"
            return self._stopped(piece, stem, stop)
        if not piece.strip(_FIGURES) and (piece[:1].isdecimal() or piece[1:2].isdecimal()):  # "$1,200.5;"
            words = words_of(piece)
            if any(self._listed(each) for each in (piece, piece.strip(".,%$:;"), *words)):
                return self._known_piece(piece, 0, words)
            return None
        inner = piece.strip("'")
        if len(inner) > _SHORT and inner.isalpha():  # "'chips'"
            lower = inner.lower()
            return self._known_piece(piece, self._weights.get(lower, 0), (lower,)) if self._listed(lower) else None
        if stem[-1:] == "'" and stop == "s" and stem[:-1].isalpha():  # "Nvidia's"
            return self._known_piece(piece, self._weights.get(piece.lower(), 0), (stem[:-1].lower(),))
        lower = piece.lower()
        parts = lower.split("-")
        if len(parts) > 1 and all(map(str.isalpha, parts)):  # "AI-driven"
            if any(self._listed(each) for each in (lower, *parts)):
                return self._known_piece(piece, sum([self._weights.get(part, 0) for part in parts]), (lower,))
            return None
        return self._odd(piece)

    def _listed(self, word: str) -> bool:
        return word in self._lists or self._edges.begins(word)

    def _stopped(self, piece: str, stem: str, stop: str) -> Piece | None:
        """A word with a stop behind it."""
        lower = stem.lower()
        if lower in self._lists or len(stem) <= _SHORT:
            return self._known_piece(piece, self._weights.get(lower, 0), (lower, stop))
        if self._edges.begins(lower):
            return self._known_piece(None, 0, (lower, stop))
        flags, opens, closes, marks = self._stops[stop]
        if flags or opens or closes:
            return Piece(0, flags, opens, closes, None, (lower, stop), ((1, flags, opens),) if marks else ())
        return None

    def _odd(self, piece: str) -> Piece | None:
        said, flags = votes(piece)
        if not piece.isascii():
            if not FOLDED.isdisjoint(piece) and opens(piece):
                flags |= OPENS
            if holds_emoji(piece):
                flags |= ODD
        if not piece.isprintable() or not piece:
            flags |= ODD
        return self._known_piece(piece, said, words_of(piece), flags)


def laid_out(pieces: list[str], known: list[Piece | None]) -> tuple[list[str], list[Mark]]:
    """Returns the words of a text, as `Row` has them, and what may begin where.

    Args:
        pieces: What stands between its blanks.
        known: What each of them is.
    """
    if pieces[0] != "-" and pieces[-1] != "-":  # nearly always
        return _laid_out(pieces, known)
    within = slice(int(pieces[0] == "-"), len(pieces) - (pieces[-1] == "-"))  # without a blank beside it it is no dash
    return _laid_out(pieces[within], known[within])


def _laid_out(pieces: list[str], known: list[Piece | None]) -> tuple[list[str], list[Mark]]:
    words: list[str] = []
    marks: list[Mark] = []
    for number, piece in enumerate(pieces):
        own = known[number]
        if own is not None:
            for off, flags, opens in own.marks:
                marks.append((len(words) + off, flags, opens))
            if own.single:
                words.append(own.single)
            else:
                words.extend(own.words)
        elif piece.isalpha():
            words.append(piece.lower())
        else:
            words.extend(words_of(piece))
    return words, marks


def starts(pieces: list[str], known: list[Piece | None]) -> list[int]:
    """Returns where each piece of a text begins among its words."""
    out: list[int] = []
    place = 0
    last = len(pieces) - 1
    for number, (piece, own) in enumerate(zip(pieces, known, strict=True)):
        out.append(place)
        if piece == "-" and number in {0, last}:
            continue
        if own is not None:
            place += len(own.words)
        elif piece.isalpha():
            place += 1
        else:
            place += len(words_of(piece))
    return out


class _Words:
    """Words as patterns see them: flags, what they open and close, and whether that is to be marked."""

    def __init__(self, language: str, as_of: date | None, most: int) -> None:
        self._most = most
        self._known: dict[str, tuple[int, int, int, tuple[Mark, ...]]] = {}
        self._moves = rule_book("reaction.toml", as_of)
        self._wanted = 0  # classes of price moves that a rule asks for
        for rule in self._moves.rules:
            for group in rule.groups:
                self._wanted |= group
        base, self.moves = _any_language(as_of)
        self.begins = base.copy()
        self.phrases = self.begins.add(matcher(language, as_of), lambda _: PHRASE)

    def announced(self, flags: int, pairs: int) -> int:
        """Returns the flags of a text by those of its words, and its pairs."""
        if pairs:
            flags |= self.begins.announced(pairs)
        moves = flags >> _SHIFT & self._wanted
        if moves & self._moves.matters and self._moves.possible[moves]:
            flags |= REACTION
        return flags

    def of(self, word: str) -> tuple[int, int, int, tuple[Mark, ...]]:
        """Returns what a word is."""
        known = self._known.get(word)
        return self._look(word) if known is None else known

    def _look(self, word: str) -> tuple[int, int, int, tuple[Mark, ...]]:
        flags, opens, closes = self.begins.bits(word)
        if "-" in word:  # its parts count too
            for part in word.split("-"):
                if part:
                    own, opened, closed, _ = self.of(part)
                    flags |= own
                    opens |= opened
                    closes |= closed
        known = flags, opens, closes, ((0, flags, opens),) if flags or opens else ()
        if len(self._known) < self._most and len(word) <= LONGEST_WORD:
            self._known[word] = known
        return known


@cache
def _any_language(as_of: date | None) -> tuple[Begins, int]:
    """What words are in every language, and the bits of those that open a price move."""
    moves, subjects = rule_book("reaction.toml", as_of), rule_book("disruption.toml", as_of)
    begins = Begins()
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
