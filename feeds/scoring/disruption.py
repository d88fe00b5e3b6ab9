"""The AI-disruption axis: does a headline undercut demand for AI compute, chips and power, or build it up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache

from feeds.scoring.lists import known, load, pattern

_CLAUSES = re.compile(r"[;:]|\s[–—-]\s|,\s(?:while|but|although)\s|\s(?:while|whereas|während|aber)\s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of disruption.toml: event (and object) in one clause."""

    name: str
    value: float  # sign x weight
    event: re.Pattern[str]
    object: re.Pattern[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """The lists as a day knew them."""

    topics: tuple[tuple[float, re.Pattern[str]], ...]
    rules: tuple[Rule, ...]
    negations: tuple[re.Pattern[str], ...]
    market: re.Pattern[str]
    move: re.Pattern[str]
    percent: re.Pattern[str]
    cause: re.Pattern[str]


@cache
def lists(as_of: date | None) -> Lists:
    """Compiles the lists, without what was learned after `as_of`."""
    where = "disruption.toml"
    raw = load(where)
    reaction = {key: pattern(text, where) for key, text in raw["reaction"].items()}
    return Lists(
        topics=tuple(
            (topic["relevance"], pattern(topic["pattern"], where)) for topic in raw["topics"] if known(topic, as_of)
        ),
        rules=tuple(
            Rule(
                name=rule["name"],
                value=rule["sign"] * rule["weight"],
                event=pattern(rule["event"], where),
                object=pattern(rule["object"], where) if "object" in rule else None,
            )
            for rule in raw["rules"]
            if known(rule, as_of)
        ),
        negations=tuple(pattern(text, where) for text in raw["negation"]["patterns"]),
        **reaction,
    )


def relevance(text: str, as_of: date | None) -> float:
    """Returns how much a text is about AI and its supply chain, [0, 1]."""
    return max((weight for weight, regex in lists(as_of).topics if regex.search(text)), default=0.0)


def sentiment(text: str, as_of: date | None) -> tuple[float, tuple[str, ...]]:
    """Returns the AI-disruption sentiment in [-1, 1] and the names of the rules that made it.

    Every clause is looked at for itself; a clause that takes its event back says nothing. Rules of both signs
    cancel each other out, the strongest of a sign counts.
    """
    compiled = lists(as_of)
    lowest = highest = 0.0
    hits: list[str] = []
    for clause in _CLAUSES.split(text):
        if any(regex.search(clause) for regex in compiled.negations):
            continue
        for rule in compiled.rules:
            if rule.event.search(clause) and (rule.object is None or rule.object.search(clause)):
                hits.append(rule.name)
                lowest, highest = min(lowest, rule.value), max(highest, rule.value)
    return max(-1.0, min(1.0, lowest + highest)), tuple(dict.fromkeys(hits))


def reaction(title: str, as_of: date | None) -> tuple[bool, bool]:
    """Returns whether a title mainly reports a price move, and whether it names a cause."""
    compiled = lists(as_of)
    moves = compiled.move.search(title) is not None
    reported = moves and (compiled.market.search(title) is not None or compiled.percent.search(title) is not None)
    return reported, reported and compiled.cause.search(title) is not None
