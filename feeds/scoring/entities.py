"""Which listed companies a headline names, and which way each of them goes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Final

from feeds.scoring.clauses import wishes
from feeds.scoring.directions import cue, speaks_last
from feeds.scoring.lists import Name, choices, names
from feeds.scoring.score import Entity, sign
from feeds.scoring.words import split

_SUMMARY: Final = 0.4  # salience of a company that only the summary names
_INSIDE: Final = re.compile(r"[\w-]").match
_BEFORE: Final = re.compile(
    r"(?:\b(?:says?|said|told|tells|according to|reports?|laut|sagt|former|ehemaliger?)|, wrote)\s+$", re.IGNORECASE
)
_OTHERS: Final = re.compile(  # "Nvidia rival Cerebras": of whom is spoken is another
    r"^(?:['’]s)?[\s-](?:rivals?|competitors?|alternatives?|clones?|backed|style|like|veterans?|alumni|rivale\w*"
    r"|konkurrent\w*|(?:(?!on\b)\w+ )?trial|hearing|prozess|konkurrenz)\b",
    re.IGNORECASE,
)
_AFTER: Final = re.compile(  # "says its profit fell" and "reports record sales" speak of the company itself
    r"^:\s+(?:\w+\s+){0,2}(?:hack|cyber|malware|scam)|^(?:['’]s)?\s+(?:(?:says?|said)\b(?!\s+(?:its|it|it['’]s|their|they)\b)|(?:tells|told|sagt|zufolge)\b"
    r"|(?:confirms|detects|discovers|uncovers|spots|exposes|accuses|blames|entdeckt|enttarnt)\b"
    r"|(?:warns?|warned)\s+(?:of|that|about|against)\s+(?:\w+\s+){0,2}(?:hack|cyber|scam|spies|malware|phishing)"
    r"|(?:reports?|reported|finds|sees|meldet)\b(?=\s*(?:[,.;:–—-]|$|(?:that|how|why|dass)\b)))",
    re.IGNORECASE,
)
_PLACES: Final = frozenset(  # what is said or sold there is not theirs
    form
    for name in ("Facebook", "Instagram", "WhatsApp", "YouTube", "LinkedIn", "Threads")
    for form in (name, name.upper())
)
_THERE: Final = re.compile(r"\b(?:on|via|over|auf|bei|über|per)\s+$", re.IGNORECASE)
_JOINED: Final = re.compile(r"(?:['’]s)?(?:\s*(?:,|&|and|und|plus))?\s*")
_SPEECH: Final = 40  # characters after a name in which it may be found to speak


@cache
def _by_form() -> dict[str, Name]:
    return {each.name: each for each in names()}


@cache
def _regex() -> re.Pattern[str]:
    return re.compile(rf"(?:{choices(each.name for each in names())})(?=s?(?:'s|’s)?(?!\w))")


def _found(text: str) -> Iterator[re.Match[str]]:
    """Names in a text, from left to right; none begins inside a word.

    The pattern begins with the names, so that it is tried only where one of their first letters stands.
    """
    search, start = _regex().search, 0
    while match := search(text, start):
        begin = match.start()
        if begin and _INSIDE(text[begin - 1]):
            start = begin + 1
        else:
            yield match
            start = match.end()


def _named(text: str, as_of: date | None) -> dict[str, tuple[int, int]]:
    """Symbols in order of appearance, each with where its first name stands."""
    found: dict[str, tuple[int, int]] = {}
    for match in _found(text):
        each = _by_form()[match[0]]
        if (as_of is None or each.since <= as_of) and (each.veto is None or not each.veto.search(text)):
            found.setdefault(each.symbol, match.span())
    return found


def entities(title: str, summary: str, language: str, tone: float, as_of: date | None = None) -> tuple[Entity, ...]:
    """Returns the companies in order of appearance; the title's first has salience 1.

    Args:
        title: The headline.
        summary: Adds companies without direction.
        language: "en" or "de".
        tone: The title's tone, which is that of its only company where its clause says nothing of it.
        as_of: Leaves out words and names learned after that day.
    """
    named = _named(title, as_of)
    subjects = _leading(title, list(named.values())) if tone > 0 and len(named) > 1 else 0
    out = [
        Entity(
            symbol=symbol,
            direction=_direction(title, span, language, tone, len(named), as_of) or int(rank < subjects),
            salience=salience,
        )
        for rank, ((symbol, span), salience) in enumerate(zip(named.items(), _saliences(len(named)), strict=True))
    ]
    out += [
        Entity(symbol=symbol, direction=0, salience=_SUMMARY)
        for symbol in _named(summary, as_of)
        if symbol not in named
    ]
    return tuple(out)


def _leading(title: str, spans: list[tuple[int, int]]) -> int:
    """How many companies a title begins with, if several in a row: the good that is told is theirs."""
    end = count = 0
    for start, stop in spans:
        if _JOINED.fullmatch(title, end, start) is None or _OTHERS.match(title[stop : stop + _SPEECH]):
            break
        if _AFTER.search(title[stop : stop + _SPEECH]):
            return 0
        end, count = stop, count + 1
    return count if count > 1 else 0


def _saliences(count: int) -> list[float]:
    return [max(0.5, 1 - 0.15 * rank) for rank in range(count)]


def _direction(
    title: str, span: tuple[int, int], language: str, tone: float, companies: int, as_of: date | None
) -> int:
    start, end = span
    if _BEFORE.search(title, max(0, start - 20), start) or _AFTER.search(title[end : end + _SPEECH]):
        return 0  # it speaks; what it speaks of is something else
    if _OTHERS.match(title[end : end + _SPEECH]):
        return 0
    if title[start:end] in _PLACES and _THERE.search(title, max(0, start - 20), start):
        return 0
    if companies == 1 and tone and ":" not in title:  # nearly always
        return sign(tone)
    said = cue(title, start, end, language, as_of)
    if not said and ":" in title and speaks_last(title, start, language, as_of):
        return 0
    if companies == 1 and not tone and said > 0 and wishes(split(title).words):
        return 0
    value = (tone or said) if companies == 1 else said
    return sign(value)
