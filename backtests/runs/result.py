"""Gives a notebook a finished run: pandas frames, figures, a plot, and a folder to keep it in."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from backtests.records.record import TABLES, RunRecord
from backtests.report.figures import draw
from backtests.report.page import notebook_view
from backtests.runs import bridges
from backtests.runs.folder import read_run, write_run
from feeds.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


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

    def plot(self, figure: str = "equity") -> Any:
        """Draws equity (with the benchmark), drawdown, exposure, trades or headlines; returns a matplotlib figure.

        A notebook shows it as the last value of a cell.

        Raises:
            InputError: No figure of that name, or matplotlib is not installed.
        """
        return draw(self, figure)

    def returns(self, strategy: str | None = None) -> pd.Series[float]:
        """Returns a strategy's session returns as fractions; without a label, of the first that is no baseline."""
        return bridges.session_returns(self, strategy)

    def to_quantstats(self, strategy: str | None = None) -> tuple[pd.Series[float], pd.Series[float]]:
        """Returns (returns, benchmark) for `quantstats.reports`: fractions by date."""
        return bridges.for_quantstats(self, strategy)

    def to_pyfolio(self, strategy: str | None = None) -> tuple[pd.Series[float], pd.DataFrame, pd.DataFrame]:
        """Returns (returns, positions, transactions) for `pyfolio.create_full_tear_sheet`, in UTC."""
        return bridges.for_pyfolio(self, strategy)

    def to_alphalens(self, reactions: str = "with_cause") -> tuple[pd.Series[float], pd.DataFrame]:
        """Returns (factor, prices) for `alphalens.utils.get_clean_factor_and_forward_returns`.

        The signal known before each open times each symbol's exposure, and opens; `reactions` as a rule's.
        """
        return bridges.for_alphalens(self, reactions)

    def to_arrow(self) -> dict[str, pa.Table]:
        """Returns every table in Arrow, by name (`polars.from_arrow` takes them); needs pyarrow."""
        return bridges.arrow_tables(self)

    def to_parquet(self, folder: Path | str) -> Path:
        """Writes every table as FOLDER/NAME.parquet; the folder must not exist yet.

        Raises:
            InputError: pyarrow is not installed, or the folder cannot be made.
        """
        try:
            bridges.write_parquet(self, Path(folder))
        except OSError as wrong:
            raise InputError(f"{folder}: cannot be made ({wrong.strerror}); choose another") from None
        return Path(folder)

    def _repr_html_(self) -> str:
        """Draws the tables of the report for a notebook."""
        return notebook_view(self)

    def __repr__(self) -> str:
        """Names the episode and the strategies."""
        names = ", ".join(result["label"] for result in self.document["results"])
        return f"<Result {self.document['episode']}: {names}>"

    def save(self, folder: Path | str, *, force: bool = False, parquet: bool = False) -> Path:
        """Writes every table, the figures, the configuration, the card and the page; returns the folder.

        With `parquet` every table stands in FOLDER/parquet once more.

        Raises:
            InputError: The folder is not empty; with `force`: it holds anything but a run, which is replaced whole.
        """
        write_run(self, Path(folder), force=force, parquet=parquet)
        return Path(folder)

    @classmethod
    def load(cls, folder: Path | str) -> Self:
        """Reads a saved run back.

        Raises:
            InputError: The folder is not a saved run.
        """
        return cls(**vars(read_run(Path(folder))))
