"""Language, tone, AI-disruption sentiment and entities of a headline. Pure: a text in, a `Score` out."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from itertools import islice

from feeds.scoring.headline import LONGEST
from feeds.scoring.memory import forget, remembered
from feeds.scoring.score import SPEAKS, Entity, Score, ScoreInput, Scorer
from feeds.scoring.tone import plain_vader

__all__ = [
    "DEFAULT",
    "LONGEST",
    "SPEAKS",
    "Entity",
    "Score",
    "ScoreInput",
    "Scorer",
    "forget",
    "plain_vader",
    "score",
    "score_many",
]

_BLOCK = 2_000  # headlines of which those whose language is open are asked about together


def score(title: str, summary: str = "", *, language: str = "", lexicon_as_of: date | None = None) -> Score:
    """Scores a headline.

    Args:
        title: Plain text; the first 2,000 characters count.
        summary: Plain text; adds to relevance and entities, to the sentiment where the title is about AI, not to tone.
        language: What the channel says it is written in, "" for nothing.
        lexicon_as_of: Leaves out words learned after that day.

    Returns:
        The score; of a text that is neither English nor German only the language, all else zero.
    """
    return _one(title, summary, language, lexicon_as_of)


def score_many(texts: Iterable[ScoreInput], lexicon_as_of: date | None = None) -> list[Score]:
    """Scores headlines, each as `score` does, in less time.

    Args:
        texts: Title, summary and declared language of each.
        lexicon_as_of: Leaves out words learned after that day.
    """
    rest = iter(texts)
    scores: list[Score] = []
    while block := list(islice(rest, _BLOCK)):
        with _without_collector():
            scores += remembered(block, lexicon_as_of)
    return scores


@contextmanager
def _without_collector() -> Iterator[None]:
    """No search for reference cycles, of which scoring makes none, while a block's many small objects come and go."""
    paused = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if paused:
            gc.enable()


def _one(title: str, summary: str, language: str, as_of: date | None) -> Score:
    return remembered([ScoreInput(title, summary, language)], as_of)[0]


DEFAULT = Scorer(
    name="vader-disruption",
    version="4",
    score=_one,
    many=score_many,
    about="word lists and rules of our own on VADER",
)
