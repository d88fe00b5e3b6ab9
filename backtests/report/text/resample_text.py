"""Prints how a result hangs on the sample of the news, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from backtests.report.text.evidence_text import notes
from backtests.report.text.table import grid, number

Document = Mapping[str, Any]


def resample_text(document: Document) -> str:
    """Prints each strategy's return and position over other samples of the news, and how more of it narrows them."""
    lines = [
        f"{document['episode']}: {document['n']:,} other samples of its {document['headlines']:,} headlines",
        f"({document['cells']} cells of source and day, {document['stories']} stories, seed {document['seed']})",
        *_misread(document),
        *grid(HEAD, [_row(each) for each in document["strategies"]]),
        f"Net: net weight wanted on {document['key_session']}; short, long: share of the samples.",
    ]
    if any(each["kept"] for each in document["strategies"]):
        lines += [
            "",
            "Return in per cent when only a share of the news is kept: middle 90 % (other sign)",
            *_kept(document),
        ]
    if document["read_no_news"]:
        lines.append(f"Read no news, so every sample is the same to them: {', '.join(document['read_no_news'])}.")
    return "\n".join([*lines, "", *notes(document)]) + "\n"


HEAD = ("strategy", "return %", "5 %", "median", "95 %", "other sign", "net", "short", "long")


def _row(each: Document) -> tuple[str, ...]:
    drawn = each["resampled"]
    low, middle, high = (number(drawn["quantiles_pct"][q]) for q in ("5", "50", "95"))
    key = drawn.get("key_session")
    where = (
        (number(each["key_session_net_weight"]), share(key["short_share"]), share(key["long_share"]))
        if key
        else ("–",) * 3
    )
    return (each["strategy"], number(each["return_pct"]), low, middle, high, share(drawn["other_sign_share"]), *where)


def share(value: float) -> str:
    """Returns a share as whole per cent; less than half a per cent is not nothing."""
    return "<1 %" if 0 < value < 0.005 else f"{value * 100:.0f} %"


def _kept(document: Document) -> list[str]:
    shares = [each["share"] for each in document["strategies"][0]["kept"]]
    rows = []
    for each in document["strategies"]:
        cells = [
            f"{number(part['quantiles_pct']['5'], 0)} … {number(part['quantiles_pct']['95'], 0)} "
            f"({share(part['other_sign_share'])})"
            for part in each["kept"]
        ]
        rows.append((each["strategy"], *cells))
    return list(grid(("strategy", *(f"{part:.0%}".replace("%", " %") for part in shares)), rows))


def _misread(document: Document) -> Iterator[str]:
    if document["misread"]:
        told = document["misread"]
        yield f"The scorer's errors are drawn too, from {told['labelled']:,} labelled headlines ({told['table']})."
