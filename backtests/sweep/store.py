"""Keeps a sweep on disk: parts while it runs, one Parquet file when it is done; a killed sweep resumes.

    DIR/sweep.json        what is swept, and its hash
    DIR/parts/000003.npz  a finished block; removed when the sweep is done
    DIR/trials.parquet    one row per episode and combination, in the order of the grid

A part stands there whole or not at all, so a killed sweep loses the blocks that were under way and no more. The
file is made from the parts in their order: the same bytes, however many workers there were and however often it was
killed.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backtests.records.folders import sync, write_file
from backtests.records.shape import read_json, text
from backtests.sweep.job import FIGURES, Job
from feeds.errors import InputError
from strategies.signals import Floats

if TYPE_CHECKING:
    import pyarrow as pa

RESULT = "trials.parquet"
REPORT = "sweep_report.json"


class Store:
    """Keeps the folder of one sweep."""

    def __init__(self, folder: Path, job: Job, *, force: bool = False) -> None:
        """Makes the folder, or opens the one of the same sweep.

        Args:
            folder: Missing, empty, or a sweep's; another sweep is removed with `force`.
            job: What is swept.
            force: Whether the sweep begins anew in the place of the one that is there.

        Raises:
            InputError: The folder holds another sweep or anything else, cannot be written, or pyarrow is missing.
        """
        _arrow()
        self.folder, self.job = folder, job
        self._parts = folder / "parts"
        self.result = folder / RESULT
        asked = {"hash": job.hash(), **job.document()}
        path = folder / "sweep.json"
        try:
            if force and folder.exists():
                _check_sweep(folder)
                shutil.rmtree(folder)
            if folder.is_dir() and not path.exists():
                _check_sweep(folder)
            elif folder.is_dir() and read_json(path, {"hash": text})["hash"] != asked["hash"]:
                raise InputError(f"{folder}: holds another sweep; choose another folder with -o, or --force")
            self._parts.mkdir(parents=True, exist_ok=True)
            write_file(path, (json.dumps(asked, indent=2, ensure_ascii=False) + "\n").encode())
        except (OSError, ValueError) as wrong:
            if isinstance(wrong, InputError):
                raise
            raise InputError(f"{folder}: cannot keep a sweep there ({wrong}); choose another with -o") from None

    @property
    def done(self) -> bool:
        """Returns whether the result is there."""
        return self.result.exists()

    def missing(self) -> list[int]:
        """Lists the numbers of the blocks that are still to be run."""
        return [number for number in range(len(self.job.blocks())) if not self._part(number).exists()]

    def keep(self, number: int, block: dict[str, Floats]) -> None:
        """Writes a block down."""
        from io import BytesIO

        buffer = BytesIO()
        np.savez(buffer, figures=block["figures"], equity=block["equity"])
        write_file(self._part(number), buffer.getvalue())

    def finish(self, episodes: list[str], sessions: list[list[str]]) -> None:
        """Makes the result of the parts and removes them.

        Args:
            episodes: Names, in the job's order.
            sessions: ISO dates of each episode's window.
        """
        import pyarrow.parquet as pq

        half = self.folder / f".{RESULT}.half"
        tables = self._tables(episodes, sessions)
        table = next(tables)  # a grid has at least one combination
        with pq.ParquetWriter(half, table.schema, compression="zstd") as writer:
            for each in chain([table], tables):
                writer.write_table(each)
        sync(half)
        half.replace(self.result)
        shutil.rmtree(self._parts, ignore_errors=True)

    def _tables(self, episodes: list[str], sessions: list[list[str]]) -> Iterator[pa.Table]:
        """Makes a table for each block, in order."""
        for number, (place, first, stop) in enumerate(self.job.blocks()):
            with np.load(self._part(number)) as block:
                yield self._table(episodes[place], sessions[place], first, stop, block["figures"], block["equity"])

    def _table(
        self, episode: str, sessions: list[str], first: int, stop: int, figures: Floats, equity: Floats
    ) -> pa.Table:
        pa = _arrow()
        columns: dict[str, Any] = {
            "number": pa.array(range(first, stop), pa.int64()),
            "episode": pa.array([episode] * (stop - first), pa.string()),
        }
        combinations = self.job.axes.combinations(first, stop)
        for axis in self.job.axes.axes:
            columns[axis.name] = pa.array([row[axis.name] for row in combinations])
        for place, name in enumerate(FIGURES):
            values = figures[:, place]
            if name == "ruined_session":
                columns[name] = pa.array([sessions[int(at)] if at >= 0 else None for at in values], pa.string())
            elif name in {"fills", "margin_calls"}:
                columns[name] = pa.array(values.astype(np.int64))
            else:
                columns[name] = pa.array(values, mask=np.isnan(values))
        missing = np.isnan(equity)
        flat = pa.array(equity.ravel(), mask=missing.ravel())
        offsets = pa.array(np.arange(len(equity) + 1, dtype=np.int32) * equity.shape[1])
        columns["equity_usd"] = pa.ListArray.from_arrays(offsets, flat)
        return pa.table(columns)

    def figures(self, name: str) -> Iterator[Floats]:
        """Yields one figure of each episode's combinations, shape (combinations,)."""
        values = _read(self.result, [name]).column(name).to_numpy(zero_copy_only=False).astype(float)
        yield from values.reshape(len(self.job.episodes), -1)

    def equity(self) -> Iterator[Floats]:
        """Yields the equity of each episode's combinations, shape (combinations, sessions), US dollars."""
        count = len(self.job.axes)
        column = _read(self.result, ["equity_usd"]).column("equity_usd").combine_chunks()
        for place in range(len(self.job.episodes)):
            part = column.slice(place * count, count)
            yield part.flatten().to_numpy(zero_copy_only=False).astype(float).reshape(count, -1)

    def _part(self, number: int) -> Path:
        return self._parts / f"{number:06d}.npz"


def _check_sweep(folder: Path) -> None:
    """Makes sure that a folder holds a sweep and nothing else.

    Raises:
        InputError: It holds something else.
    """
    ours = {"sweep.json", "parts", "heat.png", RESULT, REPORT, ".sweep.json.half", f".{RESULT}.half", f".{REPORT}.half"}
    for path in sorted(folder.iterdir()):
        if path.name not in ours or path.is_symlink():
            raise InputError(f"{path}: is not of a sweep; choose another folder with -o, or move it away")


def _read(path: Path, columns: list[str]) -> pa.Table:
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path, columns=columns)
    except (OSError, ValueError) as wrong:
        raise InputError(f"{path}: cannot be read ({wrong}); remove it and run the sweep again") from None


def _arrow() -> Any:
    try:
        import pyarrow as pa
    except ImportError:
        raise InputError("a sweep is kept as Parquet, which needs pyarrow: pip install 'aftershock[parquet]'") from None
    return pa
