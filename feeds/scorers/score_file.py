"""Makes a scorer of a file of scores: `--scores scores.csv`.

A score that was asked before its headline was known is refused; one asked after is counted in the result. A headline
without a score is neutral, or is scored by the default scorer (`missing`), and counted too. The labels of headlines
(`labels`: those that ship) make the perfect reader: what nobody had, to see what a flawless reading would have earned.
"""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final

import feeds.scoring
from feeds.errors import InputError
from feeds.scorers.answer import as_score
from feeds.scorers.own_scorer import day
from feeds.scorers.score_rows import SUFFIXES, ScoreFile, ScoreRow, read_scores, title_sha256
from feeds.scoring import DEFAULT, Score, ScoreInput, Scorer, ScorerSource

SHIPPED: Final = "labels"
SETTINGS: Final = frozenset({"missing", "trained_until"})
MISSING: Final = ("neutral", "default")
LATE: Final = "headlines whose score was asked after they were known: whoever gave it may have known what came"
_LABELS: Final = Path(feeds.scoring.__file__).parent / "data" / "labels" / "panel.csv"


def is_scores(name: str) -> bool:
    """Returns whether a name is that of a file of scores, or of the labels that ship."""
    return name == SHIPPED or name.lower().endswith(SUFFIXES)


def load_scores(name: str, settings: Mapping[str, str]) -> Scorer:
    """Returns the scorer of a file.

    Args:
        name: The file; `labels` for the labelled headlines that ship.
        settings: `missing`: neutral or default; `trained_until`: a day, unknown or none, for rows that say nothing.

    Raises:
        InputError: The file cannot be read, a cell is bad, or two rows give a headline different scores.
    """
    return load_kept(_LABELS if name == SHIPPED else Path(name), settings)


def load_kept(path: Path, settings: Mapping[str, str]) -> Scorer:
    """Returns the scorer of a file, like the one that a run has kept; settings as in `load_scores`."""
    missing = settings.get("missing", "neutral")
    if missing not in MISSING:
        raise InputError(f"--missing {missing!r}: give {' or '.join(MISSING)}")
    path = path.resolve()
    table = _table(path, path.stat().st_mtime_ns if path.is_file() else 0)
    if missing == "neutral":
        return _scorer(table, settings, None)
    return dataclasses.replace(
        _scorer(table, settings, DEFAULT),
        made_for=lambda start, as_of: _scorer(table, settings, DEFAULT.before(start, as_of)),
    )


def score_reader(name: str) -> Callable[[ScoreInput], Score | None]:
    """Returns what finds the labelled score of a headline, None where it has no label.

    Args:
        name: A file of labelled headlines; `labels` for those that ship.

    Raises:
        InputError: The file cannot be read, or holds no labels.
    """
    path = (_LABELS if name == SHIPPED else Path(name)).resolve()
    table = _table(path, path.stat().st_mtime_ns if path.is_file() else 0)
    if not table.file.is_labels:
        raise InputError(f"{path}: holds no labelled headlines; they have the columns title and compute_demand")

    def read(text: ScoreInput) -> Score | None:
        row = table.row(text)
        return None if row is None else as_score(text, row.parts)

    return read


class _Table:
    """Finds what a file says of a headline."""

    def __init__(self, file: ScoreFile) -> None:
        self.file = file
        self.sha256 = sha256(file.raw).hexdigest()
        self._rows: defaultdict[tuple[str, str], list[ScoreRow]] = defaultdict(list)
        for row in file.rows:
            same = self._rows[row.id, row.title_sha256]
            twin = next((each for each in same if each.known_at is None or each.known_at == row.known_at), None)
            twin = twin or (same[0] if same and row.known_at is None else None)
            if twin is None:
                same.append(row)
            elif twin.parts != row.parts:
                raise InputError(
                    f"{file.path}, row {row.number}: gives the headline of row {twin.number} another score; keep one"
                )

    def row(self, text: ScoreInput) -> ScoreRow | None:
        """Returns the row of a headline, None without one.

        Raises:
            InputError: Its score was asked before the headline was known.
        """
        digest = title_sha256(text.title)
        keys = ((text.id, digest), (text.id, ""), ("", digest)) if text.id else (("", digest),)
        rows = next((self._rows[key] for key in keys if key in self._rows), [])
        found = next((row for row in rows if row.known_at == text.known_at), rows[0] if rows else None)
        if found and found.asked_at and text.known_at and found.asked_at < text.known_at:
            raise InputError(
                f"{self.file.path}, row {found.number}: asked at {found.asked_at.isoformat()}, before its headline was "
                f"known ({text.known_at.isoformat()}); no such score can be of that headline"
            )
        return found

    def trained_until(self, unsaid: date | None) -> date | None:
        """Returns the latest day that a row's scorer learned until; `unsaid` where a row does not say."""
        days = {row.trained_until or unsaid for row in self.file.rows}
        return max((each for each in days if each is not None), default=None)


@lru_cache(maxsize=8)
def _table(path: Path, _: int) -> _Table:
    """Reads a file once, until it changes."""
    return _Table(read_scores(path))


def _scorer(table: _Table, settings: Mapping[str, str], default: Scorer | None) -> Scorer:
    """Returns the scorer of a file; `default` scores what has no row."""
    path, is_labels = table.file.path, table.file.is_labels
    said = settings.get("trained_until", "unknown")
    until = table.trained_until(None if said == "none" else day(said, f"--scores {path}"))
    if default is not None and default.trained_until is not None:
        until = max(until or default.trained_until, default.trained_until)

    def many(texts: Sequence[ScoreInput], as_of: date | None) -> list[Score]:
        rows = [table.row(text) for text in texts]
        without = [text for text, row in zip(texts, rows, strict=True) if row is None]
        others = iter(default.scores(without, as_of) if default else [as_score(text, {}) for text in without])
        return [
            next(others) if row is None else as_score(text, row.parts) for text, row in zip(texts, rows, strict=True)
        ]

    def remark(text: ScoreInput) -> str:
        row = table.row(text)
        if row is None:
            return f"headlines without a score in {path.name}: {f'scored by {default.label}' if default else 'neutral'}"
        return LATE if row.asked_at and text.known_at and row.asked_at > text.known_at else ""

    def notes(texts: Sequence[ScoreInput]) -> tuple[str, ...]:
        models = sorted({row.model for row in map(table.row, texts) if row is not None and row.model})
        named = (f"Scores of {path.name}: by {', '.join(models)}.",) if models else ()
        read = sum(table.row(text) is not None for text in texts)
        flawless = f"A flawless reading of {read:,} of {len(texts):,} headlines, which nobody had; not a strategy."
        return (*named, flawless) if is_labels else named

    kept = {name: value for name, value in settings.items() if name in SETTINGS}
    source = ScorerSource(kind="scores", file=path.name, raw=table.file.raw, settings=kept)
    name = f"{'labels:' if is_labels else ''}{path.name.replace(' ', '_')}{'+default' if default else ''}"
    return Scorer(
        name=name, version=table.sha256[:12], many=many, trained_until=until,
        score=lambda title, summary, language, as_of: many([ScoreInput(title, summary, language)], as_of)[0],
        found_by=json.dumps({"name": str(path), "settings": kept}), source=lambda _: source, remark=remark,
        notes=notes, stored=False, about="a flawless reading, from labels" if is_labels else "scores of a file",
    )  # fmt: skip
