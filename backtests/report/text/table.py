"""Lays out numbers and tables for a terminal. Pure: values in, text out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from feeds.item_fields import printable

WIDTH = 100


def number(value: float | None, digits: int = 2, *, sign: bool = True) -> str:
    """Writes a number with its sign, a dash for None, and never a minus before zero."""
    if value is None:
        return "–"
    text = f"{value:+,.{digits}f}" if sign else f"{value:,.{digits}f}"
    if text.strip("+-0.,") == "":
        text = text.lstrip("+-")
    return text.replace("-", "−")


def wrapped(text: str, indent: int = 4) -> list[str]:
    """Breaks a sentence into lines of at most 100 columns, the later ones indented; [] for an empty one."""
    return textwrap.wrap(printable(text), WIDTH, subsequent_indent=" " * indent, break_on_hyphens=False)


def p_value(value: float | None) -> str:
    """Writes a p-value with three decimals, never as 0."""
    return "–" if value is None else "<0.001" if value < 0.001 else f"{value:.3f}"


def grid(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> Iterator[str]:
    """Lays out a table; the first `left` columns are flush left, the others right."""
    head, rows = [*map(printable, head)], [[*map(printable, row)] for row in rows]
    widths = [max(len(row[index]) for row in [head, *rows]) for index in range(len(head))]
    for row in [head, *rows]:
        cells = [
            cell.ljust(width) if index < left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
