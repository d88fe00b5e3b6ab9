"""Draws a scorer's errors from its confusion table, so that a result can be seen under other readings of the same news.

The table counts labelled headlines by what they say (`truth`) and what the scorer read (`read`), each -1, 0 or +1 for
the demand for AI compute:

    truth,read,count
    -1,-1,210
    -1,0,55

or is made of labelled headlines with the scorer at hand.

What a headline truly says is drawn by P(truth | read), then how another scorer of the same quality would read it by
P(read | truth). A headline that was read as nothing may so become one, and one that moved a signal may fall silent.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from feeds.errors import InputError
from feeds.scoring import Score, ScoreInput, Scorer
from feeds.scoring.labelled import read_labelled
from strategies.signals import Floats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from strategies.signals import NewsItem

SIGNS = (-1, 0, 1)
COLUMNS = ("truth", "read", "count")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Misread:
    """How a headline that was read one way would be read again.

    Attributes:
        chances: Shape (3, 3): of each reading (-1, 0, +1) the probability of each new one.
        relevance: What a headline gets that was read as nothing, as does `sentiment`: medians of the news.
        labelled: Headlines in the table.
        name: Of the table's file.
    """

    chances: Floats
    relevance: float
    sentiment: float
    labelled: int
    name: str

    def readings(
        self, item: NewsItem, n: int, rng: np.random.Generator
    ) -> list[tuple[NewsItem, NDArray[np.bool_] | None]]:
        """Draws how n samples read a headline: each reading that can move a signal, and the samples that have it."""
        score = item.score
        own = reading(score)
        drawn = rng.choice(3, size=n, p=self.chances[own + 1]) - 1
        found: list[tuple[NewsItem, NDArray[np.bool_] | None]] = []
        for sign in SIGNS:
            if sign == own:
                changed: Any = score
            elif sign == 0:
                changed = dataclasses.replace(score, sentiment=0.0, entities=())
            else:
                changed = dataclasses.replace(
                    score,
                    relevance=score.relevance or self.relevance,
                    sentiment=sign * (abs(score.sentiment) or self.sentiment),
                    entities=tuple(
                        dataclasses.replace(each, direction=-each.direction) if own else each for each in score.entities
                    ),
                )
            if changed.relevance > 0:
                found.append((dataclasses.replace(item, score=changed), drawn == sign))
        return found


def read_misread(path: Path, items: Sequence[NewsItem], scorer: Scorer) -> Misread:
    """Reads a confusion table, or makes the scorer's own from labelled headlines.

    Args:
        path: CSV with the columns truth, read and count; or labelled headlines, as `backtest score` takes them.
        items: The news, whose medians a headline gets that was read as nothing.
        scorer: What the news was scored with.

    Raises:
        InputError: No such file, other columns or values, or a truth or reading that no headline of the table has.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            counts = _counted(rows) if set(COLUMNS) <= set(rows.fieldnames or ()) else None
    except (OSError, UnicodeDecodeError, csv.Error) as wrong:
        raise InputError(f"{path}: cannot be read ({wrong}); give a CSV file in UTF-8 with a header") from None
    except (ValueError, TypeError):
        raise InputError(f"{path}: truth and read are -1, 0 or 1, and count a whole number of 0 or more") from None
    if counts is None:
        counts = _measured(path, scorer)
    if not (counts.sum(axis=0) > 0).all() or not (counts.sum(axis=1) > 0).all():
        raise InputError(f"{path}: each of -1, 0 and 1 must be the truth and the reading of some headline")
    truths = (counts / counts.sum(axis=0)).T  # (read, truth)
    again = counts / counts.sum(axis=1, keepdims=True)  # (truth, read)
    moved = [item for item in items if item.used and item.score.sentiment]
    return Misread(
        chances=truths @ again,
        relevance=float(np.median([item.score.relevance for item in moved])) if moved else 1.0,
        sentiment=float(np.median([abs(item.score.sentiment) for item in moved])) if moved else 0.5,
        labelled=int(counts.sum()),
        name=path.name,
    )


def _counted(rows: Iterable[Mapping[str, str]]) -> Floats:
    counts = np.zeros((3, 3))
    for row in rows:
        count = int(row["count"])
        if count < 0:
            raise ValueError(row["count"])
        counts[SIGNS.index(int(row["truth"])), SIGNS.index(int(row["read"]))] += count
    return counts


def _measured(path: Path, scorer: Scorer) -> Floats:
    """Counts what the scorer reads in labelled headlines, shape (truth, read)."""
    labelled = [row for row in read_labelled(path) if row.compute_demand is not None]
    counts = np.zeros((3, 3))
    scores = scorer.scores([ScoreInput(row.title, row.summary, row.declared) for row in labelled], None)
    for row, score in zip(labelled, scores, strict=True):
        counts[SIGNS.index(row.compute_demand or 0), SIGNS.index(reading(score))] += 1
    return counts


def reading(score: Score) -> int:
    """Returns what a score says of the demand for AI compute: -1, 0 or 1."""
    return int(np.sign(score.sentiment)) if score.relevance > 0 else 0
