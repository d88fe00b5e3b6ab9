"""A `Result` as tables for a terminal. Pure: values in, text out."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from backtests.records.contamination import scorer_line
from backtests.report.text.table import grid, number

if TYPE_CHECKING:
    from backtests.runs.result import Result

WIDTH = 100
LIMITS = (
    "One episode proves nothing: all chips fell on one day, which is nearly one event.",
    "The news flow is a sample by a stated rule; counts between days say nothing about news volume.",
    "Gap and session moves compound, they do not add.",
    "Fills are at the opening (gap-only: closing) auction with slippage; its depth is not known.",
    "The rules' exposures are own judgement, dated and with evidence; none was fitted to a price.",
)


CLAIM_HEAD = ("symbol", "reported", "measured", "close %", "at open %", "left %", "verdict")


def claim_rows(result: Result) -> list[tuple[str, ...]]:
    """The claims table: what was said, what the prices say, how much was gone at the open, how much was left."""
    rows: list[tuple[str, ...]] = []
    units = {"pct": " %", "usd_bn": " bn USD", "rank": ". place"}
    for claim in result.document["claims"]:
        unit = claim.get("unit") or "pct"
        measured = claim.get("measured")
        digits = 0 if unit == "rank" else 1 if unit == "usd_bn" else 2
        text = "–" if measured is None else number(measured, digits, sign=unit != "rank") + units.get(unit, "")
        rows.append(
            (
                claim["symbol"],
                str(claim["reported"]),
                text,
                number(claim["close_pct"]),
                number(claim["gap_pct"]),
                number(claim["intraday_pct"]),
                claim["verdict"],
            )
        )
    return rows


RESULT_HEAD = ("strategy", "return %", "max dd %", "Sharpe", "trades", "open", "comm.", "slipp.", "borrow", "divid.")


def result_rows(result: Result) -> list[tuple[str, ...]]:
    """One row per strategy; costs in US dollars, dividends positive when paid."""
    return [
        (
            ("· " if each["baseline"] else "") + each["label"],
            number(each["return_pct"]),
            number(each["max_drawdown_pct"]),
            number(each["sharpe"]),
            str(each["trades"]),
            str(each["open_positions"]),
            *(number(each["costs"][key], 0, sign=False) for key in ("commission", "slippage", "borrow", "dividends")),
        )
        for each in result.document["results"]
    ]


def key_session_lines(result: Result, shown: int = 5) -> list[tuple[str, str]]:
    """What each strategy traded on the episode's key session: its largest fills with their prices."""
    lines = []
    for each in result.document["results"]:
        fills = sorted(each["key_session_fills"], key=lambda fill: -abs(fill["shares"] * fill["price"]))
        text = ", ".join(
            f"{fill['symbol']} {number(fill['shares'], 0 if fill['shares'] == int(fill['shares']) else 2)}"
            f" @ {fill['price']:.2f}"
            for fill in fills[:shown]
        )
        more = f" and {len(fills) - shown} more" if len(fills) > shown else ""
        auction = f" ({fills[0]['auction']})" if fills else ""
        lines.append((each["label"], text + more + auction if fills else _idle(result, each["label"])))
    return lines


def _idle(result: Result, name: str) -> str:
    """Says what a strategy that traded nothing on the key session was holding at its close."""
    table = result.tables["equity"]
    key = result.document["key_session"]
    for row in (dict(zip(table.columns, each, strict=True)) for each in table.rows):
        if row["strategy"] == name and row["session"] == key and row["gross"]:
            return f"nothing; it held {number(row['net'])} net, {row['gross']:.2f} gross of equity into the close"
    return "nothing, and held nothing"


def news_rows(result: Result, session: str, shown: int = 12) -> list[tuple[str, ...]]:
    """The AI headlines that first become tradable in a session, strongest first: UTC time, score, kind, title."""
    table = result.tables["scores"]
    records = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    mine = [row for row in records if row["session"] == session and row["used"]]
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


def text_report(result: Result, title: str) -> str:
    """The whole report for a terminal, at most 100 columns wide."""
    doc = result.document
    key_session = doc["key_session"]
    window, heads = doc["window"], doc["headlines"]
    languages = ", ".join(f"{count} {code}" for code, count in heads["by_language"].items())
    lines = [
        f"{title}: {window['start']} to {window['end']}, {window['sessions']} sessions{_traded_on(result)}",
        f"headlines: {heads['total']} ({languages}), {heads['used']} used, {heads['rejected']} rejected",
        f"when they were known: {_bases(heads['by_basis'])}",
        *textwrap.wrap(scorer_line(doc.get("scorer")), WIDTH, subsequent_indent="    "),
        *(line for note in doc.get("notes", ()) for line in textwrap.wrap(note, WIDTH, subsequent_indent="    ")),
        "",
        f"What was reported, and what the prices say ({key_session}; open and left compound, they do not add)",
        *grid(CLAIM_HEAD, claim_rows(result), left=2),
        "",
        f"What the news said for the {_when(result)} of {key_session} (strongest first; scores in [−1, 1])",
        *_news_lines(result, key_session),
        "",
        "What each strategy made (· = baseline; costs in US dollars, dividends positive when paid)",
        *grid(RESULT_HEAD, result_rows(result)),
        *trouble_lines(result),
        *borrow_lines(result),
        *audit_lines(result),
        "",
        f"What each traded on {key_session}, and at which price in US dollars (slippage included)",
    ]
    for name, text in key_session_lines(result):
        lines += textwrap.wrap(f"{name}: {text}", WIDTH, subsequent_indent="    ")
    lines += ["", "What this does not show", *(f"- {limit}" for limit in limits(result))]
    return "\n".join(lines) + "\n"


def _trading(result: Result) -> tuple[str, str]:
    """On which bars and for which auctions a run traded."""
    found = result.document.get("trading", {})
    return found.get("bars", "daily"), found.get("auctions", "open")


def _traded_on(result: Result) -> str:
    """What the first line says of the trading where it is not at the opening auctions of daily bars."""
    bars, auctions = _trading(result)
    return f", on bars of {bars}" if bars != "daily" else "" if auctions == "open" else f", auctions {auctions}"


def _when(result: Result) -> str:
    """The part of a session that its news could trade."""
    bars, auctions = _trading(result)
    return "session" if bars != "daily" else {"open": "open", "close": "close"}.get(auctions, "session")


def limits(result: Result) -> tuple[str, ...]:
    """What the run does not show, one line each."""
    bars, auctions = _trading(result)
    if bars != "daily":
        fills = f"Fills are at the open of bars of {bars} with slippage; what stood in the order book is not known."
    elif auctions != "open":
        fills = f"Fills are at the auctions ({auctions}) with slippage; their depth is not known."
    else:
        return LIMITS
    return tuple(fills if limit.startswith("Fills") else limit for limit in LIMITS)


def _news_lines(result: Result, session: str) -> list[str]:
    rows = news_rows(result, session)
    if not rows:
        return ["nothing about AI"]
    figures = list(grid(NEWS_HEAD[:4], [row[:4] for row in rows]))
    width = max(len(line) for line in figures)
    titles = [NEWS_HEAD[4], *(textwrap.shorten(row[4], WIDTH - width - 2, placeholder=" …") for row in rows)]
    return [f"{line.ljust(width)}  {title}" for line, title in zip(figures, titles, strict=True)]


def audit_line(decisions: int, violations: int, unproved: int = 0) -> str:
    """The short form of an audit; `unproved` counts what it cannot judge."""
    line = f"audit: {decisions} decisions re-decided without the future, {violations} differed"
    return f"{line}; NOT PROVED for {unproved} reason{'s' * (unproved != 1)}" if unproved else line


def audit_lines(result: Result) -> list[str]:
    """The short form of the audit, where the run was audited."""
    found = result.document.get("audit")
    if not found:
        return []
    unproved = found.get("unproved", ())
    lines = [audit_line(found["decisions"], found["violations"], len(unproved))]
    return [*lines, *(f"NOT PROVED {each}" for each in unproved)]


def borrow_rows(result: Result) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The stress of borrow rates as head and rows: returns in percent, and whether a book was ruined."""
    found = result.document["borrow_stress"]
    rows = []
    for name, returns in found["returns_pct"].items():
        days = found["ruined_on"][name]
        cells = [number(each) + (" ruined" if day else "") for each, day in zip(returns, days, strict=True)]
        rows.append((name, *cells))
    return ("return % at a borrow rate of", *(f"{rate:g} %" for rate in found["rates_pct"])), rows


def borrow_lines(result: Result) -> list[str]:
    """The stress of borrow rates, where it was asked for."""
    if "borrow_stress" not in result.document:
        return []
    return ["", "What if borrowing cost more (percent a year, the same for every symbol)", *grid(*borrow_rows(result))]


def trouble_lines(result: Result) -> list[str]:
    """Refused orders, margin calls and ruin of each strategy, a line each."""
    lines = []
    for each in result.document["results"]:
        if each["rejected_orders"]:
            lines.append(f"{each['label']}: {each['rejected_orders']} orders refused or cut, see orders.csv")
        if each["margin_calls"]:
            lines.append(f"{each['label']}: {each['margin_calls']} margin calls")
        if each["ruined_on"]:
            lines.append(f"{each['label']}: ruined on {each['ruined_on']}; its book is frozen, the debt stays")
    return lines
