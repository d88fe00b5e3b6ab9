"""Prints a run as tables for a terminal. Pure: values in, text out."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from backtests.records.contamination import scorer_line
from backtests.records.metrics import LEAST_RETURNS, Statistic, are_enough, columns
from backtests.records.record import RunRecord
from backtests.report.text.claim_text import measured
from backtests.report.text.limits import limits
from backtests.report.text.resample_text import beside_return, has_samples, samples_lines
from backtests.report.text.table import WIDTH, grid, number, wrapped
from backtests.report.text.verdict import verdict

MONEY = "costs in US dollars, dividends: negative when paid"
_SUMMED = ("commission", "slippage", "borrow")  # one column in a terminal, which has 100
Figures = Mapping[str, Any]
_Column = tuple[str, Callable[[Figures], str]]
CLAIM_HEAD = ("symbol", "reported", "measured", "close %", "gap %", "tradable %", "verdict")


def claim_rows(record: RunRecord) -> list[tuple[str, ...]]:
    """Returns one row per claim: what was reported, what the prices say, and how the move splits at the open."""
    return [
        (
            claim["symbol"],
            str(claim["reported"]),
            measured(claim),
            number(claim["close_pct"]),
            number(claim["gap_pct"]),
            number(claim["intraday_pct"]),
            claim["verdict"],
        )
        for claim in record.document["claims"]
    ]


def threshold_lines(record: RunRecord) -> list[str]:
    """Names the threshold of each claim that the prices do not confirm."""
    found: dict[str, list[str]] = {}
    for claim in record.document["claims"]:
        if claim["verdict"] == "contradicted" and claim.get("criterion"):
            found.setdefault(claim["criterion"], []).append(f"{claim['symbol']} {measured(claim)}")
    return [f"contradicted: {', '.join(values)}; to confirm it: {criterion}" for criterion, values in found.items()]


def _claim_lines(record: RunRecord) -> Iterator[str]:
    """Lays out the claims; what was reported is cut where the line would be wider than a terminal."""
    rows = claim_rows(record)
    widths = [max(map(len, column)) for column in zip(CLAIM_HEAD, *rows, strict=True)]
    room = WIDTH - sum(widths) - 2 * (len(widths) - 1) + widths[1]
    short = [(row[0], textwrap.shorten(row[1], room, placeholder=" …"), *row[2:]) for row in rows]
    return grid(CLAIM_HEAD, short, left=2)


def result_table(
    *records: RunRecord, short: bool = False, without: Collection[str] = ()
) -> tuple[tuple[str, ...], list[list[tuple[str, ...]]]]:
    """Returns the head of the table of results, and of each run one row per strategy and one of the benchmark.

    Costs are in US dollars, dividends negative when paid.

    Args:
        *records: The runs; what other samples of the news make stands beside the return where any of them has it.
        short: Whether what was paid to broker and market is one column.
        without: Keys of statistics that are left out.
    """
    shown = _result_columns(
        short=short, without=without, samples=any(has_samples(record.document["results"]) for record in records)
    )
    tables = []
    for record in records:
        rows = [(("· " if row["baseline"] else "") + name, row) for name, row in distinct_results(record)]
        if held := record.document.get("benchmark"):
            rows.append((benchmark_name(held), held))
        tables.append([(name, *(cell(row) for _, cell in shown)) for name, row in rows])
    return ("strategy", *(heading for heading, _ in shown)), tables


def distinct_results(record: RunRecord) -> list[tuple[str, Figures]]:
    """Returns name and figures of each strategy; variants of one that came to the same equity are one row."""
    equity: dict[str, list[float]] = {}
    for row in record.tables["equity"].records():
        equity.setdefault(row["strategy"], []).append(row["equity"])
    found: dict[tuple[Any, ...], list[Figures]] = {}
    for row in record.document["results"]:
        found.setdefault((row["strategy"], *equity.get(row["label"], [row["label"]])), []).append(row)
    return [(_joined([row["label"] for row in rows], rows[0]["strategy"]), rows[0]) for rows in found.values()]


def _joined(labels: Sequence[str], name: str) -> str:
    """Joins labels of one strategy: shock (include), shock (exclude) -> shock (include, exclude)."""
    inner = [label.removeprefix(f"{name} (").removesuffix(")") for label in labels]
    return labels[0] if len(labels) == 1 else f"{name} ({'; '.join(inner) if ', ' in labels[0] else ', '.join(inner)})"


def _result_columns(
    *, short: bool, without: Collection[str], samples: bool
) -> list[tuple[str, Callable[[Figures], str]]]:
    """Returns heading and cell of each column of the table of results."""
    shown: list[tuple[str, Callable[[Figures], str]]] = []
    for each in columns():
        if each.key in without:
            continue
        if short and each.key in _SUMMED:
            if each.key == _SUMMED[-1]:
                shown.append(("costs", _paid))
            continue
        shown.append((each.heading, partial(_figure, each)))
        if samples and each.key == "return_pct":
            shown += beside_return()
    return shown


def _paid(row: Figures) -> str:
    found = row.get("costs")
    return number(sum(found[name] for name in _SUMMED) if found else None, 0, sign=False)


def benchmark_name(held: Mapping[str, Any]) -> str:
    """Names the row of the benchmark: bought at the first open, held to the last close, without costs."""
    return f"= {held['symbol']} held"


def _figure(statistic: Statistic, row: Figures) -> str:
    """Prints a figure by its unit: percent and ratios with sign and two digits, money and counts whole."""
    value = statistic.of(row)
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
    head, (rows,) = result_table(record, short=True, without=("open_positions",))
    lines = [
        *wrapped(verdict(record)),
        "",
        *heading_lines(record, title),
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
        *wrapped(f"What each strategy made ({legend(record)}; {_short_money()})", 2),
        *grid(head, rows),
        *(line for each in samples_lines(doc["results"]) for line in wrapped(each)),
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


def heading_lines(record: RunRecord, title: str) -> list[str]:
    """Says what ran on what: window, headlines, and how many of these were seen."""
    window, heads = record.document["window"], record.document["headlines"]
    languages = ", ".join(f"{count} {code}" for code, count in heads["by_language"].items())
    return [
        *wrapped(f"{title}: {window['start']} to {window['end']}, {window['sessions']} sessions{_traded_on(record)}"),
        *wrapped(f"headlines: {heads['total']} ({languages}), {_used(heads)}, {heads['rejected']} rejected"),
        *wrapped(f"when they were known: {_bases(heads['by_basis'])}"),
    ]


def legend(record: RunRecord) -> str:
    """Says which mark of the table of results stands for what, as far as it has one."""
    marks = ["· baseline"] if any(row["baseline"] for row in record.document["results"]) else ["no baseline ran"]
    held = record.document.get("benchmark")
    return "; ".join(
        [*marks, *([f"= benchmark: {held['symbol']} bought at the first open, without costs"] if held else [])]
    )


def _short_money() -> str:
    return f"costs: {', '.join(_SUMMED[:-1])} and {_SUMMED[-1]} in US dollars; dividends: negative when paid"


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


def ratio_lines(record: RunRecord) -> list[str]:
    """Says of Sharpe ratios that are not given why they are not."""
    sessions = record.document["window"]["sessions"]
    if not are_enough(sessions):
        return [f"Sharpe: – of {sessions} session returns; from {LEAST_RETURNS} on a ratio is given"]
    none = [each["label"] for each in record.document["results"] if each.get("sharpe", 0.0) is None]
    return [f"Sharpe: – where returns do not vary or equity was lost: {', '.join(none)}"] if none else []


def trouble_lines(record: RunRecord) -> list[str]:
    """Prints refused orders, margin calls and ruin of each strategy, a line each, and why a ratio is missing."""
    lines = ratio_lines(record)
    for each in record.document["results"]:
        if each["rejected_orders"]:
            lines.append(f"{each['label']}: {each['rejected_orders']} orders refused or cut, see orders.csv")
        if each["margin_calls"]:
            lines.append(f"{each['label']}: {each['margin_calls']} margin calls")
        if each["ruined_on"]:
            lines.append(f"{each['label']}: ruined on {each['ruined_on']}; its account is frozen, the debt stays")
    return lines
