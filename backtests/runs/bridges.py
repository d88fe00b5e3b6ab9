"""Hands a run to the packages people know: quantstats, pyfolio, alphalens, Arrow, Parquet.

    result = replay(load_episode("deepseek-2025"), "shock")
    returns, benchmark = result.to_quantstats()
    returns, positions, transactions = result.to_pyfolio()
    factor, prices = result.to_alphalens()
    polars.from_arrow(result.to_arrow()["equity"])

Each gets what its documentation asks for, and none is needed to make it; pyarrow is imported where used.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backtests.records.record import RunRecord, Table
from backtests.runs.saved_shape import kind_of
from feeds.errors import InputError, did_you_mean
from strategies.universe import CHANNELS, DEMAND, exposure_table

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def chosen(record: RunRecord, strategy: str | None) -> str:
    """Returns the label of a strategy; without one, the first that is no baseline.

    Raises:
        InputError: The run has none of that label.
    """
    labels = [row["label"] for row in record.document["results"]]
    if strategy is None:
        own = [row["label"] for row in record.document["results"] if not row["baseline"]]
        return str((own or labels)[0])
    if strategy not in labels:
        raise InputError(f"the run has no strategy {strategy!r}; {did_you_mean(strategy, labels)}")
    return strategy


def session_returns(record: RunRecord, strategy: str | None = None) -> pd.Series[float]:
    """Returns session returns as fractions, named by the strategy; the index is of dates without a zone."""
    import pandas as pd

    label = chosen(record, strategy)
    rows = [row for row in record.tables["equity"].records() if row["strategy"] == label]
    equity = np.array([record.config["broker"]["cash"], *(row["equity"] for row in rows)])
    index = pd.DatetimeIndex([row["session"] for row in rows], name="session")
    return pd.Series(equity[1:] / equity[:-1] - 1, index=index, name=label)


def benchmark_returns(record: RunRecord) -> pd.Series[float]:
    """Returns the benchmark's session returns from close to close, as fractions, without dividends."""
    import pandas as pd

    symbol = record.document["benchmark"]["symbol"]
    start = record.config["start"]
    bars = [row for row in record.tables["bars"].records() if row["symbol"] == symbol]
    closes = pd.Series({row["session"]: row["close"] for row in bars})
    made = closes.to_numpy()[1:] / closes.to_numpy()[:-1] - 1
    found = pd.Series(made, index=pd.DatetimeIndex(closes.index[1:], name="session"), name=symbol)
    kept: pd.Series[float] = found[found.index >= start]
    return kept


def for_quantstats(record: RunRecord, strategy: str | None = None) -> tuple[pd.Series[float], pd.Series[float]]:
    """Returns (returns, benchmark) as quantstats takes them: fractions by date, no zone."""
    return session_returns(record, strategy), benchmark_returns(record)


def for_pyfolio(record: RunRecord, strategy: str | None = None) -> tuple[pd.Series[float], pd.DataFrame, pd.DataFrame]:
    """Returns (returns, positions, transactions) as pyfolio takes them, all in UTC.

    Positions are US dollars at the close, a column a symbol and `cash`; transactions have amount (shares, sells
    negative), price (US dollars, slippage in it) and symbol.
    """
    import pandas as pd

    label = chosen(record, strategy)
    returns = session_returns(record, label).tz_localize("UTC")
    days = [row for row in record.tables["equity"].records() if row["strategy"] == label]
    held = [row for row in record.tables["positions"].records() if row["strategy"] == label]
    positions = pd.DataFrame(0.0, index=returns.index, columns=sorted({row["symbol"] for row in held}))
    for row in held:
        positions.loc[pd.Timestamp(row["session"], tz="UTC"), row["symbol"]] = row["value"]
    positions["cash"] = [row["cash"] for row in days]
    fills = [row for row in record.tables["fills"].records() if row["strategy"] == label]
    moments = [row.get("moment") or row["session"] for row in fills]
    transactions = pd.DataFrame(
        {
            "amount": [row["size"] for row in fills],
            "price": [row["price"] for row in fills],
            "symbol": [row["symbol"] for row in fills],
        },
        index=pd.DatetimeIndex(pd.to_datetime(moments, utc=True, format="ISO8601")),
    )
    return returns, positions, transactions


def for_alphalens(record: RunRecord, reactions: str = "with_cause") -> tuple[pd.Series[float], pd.DataFrame]:
    """Returns (factor, prices) as alphalens' `get_clean_factor_and_forward_returns` takes them.

    The factor of a session and symbol is the signal that was known before that session's open, times the symbol's
    exposure as known then; prices are opens, so that a forward return begins where one could buy. Symbols without
    exposure are left out.

    Args:
        record: The run.
        reactions: Which headlines about price moves count: "include", "with_cause" or "exclude".

    Raises:
        InputError: Another word for `reactions`, or a run whose symbols have no exposure.
    """
    import pandas as pd

    column = f"sentiment_{reactions.replace('-', '_')}"
    if column not in record.tables["signals"].columns:
        raise InputError(f"reactions {reactions!r}: give include, with_cause or exclude")
    signals = {row["session"]: row[column] for row in record.tables["signals"].records()}
    bars = record.tables["bars"].records()
    opens = pd.DataFrame(bars).pivot_table(index="session", columns="symbol", values="open", sort=True)
    symbols = [each for members in record.document["sectors"].values() for each in members if each in opens.columns]
    index = pd.DatetimeIndex(opens.index, tz="UTC")
    table = exposure_table(symbols, [each.date() for each in index])
    exposure = sum(table[CHANNELS.index(channel)] for channel in DEMAND)
    rows = [
        (index[row], symbol, signals[day] * float(exposure[row, place]))
        for row, day in enumerate(opens.index)
        for place, symbol in enumerate(symbols)
        if day in signals and exposure[row, place]
    ]
    if not rows:
        raise InputError("no symbol of the run has an exposure to AI demand; the factor would be empty")
    keys = pd.MultiIndex.from_tuples([row[:2] for row in rows], names=["date", "asset"])
    factor = pd.Series([row[2] for row in rows], index=keys, name="signal")
    prices = opens[sorted({row[1] for row in rows})].set_axis(index.rename("date"), axis=0)
    return factor, prices


def arrow_tables(record: RunRecord) -> dict[str, pa.Table]:
    """Returns every table in Arrow: dates as date32, times in UTC, counts as int64, figures as float64.

    Raises:
        InputError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
    except ImportError as missing:
        raise InputError("Arrow and Parquet need pyarrow: pip install 'aftershock[parquet]'") from missing
    types = {
        "text": pa.string(), "day": pa.date32(), "time": pa.timestamp("us", "UTC"), "flag": pa.bool_(),
        "count": pa.int64(), "figure": pa.float64(),
    }  # fmt: skip
    return {name: _arrow(pa, table, types) for name, table in record.tables.items()}


def _arrow(pa: Any, table: Table, types: dict[str, Any]) -> Any:
    from datetime import date, datetime

    read: dict[str, Any] = {"day": date.fromisoformat, "time": datetime.fromisoformat}
    columns = []
    for place, name in enumerate(table.columns):
        kind = kind_of(name)
        cells = [row[place] for row in table.rows]
        columns.append(
            pa.array([read[kind](cell) if cell else None for cell in cells] if kind in read else cells, types[kind])
        )
    return pa.Table.from_arrays(columns, names=list(table.columns))


def write_parquet(record: RunRecord, folder: Path) -> None:
    """Writes every table as NAME.parquet into a folder, which is made.

    Raises:
        InputError: pyarrow is not installed.
        OSError: The folder cannot be written to.
    """
    tables = arrow_tables(record)
    from pyarrow import parquet

    folder.mkdir()
    for name, table in tables.items():
        parquet.write_table(table, folder / f"{name}.parquet")
