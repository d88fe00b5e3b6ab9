"""Does a headline mainly report a price move that has happened or is under way, and does it name a cause for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from feeds.scoring.rows import Row
from feeds.scoring.rules import Reading, rule_book


def reaction(row: Row, as_of: date | None, places: Sequence[int] | None = None) -> tuple[bool, bool]:
    """Returns whether a title that is no question mainly reports a price move, and whether it names a cause.

    `places` are those of words that may be of interest, if that is known.
    """
    book = rule_book("reaction.toml", as_of)
    reading = Reading(row, book, places)
    if not reading.mask & book.matters:
        return False, False
    for _, taken_back, asked in reading.fired():
        if not taken_back and not asked:
            return True, bool(reading.mask & book.bits["cause"])
    return False, False
