"""Draws one offline page of a run: HTML with drawings in it, a style sheet and a small script.

The page asks nothing of the network and lets nothing in: its Content-Security-Policy names the hash of its one style
sheet and its one script, headlines are escaped, and links lead only to http and https. Without the script it still
shows everything; the script adds what hovers and what the arrow keys do.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from backtests.records.contamination import scorer_line
from backtests.records.record import RunRecord
from backtests.report.page.data_card import audit, card, not_shown
from backtests.report.page.evidence.evidence_sections import evidence
from backtests.report.page.markup import Markup, esc, table
from backtests.report.page.run_comparison import comparison
from backtests.report.page.strategies import strategies
from backtests.report.page.timeline import timeline
from backtests.report.page.trades import costs, trades
from backtests.report.page.what_happened import happened
from backtests.report.text.limits import limits
from backtests.report.text.resample_text import samples_lines
from backtests.report.text.run_report import (
    CLAIM_HEAD,
    MONEY,
    audit_lines,
    claim_rows,
    legend,
    result_table,
)
from backtests.report.text.verdict import verdict

_ASSETS = Path(__file__).with_name("assets")
_NAV = (
    ("happened", "What happened"),
    ("news", "News"),
    ("strategies", "Strategies"),
    ("trades", "Trades"),
    ("costs", "Costs"),
    ("evidence", "Evidence"),
    ("audit", "Audit"),
    ("card", "Data card"),
    ("limits", "Limits"),
)


@cache
def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def shell(title: str, body: Iterable[str]) -> str:
    """Wraps a body into a whole document, with its policy, style and script."""
    style, script = _asset("page.css"), _asset("page.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer"><meta name="color-scheme" content="light dark">\n'
        f'<link rel="icon" href="data:,"><title>{esc(title)}</title>\n<style>{style}</style></head>\n'
        f"<body>{''.join(body)}\n<script>{script}</script></body></html>\n"
    )


def _scorer(record: RunRecord) -> str:
    """States the training cut-off of a scorer that has one, and what it means."""
    facts = record.document.get("scorer")
    line = esc(scorer_line(facts))
    if facts and facts["contaminated_for"]:
        line = Markup(f"<strong>{line}</strong>")
    return f'<p class="facts">{line}</p>' if line else ""


def html_page(record: RunRecord, sections: Sequence[str]) -> str:
    """Draws the whole report as one offline page; the same run gives the same bytes.

    Args:
        record: The run.
        sections: HTML of its evidence, a part for each method, from the registry of methods.
    """
    doc = record.document
    window, heads = doc["window"], doc["headlines"]
    parts = [
        ("happened", happened(record)), ("news", timeline(record)), ("strategies", strategies(record)),
        ("trades", trades(record)), ("costs", costs(record)), ("evidence", evidence(sections)),
        ("audit", audit(record)), ("card", card(record)), ("limits", not_shown(record)),
    ]  # fmt: skip
    there = {name for name, text in parts if text}
    nav = "".join(f'<li><a href="#{name}">{words}</a></li>' for name, words in _NAV if name in there)
    title = doc.get("title") or doc["episode"]
    notes = "".join(f'<p class="note">{esc(note)}</p>' for note in doc.get("notes", ()))
    head = (
        '<a class="skip" href="#main">Skip to the report</a><header><p class="kicker">Aftershock · report of a run</p>'
        f'<h1>{esc(title)}</h1><p class="standfirst">{esc(verdict(record))}</p>'
        f'<p class="facts">{window["start"]} to {window["end"]} · {window["sessions"]} sessions · '
        f"{heads['total']} headlines, {heads['used']} about AI in the window or the 30 days before it, "
        f"{heads['rejected']} rejected · "
        f"run {record.hash8}</p>{_scorer(record)}{notes}</header>"
        f'<nav aria-label="Sections"><ul>{nav}</ul></nav>'
    )
    body = "".join(text for _, text in parts)
    tip = '<div id="tip" hidden></div>'
    return shell(f"{title}: Aftershock", [head, f'<main id="main">{body}</main>', tip])


def compare_page(named: Sequence[tuple[str, RunRecord]]) -> str:
    """Draws one offline page of several runs, each with the name it is shown under."""
    title, body = comparison(named)
    return shell(f"{title}: Aftershock", [*body, '<div id="tip" hidden></div>'])


def is_compare_page(start: bytes) -> bool:
    """Says whether a file that begins so is a page of `compare_page`."""
    return start.startswith(b"<!doctype html>") and b" runs beside each other: Aftershock</title>" in start


def notebook_view(record: RunRecord) -> str:
    """Draws the main tables for a notebook's cell: no style, no script."""
    doc = record.document
    head, (rows,) = result_table(record)
    parts = [
        f"<h3>{esc(doc['episode'])}: {doc['window']['start']} to {doc['window']['end']}</h3>",
        f"<p>{esc(verdict(record))}</p>",
        table(CLAIM_HEAD, claim_rows(record), "Claims against prices", left=2),
        table(head, rows, f"{legend(record)}; {MONEY}"),
        *(f"<p>{esc(line)}</p>" for line in samples_lines(doc["results"])),
        *(f"<p>{esc(line)}</p>" for line in audit_lines(record)),
        _scorer(record),
        "<ul>" + "".join(f"<li>{esc(limit)}</li>" for limit in limits(record)) + "</ul>",
    ]
    return Markup("\n".join(parts))
