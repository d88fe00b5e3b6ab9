"""Draws the evidence of a run: was it tradable, was it the news, was it luck?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from backtests.report.page import svg
from backtests.report.page.markup import Markup, esc, figure, folded, listing, section, table, title_of
from backtests.report.text.evidence_text import gravest, trials_line
from backtests.report.text.run_report import benchmark_name
from backtests.report.text.table import number, p_value

Document = Mapping[str, Any]
_GRADES = ("severe", "caution", "fine", "unknown")


def _noted(document: Document) -> str:
    notes = document.get("notes") or ()
    return folded("What this does not show", listing(notes)) if notes else ""


def _band(group: Document, width: float) -> Markup:
    """Draws the cumulative average abnormal return of one group with its 95 % band."""
    days = group["days"]
    left, right, top, bottom = 44.0, width - 10, 12.0, 190.0
    values = [each[key] for each in days for key in ("caar_pct", "low_pct", "high_pct") if each[key] is not None]
    low, high = min(0.0, *values), max(0.0, *values)
    x = svg.scale(days[0]["offset"], days[-1]["offset"], left, right)
    y = svg.scale(low, high, bottom, top)
    parts = []
    for tick in svg.ticks(low, high, 5):
        parts += [
            svg.line(left, y(tick), right, y(tick), "zero" if tick == 0 else "grid"),
            svg.text(left - 5, y(tick) + 4, number(tick, 0), "tick", "end"),
        ]
    sure = [each for each in days if each["low_pct"] is not None and each["high_pct"] is not None]
    edge = [(x(d["offset"]), y(d["high_pct"])) for d in sure] + [
        (x(d["offset"]), y(d["low_pct"])) for d in reversed(sure)
    ]
    if edge:
        parts.append(f'<polygon points="{" ".join(f"{svg.px(a)},{svg.px(b)}" for a, b in edge)}" class="band"/>')
    parts.append(svg.line(x(0), top, x(0), bottom, "event"))
    parts.append(svg.polyline([(x(d["offset"]), y(d["caar_pct"])) for d in days], "mine strategy"))
    for day in days:
        if width > 500 or day["offset"] % 2 == 0:
            parts.append(svg.text(x(day["offset"]), bottom + 16, number(day["offset"], 0), "tick", "middle"))
    last = days[-1]
    label = (
        f"{group['group']}: cumulative average abnormal return {number(last['caar_pct'])} % at offset "
        f"{last['offset']}, 95 % band {number(last['low_pct'])} to {number(last['high_pct'])} %."
    )
    return svg.drawing(width, bottom + 22, label, parts)


def study_section(document: Document) -> str:
    """Draws the event study."""
    groups = document["groups"]
    sample = next((each for each in groups if each["group"] == "sample"), groups[0] if groups else None)
    if sample is None:
        return ""
    rows = []
    for group in groups:
        tests = {test["test"]: test for test in group["event"]["tests"]}
        robust = tests.get("kolari-pynnonen") or {}
        effective = group.get("n_effective")
        rows.append(
            (
                group["group"],
                str(group["n"]),
                number(effective, 1, sign=False),
                number(group["event"]["aar_pct"]),
                number(robust.get("statistic")),
                p_value(robust.get("p")),
                number(group["window"]["aar_pct"]),
            )
        )
    head = ("group", "N", "effective N", "event day %", "KP statistic", "p", "whole window %")
    caption = (
        f"Sample: cumulative average abnormal return in percent by sessions from the event, "
        f"{document['model']} model against {document['benchmark']}, with its 95 % band."
    )
    return "".join(
        [
            "<h3>Event study</h3>",
            figure(caption, *svg.both(lambda width: _band(sample, width))),
            table(head, rows, "Abnormal returns; p of Kolari and Pynnönen, robust to events that share a day"),
            _noted(document),
        ]
    )


def _histogram(dist: Document, width: float) -> Markup:
    edges, counts = dist["histogram"]["edges"], dist["histogram"]["counts"]
    left, right, top, bottom = 10.0, width - 10, 18.0, 150.0
    low, high = min(edges[0], dist["actual"]), max(edges[-1], dist["actual"])
    x, y = svg.scale(low, high, left, right), svg.scale(0, max([*counts, 1]), bottom, top)
    parts = [
        svg.rect(x(a), bottom, max(x(b) - x(a) - 1, 0.5), y(count) - bottom, "bin")
        for a, b, count in zip(edges, edges[1:], counts, strict=False)
    ]
    parts += [
        svg.line(left, bottom, right, bottom, "zero"),
        svg.line(x(dist["actual"]), top - 6, x(dist["actual"]), bottom, "actual"),
    ]
    middle = x(dist["actual"]) < (left + right) / 2
    parts.append(
        svg.text(x(dist["actual"]) + (5 if middle else -5), top + 2, "real news", "value", "start" if middle else "end")
    )
    unit = "US dollars" if dist["unit"] == "usd" else "%"
    for tick in svg.ticks(low, high, 5 if width > 500 else 3):
        parts.append(svg.text(x(tick), bottom + 16, number(tick, 0), "tick", "middle"))
    mean, actual = number(dist["mean"], 0), number(dist["actual"], 0)
    label = f"Placebos: mean {mean} {unit}, real news {actual} {unit}, p {p_value(dist['p'])}."
    return svg.drawing(width, bottom + 22, label, parts)


def placebo_section(document: Document) -> str:
    """Draws the distributions of placebos."""
    rows, drawn = [], []
    for kind in document["kinds"]:
        dist = kind["profit"]
        if dist is None:
            continue
        rows.append(
            (
                kind["kind"], str(kind["n"]), str(kind["distinct"]), number(dist["actual"], 0), number(dist["mean"], 0),
                number(dist["quantiles"]["5"], 0), number(dist["quantiles"]["95"], 0), p_value(dist["p"]),
            )
        )  # fmt: skip
        if dist.get("histogram"):
            caption = f"{kind['kind']}: {kind['about']}. Profit in US dollars, number of placebos upwards."
            drawn.append(figure(caption, *svg.both(partial(_histogram, dist))))
    head = ("placebo", "n", "distinct", "real news", "mean", "5 %", "95 %", "p")
    html = table(head, rows, f"Profit of {document['strategy']} with news that means nothing, US dollars")
    return "".join([f"<h3>Placebo news: {esc(document['strategy'])}</h3>", html, *drawn, _noted(document)])


def _ladder(document: Document, width: float) -> Markup:
    rungs, named = document["rungs"], document["strategies"]
    left, right, top, bottom = 44.0, width - 10, 12.0, 190.0
    values = [value for each in named for value in each["return_pct"] if value is not None]
    low, high = min([0.0, *values]), max([0.0, *values])
    x, y = svg.scale(0, max(len(rungs) - 1, 1), left + 8, right - 26), svg.scale(low, high, bottom, top)
    parts = []
    for tick in svg.ticks(low, high, 5):
        parts += [
            svg.line(left, y(tick), right, y(tick), "zero" if tick == 0 else "grid"),
            svg.text(left - 5, y(tick) + 4, number(tick, 0), "tick", "end"),
        ]
    for each in named:
        points = [(x(i), y(value)) for i, value in enumerate(each["return_pct"]) if value is not None]
        parts.append(svg.polyline(points, "other" if each["baseline"] else "mine strategy"))
    for index, rung in enumerate(rungs):
        if width > 500 or index % 2 == 0:
            parts.append(svg.text(x(index), bottom + 16, rung["delay"], "tick", "middle"))
    label = f"Return in percent of {len(named)} strategies had the news come later; the figures are in the table."
    return svg.drawing(width, bottom + 22, label, parts)


def delay_section(document: Document) -> str:
    """Draws the delay ladder."""
    head = ("strategy", *(rung["delay"] for rung in document["rungs"]))
    rows = [(each["strategy"], *(number(value) for value in each["return_pct"])) for each in document["strategies"]]
    if held := document.get("benchmark"):
        rows.append((benchmark_name(held), *[number(held["return_pct"])] * len(document["rungs"])))
    return "".join(
        [
            "<h3>Delay ladder</h3>",
            figure("Return in percent had the news come later; strategies coloured, baselines grey.",
                   *svg.both(lambda width: _ladder(document, width))),
            table(head, rows, "Return in percent by delay of the news"),
            _noted(document),
        ]
    )  # fmt: skip


def gaps_section(document: Document) -> str:
    """Draws when the profit was made."""
    parts = ("entry_open_to_close", "later_gaps", "later_sessions", "commission", "slippage", "borrow", "dividends")
    rows = [
        (each["strategy"], *(number(each["made_usd"].get(key, 0.0), 0) for key in parts), number(each["pnl_usd"], 0))
        for each in document["strategies"]
    ]
    head = ("strategy", "first session", "later gaps", "later sessions", "comm.", "slipp.", "borrow", "divid.", "all")
    return "".join(
        [
            "<h3>When the profit was made</h3>",
            table(head, rows, "Profit by part of the day, US dollars; the parts add up exactly"),
            _noted(document),
        ]
    )


def attribution_section(document: Document) -> str:
    """Draws which headlines made the profit."""
    parts = ["<h3>Which headlines made the profit</h3>"]
    for each in document["strategies"]:
        if not each["headlines"]:
            continue
        rows = [
            (
                number(row["profit_usd"], 0),
                title_of(row["title"], row["link"], row["language"]),
                row["source"],
                row["known_at"][:16].replace("T", " "),
            )
            for row in each["headlines"][:12]
        ]
        html = table(
            ("US dollars", "headline", "source", "known (UTC)"), rows, f"{each['strategy']}: profit by headline", wide=1
        )
        rest = (
            f"No headline: {number(each['without_headline_usd'], 0)} US dollars; headlines with less than a thousandth "
            f"of a position: {number(each.get('remainder_usd', 0.0), 0)}; residual {each['residual_usd']:.1e}."
        )
        parts.append(
            folded(
                f"{each['strategy']}: {number(each['profit_usd'], 0)} US dollars", html, f'<p class="note">{rest}</p>'
            )
        )
    return "".join([*parts, _noted(document)]) if len(parts) > 1 else ""


def trials_section(document: Document) -> str:
    """Draws how many configurations were tried."""
    rows = [
        (
            each["strategy"],
            str(each["rank"] or "–"),
            number(each["sharpe_annual"]),
            number(each["psr"], sign=False),
            number(each["dsr"], sign=False),
            p_value(each["p"]),
            p_value(each["q_bh"]),
        )
        for each in document["strategies"]
    ]
    head = ("strategy", "rank", "Sharpe", "PSR", "DSR", "p", "q (BH)")
    pbo = document.get("pbo")
    line = f"{trials_line(document)}; the ledger is {'intact' if document['ledger']['intact'] else 'BROKEN'}."
    if pbo:
        line += f" Probability of backtest overfitting {pbo['pbo']:.2f} over {pbo['trials']} configurations."
    return "".join(
        [
            f"<h3>How many configurations were tried</h3><p>{esc(line)}</p>",
            table(head, rows, "Sharpe ratios against the number of configurations tried"),
            _noted(document),
        ]
    )


def critique_section(document: Document) -> str:
    """Draws what speaks against each strategy: the gravest first, then each strategy's points, folded."""
    own = [each for each in document["strategies"] if not each.get("baseline")]
    head, *lines = gravest(document)
    parts: list[str] = ["<h3>What speaks against it</h3>", f"<p>{esc(head)}</p>" if not lines else listing(lines)]
    for each in own:
        counts = [f"{sum(row['grade'] == grade for row in each['findings'])} {grade}" for grade in _GRADES]
        found = [
            Markup(f'<span class="grade {esc(row["grade"])}">{esc(row["grade"])}</span> {esc(row["says"])}')
            for row in each["findings"]
        ]
        said = ", ".join(count for count in counts if not count.startswith("0 "))
        parts.append(folded(f"{each['strategy']}: {said}", listing(found)))
    return "".join([*parts, _noted(document)])


def missing_note(verbs: Sequence[str]) -> Markup:
    """Names the commands that would add what was not gathered."""
    commands = ", ".join(f"backtest {verb} RUN_FOLDER" for verb in verbs)
    return Markup(f'<p class="note">Not gathered for this run: {esc(commands)} would add it to this page.</p>')


def evidence(sections: Sequence[str]) -> Markup:
    """Draws the section of evidence, of the parts that its methods drew."""
    lead = "Was it tradable, was it the news, was it luck?"
    return section("evidence", "Evidence", lead, *sections)
