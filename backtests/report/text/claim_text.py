"""Prints claims beside what the prices say. Pure: values in, text out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from backtests.report.text.table import grid, number, wrapped


def measured(claim: Mapping[str, Any]) -> str:
    """Prints what the prices say of a claim, in the claim's unit."""
    value, unit = claim.get("measured"), claim.get("unit") or "pct"
    if value is None:
        return "–"
    if unit == "rank":
        return f"rank {value:.0f}"
    if unit == "price":
        return number(value, sign=False)
    return f"{number(value, 1)} bn USD" if unit == "usd_bn" else f"{number(value)} %"


def report_text(rows: Sequence[Mapping[str, Any]], prices: str) -> str:
    """Prints checked sentences of newspapers, the verdict first; `rows` as `Report.document` gives them."""
    lines = list(_one(rows[0]) if len(rows) == 1 else _many(rows))
    return "\n".join([*lines, f"prices: {prices}"]) + "\n"


def _one(row: Mapping[str, Any]) -> Iterator[str]:
    yield from wrapped(f"{row['verdict'].capitalize()}: {row['symbol']} on {row['session']}, “{row['said']}”")
    if row["measured"] is not None:
        yield from wrapped(f"  the prices say {measured(row)}; to confirm it: {row['criterion']}")
    if row["close_pct"] is not None:
        yield (
            f"  close to close {number(row['close_pct'])} % = {number(row['gap_pct'])} % overnight, "
            f"then {number(row['intraday_pct'])} % from open to close (tradable)"
        )
    yield from wrapped(f"  {row['note']}") if row["note"] else ()
    yield from wrapped(f"  source: {row['source']}") if row["source"] else ()


def _many(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    counts = {verdict: sum(row["verdict"] == verdict for row in rows)
              for verdict in ("confirmed", "contradicted", "not testable")}  # fmt: skip
    yield f"{len(rows)} claims: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    yield ""
    yield from grid(
        ("session", "symbol", "said", "measured", "close %", "gap %", "tradable %", "verdict"),
        [
            (
                row["session"], row["symbol"], f"{row['said']:.40}", measured(row), number(row["close_pct"]),
                number(row["gap_pct"]), number(row["intraday_pct"]), row["verdict"],
            )
            for row in rows
        ],
        left=3,
    )  # fmt: skip
    yield ""
    for row in rows:
        if row["verdict"] != "confirmed":
            why = row["note"] if row["measured"] is None else f"to confirm it: {row['criterion']}"
            yield from wrapped(f"{row['verdict']}: {row['symbol']} {row['session']}, {measured(row)}; {why}")
