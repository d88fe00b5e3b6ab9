"""Draws the audit, the data card and what a run does not show."""

from __future__ import annotations

import tomli_w

from backtests.records.record import RunRecord
from backtests.records.run_card import run_card
from backtests.report.page.markup import Markup, esc, folded, listing, section, table
from backtests.report.text.run_report import audit_lines, limits


def audit(record: RunRecord) -> Markup:
    """Draws the section that says how the promise was checked."""
    found = record.document.get("audit")
    if found is None:
        return section("audit", "Audit", "This result was not audited; `backtest run` and `backtest audit` do it.")
    ok = not found["violations"]
    verdict = "No decision of this run used the future." if ok else "Decisions of this run knew the future."
    lead = f"{verdict} {audit_lines(record)[0][:1].upper()}{audit_lines(record)[0][1:]}."
    basis = record.document["headlines"]["by_basis"]
    names = {
        "live": "seen live by an archive",
        "backfill": "back-filled from captures",
        "import": "imported with the time they were seen",
        "assumed": "assumed: published plus the stated delay",
    }
    rows = [(names.get(name, name), str(count)) for name, count in basis.items()]
    return section("audit", "Audit", lead, table(("how the time of a headline is known", "headlines"), rows, "Clocks"))


def card(record: RunRecord) -> Markup:
    """Draws the data card: hashes of data, configuration and code, versions, seed."""
    made = run_card(record)
    rows = [("configuration", made["config_sha256"]), ("code", made["code_sha256"])]
    rows += [(f"data: {name}", digest) for name, digest in record.config["sources"].items()]
    hashed = [(name, Markup(f"<code>{esc(digest)}</code>")) for name, digest in rows]
    versions = [(name, version) for name, version in made["versions"].items()]
    return section(
        "card",
        "Data card",
        f"Run {made['hash']}. Seed: none, nothing in a run is random. The same data, configuration and code give the "
        "same bytes; `backtest verify` on the run's folder proves it.",
        table(("what", "SHA-256"), hashed, "Hashes", left=2),
        table(("package", "version"), versions, "Versions", left=2),
        folded("The whole configuration", f'<pre tabindex="0">{esc(tomli_w.dumps(record.config))}</pre>'),
    )


def not_shown(record: RunRecord) -> Markup:
    """Draws the list of what the run does not show."""
    return section("limits", "What this does not show", "", listing(limits(record)))
