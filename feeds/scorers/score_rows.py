"""Reads a file of scores: CSV, JSON lines or Parquet, a headline per row.

| column                  | holds                                                                                   |
|-------------------------|-----------------------------------------------------------------------------------------|
| id, title, title_sha256 | which headline: one of them at least; where several stand, all must fit                 |
| known_at                | tells rows of the same headline apart                                                   |
| a part of a score       | relevance, sentiment, displacement, tone, reaction, cause, language, entities, features |
| model, trained_until    | who scored, and the last day of what that learned from                                  |
| asked_at                | when it was asked                                                                       |

Other columns are left alone, an empty cell says nothing. Labelled headlines (`compute_demand` in place of `sentiment`,
by title) are read too: as what a flawless reader would have said.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from feeds.errors import InputError
from feeds.scorers.answer import PARTS, AnswerError, as_score
from feeds.scoring import UNKNOWN, ScoreInput

SUFFIXES: Final = (".csv", ".jsonl", ".parquet")
_KEYS: Final = ("id", "title", "title_sha256")
_LABEL: Final = "compute_demand"  # what labelled headlines call the sentiment
_LARGEST: Final = 512 * 1024 * 1024  # bytes, of the file and of what is unpacked of it
_MOST: Final = 1_000_000  # rows
_LONGEST: Final = 20_000  # characters of a cell
_NUMBERS: Final = ("relevance", "sentiment", "displacement", "tone")
_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}
_DISARMED: Final = re.compile(r"'[=+\-@\t\r']")  # what a run's own CSV does to a text that a spreadsheet would run
_Cells = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRow:
    """Holds what a file says of a headline."""

    number: int  # its line, or its row in a Parquet table, from 1
    id: str  # "" where the file does not say
    title_sha256: str  # the same
    parts: Mapping[str, Any]  # as `as_score` takes them
    known_at: datetime | None
    asked_at: datetime | None
    model: str
    trained_until: date | None  # None: the file does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreFile:
    """Holds the rows of a file of scores, and its bytes."""

    path: Path
    raw: bytes
    rows: tuple[ScoreRow, ...]
    is_labels: bool  # labelled headlines: what a flawless reader would have said


def title_sha256(title: str) -> str:
    """Returns the SHA-256 of a title in UTF-8, 64 hex digits."""
    return hashlib.sha256(title.encode("utf-8", "surrogatepass")).hexdigest()


def read_scores(path: Path) -> ScoreFile:
    """Reads a file of scores.

    Raises:
        InputError: It cannot be read, is too large, lacks a column, or has a bad cell; file, row and column are named.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{path}: is larger than {_LARGEST // 2**20} MB; split it")
        raw = path.read_bytes()
    except OSError as wrong:
        raise InputError(f"{path}: cannot be read ({wrong.strerror}); give a CSV, JSONL or Parquet file") from None
    read = {".csv": _csv, ".jsonl": _jsonl, ".parquet": _parquet}.get(path.suffix.lower())
    if read is None:
        raise InputError(f"{path}: is no .csv, .jsonl or .parquet file; name it so")
    found: list[ScoreRow] = []
    is_labels, seen = False, set[str]()
    for number, cells in read(path, raw):
        if number > _MOST + 1:
            raise InputError(f"{path}: has more than {_MOST:,} rows; split it")
        seen |= cells.keys()
        is_labels = is_labels or (_LABEL in cells and "sentiment" not in cells)
        row = _row(path, number, _labelled(cells) if is_labels else cells)
        found += [row] if row else []
    if not seen & set(_KEYS) or not seen & {*PARTS, _LABEL}:
        raise InputError(f"{path}: needs a column of {', '.join(_KEYS)}, and one of {', '.join(PARTS[1:-1])}")
    return ScoreFile(path=path, raw=raw, rows=tuple(found), is_labels=is_labels)


def _csv(path: Path, raw: bytes) -> Iterator[tuple[int, _Cells]]:
    try:
        reader = csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline=""))
        for row in reader:
            if None in row or None in row.values():
                raise InputError(f"{path}, row {reader.line_num}: has not as many cells as the header")
            yield reader.line_num, {key: value[1:] if _DISARMED.match(value) else value for key, value in row.items()}
    except (UnicodeDecodeError, csv.Error) as wrong:
        raise InputError(f"{path}: is no CSV table in UTF-8 ({wrong}); save it as one") from None


def _jsonl(path: Path, raw: bytes) -> Iterator[tuple[int, _Cells]]:
    for number, line in enumerate(raw.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_constant=_no_number)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise InputError(f"{path}, row {number}: is no JSON object; write one object a line, in UTF-8")
        yield number, row


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _parquet(path: Path, raw: bytes) -> Iterator[tuple[int, _Cells]]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise InputError("Parquet needs pyarrow: pip install 'aftershock[parquet]'") from None
    try:
        file = pq.ParquetFile(pa.BufferReader(raw))
        meta = file.metadata
        size = sum(meta.row_group(place).total_byte_size for place in range(meta.num_row_groups))
        if meta.num_rows > _MOST or size > _LARGEST:
            raise InputError(f"{path}: has more than {_MOST:,} rows or {_LARGEST // 2**20} MB unpacked; split it")
        known = {*_KEYS, *PARTS, _LABEL, "lang", "known_at", "asked_at", "model", "trained_until"}
        columns = [name for name in file.schema_arrow.names if name in known]
        number = 0
        for batch in file.iter_batches(columns=columns):
            for cells in batch.to_pylist():
                number += 1
                yield number, cells
    except (OSError, ValueError, pa.ArrowException) as wrong:
        raise InputError(f"{path}: is no Parquet table ({str(wrong).splitlines()[0]}); save it as one") from None


def _labelled(cells: _Cells) -> _Cells:
    """Returns labels as a score's parts; a label's id is no headline's."""
    given = {**cells, "sentiment": cells.get(_LABEL), "language": cells.get("lang")}
    given.pop("id", None)
    if isinstance(given.get("entities"), str) and given["entities"].startswith("{"):
        try:
            given["entities"] = json.loads(given["entities"])
        except (ValueError, RecursionError):
            return given  # the cell is refused as one that names no entities
    return given


def _row(path: Path, number: int, cells: _Cells) -> ScoreRow | None:
    """Reads a row; None for one that says nothing of its headline.

    Raises:
        InputError: A cell cannot be read.
    """
    try:
        for column in (*_KEYS, *PARTS, "model"):
            if isinstance(cells.get(column), str) and len(cells[column]) > _LONGEST:
                raise AnswerError(column, f"has more than {_LONGEST:,} characters")
        parts = {column: _part(column, cells[column]) for column in PARTS if not _empty(cells.get(column))}
        if not parts:
            return None
        as_score(ScoreInput("", "", "en"), parts)
        return ScoreRow(
            number=number, id=_text(cells, "id"), title_sha256=_digest(cells), parts=parts, model=_text(cells, "model"),
            known_at=_moment(cells, "known_at"), asked_at=_moment(cells, "asked_at"),
            trained_until=_day(cells, "trained_until"),
        )  # fmt: skip
    except AnswerError as wrong:
        raise InputError(f"{path}, row {number}, {wrong.part}: {wrong.wanted}") from None


def _text(cells: _Cells, column: str) -> str:
    value = cells.get(column)
    if value is not None and not isinstance(value, str):
        raise AnswerError(column, f"is {value!r}; give a text")
    return value or ""


def _digest(cells: _Cells) -> str:
    """Returns the SHA-256 of the title that a row is about; "" where it names an id alone."""
    title, digest = _text(cells, "title"), _text(cells, "title_sha256").lower()
    if digest and not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise AnswerError("title_sha256", f"is {digest[:70]!r}; give 64 hex digits")
    if title and digest not in {"", title_sha256(title)}:
        raise AnswerError("title_sha256", "is not that of the title")
    if not (title or digest or _text(cells, "id")):
        raise AnswerError("/".join(_KEYS), "is empty; say which headline is scored")
    return title_sha256(title) if title else digest


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value)


def _part(column: str, value: Any) -> Any:
    """Reads a cell of text as what its column holds; other values are checked as they are.

    Raises:
        AnswerError: It cannot be read.
    """
    if not isinstance(value, str):
        return value
    if column in _NUMBERS:
        try:
            return float(value)
        except ValueError:
            raise AnswerError(column, f"is {value[:60]!r}; give a number") from None
    if column in {"reaction", "cause"}:
        if value.casefold() not in _FLAGS:
            raise AnswerError(column, f"is {value[:60]!r}; give true or false")
        return _FLAGS[value.casefold()]
    return value


def _moment(cells: _Cells, column: str) -> datetime | None:
    """Reads a time with its zone."""
    value = cells.get(column)
    if _empty(value):
        return None
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise AnswerError(column, f"is {str(value)[:60]!r}; give a time with its zone, 2025-01-27T14:15Z")
    return found


def _day(cells: _Cells, column: str) -> date | None:
    value = cells.get(column)
    if _empty(value):
        return None
    try:
        return UNKNOWN if value == "unknown" else date.fromisoformat(str(value))
    except ValueError:
        raise AnswerError(column, f"is {str(value)[:60]!r}; give a day, YYYY-MM-DD, or unknown") from None
