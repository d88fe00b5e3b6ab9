"""Scores whole tables of headlines: Parquet in, one Parquet file of scores for each, on any pool of workers.

A table is cut into blocks of rows, whose scores stand as parts beside the result until all are there; a killed run
goes on from them, and the file has the same bytes however many workers there were.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from backtests.batch.pools import Pool
from feeds.errors import InputError
from feeds.scoring import DEFAULT, ScoreInput, Scorer
from feeds.scoring.registry import scorer_named

BLOCK = 10_000  # rows that are scored at once, whatever the number of workers
TEXTS = ("title", "summary", "language")
_KEPT = ("id", "published")  # columns that go into the result as they are


def score_tables(
    inputs: Sequence[Path],
    output: Path,
    pool: Pool,
    *,
    scorer: Scorer = DEFAULT,
    lexicon_as_of: date | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> int:
    """Scores tables with a column title, and summary, language, id, published where they are there.

    Args:
        inputs: Parquet files.
        output: Folder for the scores, a file of the same name for each.
        pool: Where the blocks run; workers must see the files under the same paths.
        scorer: One of the registry: workers find it by its name.
        lexicon_as_of: Leaves out words learned after that day.
        on_progress: Called with the number of headlines that a block held.

    Returns:
        Headlines scored, those found done included.

    Raises:
        InputError: A file that cannot be read or has no titles, two of one name, or an output that cannot be written.
    """
    if not inputs:
        raise InputError("--input: matches no file")
    names = [path.name for path in inputs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise InputError(f"--input: two files are called {twice}; score them into two folders")
    total = 0
    for path in inputs:
        rows = _rows(path)
        key = f"{_digest(path)} {scorer.label} {lexicon_as_of or ''}"
        target = output / f"{path.stem}.parquet"
        if target.resolve() == path.resolve():
            raise InputError(f"--output {output}: would write over {path}; choose another folder")
        if not _is_done(target, key):
            _score_table(path, rows, target, key, pool, scorer.name, lexicon_as_of, on_progress or (lambda _: None))
        total += rows
    return total


def _score_table(
    path: Path, rows: int, target: Path, key: str, pool: Pool, scorer: str, lexicon_as_of: date | None,
    on_progress: Callable[[int], None],
) -> None:  # fmt: skip
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts = target.parent / f".{path.stem}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
    firsts = list(range(0, rows, BLOCK))
    try:
        parts.mkdir(parents=True, exist_ok=True)
        missing = [first for first in firsts if not (parts / f"{first}.parquet").exists()]
        tasks = [(str(path.resolve()), first, lexicon_as_of, scorer) for first in missing]
        for place, scored in pool.run(score_block, tasks):
            _write(scored, parts / f"{missing[place]}.parquet")
            on_progress(scored.num_rows)
        whole = [pq.read_table(parts / f"{first}.parquet") for first in firsts] or [score_block(*_empty_block(path))]
        _write(pa.concat_tables(whole).replace_schema_metadata({"aftershock": key}), target)
        shutil.rmtree(parts, ignore_errors=True)
    except OSError as wrong:
        raise InputError(f"--output {target.parent}: cannot be written ({wrong.strerror or wrong})") from None


def _empty_block(path: Path) -> tuple[str, int, None]:
    return str(path.resolve()), 0, None


def _write(table: Any, path: Path) -> None:
    import pyarrow.parquet as pq

    half = path.with_name(f".{path.name}.half")
    pq.write_table(table, half, compression="zstd")
    half.replace(path)


def score_block(path: str, first: int, lexicon_as_of: date | None, scorer: str = "") -> Any:
    """Scores the rows `first` … `first + BLOCK - 1` of a table; returns a pyarrow table, one row for each.

    Its columns: row, id and published where they are there, language, relevance, sentiment, displacement, tone,
    reaction, cause, entities ("NVDA:-1 …"), features.
    """
    import pyarrow as pa

    table = _table(path).slice(first, BLOCK)
    texts = [
        [text or "" for text in table.column(name).cast(pa.string()).to_pylist()]
        if name in table.column_names
        else [""] * table.num_rows
        for name in TEXTS
    ]
    found = scorer_named(scorer)
    scores = found.scores([ScoreInput(*each) for each in zip(*texts, strict=True)], lexicon_as_of)
    columns: dict[str, Any] = {"row": pa.array(range(first, first + table.num_rows), pa.int64())}
    columns |= {name: table.column(name) for name in _KEPT if name in table.column_names}
    columns |= {
        "language": pa.array([each.language for each in scores], pa.string()),
        "relevance": pa.array([each.relevance for each in scores], pa.float64()),
        "sentiment": pa.array([each.sentiment for each in scores], pa.float64()),
        "displacement": pa.array([each.displacement for each in scores], pa.float64()),
        "tone": pa.array([each.tone for each in scores], pa.float64()),
        "reaction": pa.array([each.reaction for each in scores], pa.bool_()),
        "cause": pa.array([each.cause for each in scores], pa.bool_()),
        "entities": pa.array([" ".join(f"{e.symbol}:{e.direction:+d}" for e in each.entities) for each in scores],
                             pa.string()),
        "features": pa.array(["; ".join(each.features) for each in scores], pa.string()),
    }  # fmt: skip
    return pa.table(columns)


@lru_cache(maxsize=1)
def _table(path: str) -> Any:
    """Reads the columns of a table that matter, once in each process."""
    import pyarrow.parquet as pq

    wanted = [name for name in pq.read_schema(path).names if name in (*TEXTS, *_KEPT)]
    return pq.read_table(path, columns=wanted)


def _rows(path: Path) -> int:
    try:
        import pyarrow.parquet as pq
    except ImportError:
        raise InputError("Parquet needs pyarrow: pip install 'aftershock[parquet]'") from None
    try:
        meta = pq.read_metadata(path)
    except (OSError, ValueError) as wrong:
        raise InputError(f"{path}: is no Parquet file ({str(wrong).splitlines()[0]}); save it as one") from None
    if "title" not in meta.schema.names:
        raise InputError(f"{path}: has no column title; name the column of headlines so")
    return int(meta.num_rows)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_done(target: Path, key: str) -> bool:
    """Returns whether the scores of these very headlines, by this scorer, are there."""
    import pyarrow.parquet as pq

    if not target.exists():
        return False
    try:
        return (pq.read_schema(target).metadata or {}).get(b"aftershock") == key.encode()
    except (OSError, ValueError):
        return False
