"""Draws a scorer's errors from its confusion table, so that a result can be seen under other readings of the same news.

The table counts labelled headlines by what they say (`truth`) and what the scorer read (`read`), each -1, 0 or +1 for
the demand for AI compute:

    truth,read,count
    -1,-1,210
    -1,0,55

What a headline truly says is drawn by P(truth | read), then how another scorer of the same quality would read it by
P(read | truth). A headline that was read as nothing may so become one, and one that moved a signal may fall silent.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from feeds.errors import InputError
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
        own = int(np.sign(score.sentiment)) if score.relevance > 0 else 0
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


def read_misread(path: Path, items: Sequence[NewsItem]) -> Misread:
    """Reads a confusion table.

    Args:
        path: CSV with the columns truth, read and count.
        items: The news, whose medians a headline gets that was read as nothing.

    Raises:
        InputError: No such file, other columns or values, or a reading that no headline of the table had.
    """
    counts = np.zeros((3, 3))
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                counts[SIGNS.index(int(row["truth"])), SIGNS.index(int(row["read"]))] += _count(row["count"])
    except OSError as wrong:
        raise InputError(f"{path}: cannot be read ({wrong.strerror})") from None
    except (KeyError, ValueError, TypeError, IndexError):
        raise InputError(
            f"{path}: is no confusion table; give a CSV with the columns {', '.join(COLUMNS)}, truth and read -1, 0 or 1"
        ) from None
    if not (counts.sum(axis=0) > 0).all() or not (counts.sum(axis=1) > 0).all():
        raise InputError(f"{path}: each of -1, 0 and 1 must be a truth and a reading of some headline")
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


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError(text)
    return value
