"""Keeps scores beside headlines, by scorer, so that scoring again adds and never overwrites."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING

from feeds.archive import seals
from feeds.archive.database import Database, plain_errors

if TYPE_CHECKING:
    from feeds.scoring.score import Score

_CHUNK = 500


class Scores:
    """Remembers what scorers said.

    Args:
        database: The open file.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection

    def read(self, rows: Sequence[int], scorer: str, lexicon_as_of: date | None = None) -> dict[int, Score]:
        """Returns the stored scores of revisions, by row; those that no such scorer has scored are not in it.

        Args:
            rows: Numbers of revisions, as in `ArchivedHeadline.row`.
            scorer: The scorer's key; another version has another.
            lexicon_as_of: The day its words were known by.
        """
        found: dict[int, Score] = {}
        with plain_errors(self._database.path):
            for start in range(0, len(rows), _CHUNK):
                chunk = rows[start : start + _CHUNK]
                marks = ",".join("?" * len(chunk))
                for row, text in self._connection.execute(
                    f"SELECT revision, score FROM scores WHERE scorer = ? AND lexicon = ? AND revision IN ({marks})",
                    (scorer, _day(lexicon_as_of), *chunk),
                ):
                    found[row] = _score(text)
        return found

    def store(self, scores: Mapping[int, Score], scorer: str, lexicon_as_of: date | None = None) -> int:
        """Stores scores by row in one transaction; returns how many were new. What is stored stays as it is.

        Raises:
            ArchiveError: The file cannot be written.
        """
        lexicon = _day(lexicon_as_of)
        with self._database.transaction() as connection:
            held = {row for (row,) in connection.execute(
                "SELECT revision FROM scores WHERE scorer = ? AND lexicon = ?", (scorer, lexicon)
            )}  # fmt: skip
            rows = [
                (scorer, lexicon, row, json.dumps(asdict(score), ensure_ascii=False, allow_nan=False))
                for row, score in sorted(scores.items())
                if row not in held
            ]
            if rows:
                (batch,) = connection.execute("SELECT ifnull(max(id), 0) + 1 FROM seals").fetchone()
                connection.executemany(
                    f"INSERT INTO scores(scorer, lexicon, revision, score, batch) VALUES (?,?,?,?,{batch})", rows
                )
                seals.append(connection, "scores", batch, seals.rows_record(rows))
        return len(rows)


def _day(lexicon_as_of: date | None) -> str:
    return lexicon_as_of.isoformat() if lexicon_as_of is not None else ""


def _score(text: str) -> Score:
    from feeds.scoring.score import Entity, Score

    raw = json.loads(text)
    if "hits" in raw:  # what features were called until November 2026
        raw["features"] = raw.pop("hits")
    entities = tuple(Entity(**each) for each in raw.pop("entities"))
    return Score(**raw | {"entities": entities, "features": tuple(raw["features"])})
