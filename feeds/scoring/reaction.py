"""Whether a headline mainly reports a price move, and whether it names a cause for it."""
from __future__ import annotations
from datetime import date
def reaction(title: str, as_of: date | None) -> tuple[bool, bool]:
    return False, False
