"""A finished run: tables, figures and its card; saved to a folder and loaded from it.

| table     | one row per                 | columns beside `strategy`                                     |
|-----------|-----------------------------|---------------------------------------------------------------|
| equity    | session                     | session, cash, positions, equity (US dollars), gross, net     |
|           |                             | (fractions of equity), margin_call, buying_power              |
| positions | holding at a close          | session, symbol, shares, close, value                         |
| orders    | order                       | order, decided, session, symbol, size, filled, status, reason,  |
|           |                             | forced                                                        |
| fills     | execution                   | order, session, symbol, size, auction, auction_price, price,  |
|           |                             | commission, slippage, forced, position, moment (UTC)          |
| flows     | borrow, dividend, interest  | session, symbol, kind, amount                                 |
| trades    | round trip or open position | symbol, direction, opened, closed, shares, entry_price,       |
|           |                             | exit_price, commission, borrow, dividends, pnl                |
| targets   | change of a target weight   | session, symbol, weight                                       |
| signals   | session (no strategy)       | session, headlines, sentiment for each treatment of           |
|           |                             | reactions, tone, vader                                        |
| scores    | headline (no strategy)      | id, published, known_at, session, … features, link                |
| bars      | symbol and session          | symbol, session, open, high, low, close; from the session     |
|           | (no strategy)               | before the window on                                          |
| sessions  | session (no strategy)       | session, opens, closes (UTC), likewise                        |
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from feeds.errors import InputError
from strategies.rule import Rule

if TYPE_CHECKING:
    import pandas as pd

TABLES = (
    "equity",
    "positions",
    "orders",
    "fills",
    "flows",
    "trades",
    "targets",
    "signals",
    "scores",
    "bars",
    "sessions",
)


@dataclass(frozen=True, slots=True)
class Table:
    """Column names and rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def label(rule: Rule, among: Sequence[Rule]) -> str:
    """Returns a rule's name, with the parameters in which it differs from its namesakes of the run."""
    twins = [other for other in among if other.name == rule.name]
    differing = [name for name, value in rule.parameters.items() if any(o.parameters[name] != value for o in twins)]
    return rule.name + (f" ({', '.join(str(rule.parameters[name]) for name in differing)})" if differing else "")


class Result:
    """A run's tables as pandas frames (`equity`, `positions`, …), its figures in `metrics`, and how to keep it."""

    def __init__(
        self,
        tables: dict[str, Table],
        document: dict[str, Any],
        config: dict[str, Any],
        texts: dict[str, str] | None = None,
    ) -> None:
        """Holds finished tables; use `replay` or `Result.load` to get one."""
        self.texts = texts or {}  # of users' strategies, by their place in the run's folder
        self.tables = tables
        self.document = document  # what `--json` prints
        self.config = config
        self.made: dict[str, Any] = {}  # versions and code that made it, where it was loaded; else those of this moment
        self.inputs: dict[str, Path] = {}  # place in the run's folder, and where the file lies
        self.evidence: dict[str, dict[str, Any]] = {}  # name of a statistic to its document, see docs/evidence.md

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
        """One row per strategy: returns and drawdowns in percent, costs and equity in US dollars."""
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
        """The tables of the report, for a notebook."""
        from backtests.report.page import notebook_view

        return notebook_view(self)

    def __repr__(self) -> str:
        """One line for a prompt."""
        names = ", ".join(result["label"] for result in self.document["results"])
        return f"<Result {self.document['episode']}: {names}>"

    @property
    def hash8(self) -> str:
        """Eight hex digits of the configuration and all data that went in."""
        return hashlib.sha256(json_text(self.config).encode()).hexdigest()[:8]

    def save(self, folder: Path | str) -> Path:
        """Writes every table, the figures, the configuration, the card and the page; returns the folder."""
        from backtests.runs.folder import write_run

        write_run(self, Path(folder))
        return Path(folder)

    @classmethod
    def load(cls, folder: Path | str) -> Self:
        """Reads a saved run back.

        Raises:
            InputError: The folder is not a saved run.
        """
        from backtests.runs.folder import read_run

        saved = read_run(Path(folder))
        loaded = cls(saved.tables, saved.document, saved.config)
        loaded.made, loaded.evidence, loaded.inputs = saved.made, saved.evidence, saved.inputs
        return loaded


def json_text(value: Any) -> str:
    """JSON as a run's files have it; NaN is refused."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
