"""Which listed companies a headline names, and which way each of them goes."""

from __future__ import annotations

import re
from functools import cache

from feeds.scoring.lists import names
from feeds.scoring.score import Entity
from feeds.scoring.tone import tone

_CLAUSES = re.compile(r"[;,:]|\s[–—]\s|\s(?:as|while|but|whereas|after|während|aber|nachdem)\s")
_SUMMARY = 0.4  # salience of a company that only the summary names


@cache
def _regex() -> re.Pattern[str]:
    choices = "|".join(re.escape(each.name) for each in names())
    return re.compile(rf"(?<![\w-])(?:{choices})(?=s?(?:'s|’s)?(?![\w]))")


@cache
def _by_name() -> dict[str, int]:
    return {each.name: index for index, each in enumerate(names())}


def _named(text: str) -> list[tuple[str, int]]:
    """Symbols and positions in order of appearance, each once."""
    found: dict[str, int] = {}
    for match in _regex().finditer(text):
        each = names()[_by_name()[match[0]]]
        if each.veto is None or not each.veto.search(text):
            found.setdefault(each.symbol, match.start())
    return list(found.items())


def entities(title: str, summary: str, language: str) -> tuple[Entity, ...]:
    """Returns the companies in order of appearance; the title's first has salience 1.

    The direction is the sign of the tone of the clause that names the company: "Nvidia falls as Broadcom gains".
    """
    named = _named(title)
    clauses, start = [], 0
    for match in _CLAUSES.finditer(title):
        clauses.append((start, match.start()))
        start = match.end()
    clauses.append((start, len(title)))
    out = []
    for rank, (symbol, position) in enumerate(named):
        begin, end = next((clause for clause in clauses if clause[0] <= position <= clause[1]), (0, len(title)))
        value, _ = tone(title[begin:end], language)
        direction = 1 if value >= 0.05 else -1 if value <= -0.05 else 0
        out.append(Entity(symbol=symbol, direction=direction, salience=max(0.5, 1 - 0.15 * rank)))
    seen = {symbol for symbol, _ in named}
    out += [
        Entity(symbol=symbol, direction=0, salience=_SUMMARY) for symbol, _ in _named(summary) if symbol not in seen
    ]
    return tuple(out)
