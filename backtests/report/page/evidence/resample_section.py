"""Draws how a result hangs on the sample of the news, as a part of a run's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backtests.report.page.markup import esc, folded, listing, table
from backtests.report.text.resample_text import HEAD, share
from backtests.report.text.table import number


def resample_section(document: Mapping[str, Any]) -> str:
    """Returns the table of returns and positions over other samples of the news, as HTML."""
    rows = []
    for each in document["strategies"]:
        drawn, key = each["resampled"], each["resampled"].get("key_session")
        rows.append(
            (
                each["strategy"],
                number(each["return_pct"]),
                *(number(drawn["quantiles_pct"][q]) for q in ("5", "50", "95")),
                share(drawn["other_sign_share"]),
                *((number(each["key_session_net_weight"]), share(key["short_share"]), share(key["long_share"])) if key
                  else ("–",) * 3),
            )
        )  # fmt: skip
    about = (
        f"{document['n']:,} other samples of {document['headlines']} headlines, by source and day; net weight on "
        f"{esc(document['key_session'])}"
    )
    return "".join(
        [
            "<h3>Another sample of the same news</h3>",
            table(HEAD, rows, about),
            folded("What this does not show", listing(document["notes"])),
        ]
    )
