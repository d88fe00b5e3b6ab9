"""Prints how good the signal is, for a terminal; the page draws the same tables. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from backtests.report.text.evidence_text import notes
from backtests.report.text.table import grid, number, wrapped

Document = Mapping[str, Any]
HORIZON_HEAD = ("sessions", "rank IC", "t", "signed %", "t", "thirds %", "t", "days", "apart")
GROUP_HEAD = ("by", "", "headlines", "days", "gap %", "tradable %", "t")
HORIZONS = (1, 2, 3, 5, 10, 15, 20)  # sessions
EVENT_HEAD = ("after", "days", "gap %", "t", *map(str, HORIZONS))


def signal_text(document: Document) -> str:
    """Prints the verdict on each head of the score, then its tables."""
    about = f"{document['headlines']:,} headlines about AI in {document['sessions']:,} sessions"
    lines = [
        *wrapped(f"{document['episode']}: {about}; returns less {document['benchmark']}'s"),
        *(line for head in document["heads"] for line in wrapped(verdict(head))),
    ]
    for head in document["heads"]:
        if head["news_days"]:
            lines += ["", *_head(head)]
    return "\n".join([*lines, "", *notes(document)]) + "\n"


def verdict(head: Document) -> str:
    """Says in a sentence whether returns followed a head of the score."""
    if not head["news_days"]:
        return f"{head['head']}: no session with news of it."
    first = head["horizons"][0]
    made, gap = first["signed_pct"], head["gap"]
    if made["t"] is None:
        told = "too few to tell"
    else:
        told = "more than chance would make" if abs(made["t"]) > 2 else "no more than chance"
    return (
        f"{head['head']}: {head['news_days']} sessions with news; in the direction of the score the gap before the "
        f"open was {number(gap['mean'])} %, the session from its open {number(made['mean'])} % "
        f"(t {number(made['t'], 1)}): {told}."
    )


def _head(head: Document) -> Iterator[str]:
    yield f"{head['head']}: by sessions from the first open at which the news could be traded"
    yield from grid(HORIZON_HEAD, [horizon_row(each) for each in head["horizons"]])
    rows = event_rows(head)
    if rows:
        yield "  abnormal return % of the exposed symbols after clear news, from that open to the close of session"
        yield from grid(EVENT_HEAD, rows)
    yield from wrapped("  right sign, by strength of the session's signal: " + "; ".join(hit_parts(head)))
    yield from grid(GROUP_HEAD, [group_row(each) for each in head["groups"] if each["signed_pct"]["n"]], left=2)


def horizon_row(row: Document) -> tuple[str, ...]:
    """Returns one horizon: rank IC, signed return and spread of thirds, each with t; days, and those apart."""
    cells = [str(row["sessions"])]
    for key in ("rank_ic", "signed_pct", "third_spread_pct"):
        cells += [number(row[key]["mean"], 3 if key == "rank_ic" else 2), number(row[key]["t"], 1)]
    return (*cells, str(row["signed_pct"]["n"]), str(row["independent_days"]))


def event_rows(head: Document) -> list[tuple[str, ...]]:
    """Returns the abnormal returns after clear good and after clear bad news."""
    return [
        (
            name, str(found["days"]), number(found["gap_pct"]["mean"]), number(found["gap_pct"]["t"], 1),
            *(number(made.get(each)) for each in HORIZONS),
        )
        for name, found in (("good news", head["after_good_news"]), ("bad news", head["after_bad_news"]))
        if found["days"]
        for made in [{each["sessions"]: each["mean"] for each in found["tradable_pct"]}]
    ]  # fmt: skip


def hit_parts(head: Document) -> list[str]:
    """Returns how often the sign was right, by sign and strength, over one session."""
    parts = []
    for row in head["hits"]:
        if row["n_1"] and row["hit_share_1"] is not None:
            upper = f"to {row['up_to']:g}" if row["up_to"] is not None else "and more"
            sign = "+" if row["sign"] > 0 else "−"
            parts.append(f"{sign} {row['above']:g} {upper} {row['hit_share_1'] * 100:.0f} % of {row['n_1']}")
    return parts or ["no session"]


def group_row(row: Document) -> tuple[str, ...]:
    """Returns one part of the news: its headlines, days, gap and tradable return with t."""
    made = row["signed_pct"]
    return (
        row["by"], f"{row['group']:.32}", f"{row['headlines']:,}", str(made["n"]), number(row["gap_pct"]["mean"]),
        number(made["mean"]), number(made["t"], 1),
    )  # fmt: skip
