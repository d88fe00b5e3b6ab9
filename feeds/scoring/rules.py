"""Rules over classes of words: the engine below the AI-disruption axis and the reports of price moves.

    text ─► words ─► each word its classes ("cuts": cut, "capex": ai spending) ─► rules over classes, clause by clause

Classes are bits, so that a rule is tried with one `&`; only where all its classes are there are places looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any, Final

from feeds.errors import InputError
from feeds.scoring.lists import known, load, names
from feeds.scoring.matching import Matcher
from feeds.scoring.words import PerWord, Row

_BREAKS: Final = frozenset((";", "!", "?", "–", "—", "|", "…", ".", "--", "while", "whereas", "although", "während"))
_CONJUNCTIONS: Final = frozenset((",", *"as after because since amid and weil nachdem und da".split()))
_SPAN: Final = 9
_NEGATION_REACH: Final = 5  # words before the event
_ABBREVIATED: Final = 3  # letters of "Gov.", "Inc.", "vs.", after which no clause ends
_TAKEN_BACK: Final = -0.6  # "not slowing" says that much of the opposite of "slowing"

Marks = list[tuple[int, int]]  # place of a word, mask of its classes


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of a list: all its classes in one clause, near its event."""

    name: str
    value: float
    event: int  # mask of classes: the event
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
    subject: int  # all classes that make a text relevant
    rules: tuple[Rule, ...]
    topics: int  # classes of things, which count inside a longer pattern too
    compound: int  # set on a word or pattern of several parts, which may be event and object at once
    events: int  # all events of the rules
    alone: PerWord[tuple[int, bool]] = field(init=False)  # a word's classes, and whether a longer pattern may begin

    def __post_init__(self) -> None:
        """Begins to remember words."""
        object.__setattr__(self, "alone", PerWord(lambda word: _alone(word, self)))


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
        patterns += [(each.name, bits["company"]) for each in names() if as_of is None or each.since <= as_of]
    rules = tuple(_rule(rule, bits, where) for rule in raw["rule"] if known(rule, as_of))
    return RuleBook(
        matcher=Matcher(patterns, where),
        bits=bits,
        relevance=tuple(
            (tuple(_mask(name, bits, where) for name in names_.split("+")), weight)
            for names_, weight in raw.get("relevance", {}).items()
        ),
        subject=_mask("|".join(raw.get("relevance", {})).replace("+", "|"), bits, where) if "relevance" in raw else 0,
        rules=rules,
        topics=_mask("|".join(raw["topics"]), bits, where) if "topics" in raw else 0,
        compound=1 << len(bits),
        events=union(rule.event for rule in rules),
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
    groups = tuple(_mask(names_, bits, where) for names_ in raw["all"])
    return Rule(
        name=raw["name"],
        value=value,
        event=groups[0],
        groups=groups,
        none=_mask("|".join(raw["none"]), bits, where) if "none" in raw else 0,
        span=span,
        near=raw.get("near", span),
        order=raw.get("order", False),
        negated=float(raw.get("negated", value * _TAKEN_BACK if value < 0 else 0.0)),
    )


class Reading:
    """A text with the classes of its words, read once for all that is asked of it."""

    __slots__ = ("book", "marks", "mask", "words")

    def __init__(self, row: Row, book: RuleBook) -> None:
        """Finds the classes of the words."""
        self.words = row.words
        self.book = book
        self.marks = _marks(row.words, book)
        self.mask = 0  # all classes of the text
        for _, mask in self.marks:
            self.mask |= mask

    def relevance(self) -> float:
        """How much the text is about the book's subject, [0, 1]."""
        mask = self.mask
        if not mask & self.book.subject:
            return 0.0
        highest = 0.0
        for groups, weight in self.book.relevance:
            for group in groups:
                if not mask & group:
                    break
            else:
                highest = max(highest, weight)
        return highest

    def fired(self) -> Iterator[tuple[Rule, bool, bool]]:
        """The rules that fire, whether each one's event is taken back, and whether its clause is a question."""
        book = self.book
        mask = self.mask
        if not mask & book.events:
            return
        may = [rule for rule in book.rules if mask & rule.event and all(mask & group for group in rule.groups)]
        for marks, _, asked in self.clauses() if may else ():
            clause = 0
            for _, mask in marks:
                clause |= mask
            if clause & book.bits["off topic"]:
                continue
            for rule in may:
                if clause & rule.none or not all(clause & group for group in rule.groups):
                    continue
                event = self._event(marks, rule)
                if event is not None:
                    yield rule, bool(clause & book.bits["takes back"]) or self._negated(marks, event), asked

    def clauses(self) -> Iterator[tuple[Marks, range, bool]]:
        """Yields each clause: its marks, the places of its words, and whether it is a question."""
        words, marks = self.words, self.marks
        begin = at = 0
        for end in [*self._ends(), len(words)]:
            last = at
            while last < len(marks) and marks[last][0] < end:
                last += 1
            yield marks[at:last], range(begin, end), end < len(words) and words[end] == "?"
            begin, at = end, last

    def _ends(self) -> list[int]:
        """Returns the places of the marks and words that end a clause."""
        words = self.words
        if _BREAKS.isdisjoint(words):
            return []
        return [
            place
            for place, word in enumerate(words)
            if word in _BREAKS and not (word == "." and place and len(words[place - 1]) <= _ABBREVIATED)
        ]

    def _event(self, marks: Marks, rule: Rule) -> int | None:
        """The place of an event with all else of the rule near it, and at other words than itself."""
        first, *others = rule.groups
        for place, mask in marks:
            if not mask & first:
                continue
            span, after = rule.near, rule.order
            for group in others:
                if not self._near(marks, place, group, span, after):
                    break
                span, after = rule.span, False
            else:
                return place
        return None

    def _near(self, marks: Marks, place: int, group: int, span: int, after: bool) -> bool:
        for where, mask in marks:
            if mask & group:
                if where == place:
                    if mask & self.book.compound and not after:
                        return True
                elif -span <= where - place <= span and (where > place or not after):
                    return True
        return False

    def _negated(self, marks: Marks, event: int) -> bool:
        """Whether a negation stands shortly before an event, no conjunction between, or the German one after it."""
        if "nicht" in self.words[event + 1 : event + 1 + _NEGATION_REACH]:  # "kürzt die Ausgaben nicht"
            between = self.words[event + 1 : self.words.index("nicht", event + 1)]
            if _CONJUNCTIONS.isdisjoint(between) and _BREAKS.isdisjoint(between):
                return True
        return any(
            mask & self.book.bits["not"]
            and 0 < event - place <= _NEGATION_REACH
            and _CONJUNCTIONS.isdisjoint(self.words[place + 1 : event])
            for place, mask in marks
        )


def _alone(word: str, book: RuleBook) -> tuple[int, bool]:
    """Returns the classes of a word, and whether a longer pattern may begin with it; (0, False) for nothing.

    A hyphenated word has the classes of its parts too: "KI-Chip", "data-center"; a negation inside one is none.
    """
    mask = union(book.matcher.single(word))
    parts = [part for part in word.split("-")[:6] if part] if "-" in word else []
    if len(parts) > 1:
        inner = union([each for _, each in _marks(parts, book)]) & ~(book.bits["not"] | book.compound)
        mask |= inner
        mask |= book.compound if mask else 0
    return mask, book.matcher.longer(word)


def _marks(words: list[str], book: RuleBook) -> Marks:
    """The classes of each word that has any.

    A pattern counts once: at its last word, or at its first where other words stand in its gaps.
    """
    out: Marks = []
    free = 0  # words before it are spent
    for index, (mask, longer) in enumerate(book.alone.all(words)):
        if index < free or not (mask or longer):
            continue
        found = book.matcher.at(words, index) if longer else None
        if found is None or len(found[0]) == 1:
            if mask:
                out.append((index, mask))
            continue
        taken, payloads = found
        together = taken[-1] - taken[0] == len(taken) - 1
        classes = union(payloads) | _inside(words, taken, book) | book.compound
        out.append((taken[-1] if together else index, classes))
        free = index + len(taken) if together else index + 1
    return out


def _inside(words: list[str], places: tuple[int, ...], book: RuleBook) -> int:
    """Things named inside a longer pattern: "AI demand" is demand, and AI; "data center spending" a data centre too."""
    mask = 0
    for place in places:
        end = places[-1] if place == places[0] else places[-1] + 1
        found = book.matcher.at(words[:end], place)
        mask |= union(found[1]) if found else 0
        mask |= union(book.matcher.single(words[place]))
    return mask & book.topics


def union(masks: Iterable[int]) -> int:
    """All bits of the masks."""
    out = 0
    for mask in masks:
        out |= mask
    return out
