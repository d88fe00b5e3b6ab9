"""Writes a finished sweep's report: tables for the terminal, and a heat map where matplotlib is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from backtests.records.contamination import scorer_line
from backtests.report.text.table import grid, number, wrapped

_WIDEST = 14  # columns of the heat map on a terminal; of more, every second, third … is shown


def sweep_text(document: dict[str, Any]) -> str:
    """Returns the report of a sweep."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: dict[str, Any]) -> Iterator[str]:
    episodes = ", ".join(document["episodes"])
    yield (
        f"{document['strategy']} on {episodes}: {document['combinations']:,} combinations, {document['trials']:,} "
        f"trials, engine {document['engine']}"
    )
    yield (
        f"median return {number(document['median_return_pct'])} %, {document['profitable_pct']:.0f} % of the "
        "combinations earned anything"
    )
    yield from wrapped(scorer_line(document.get("scorer")))
    yield ""
    yield from _heat(document["heat"])
    yield ""
    head = ("", "return %", "median with its neighbours %", "settings")
    rows = [
        (name, number(row["return_pct"]), number(row["around_return_pct"]), _settings_text(row["settings"]))
        for name, row in (("best single", document["best"]), ("robust region", document["robust"]))
    ]
    yield from _left_last(head, rows)
    for row in document["overfitting"]:
        if row["pbo"] is not None:
            yield (
                f"probability of overfitting (PBO) on {row['episode']}: {row['pbo']:.2f} ({row['trials']:,} trials, "
                f"{row['combinations']} splits of {row['blocks']} blocks)"
            )
    for title, key, first in (
        ("walk-forward: chosen on the sessions before", "walk_forward", "learned_return_pct"),
        ("leave one episode out: chosen on the others", "leave_one_episode_out", "others_return_pct"),
    ):
        if document[key]:
            yield ""
            yield title
            yield from _table(document[key], first)


def _heat(heat: dict[str, Any]) -> Iterator[str]:
    columns, values = heat["column_values"], heat["median_return_pct"]
    step = -(-len(columns) // _WIDEST)
    shown = range(0, len(columns), step)
    across = f" across {heat['columns']}" if heat["columns"] else ""
    every = f" (every {step} columns)" if step > 1 else ""
    yield f"return in percent, {heat['rows']} down{across}{every}"
    head = ["", *("" if columns[at] is None else str(columns[at]) for at in shown)]
    yield from grid(head, [[str(name), *(number(row[at]) for at in shown)]
                           for name, row in zip(heat["row_values"], values, strict=True)])  # fmt: skip


def _table(rows: list[dict[str, Any]], first: str) -> Iterator[str]:
    head = ("episode", "sessions", "there %", "then %", "median %", "better %", "settings")
    yield from _left_last(
        head,
        [
            (
                row["episode"],
                f"{row['first_session'] + 1}–{row['last_session'] + 1}" if "first_session" in row else "all",
                number(row[first]),
                number(row["return_pct"]),
                number(row["median_return_pct"]),
                f"{row['better_pct']:.0f}",
                _settings_text(row["settings"]),
            )
            for row in rows
        ],
    )


def _left_last(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Draws a table whose last column is flush left."""
    width = max(len(row[-1]) for row in [head, *rows])
    yield from grid([*head[:-1], head[-1].ljust(width)], [[*row[:-1], row[-1].ljust(width)] for row in rows])


def _settings_text(settings: dict[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in settings.items())


def draw(document: dict[str, Any], path: Path) -> bool:
    """Draws the heat map as PNG; False where matplotlib is not installed."""
    if importlib.util.find_spec("matplotlib") is None:
        return False
    import numpy as np
    from matplotlib.figure import Figure

    heat = document["heat"]
    values = np.array(heat["median_return_pct"])
    bound = max(float(np.abs(values).max()), 1e-9)
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(values, cmap="RdBu", vmin=-bound, vmax=bound, aspect="auto", origin="lower")
    for ticks, labels, name in (
        (axes.set_yticks, heat["row_values"], heat["rows"]),
        (axes.set_xticks, heat["column_values"], heat["columns"]),
    ):
        step = -(-len(labels) // 20)
        ticks(range(0, len(labels), step), [str(each) for each in labels[::step]])
        (axes.set_ylabel if ticks == axes.set_yticks else axes.set_xlabel)(name or "")
    axes.set_title(f"{document['strategy']} on {', '.join(document['episodes'])}: return of the window")
    figure.colorbar(image, label="percent")
    figure.savefig(path, dpi=120, metadata={"Software": None})
    return True
