"""Gives a notebook a finished run: pandas frames, figures, a plot, and a folder to keep it in."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from backtests.records.record import TABLES, RunRecord
from backtests.report.page import notebook_view
from backtests.runs.folder import read_run, write_run
from feeds.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


class Result(RunRecord):
    """Shows a run's tables as pandas frames (`equity`, `positions`, …; records/record.py lists their columns).

    Its figures stand in `metrics`; `replay` or `Result.load` make one.
    """

    def __getattr__(self, name: str) -> pd.DataFrame:
        """Makes the frame of a table when it is first asked for."""
        if name not in TABLES:
            raise AttributeError(f"a Result has no {name!r}; it has {', '.join(TABLES)} and metrics")
        import pandas as pd

        table = self.tables[name]
        frame = pd.DataFrame(list(table.rows), columns=list(table.columns))
        for column in ("session", "opened", "closed", "decided"):
            if column in frame:
                frame[column] = pd.to_datetime(frame[column].replace("", None))
        for column in ("published", "known_at"):
            if column in frame:
                frame[column] = pd.to_datetime(frame[column].replace("", None), utc=True, format="ISO8601")
        setattr(self, name, frame)
        return frame

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """Makes the frame of figures, one row per strategy: percent, US dollars, counts; see docs/glossary.md."""
        import pandas as pd

        rows = []
        for result in self.document["results"]:
            row = {key: value for key, value in result.items() if not isinstance(value, dict | list)}
            rows.append(row | result["costs"])
        return pd.DataFrame(rows).set_index("label")

    def plot(self) -> Any:
        """Draws every strategy's equity in US dollars; returns the matplotlib axes.

        Raises:
            InputError: matplotlib is not installed.
        """
        try:
            from matplotlib.figure import Figure
        except ImportError as missing:
            raise InputError("plot needs matplotlib: pip install 'aftershock[plot]'") from missing
        axes = Figure(figsize=(9, 4.5), layout="constrained").subplots()
        for name, rows in self.equity.groupby("strategy", sort=False):
            axes.plot(rows["session"], rows["equity"], label=name)
        axes.set(title=f"{self.document['episode']}: equity", ylabel="US dollars")
        axes.tick_params(axis="x", rotation=45)
        axes.legend(fontsize="small")
        return axes

    def _repr_html_(self) -> str:
        """Draws the tables of the report for a notebook."""
        return notebook_view(self)

    def __repr__(self) -> str:
        """Names the episode and the strategies."""
        names = ", ".join(result["label"] for result in self.document["results"])
        return f"<Result {self.document['episode']}: {names}>"

    def save(self, folder: Path | str, *, force: bool = False) -> Path:
        """Writes every table, the figures, the configuration, the card and the page; returns the folder.

        Raises:
            InputError: The folder is not empty; with `force`: it holds anything but a run, which is replaced whole.
        """
        write_run(self, Path(folder), force=force)
        return Path(folder)

    @classmethod
    def load(cls, folder: Path | str) -> Self:
        """Reads a saved run back.

        Raises:
            InputError: The folder is not a saved run.
        """
        return cls(**vars(read_run(Path(folder))))
