"""Does a headline mainly report a price move that has happened or is under way, and does it name a cause for it."""

from __future__ import annotations

from datetime import date

from feeds.scoring.clauses import asks
from feeds.scoring.rules import read, rule_book


def reaction(title: str, as_of: date | None) -> tuple[bool, bool]:
    """Returns whether a title mainly reports a price move, and whether it names a cause."""
    book = rule_book("reaction.toml", as_of)
    reading = read(title, book)
    if not reading.mask & book.matters or asks(reading.words):
        return False, False
    if not any(not taken_back and not asked for _, taken_back, asked in reading.fired()):
        return False, False
    return True, bool(reading.mask & book.bits["cause"])
