"""One look over a headline's words says which engines must read it. Most words of most headlines begin nothing.

    words ─► what may begin with each, and goes on as it should ─► flags: names, phrases, AI, price moves, questions

A glance may see what a closer look does not find; it never misses what one would find.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import cache
from typing import NamedTuple, TypeVar

from feeds.scoring.clauses import ASKING
from feeds.scoring.edges import Edges
from feeds.scoring.entities import may_name
from feeds.scoring.lists import name_words
from feeds.scoring.matching import LONGEST_WORD, REMEMBERED, Matcher
from feeds.scoring.phrases import matcher
from feeds.scoring.rules import RuleBook, rule_book

ASKS, NAMES, PHRASE, DISRUPTION = 1, 2, 4, 8  # may be a question, name a company, hold a phrase, be about AI
_SHIFT = 4  # above them: classes of price moves
REACTION = 1 << 200  # may report a price move

T = TypeVar("T")


class _Begins(NamedTuple):
    """What may begin with a word."""

    alone: int  # whatever follows
    following: dict[str, int]  # where that word follows
    others: tuple[tuple[int, frozenset[str]], ...]  # where one of those words stands somewhere


class Glance(dict[str, "_Begins | None"]):
    """Looks over headlines of a language. As a dict it says what may begin with a word, None for nothing."""

    def __init__(self, language: str, as_of: date | None) -> None:
        """Takes the lists as a day knew them."""
        super().__init__()
        self._moves = rule_book("reaction.toml", as_of)
        self._subjects = rule_book("disruption.toml", as_of)
        self._phrases = matcher(language, as_of)
        self._wanted = 0  # classes of price moves that a rule asks for
        for rule in self._moves.rules:
            for group in rule.groups:
                self._wanted |= group
        self._edges = Edges(ASKING | name_words(), (), ())
        matchers = (self._moves.matcher, self._subjects.matcher, self._phrases)
        self._reach = max(each.reach for each in matchers)
        for each in matchers:
            self._edges.add(each.edges)

    def __call__(self, words: Sequence[str]) -> int:
        """Returns the flags of what may be in a row of words."""
        seen = 0
        for index, begins in enumerate(map(self.__getitem__, words), 1):
            if begins is not None:
                alone, following, others = begins
                seen |= alone
                if following and index < len(words):
                    seen |= following.get(words[index], 0)
                if others:
                    ahead = words[index : index + self._reach]
                    for flags, needed in others:
                        if flags & ~seen and not needed.isdisjoint(ahead):
                            seen |= flags
        moves = seen >> _SHIFT
        if moves & self._moves.matters and self._moves.possible[moves]:
            seen |= REACTION
        return seen

    def __missing__(self, word: str) -> _Begins | None:
        begins = (
            self._begins(word)
            if "-" in word or self._edges.begins(word) or (word[-1] == "s" and may_name(word))
            else None
        )
        if len(self) < REMEMBERED and len(word) <= LONGEST_WORD:
            self[word] = begins
        return begins

    def _begins(self, word: str) -> _Begins | None:
        alone = ASKS * (word in ASKING) | NAMES * may_name(word)
        alone |= self._of_subject(_alone(self._subjects, word)) | self._of_move(_alone(self._moves, word))
        following: dict[str, int] = {}
        others: dict[frozenset[str], int] = {}
        for patterns, flags in (
            (self._subjects.matcher, self._of_subject),
            (self._moves.matcher, self._of_move),
        ):
            alone |= _add(patterns, word, flags, following, others)
        alone |= _add(self._phrases, word, _is_phrase, following, others)
        if not (alone or following or others):
            return None
        rest = ((flags & ~alone, needed) for needed, flags in others.items())
        return _Begins(alone, following, tuple(pair for pair in rest if pair[0]))

    def _of_subject(self, mask: int) -> int:
        return DISRUPTION if mask & self._subjects.matters else 0

    def _of_move(self, mask: int) -> int:
        return (mask & self._wanted) << _SHIFT


def _is_phrase(_: object) -> int:
    return PHRASE


def _alone(book: RuleBook, word: str) -> int:
    known = book.alone[word]
    return known[0] if known else 0


def _add(
    patterns: Matcher[T],
    word: str,
    flags: Callable[[T], int],
    following: dict[str, int],
    others: dict[frozenset[str], int],
) -> int:
    """Adds what may begin with a word; returns the flags of what does so whatever follows."""
    starts = patterns[word]
    if starts is None:
        return 0
    alone = _union(map(flags, starts.single))
    for follower, numbers in starts.following.items():
        mask = _union(flags(patterns.payload(number)) for number in numbers)
        if mask:
            following[follower] = following.get(follower, 0) | mask
    for number, needed in starts.others:
        mask = flags(patterns.payload(number))
        if not needed:
            alone |= mask
        elif mask:
            others[needed] = others.get(needed, 0) | mask
    return alone


def _union(flags: Iterable[int]) -> int:
    out = 0
    for each in flags:
        out |= each
    return out


@cache
def glance(language: str, as_of: date | None) -> Glance:
    """Returns what looks over headlines of a language, with the lists as a day knew them."""
    return Glance(language, as_of)
