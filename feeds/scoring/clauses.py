"""Clauses of a headline: what happened stands in the main clause, what surrounds it after "after", "on", "despite".

"Gold falls on a stronger dollar" is bad news for gold, whatever the dollar does; and a headline that only asks, or
promises advice, reports nothing.
"""

from __future__ import annotations

import re

_SUBORDINATE = re.compile(
    r"\s(?:after|following|despite|ahead of|before|amid|amidst|on|over|as|because|though|although|even|while|whereas"
    r"|from|since|nach|trotz|vor|wegen|angesichts|weil|obwohl|während|nachdem)\s",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"^(?:will|should|can|could|is|are|does|do|did|what|which|where|when|how|who|wird|soll|sollte|kann|ist|sind|was"
    r"|welche[rsnm]?|wo|wann|wie|wer|droht|kommt|geht)\b[^?]*\?\s*$"
    r"|^(?:how|what|where|when) to\b|\bwhat to (?:expect|know|watch)\b|^(?:here.s|what|so) (?:what|how)\b",
    re.IGNORECASE,
)


def main_clause(text: str) -> str:
    """Returns the text up to its first subordinate part, or all of it; never less than two words."""
    for match in _SUBORDINATE.finditer(text):
        if text.count(" ", 0, match.start()):
            return text[: match.start()]
    return text


def asks(text: str) -> bool:
    """Whether a headline is but a question, or says that it will explain something."""
    return _ASKS.search(text) is not None
