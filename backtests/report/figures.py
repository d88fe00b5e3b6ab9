"""Draws a run with matplotlib: equity with its benchmark, drawdown, exposure, trades, headlines.

A figure is one row of `FIGURES`: `Result.plot` and `backtest plot` know it by its name.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from typing import Any

from backtests.records.record import RunRecord
from feeds.errors import InputError, did_you_mean

Rows = list[dict[str, Any]]


def draw(record: RunRecord, name: str = "equity") -> Any:
    """Draws one figure of a run; returns a matplotlib figure that a notebook shows.

    Raises:
        InputError: No figure of that name, or matplotlib is not installed.
    """
    if name not in FIGURES:
        raise InputError(f"no figure {name!r}; {did_you_mean(name, FIGURES)}")
    try:
        from matplotlib.figure import Figure
    except ImportError as missing:
        raise InputError("plot needs matplotlib: pip install 'aftershock[plot]'") from missing

    class Shown(Figure):
        """Shows itself as the last value of a notebook's cell, whatever its backend."""

        def _repr_png_(self) -> bytes:
            held = io.BytesIO()
            self.savefig(held, format="png", dpi=110)
            return held.getvalue()

    figure = Shown(figsize=(9, 4.5), layout="constrained")
    axes: Any = figure.subplots()
    FIGURES[name](record, axes)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize="small")
    axes.tick_params(axis="x", rotation=45)
    axes.grid(alpha=0.25)
    return figure


def _by_strategy(record: RunRecord) -> dict[str, Rows]:
    found: dict[str, Rows] = {}
    for row in record.tables["equity"].records():
        found.setdefault(row["strategy"], []).append(row)
    return found


def _line(record: RunRecord, name: str) -> dict[str, Any]:
    """Returns how a strategy's line is drawn: baselines dotted, as on the page."""
    baseline = any(row["baseline"] for row in record.document["results"] if row["label"] == name)
    return {"label": name, "linestyle": ":" if baseline else "-", "linewidth": 1 if baseline else 1.8}


def _days(rows: Rows) -> list[date]:
    return [date.fromisoformat(row["session"]) for row in rows]


def _cash(record: RunRecord) -> float:
    return float(record.config["broker"]["cash"])


def _equity(record: RunRecord, axes: Any) -> None:
    for name, rows in _by_strategy(record).items():
        axes.plot(_days(rows), [row["equity"] for row in rows], **_line(record, name))
    held = record.document.get("benchmark") or {}
    bars = [row for row in record.tables["bars"].records() if row["symbol"] == held.get("symbol")]
    bars = [row for row in bars if row["session"] >= record.config["start"]]
    if bars:
        first = bars[0]["open"]
        axes.plot(
            _days(bars), [_cash(record) * row["close"] / first for row in bars],
            label=f"{held['symbol']} held", color="black", linewidth=1, linestyle="--",
        )  # fmt: skip
    axes.set(title=f"{record.document['episode']}: equity", ylabel="US dollars")


def _drawdown(record: RunRecord, axes: Any) -> None:
    for name, rows in _by_strategy(record).items():
        peak, falls = _cash(record), []
        for row in rows:
            peak = max(peak, row["equity"])
            falls.append((row["equity"] / peak - 1) * 100)
        axes.plot(_days(rows), falls, **_line(record, name))
    axes.set(title=f"{record.document['episode']}: fall from the peak", ylabel="percent")


def _exposure(record: RunRecord, axes: Any) -> None:
    for name, rows in _by_strategy(record).items():
        axes.plot(_days(rows), [row["net"] for row in rows], drawstyle="steps-post", **_line(record, name))
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set(title=f"{record.document['episode']}: net exposure at the close", ylabel="fraction of equity")


def _trades(record: RunRecord, axes: Any) -> None:
    for name in _by_strategy(record):
        closed = [row for row in record.tables["trades"].records() if row["strategy"] == name and row["closed"]]
        if closed:
            days = [date.fromisoformat(row["closed"]) for row in closed]
            axes.plot(days, [row["pnl"] for row in closed], "o", markersize=4, alpha=0.7, label=name)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set(title=f"{record.document['episode']}: round trips, at the session they ended", ylabel="US dollars")


def _headlines(record: RunRecord, axes: Any) -> None:
    rows = [row for row in record.tables["scores"].records() if row["used"] and row["session"]]
    for sign, label, colour in ((1, "builds up demand for AI", "#1d7a3a"), (-1, "undercuts it", "#b3201f")):
        mine = [row for row in rows if row["sentiment"] * sign > 0]
        if mine:
            axes.plot(_days(mine), [row["sentiment"] for row in mine], "o", color=colour, alpha=0.6, label=label)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set(
        title=f"{record.document['episode']}: headlines by the first session that could trade them",
        ylabel="AI-disruption sentiment", ylim=(-1.05, 1.05),
    )  # fmt: skip


FIGURES: dict[str, Callable[[RunRecord, Any], None]] = {
    "equity": _equity, "drawdown": _drawdown, "exposure": _exposure, "trades": _trades, "headlines": _headlines,
}  # fmt: skip
