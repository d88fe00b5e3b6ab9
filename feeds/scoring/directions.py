"""Which way anything that a headline names goes: "Acme falls as Bolt gains"."""

from __future__ import annotations

import re
from datetime import date

from feeds.scoring.tone import tone

_CLAUSES = re.compile(r"[;,:]|\s[–—]\s|\s(?:as|while|but|whereas|after|während|aber|nachdem)\s")


def direction(title: str, target: str, language: str = "en", as_of: date | None = None) -> int:
    """Returns which way a named target goes: 1 up or fares well, -1 down, 0 unsaid; the sign of its clause's tone."""
    value = target_tone(title, target, language, as_of)
    return (value >= 0.05) - (value <= -0.05)


def target_tone(title: str, target: str, language: str = "en", as_of: date | None = None) -> float:  # noqa: ARG001
    """Returns the tone towards a named target, [-1, 1]: that of its clause, of the whole where nothing names it."""
    found = re.search(re.escape(target), title, re.IGNORECASE)
    begin, end = 0, len(title)
    if found is not None:
        breaks = [match.span() for match in _CLAUSES.finditer(title)]
        begin = max((stop for _, stop in breaks if stop <= found.start()), default=begin)
        end = min((start for start, _ in breaks if start >= found.end()), default=end)
    return tone(title[begin:end], language)[0]
