"""The AI-disruption axis: does a headline undercut demand for AI compute, chips and power, or build it up.

    title ─► words ─► each word its classes ("cuts": cut, "capex": ai spending) ─► rules over classes, clause by clause

Classes are bits, so that a rule is tried with one `&`; only where all its classes are there are places looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from feeds.errors import InputError
from feeds.scoring.lists import known, load
from feeds.scoring.matching import Matcher, Token, tokens

WHERE = "disruption.toml"
_BREAKS = frozenset((";", "!", "?", "–", "—", "|", "…", ".", "--", "while", "whereas", "although", "während"))
_CONJUNCTIONS = frozenset((",", "as", "after", "because", "since", "amid", "and", "weil", "nachdem", "und", "da"))
_SPAN = 9
_NEGATION_REACH = 5  # words before the event
_TAKEN_BACK = -0.6  # "not slowing" says that much of the opposite of "slowing"
_QUESTION = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of disruption.toml."""

    name: str
    value: float
    groups: tuple[int, ...]  # one mask of classes each; the first is the event
    none: int
    span: int  # words between the event and each other class
    near: int  # words between the event and the second class
    negated: float


@dataclass(frozen=True, slots=True)
class Lists:
    """The lists as a day knew them."""

    matcher: Matcher[int]
    relevance: tuple[tuple[tuple[int, ...], float], ...]
    rules: tuple[Rule, ...]
    negation: int
    takes_back: int
    veto: int
    topics: int  # classes of things, which count inside a longer pattern too
    compound: int  # set on a word or pattern of several parts, which may be event and object at once


Marks = list[tuple[int, int]]  # place of a word, mask of its classes


@cache
def lists(as_of: date | None) -> Lists:
    """Compiles the lists, without what was learned after `as_of`.

    Raises:
        InputError: A rule names an unknown class, or a pattern is none.
    """
    raw = load(WHERE)
    names = dict.fromkeys(block["name"] for block in raw["class"])
    bits = {name: 1 << number for number, name in enumerate(names)}
    patterns = [
        (pattern, bits[block["name"]])
        for block in raw["class"]
        if known(block, as_of)
        for pattern in (*block.get("words", "").split(), *block.get("phrases", ()))
    ]
    return Lists(
        matcher=Matcher(patterns, WHERE),
        relevance=tuple(
            (tuple(_mask(name, bits) for name in names.split("+")), weight)
            for names, weight in raw["relevance"].items()
        ),
        rules=tuple(_rule(rule, bits) for rule in raw["rule"] if known(rule, as_of)),
        negation=bits["not"],
        takes_back=bits["takes back"],
        veto=bits["off topic"],
        topics=_mask("|".join(raw["topics"]), bits),
        compound=1 << len(bits),
    )


def _mask(names: str, bits: dict[str, int]) -> int:
    mask = 0
    for name in names.split("|"):
        if name not in bits:
            raise InputError(f"{WHERE}: there is no class {name!r}")
        mask |= bits[name]
    return mask


def _rule(raw: dict[str, Any], bits: dict[str, int]) -> Rule:
    value = float(raw["value"])
    return Rule(
        name=raw["name"],
        value=value,
        groups=tuple(_mask(names, bits) for names in raw["all"]),
        none=_mask("|".join(raw["none"]), bits) if "none" in raw else 0,
        span=raw.get("span", _SPAN),
        near=raw.get("near", raw.get("span", _SPAN)),
        negated=float(raw.get("negated", value * _TAKEN_BACK if value < 0 else 0.0)),
    )


def _marks(row: list[Token], compiled: Lists, compound: int) -> Marks:
    """The classes of each word that has any; a pattern's words count once, at its first."""
    out: Marks = []
    index, matcher = 0, compiled.matcher
    while index < len(row):
        word = row[index].word
        found = matcher.at(row, index) if matcher.starts(word) else None
        if found is None:
            if "-" in word and (mask := _parts(word, compiled)):
                out.append((index, mask | compound))
            index += 1
            continue
        places, payloads = found
        mask = _union(payloads) | _inside(row, places, compiled)
        if "-" in word and len(places) == 1:
            mask |= _parts(word, compiled)
        out.append((index, mask | compound if len(places) > 1 or "-" in word else mask))
        together = places[-1] - places[0] == len(places) - 1
        index += len(places) if together else 1
    return out


def _inside(row: list[Token], places: tuple[int, ...], compiled: Lists) -> int:
    """Things named inside a longer pattern: "AI demand" is demand, and AI; "data center spending" a data centre too."""
    if len(places) == 1:
        return 0
    single = compiled.matcher.single
    found = [mask for place in places for mask in single(row[place].word)]
    shorter = compiled.matcher.at(row[: places[-1]], places[0])
    return _union(found + (shorter[1] if shorter else [])) & compiled.topics


def _union(masks: Iterable[int]) -> int:
    union = 0
    for mask in masks:
        union |= mask
    return union


def _parts(word: str, compiled: Lists) -> int:
    """Classes of a hyphenated word's parts: "KI-Chip", "data-center"."""
    row = [Token(part, 0, 0) for part in word.split("-")[:6] if part]
    return _union(mask for _, mask in _marks(row, compiled, 0)) & ~compiled.negation if len(row) > 1 else 0


@dataclass(frozen=True, slots=True)
class Reading:
    """A text with the classes of its words, read once for relevance and sentiment."""

    row: list[Token]
    marks: Marks
    lists: Lists

    def relevance(self) -> float:
        """How much a text is about AI and its supply chain, [0, 1]."""
        mask = _union(each for _, each in self.marks)
        return max((weight for bits, weight in self.lists.relevance if all(mask & bit for bit in bits)), default=0.0)

    def sentiment(self) -> tuple[float, tuple[str, ...]]:
        """The AI-disruption sentiment in [-1, 1] and the names of the rules that made it.

        Every clause is looked at for itself. The strongest rule of a sign counts; both signs cancel each other out.
        """
        lowest = highest = 0.0
        hits: list[str] = []
        for marks, asked in self._clauses():
            for rule, value in _fired(self.row, marks, self.lists):
                value *= _QUESTION if asked else 1.0
                if value:
                    hits.append(rule.name)
                lowest, highest = min(lowest, value), max(highest, value)
        return max(-1.0, min(1.0, lowest + highest)), tuple(dict.fromkeys(hits))

    def _clauses(self) -> Iterable[tuple[Marks, bool]]:
        marks, at = self.marks, 0
        for index, token in enumerate(self.row):
            if token.word in _BREAKS:
                end = at
                while end < len(marks) and marks[end][0] < index:
                    end += 1
                yield marks[at:end], token.word == "?"
                at = end
        yield marks[at:], False


def read(text: str, as_of: date | None) -> Reading:
    """Reads a text once."""
    compiled = lists(as_of)
    row = tokens(text)
    return Reading(row, _marks(row, compiled, compiled.compound), compiled)


def _fired(row: list[Token], marks: Marks, compiled: Lists) -> Iterable[tuple[Rule, float]]:
    clause = _union(mask for _, mask in marks)
    if clause & compiled.veto:
        return
    for rule in compiled.rules:
        if clause & rule.none or not all(clause & group for group in rule.groups):
            continue
        event = _event(marks, rule, compiled.compound)
        if event is not None:
            taken_back = clause & compiled.takes_back or _negated(row, marks, event, compiled.negation)
            yield rule, rule.negated if taken_back else rule.value


def _event(marks: Marks, rule: Rule, compound: int) -> int | None:
    """The place of an event with all else of the rule near it, and at other words than itself."""
    for place, mask in marks:
        if mask & rule.groups[0] and all(
            _near(marks, place, group, rule.span if number else rule.near, compound)
            for number, group in enumerate(rule.groups[1:])
        ):
            return place
    return None


def _near(marks: Marks, place: int, group: int, span: int, compound: int) -> bool:
    return any(
        mask & group and abs(where - place) <= span and (where != place or mask & compound) for where, mask in marks
    )


def _negated(row: list[Token], marks: Marks, event: int, negation: int) -> bool:
    """Whether a negation stands shortly before an event, with no conjunction between."""
    return any(
        mask & negation
        and 0 < event - place <= _NEGATION_REACH
        and not any(token.word in _CONJUNCTIONS for token in row[place + 1 : event])
        for place, mask in marks
    )


def relevance(text: str, as_of: date | None) -> float:
    """Returns how much a text is about AI and its supply chain, [0, 1]."""
    return read(text, as_of).relevance()


def sentiment(text: str, as_of: date | None) -> tuple[float, tuple[str, ...]]:
    """Returns the AI-disruption sentiment in [-1, 1] and the names of the rules that made it."""
    return read(text, as_of).sentiment()
