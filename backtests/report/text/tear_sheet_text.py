"""Prints a tear sheet for a terminal; the page draws the same tables. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backtests.report.text.evidence_text import notes
from backtests.report.text.table import grid, number

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TearTable:
    """Holds one table of a tear sheet."""

    title: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]


def tear_sheet_text(document: Document) -> str:
    """Prints the tables one below the other."""
    if not document["strategies"]:
        return too_short(document) + "\n"
    lines = []
    for each in tear_tables(document):
        lines += [each.title, *grid(each.head, each.rows), ""]
    return "\n".join([*lines, *notes(document)]) + "\n"


def too_short(document: Document) -> str:
    """Says why a short window has no tear sheet."""
    return (
        f"No tear sheet: the window has {document['sessions']} sessions, and figures a year need {document['least']}."
    )


def tear_tables(document: Document) -> list[TearTable]:
    """Returns the tables: returns and risk, by year, holding and trading, against the market, capacity."""
    held = document.get("held", ())
    named = [(_name(row), row) for row in document["strategies"] if has_series(row)]
    every = [*named, *((f"= {row['symbol']} held", row) for row in held)]
    years = [each["year"] for each in every[0][1]["years"]] if every else []
    return [
        TearTable(
            "Return and risk",
            ("strategy", "% a year", "vol %", "Sharpe", "Sortino", "Calmar", "skew", "tail", "max dd %", "sessions"),
            [(name, *_risk(row)) for name, row in every],
        ),
        TearTable(
            "Return by year, %", ("strategy", *years),
            [(name, *(number(each["return_pct"], 1) for each in row["years"])) for name, row in every],
        ),
        TearTable(
            "Held and traded (hit: share of gains; pays: mean gain over mean loss)",
            ("strategy", "gross", "net", "names", "held", "turnover", "trades", "hit", "pays", "days", "hit", "pays"),
            [(_name(row), *_trading(row)) for row in document["strategies"]],
        ),
        TearTable(
            "Against the market: beta (β), and alpha (α) in % a year ± its standard error (t)",
            (
                "strategy", *(f"{row['symbol']} β" for row in held),
                *(f"{row['symbol']} α" for row in held[:1]), "all R²", "all α",
            ),
            [(name, *_against(row, held)) for name, row in named],
        ),
        TearTable(
            "Return % with more money, and the cost of a trade (bps) at which nothing is left",
            ("strategy", "break-even", *(_money(each) for each in _assets(document))),
            [(_name(row), *_capacity(row)) for row in document["strategies"] if row["capacity"]],
        ),
    ]  # fmt: skip


def has_series(row: Document) -> bool:
    """Says whether a row has figures of returns; an account that lost everything has none."""
    return {"years", "months", "drawdowns", "against", "factors"} <= row.keys()


def _name(row: Document) -> str:
    return ("· " if row["baseline"] else "") + str(row["strategy"])


def _risk(row: Document) -> tuple[str, ...]:
    keys = ("annual_return_pct", "volatility_pct", "sharpe", "sortino", "calmar", "skew", "tail_ratio")
    digits = (1, 1, 2, 2, 2, 2, 2)
    return (
        *(number(row[key], count) for key, count in zip(keys, digits, strict=True)),
        number(row["max_drawdown_pct"], 1),
        str(row["longest_drawdown_sessions"]),
    )


def _trading(row: Document) -> tuple[str, ...]:
    cells = [
        number(row["mean_gross"], sign=False), number(row["mean_net"]), number(row["mean_names"], 1, sign=False),
        _share(row["exposed_share"]), number(row["turnover"], 1, sign=False),
    ]  # fmt: skip
    for each in (row["by_trade"], row["by_entry_day"]):
        cells += [str(each["n"]), _share(each["hit_share"]), number(each["payoff"], sign=False)]
    return tuple(cells)


def _against(row: Document, held: Sequence[Document]) -> tuple[str, ...]:
    alone = {each["symbol"]: each for each in row["against"]}
    found = [alone.get(fund["symbol"]) for fund in held]
    return (
        *(number(each["beta"]) if each else "–" for each in found),
        *(_alpha(each) if each else "–" for each in found[:1]),
        number(row["factors"]["r2"], sign=False) if row["factors"] else "–",
        _alpha(row["factors"]) if row["factors"] else "–",
    )


def _alpha(found: Document) -> str:
    return (
        f"{number(found['alpha_pct'], 1)} ± {number(found['alpha_error_pct'], 1, sign=False)} ({number(found['t'], 1)})"
    )


def _capacity(row: Document) -> tuple[str, ...]:
    return (number(row["break_even_bps"], 0), *(number(each["return_pct"], 0) for each in row["capacity"]))


def _assets(document: Document) -> list[float]:
    rows = [row["capacity"] for row in document["strategies"] if row["capacity"]]
    return [each["assets_usd"] for each in rows[0]] if rows else []


def _money(value: float) -> str:
    for size, letter in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g} {letter}"
    return f"{value:g}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.0f} %"
