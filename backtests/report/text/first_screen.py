"""Prints what a run came to on one screen: the verdict, what was reported, a row per strategy. Pure.

The whole report is `run_report.text_report`; what both print is worded there.
"""

from __future__ import annotations

import dataclasses
from collections import Counter

from backtests.records.contamination import scorer_line
from backtests.records.record import RunRecord
from backtests.report.text.resample_text import samples_lines
from backtests.report.text.run_report import (
    audit_lines,
    borrow_lines,
    heading_lines,
    result_table,
    threshold_lines,
    trouble_lines,
)
from backtests.report.text.table import grid, wrapped
from backtests.report.text.verdict import verdict

LINES = 40  # of a screen
_NOTES = 3  # lines of notes and of troubles shown


def first_screen(record: RunRecord, title: str, end: str) -> str:
    """Prints a run in at most 40 lines of at most 100 columns; what --borrow asked for stands beyond them.

    Args:
        record: The run.
        title: Of the episode.
        end: What stands below: the count of trials, the gravest objections, where the files are.
    """
    doc = record.document
    shown = _that_could_trade(record)
    notes = [line for note in doc.get("notes", ()) for line in wrapped(note)]
    troubles = trouble_lines(shown)
    above = [
        *wrapped(verdict(record)),
        "",
        *heading_lines(record, title),
        *_cut([line for each in _claims(record) for line in wrapped(each)]),
        *wrapped(scorer_line(doc.get("scorer"))),
        *_cut(notes),
        "",
    ]
    below = [
        *(line for each in samples_lines(shown.document["results"]) for line in wrapped(each)),
        *_cut(troubles),
        *borrow_lines(record),
        *_cut([line for each in audit_lines(record) for line in wrapped(each)]),
        *end.rstrip("\n").split("\n"),
    ]
    head, (rows,) = result_table(shown, short=True, without=("open_positions", "dividends"))
    table = list(grid(head, rows))
    room = max(4, LINES - len(above) - len(below))
    if len(table) > room:  # the last row is the benchmark's
        table = [*table[: room - 2], f"… and {len(table) - room + 1} more rows: --verbose", table[-1]]
    return "\n".join([*above, *table, *below]) + "\n"


def _that_could_trade(record: RunRecord) -> RunRecord:
    """Leaves out strategies of which the episode has nothing to trade; a note names them."""
    idle = {row["strategy"] for row in record.document.get("nothing_to_trade", ())}
    rows = [row for row in record.document["results"] if row["label"] not in idle]
    return dataclasses.replace(record, document={**record.document, "results": rows or record.document["results"]})


def _cut(lines: list[str]) -> list[str]:
    """Keeps the first few lines, and says how many are left out."""
    return lines if len(lines) <= _NOTES else [*lines[: _NOTES - 1], f"… and {len(lines) - _NOTES + 1} more: --verbose"]


def _claims(record: RunRecord) -> list[str]:
    """Counts the claims by verdict, and names those that the prices contradict."""
    counts = Counter(str(claim["verdict"]) for claim in record.document["claims"])
    if not counts:
        return []
    said = ", ".join(f"{counts[name]} {name}" for name in ("confirmed", "contradicted", "not testable") if counts[name])
    return [f"{counts.total()} claims: {said}", *threshold_lines(record)]
