"""The AI-disruption axis: does a headline undercut demand for AI compute, chips and power, or build it up."""

from __future__ import annotations

from datetime import date
from typing import Final

from feeds.scoring.clauses import asks
from feeds.scoring.rules import Reading, rule_book
from feeds.scoring.rules import read as _read

_OPEN_QUESTIONS: Final = frozenset("how what which where when who wie was welche welcher welches wo wann wer".split())
_QUESTION: Final = 0.5  # a question says half of what a statement says


def read(text: str, as_of: date | None) -> Reading:
    """Reads a text once, for relevance and sentiment."""
    return _read(text, rule_book("disruption.toml", as_of))


def sentiment(reading: Reading) -> tuple[float, float, tuple[str, ...]]:
    """Returns the AI-disruption sentiment in [-1, 1], what it means for the tone, and the names of the rules.

    Every clause is looked at for itself. The strongest rule of a sign counts; both signs cancel each other out.
    """
    lowest = highest = tone = 0.0
    if asks(reading.words) and reading.words[-1] == "?" and reading.words[0] in _OPEN_QUESTIONS:
        return 0.0, 0.0, ()
    features: dict[str, None] = {}
    for rule, taken_back, asked in reading.fired():
        value = (rule.negated if taken_back else rule.value) * (_QUESTION if asked else 1.0)
        if not value:
            tone = tone or rule.tone * (not taken_back)
            continue
        features[rule.name] = None
        if abs(value) > max(-lowest, highest) and rule.tone:
            tone = -rule.tone if taken_back else rule.tone
        lowest, highest = min(lowest, value), max(highest, value)
    return max(-1.0, min(1.0, lowest + highest)), tone, tuple(features)
