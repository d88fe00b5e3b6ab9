"""Rules over classes of words: the engine below the AI-disruption axis and the reports of price moves.

    text ─► words ─► each word its classes ("cuts": cut, "capex": ai spending) ─► rules over classes, clause by clause

Classes are bits, so that a rule is tried with one `&`; only where all its classes are there are places looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from feeds.errors import InputError
from feeds.scoring.lists import known, load, names
from feeds.scoring.matching import Matcher, Token, tokens

_BREAKS = frozenset((";", "!", "?", "–", "—", "|", "…", ".", "--", "while", "whereas", "although", "während"))
_CONJUNCTIONS = frozenset((",", "as", "after", "because", "since", "amid", "and", "weil", "nachdem", "und", "da"))
_SPAN = 9
_NEGATION_REACH = 5  # words before the event
_TAKEN_BACK = -0.6  # "not slowing" says that much of the opposite of "slowing"

Marks = list[tuple[int, int]]  # place of a word, mask of its classes


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of a list: all its classes in one clause, near its event."""

    name: str
    value: float
    tone: float  # [-1, 1]: what it says to readers where no word has a tone
    groups: tuple[int, ...]  # one mask of classes each; the first is the event
    none: int  # classes that veto it
    span: int  # words between the event and each other class
    near: int  # words between the event and the second class
    order: bool  # the second class after the event
    negated: float  # value where the event is taken back


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBook:
    """Classes and rules as a day knew them."""

    matcher: Matcher[int]
    bits: dict[str, int]
    relevance: tuple[tuple[tuple[int, ...], float], ...]
    rules: tuple[Rule, ...]
    topics: int  # classes of things, which count inside a longer pattern too
    compound: int  # set on a word or pattern of several parts, which may be event and object at once


@cache
def rule_book(where: str, as_of: date | None) -> RuleBook:
    """Compiles a list of the data folder, without what was learned after `as_of`.

    Raises:
        InputError: A rule names an unknown class, or a pattern is none.
    """
    raw = load(where)
    bits = {name: 1 << number for number, name in enumerate(dict.fromkeys(block["name"] for block in raw["class"]))}
    patterns = [
        (pattern, bits[block["name"]])
        for block in raw["class"]
        if known(block, as_of)
        for pattern in (*block.get("words", "").split(), *block.get("phrases", ()))
    ]
    if "company" in bits:
        patterns += [(each.name, bits["company"]) for each in names()]
    return RuleBook(
        matcher=Matcher(patterns, where),
        bits=bits,
        relevance=tuple(
            (tuple(_mask(name, bits, where) for name in names_.split("+")), weight)
            for names_, weight in raw.get("relevance", {}).items()
        ),
        rules=tuple(_rule(rule, bits, where) for rule in raw["rule"] if known(rule, as_of)),
        topics=_mask("|".join(raw["topics"]), bits, where) if "topics" in raw else 0,
        compound=1 << len(bits),
    )


def _mask(names_: str, bits: dict[str, int], where: str) -> int:
    mask = 0
    for name in names_.split("|"):
        if name not in bits:
            raise InputError(f"{where}: there is no class {name!r}")
        mask |= bits[name]
    return mask


def _rule(raw: dict[str, Any], bits: dict[str, int], where: str) -> Rule:
    value = float(raw["value"])
    span = raw.get("span", _SPAN)
    return Rule(
        name=raw["name"],
        value=value,
        tone=float(raw.get("tone", 0.0)),
        groups=tuple(_mask(names_, bits, where) for names_ in raw["all"]),
        none=_mask("|".join(raw["none"]), bits, where) if "none" in raw else 0,
        span=span,
        near=raw.get("near", span),
        order=raw.get("order", False),
        negated=float(raw.get("negated", value * _TAKEN_BACK if value < 0 else 0.0)),
    )


@dataclass(frozen=True, slots=True)
class Reading:
    """A text with the classes of its words, read once for all that is asked of it."""

    row: list[Token]
    marks: Marks
    book: RuleBook

    @property
    def mask(self) -> int:
        """All classes of the text."""
        return union(mask for _, mask in self.marks)

    def relevance(self) -> float:
        """How much the text is about the book's subject, [0, 1]."""
        mask = self.mask
        return max((weight for bits, weight in self.book.relevance if all(mask & bit for bit in bits)), default=0.0)

    def fired(self) -> Iterator[tuple[Rule, bool, bool]]:
        """The rules that fire, whether each one's event is taken back, and whether its clause is a question."""
        for marks, asked in self._clauses():
            clause = union(mask for _, mask in marks)
            if clause & self.book.bits["off topic"]:
                continue
            for rule in self.book.rules:
                if clause & rule.none or not all(clause & group for group in rule.groups):
                    continue
                event = self._event(marks, rule)
                if event is not None:
                    yield rule, bool(clause & self.book.bits["takes back"]) or self._negated(marks, event), asked

    def _clauses(self) -> Iterator[tuple[Marks, bool]]:
        marks, at = self.marks, 0
        for index, token in enumerate(self.row):
            if token.word in _BREAKS:
                end = at
                while end < len(marks) and marks[end][0] < index:
                    end += 1
                yield marks[at:end], token.word == "?"
                at = end
        yield marks[at:], False

    def _event(self, marks: Marks, rule: Rule) -> int | None:
        """The place of an event with all else of the rule near it, and at other words than itself."""
        for place, mask in marks:
            if mask & rule.groups[0] and all(
                self._near(marks, place, group, rule.span if number else rule.near, rule.order and number == 0)
                for number, group in enumerate(rule.groups[1:])
            ):
                return place
        return None

    def _near(self, marks: Marks, place: int, group: int, span: int, after: bool) -> bool:
        return any(
            mask & group
            and abs(where - place) <= span
            and (where > place or not after)
            and (where != place or mask & self.book.compound)
            for where, mask in marks
        )

    def _negated(self, marks: Marks, event: int) -> bool:
        """Whether a negation stands shortly before an event, with no conjunction between."""
        return any(
            mask & self.book.bits["not"]
            and 0 < event - place <= _NEGATION_REACH
            and not any(token.word in _CONJUNCTIONS for token in self.row[place + 1 : event])
            for place, mask in marks
        )


def read(text: str, book: RuleBook) -> Reading:
    """Reads a text once."""
    row = tokens(text)
    return Reading(row, _marks(row, book, book.compound), book)


def _marks(row: list[Token], book: RuleBook, compound: int) -> Marks:
    """The classes of each word that has any.

    A pattern counts once: at its last word, or at its first where other words stand in its gaps.
    """
    out: Marks = []
    index, matcher = 0, book.matcher
    while index < len(row):
        word = row[index].word
        found = matcher.at(row, index) if matcher.starts(word) else None
        if found is None:
            if "-" in word and (mask := _parts(word, book)):
                out.append((index, mask | compound))
            index += 1
            continue
        places, payloads = found
        mask = union(payloads) | _inside(row, places, book)
        if "-" in word and len(places) == 1:
            mask |= _parts(word, book)
        together = places[-1] - places[0] == len(places) - 1
        out.append((places[-1] if together else index, mask | compound if len(places) > 1 or "-" in word else mask))
        index += len(places) if together else 1
    return out


def _inside(row: list[Token], places: tuple[int, ...], book: RuleBook) -> int:
    """Things named inside a longer pattern: "AI demand" is demand, and AI; "data center spending" a data centre too."""
    if len(places) == 1:
        return 0
    found = [mask for place in places for mask in book.matcher.single(row[place].word)]
    shorter = book.matcher.at(row[: places[-1]], places[0])
    return union(found + (shorter[1] if shorter else [])) & book.topics


def _parts(word: str, book: RuleBook) -> int:
    """Classes of a hyphenated word's parts: "KI-Chip", "data-center"; a negation inside one is none."""
    row = [Token(part, 0, 0) for part in word.split("-")[:6] if part]
    return union(mask for _, mask in _marks(row, book, 0)) & ~book.bits["not"] if len(row) > 1 else 0


def union(masks: Iterable[int]) -> int:
    """All bits of the masks."""
    out = 0
    for mask in masks:
        out |= mask
    return out
