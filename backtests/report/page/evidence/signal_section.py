"""Draws how good the signal is, as a part of a run's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backtests.report.page.markup import folded, listing, table
from backtests.report.text.signal_text import (
    EVENT_HEAD,
    GROUP_HEAD,
    HORIZON_HEAD,
    event_rows,
    group_row,
    hit_parts,
    horizon_row,
    verdict,
)


def signal_section(document: Mapping[str, Any]) -> str:
    """Returns a verdict on each head of the score and its tables, as HTML."""
    parts = ["<h3>Is the signal any good, before any rule?</h3>", listing(map(verdict, document["heads"]))]
    for head in document["heads"]:
        if head["news_days"]:
            name = head["head"]
            groups = [group_row(each) for each in head["groups"] if each["signed_pct"]["n"]]
            parts.append(
                folded(
                    f"{name}: by horizon, after good and bad news, by part of the news",
                    table(HORIZON_HEAD, [horizon_row(each) for each in head["horizons"]], f"{name}: by sessions held"),
                    table(EVENT_HEAD, event_rows(head), f"{name}: abnormal return % after clear news"),
                    listing(hit_parts(head)),
                    table(GROUP_HEAD, groups, f"{name}: by part of the news, one session", left=2),
                )
            )
    return "".join([*parts, folded("What this does not show", listing(document["notes"]))])
