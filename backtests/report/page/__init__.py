"""One offline page of a run: HTML with drawings in it, a style sheet and a small script.

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
from typing import TYPE_CHECKING

from backtests.records.contamination import scorer_line
from backtests.report.page.baselines import baselines
from backtests.report.page.claims import happened, moves
from backtests.report.page.data_card import audit, card, not_shown
from backtests.report.page.evidence import evidence
from backtests.report.page.markup import Markup, esc, table
from backtests.report.page.run_comparison import comparison
from backtests.report.page.timeline import timeline
from backtests.report.page.trades import costs, trades
from backtests.report.text.run import CLAIM_HEAD, RESULT_HEAD, audit_lines, claim_rows, limits, result_rows
from backtests.report.text.table import number

if TYPE_CHECKING:
    from backtests.runs.result import Result

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
    """A whole document around a body, with its policy, style and script."""
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


def _standfirst(result: Result) -> str:
    """The two sentences under the headline, put together from the run's own figures."""
    doc = result.document
    claimed = [row["symbol"] for row in doc["claims"]]
    rows = {each[0]: each for each in moves(result, doc["key_session"])}
    first = next((rows[symbol] for symbol in claimed if symbol in rows), None) or next(iter(rows.values()), None)
    told = ""
    if first:
        symbol, _, gap, left, whole = first
        told = (
            f"On {doc['key_session']} {symbol} closed {number(whole)} %. {number(gap)} % was there at the open; "
            f"{number(left)} % was left to anyone who waited for it. "
        )
    own = [each for each in doc["results"] if not each["baseline"]]
    baseline = [each for each in doc["results"] if each["baseline"]]
    for name, group in (("Own strategies", own), ("Baselines", baseline)):
        if group:
            returns = [each["return_pct"] for each in group]
            told += f"{name} made {number(min(returns), 1)} to {number(max(returns), 1)} %. "
    return told


def _scorer(result: Result) -> str:
    """The training cut-off of a scorer that has one, and what it means."""
    facts = result.document.get("scorer")
    line = esc(scorer_line(facts))
    if facts and facts["contaminated_for"]:
        line = Markup(f"<strong>{line}</strong>")
    return f'<p class="facts">{line}</p>' if line else ""


def html_page(result: Result) -> str:
    """The whole report as one offline page; the same result gives the same bytes."""
    doc = result.document
    window, heads = doc["window"], doc["headlines"]
    sections = [
        ("happened", happened(result)), ("news", timeline(result)), ("strategies", baselines(result)),
        ("trades", trades(result)), ("costs", costs(result)), ("evidence", evidence(result)),
        ("audit", audit(result)), ("card", card(result)), ("limits", not_shown(result)),
    ]  # fmt: skip
    there = {name for name, text in sections if text}
    nav = "".join(f'<li><a href="#{name}">{words}</a></li>' for name, words in _NAV if name in there)
    title = doc.get("title") or doc["episode"]
    head = (
        '<a class="skip" href="#main">Skip to the report</a><header><p class="kicker">Aftershock · a replay in which '
        f"nothing knows what was not known then</p><h1>{esc(title)}</h1>"
        f'<p class="standfirst">{esc(_standfirst(result))}</p>'
        f'<p class="facts">{window["start"]} to {window["end"]} · {window["sessions"]} sessions · '
        f"{heads['total']} headlines, {heads['used']} about AI, {heads['rejected']} rejected · "
        f"run {result.hash8}</p>{_scorer(result)}</header>"
        f'<nav aria-label="Sections"><ul>{nav}</ul></nav>'
    )
    body = "".join(text for _, text in sections)
    tip = '<div id="tip" hidden></div>'
    return shell(f"{title}: Aftershock", [head, f'<main id="main">{body}</main>', tip])


def compare_page(named: Sequence[tuple[str, Result]]) -> str:
    """One offline page of several runs, each with the name it is shown under."""
    title, body = comparison(named)
    return shell(f"{title}: Aftershock", [*body, '<div id="tip" hidden></div>'])


def notebook_view(result: Result) -> str:
    """The main tables, for a notebook's cell: no style, no script."""
    doc = result.document
    parts = [
        f"<h3>{esc(doc['episode'])}: {doc['window']['start']} to {doc['window']['end']}</h3>",
        table(CLAIM_HEAD, claim_rows(result), "Claims against prices", left=2),
        table(RESULT_HEAD, result_rows(result), "Strategies and baselines (·); costs in US dollars"),
        *(f"<p>{esc(line)}</p>" for line in audit_lines(result)),
        _scorer(result),
        "<ul>" + "".join(f"<li>{esc(limit)}</li>" for limit in limits(result)) + "</ul>",
    ]
    return Markup("\n".join(parts))
