"""Draws the audit, the data card and what a run does not show."""

from __future__ import annotations

import tomli_w

from backtests.records.record import RunRecord
from backtests.records.run_card import run_card
from backtests.report.page.markup import Markup, esc, folded, listing, section, table
from backtests.report.text.limits import limits


def audit(record: RunRecord) -> Markup:
    """Draws the section that says how the promise was checked."""
    found = record.document.get("audit")
    if found is None:
        return section("audit", "Audit", "This result was not audited; `backtest run` and `backtest audit` do it.")
    checked = f"{found['decisions']:,} decisions were made again with what came after them replaced"
    if found["violations"]:
        verdict = f"Decisions of this run knew the future: of {checked}, {found['violations']:,} differed."
    elif found.get("unproved"):
        verdict = f"Not proved: {checked}, and none differed; but this cannot be judged:"
    else:
        verdict = f"No decision of this run used the future: {checked}, and none differed."
    basis = record.document["headlines"]["by_basis"]
    names = {
        "live": "seen live by an archive",
        "backfill": "back-filled from captures",
        "import": "imported with the time they were seen",
        "assumed": "assumed: published plus the stated delay",
    }
    rows = [(names.get(name, name), str(count)) for name, count in basis.items()]
    clocks = table(("how the time of a headline is known", "headlines"), rows, "Clocks")
    return section("audit", "Audit", verdict, listing(found.get("unproved", ())), clocks)


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
        f"Run {made['hash']}. {_randomness(record)} `backtest verify` on the run's folder makes it again from the "
        "data, configuration and code named here, and compares the bytes.",
        table(("what", "SHA-256"), hashed, "Hashes", left=2),
        table(("package", "version"), versions, "Versions", left=2),
        folded("The whole configuration", f'<pre tabindex="0">{esc(tomli_w.dumps(record.config))}</pre>'),
    )


def _randomness(record: RunRecord) -> str:
    """Says what of a run may be random: only what a user's own file draws."""
    own = [row["name"] for row in record.config["strategies"] if "code" in row]
    if own:
        return f"No seed: only the user's own {', '.join(own)} could draw random numbers."
    return "No seed: no strategy of this run draws random numbers."


def not_shown(record: RunRecord) -> Markup:
    """Draws the list of what the run does not show."""
    return section("limits", "What this does not show", "", listing(limits(record)))
