"""Scores beside headlines: kept by scorer, so that scoring again adds and never overwrites."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING

from feeds.archive.errors import plain_errors
from feeds.archive.subscriptions import Polling

if TYPE_CHECKING:
    from feeds.scoring.score import Score

_CHUNK = 500


class Scores(Polling):
    """The part of the archive that remembers what scorers said."""

    def scores(self, rows: Sequence[int], scorer: str, lexicon_as_of: date | None = None) -> dict[int, Score]:
        """Returns the stored scores of revisions, by row; those that no such scorer has scored are not in it.

        Args:
            rows: Numbers of revisions, as in `ArchivedHeadline.row`.
            scorer: The scorer's key; another version has another.
            lexicon_as_of: The day its words were known by.
        """
        found: dict[int, Score] = {}
        with plain_errors(self.path):
            for start in range(0, len(rows), _CHUNK):
                chunk = rows[start : start + _CHUNK]
                marks = ",".join("?" * len(chunk))
                for row, text in self._connection.execute(
                    f"SELECT revision, score FROM scores WHERE scorer = ? AND lexicon = ? AND revision IN ({marks})",
                    (scorer, _day(lexicon_as_of), *chunk),
                ):
                    found[row] = _score(text)
        return found

    def store_scores(self, scores: Mapping[int, Score], scorer: str, lexicon_as_of: date | None = None) -> int:
        """Stores scores by row in one transaction; returns how many were new. What is stored stays as it is.

        Raises:
            ArchiveError: The file cannot be written.
        """
        new = 0
        with self._transaction() as connection:
            for row, score in sorted(scores.items()):
                text = json.dumps(asdict(score), ensure_ascii=False, allow_nan=False)
                new += connection.execute(
                    "INSERT OR IGNORE INTO scores(revision, scorer, lexicon, score) VALUES (?,?,?,?)",
                    (row, scorer, _day(lexicon_as_of), text),
                ).rowcount
        return new


def _day(lexicon_as_of: date | None) -> str:
    return lexicon_as_of.isoformat() if lexicon_as_of is not None else ""


def _score(text: str) -> Score:
    from feeds.scoring.score import Entity, Score

    raw = json.loads(text)
    entities = tuple(Entity(**each) for each in raw.pop("entities"))
    return Score(**raw | {"entities": entities, "features": tuple(raw["features"])})
