"""Draws a tear sheet as a part of a run's page: its tables, months as a heat map, the worst drawdowns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backtests.report.page.markup import Markup, esc, folded, listing, table
from backtests.report.text.table import number
from backtests.report.text.tear_sheet_text import has_series, tear_tables

Document = Mapping[str, Any]
_STEPS = (2.0, 5.0, 10.0)  # per cent a month; colours of the heat map change there


def tear_sheet_section(document: Document) -> str:
    """Returns the tear sheet as HTML; nothing for a window that is too short for one."""
    if not document["strategies"]:
        return ""
    first, *rest = tear_tables(document)
    rows = [row for row in document["strategies"] if has_series(row)]
    return "".join(
        [
            "<h3>Tear sheet</h3>",
            table(first.head, first.rows, first.title),
            *(folded(each.title, table(each.head, each.rows, each.title)) for each in rest),
            folded("Return by month", *(_months(str(row["strategy"]), row["months"]) for row in rows)),
            folded("Worst drawdowns", *(_drawdowns(row) for row in rows)),
            folded("How it was computed", listing(document.get("notes", ()))),
        ]
    )


def _months(name: str, months: Mapping[str, float]) -> str:
    """Draws one strategy's months: a row per year, a colour per size."""
    years: dict[str, dict[int, float]] = {}
    for month, value in months.items():
        years.setdefault(month[:4], {})[int(month[5:])] = value
    head = ("year", *(f"{month:02}" for month in range(1, 13)))
    body = [(year, *(_shade(found.get(month)) for month in range(1, 13))) for year, found in years.items()]
    return table(head, body, f"{name}: return by month, %")


def _shade(value: float | None) -> Markup | str:
    if value is None:
        return ""
    size = sum(abs(value) >= step for step in _STEPS)
    kind = f"heat {'gain' if value > 0 else 'loss'}{size}" if size else "heat"
    return Markup(f'<span class="{kind}">{esc(number(value, 1))}</span>')


def _drawdowns(row: Document) -> str:
    rows = [
        (each["from"], each["trough"], each["until"] or "not yet", number(each["depth_pct"], 1), str(each["sessions"]))
        for each in row["drawdowns"]
    ]
    head = ("peak", "lowest", "recovered", "depth %", "sessions")
    return table(head, rows, f"{row['strategy']}: the {len(rows)} deepest drawdowns")
