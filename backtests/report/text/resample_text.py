"""Prints how a result hangs on the sample of the news, for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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


# The short form, which stands beside the returns of a run


def has_samples(results: Sequence[Document]) -> bool:
    """Says whether any return of a run has its range over other samples of the news."""
    return any(_drawn(each) for each in results)


def _drawn(row: Document) -> Document:
    """Returns the figures over other samples of a row of results; {} where it has none."""
    found: Document = row.get("resampled", {})
    return {} if "why_not" in found else found


def beside_return() -> list[tuple[str, Callable[[Document], str]]]:
    """Returns heading and cell of what stands beside a return: its range, and the share of the other sign."""
    return [("other news %", lambda row: _range(row) or "–"), ("flips", lambda row: _flips(row) or "–")]


def _range(row: Document) -> str:
    found = _drawn(row)
    return f"{number(found['low_pct'], 1)} … {number(found['high_pct'], 1)}" if found else ""


def _flips(row: Document) -> str:
    found = _drawn(row)
    return share(found["other_sign_share"]) if found else ""


def samples_note(row: Document) -> str:
    """Says of one return what other samples of the news make of it, in one line; "" for a run without them."""
    if "resampled" not in row:
        return ""
    return f"other news {_range(row)} %, flips {_flips(row)}" if _range(row) else "other news –"


def samples_lines(results: Sequence[Document]) -> list[str]:
    """Says what the columns are, and which strategies have no figure there and why."""
    found = [drawn for each in results if (drawn := _drawn(each))]
    lines = []
    if found:
        lines.append(
            f"other news: middle 90 % of the return over {found[0]['samples']} samples of the same news, redrawn by "
            "source and day; flips: share of them in which the return has the other sign"
        )
    reasons: dict[str, list[str]] = {}
    for each in results:
        if reason := each.get("resampled", {}).get("why_not"):
            reasons.setdefault(reason, []).append(each["label"])
    return [*lines, *(f"not resampled: {', '.join(names)}: {reason}" for reason, names in reasons.items())]
