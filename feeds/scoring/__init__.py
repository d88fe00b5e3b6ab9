"""Language, tone, AI-disruption sentiment, displacement and companies of a headline. Pure: a text in, a `Score` out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from feeds.scoring.pipeline import LONGEST
from feeds.scoring.score import SPEAKS, Entity, Score, ScoreInput, Scorer
from feeds.scoring.tone import plain_vader
from feeds.scoring.vintages import DEFAULT

__all__ = [
    "DEFAULT",
    "LONGEST",
    "SPEAKS",
    "Entity",
    "Score",
    "ScoreInput",
    "Scorer",
    "plain_vader",
    "score",
    "score_many",
]


def score(title: str, summary: str = "", *, language: str = "", lexicon_as_of: date | None = None) -> Score:
    """Scores a headline by the newest vintage, or the newest over on `lexicon_as_of`.

    Args:
        title: Plain text; the first 2,000 characters count.
        summary: Plain text; adds companies, and half its sentiment where the title is about AI and has none.
        language: What the channel says it is written in, "" for nothing.
        lexicon_as_of: Leaves out what was learned after that day.

    Returns:
        The score; of a text that is neither English nor German only the language, all else zero.
    """
    return DEFAULT.score(title, summary, language, lexicon_as_of)


def score_many(texts: Sequence[ScoreInput], lexicon_as_of: date | None = None) -> list[Score]:
    """Scores headlines, each as `score` does, in less time."""
    return DEFAULT.scores(texts, lexicon_as_of)
