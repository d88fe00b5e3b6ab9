"""Prints a run as tables for a terminal. Pure: values in, text out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from backtests.records.contamination import scorer_line
from backtests.records.metrics import Statistic, columns
from backtests.records.record import RunRecord
from backtests.report.text.limits import limits
from backtests.report.text.table import WIDTH, grid, number, wrapped
from backtests.report.text.verdict import verdict

MONEY = "costs in US dollars, dividends: negative when paid"
CLAIM_HEAD = ("symbol", "reported", "measured", "close %", "gap %", "tradable %", "verdict")


def claim_rows(record: RunRecord) -> list[tuple[str, ...]]:
    """Returns one row per claim: what was reported, what the prices say, and how the move splits at the open."""
    return [
        (
            claim["symbol"],
            str(claim["reported"]),
            _measured(claim),
            number(claim["close_pct"]),
            number(claim["gap_pct"]),
            number(claim["intraday_pct"]),
            claim["verdict"],
        )
        for claim in record.document["claims"]
    ]


def _measured(claim: Mapping[str, Any]) -> str:
    """Prints what the prices say of a claim, in the claim's unit."""
    value, unit = claim.get("measured"), claim.get("unit") or "pct"
    if value is None:
        return "–"
    if unit == "rank":
        return f"rank {value:.0f}"
    if unit == "price":
        return number(value, sign=False)
    return f"{number(value, 1)} bn USD" if unit == "usd_bn" else f"{number(value)} %"


def threshold_lines(record: RunRecord) -> list[str]:
    """Names the threshold of each claim that the prices do not confirm."""
    found: dict[str, list[str]] = {}
    for claim in record.document["claims"]:
        if claim["verdict"] == "contradicted" and claim.get("criterion"):
            found.setdefault(claim["criterion"], []).append(f"{claim['symbol']} {_measured(claim)}")
    return [f"contradicted: {', '.join(measured)}; to confirm it: {criterion}" for criterion, measured in found.items()]


def _claim_lines(record: RunRecord) -> Iterator[str]:
    """Lays out the claims; what was reported is cut where the line would be wider than a terminal."""
    rows = claim_rows(record)
    widths = [max(map(len, column)) for column in zip(CLAIM_HEAD, *rows, strict=True)]
    room = WIDTH - sum(widths) - 2 * (len(widths) - 1) + widths[1]
    short = [(row[0], textwrap.shorten(row[1], room, placeholder=" …"), *row[2:]) for row in rows]
    return grid(CLAIM_HEAD, short, left=2)


def result_head() -> tuple[str, ...]:
    """Returns the head of the table of results."""
    return ("strategy", *(each.heading for each in columns()))


def result_rows(record: RunRecord) -> list[tuple[str, ...]]:
    """Returns one row per strategy, as `result_head`, and one of the benchmark.

    Costs are in US dollars, dividends negative when paid.
    """
    rows = [(("· " if row["baseline"] else "") + row["label"], row) for row in record.document["results"]]
    if held := record.document.get("benchmark"):
        rows.append((benchmark_name(held), held))
    return [(name, *(_figure(each, each.of(row)) for each in columns())) for name, row in rows]


def benchmark_name(held: Mapping[str, Any]) -> str:
    """Names the row of the benchmark: bought at the first open, held to the last close, without costs."""
    return f"= {held['symbol']} held"


def _figure(statistic: Statistic, value: float | None) -> str:
    """Prints a figure by its unit: percent and ratios with sign and two digits, money and counts whole."""
    whole = statistic.unit.split(",")[0] in {"US dollars", "count"}
    turned = -value if statistic.turned and value is not None else value
    return number(turned, 0 if whole else 2, sign=statistic.turned or not whole)


def key_session_lines(record: RunRecord, shown: int = 5) -> list[tuple[str, str]]:
    """Lists what each strategy traded on the episode's key session: its largest fills with their prices."""
    lines = []
    for each in record.document["results"]:
        fills = sorted(each["key_session_fills"], key=lambda fill: -abs(fill["shares"] * fill["price"]))
        text = ", ".join(
            f"{fill['symbol']} {number(fill['shares'], 0 if fill['shares'] == int(fill['shares']) else 2)}"
            f" @ {fill['price']:.2f}"
            for fill in fills[:shown]
        )
        more = f" and {len(fills) - shown} more" if len(fills) > shown else ""
        auction = f" ({fills[0]['auction']})" if fills else ""
        lines.append((each["label"], text + more + auction if fills else _idle(record, each["label"])))
    return lines


def _idle(record: RunRecord, name: str) -> str:
    """Says what a strategy that traded nothing on the key session was holding at its close."""
    key = record.document["key_session"]
    for row in record.tables["equity"].records():
        if row["strategy"] == name and row["session"] == key and row["gross"]:
            return f"nothing; it held {number(row['net'])} net, {row['gross']:.2f} gross of equity into the close"
    return "nothing, and held nothing"


def news_rows(record: RunRecord, session: str, shown: int = 12) -> list[tuple[str, ...]]:
    """Returns the AI headlines first tradable in a session, strongest first: UTC time, score, tone, kind, title."""
    mine = [row for row in record.tables["scores"].records() if row["session"] == session and row["used"]]
    mine.sort(key=lambda row: (-abs(row["relevance"] * row["sentiment"]), row["known_at"]))
    return [
        (
            row["known_at"][5:16].replace("T", " "),
            number(row["sentiment"]),
            number(row["tone"]),
            "move+cause" if row["reaction"] and row["cause"] else "move" if row["reaction"] else "news",
            row["title"],
        )
        for row in mine[:shown]
    ]


NEWS_HEAD = ("known (UTC)", "disruption", "tone", "kind", "headline")


_BASIS = {
    "live": "{} seen live",
    "backfill": "{} back-filled",
    "import": "{} imported with the time they were seen",
    "assumed": "{} assumed (published + stated delay)",
}


def _bases(counts: dict[str, int]) -> str:
    """Says how many headlines were seen, and how many only claim a date."""
    return ", ".join(_BASIS[name].format(count) for name, count in counts.items() if count) or "none"


def text_report(record: RunRecord, title: str) -> str:
    """Prints the whole report for a terminal, at most 100 columns wide."""
    doc = record.document
    key_session = doc["key_session"]
    window, heads = doc["window"], doc["headlines"]
    languages = ", ".join(f"{count} {code}" for code, count in heads["by_language"].items())
    lines = [
        *wrapped(verdict(record)),
        "",
        f"{title}: {window['start']} to {window['end']}, {window['sessions']} sessions{_traded_on(record)}",
        *wrapped(f"headlines: {heads['total']} ({languages}), {_used(heads)}, {heads['rejected']} rejected"),
        *wrapped(f"when they were known: {_bases(heads['by_basis'])}"),
        *wrapped(scorer_line(doc.get("scorer"))),
        *(line for note in doc.get("notes", ()) for line in wrapped(note)),
        "",
        f"What was reported, and what the prices say of {key_session}",
        "(gap: overnight, close before to open; tradable: open to close; they compound, they do not add)",
        *_claim_lines(record),
        *(line for each in threshold_lines(record) for line in wrapped(each)),
        "",
        f"What the news said for the {_when(record)} of {key_session} (strongest first; scores in [−1, 1])",
        *_news_lines(record, key_session),
        "",
        *wrapped(f"What each strategy made ({legend(record)}; {MONEY})", 2),
        *grid(result_head(), result_rows(record)),
        *trouble_lines(record),
        *borrow_lines(record),
        *audit_lines(record),
        "",
        f"What each traded on {key_session}, and at which price in US dollars (slippage included)",
    ]
    for name, text in key_session_lines(record):
        lines += wrapped(f"{name}: {text}")
    lines += ["", "What this does not show", *(line for limit in limits(record) for line in wrapped(f"- {limit}", 2))]
    return "\n".join(lines) + "\n"


def legend(record: RunRecord) -> str:
    """Says which mark of the table of results stands for what, as far as it has one."""
    marks = ["· baseline"] if any(row["baseline"] for row in record.document["results"]) else ["no baseline ran"]
    held = record.document.get("benchmark")
    return "; ".join(
        [*marks, *([f"= benchmark: {held['symbol']} bought at the first open, without costs"] if held else [])]
    )


def _used(heads: Mapping[str, Any]) -> str:
    return f"{heads['used']} about AI in the window or the 30 days before it"


def _trading(record: RunRecord) -> tuple[str, str]:
    """Returns the bars on which and the auctions for which a run traded."""
    found = record.document.get("trading", {})
    return found.get("bars", "daily"), found.get("auctions", "open")


def _traded_on(record: RunRecord) -> str:
    """Says how it was traded where that was not at the opening auctions of daily bars."""
    bars, auctions = _trading(record)
    return f", on bars of {bars}" if bars != "daily" else "" if auctions == "open" else f", auctions {auctions}"


def _when(record: RunRecord) -> str:
    """Names the part of a session that its news could trade."""
    bars, auctions = _trading(record)
    return "session" if bars != "daily" else {"open": "open", "close": "close"}.get(auctions, "session")


def _news_lines(record: RunRecord, session: str) -> list[str]:
    rows = news_rows(record, session)
    if not rows:
        return ["nothing about AI"]
    figures = list(grid(NEWS_HEAD[:4], [row[:4] for row in rows]))
    width = max(len(line) for line in figures)
    titles = [NEWS_HEAD[4], *(textwrap.shorten(row[4], WIDTH - width - 2, placeholder=" …") for row in rows)]
    return [f"{line.ljust(width)}  {title}" for line, title in zip(figures, titles, strict=True)]


def audit_line(decisions: int, violations: int, unproved: int = 0) -> str:
    """Prints the short form of an audit; `unproved` counts what it cannot judge."""
    line = f"audit: {decisions} decisions re-decided without the future, {violations} differed"
    return f"{line}; NOT PROVED for {unproved} reason{'s' * (unproved != 1)}" if unproved else line


def audit_lines(record: RunRecord) -> list[str]:
    """Prints the short form of the audit, where the run was audited."""
    found = record.document.get("audit")
    if not found:
        return []
    unproved = found.get("unproved", ())
    lines = [audit_line(found["decisions"], found["violations"], len(unproved))]
    return [*lines, *(f"NOT PROVED {each}" for each in unproved)]


def borrow_rows(record: RunRecord) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Returns the stress of borrow rates as head and rows: returns in percent, and whether an account was ruined."""
    found = record.document["borrow_stress"]
    rows = []
    for name, returns in found["returns_pct"].items():
        days = found["ruined_on"][name]
        cells = [number(each) + (" ruined" if day else "") for each, day in zip(returns, days, strict=True)]
        rows.append((name, *cells))
    if held := record.document.get("benchmark"):
        rows.append((benchmark_name(held), *[number(held["return_pct"])] * len(found["rates_pct"])))
    return ("return % at a borrow rate of", *(f"{rate:g} %" for rate in found["rates_pct"])), rows


def borrow_lines(record: RunRecord) -> list[str]:
    """Prints the stress of borrow rates, where it was asked for."""
    if "borrow_stress" not in record.document:
        return []
    return ["", "What if borrowing cost more (percent a year, the same for every symbol)", *grid(*borrow_rows(record))]


def trouble_lines(record: RunRecord) -> list[str]:
    """Prints refused orders, margin calls and ruin of each strategy, a line each."""
    lines = []
    for each in record.document["results"]:
        if each["rejected_orders"]:
            lines.append(f"{each['label']}: {each['rejected_orders']} orders refused or cut, see orders.csv")
        if each["margin_calls"]:
            lines.append(f"{each['label']}: {each['margin_calls']} margin calls")
        if each["ruined_on"]:
            lines.append(f"{each['label']}: ruined on {each['ruined_on']}; its account is frozen, the debt stays")
    return lines
