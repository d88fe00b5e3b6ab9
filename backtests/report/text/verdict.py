"""Says in one sentence what a run came to: what could be traded, what was made of it, was it luck. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backtests.records.record import RunRecord
from backtests.report.text.limits import entry_sessions, returns_span
from backtests.report.text.table import number

SURE = 0.95  # deflated Sharpe ratio from which luck does not easily explain a result


def verdict(record: RunRecord) -> str:
    """Writes the verdict: one sentence, of the run's own figures alone."""
    parts = [part for part in (_tradable(record), _made(record), _luck(record)) if part]
    return "; ".join(parts)[:1].upper() + "; ".join(parts)[1:] + "."


def key_move(record: RunRecord, symbol: str, session: str) -> tuple[float, float, float] | None:
    """Returns a symbol's overnight gap, open to close and close to close in percent; None without its bars."""
    bars = [row for row in record.tables["bars"].rows if row[0] == symbol]
    row = next((index for index, each in enumerate(bars) if each[1] == session), 0)
    if not row:
        return None
    before, opened, close = bars[row - 1][5], bars[row][2], bars[row][5]
    return (opened / before - 1) * 100, (close / opened - 1) * 100, (close / before - 1) * 100


def _tradable(record: RunRecord) -> str:
    """Says how much of the key session's move was left to trade: of the first symbol claimed, else the largest."""
    session = record.document["key_session"]
    symbols = [symbol for members in record.document["sectors"].values() for symbol in members]
    found = {symbol: move for symbol in symbols if (move := key_move(record, symbol, session))}
    claimed = [row["symbol"] for row in record.document["claims"] if row["symbol"] in found]
    symbol = next(iter(claimed), None) or max(found, key=lambda each: abs(found[each][2]), default=None)
    if symbol is None:
        return f"the key session, {session}, is not in this window"
    gap, tradable, whole = found[symbol]
    return (
        f"on {session} {symbol} closed {number(whole)} %, of which {number(gap)} % was the overnight gap and "
        f"{number(tradable)} % could be traded from open to close"
    )


def _made(record: RunRecord) -> str:
    """Says what the strategies made against the benchmark."""
    rows = [row for row in record.document["results"] if not row["baseline"]]
    who = "strategies" if rows else "baselines"
    rows = rows or record.document["results"]
    returns = [row["return_pct"] for row in rows]
    benchmark = record.document.get("benchmark") or {}
    against = benchmark.get("return_pct")
    if not any(entry_sessions(record, row["label"]) for row in rows):
        text = "no strategy traded" if who == "strategies" else "no baseline traded"
        return text if against is None else f"{text} while {benchmark['symbol']} made {number(against, 1)} %"
    names = rows[0]["label"] if len(rows) == 1 else f"the {len(rows)} {who}"
    text = f"{names} made {returns_span(returns)}"
    if against is None:
        return text
    text += f" against {number(against, 1)} % of {benchmark['symbol']}"
    if len(rows) > 1:
        ahead = sum(value > against for value in returns)
        text += f", which {'none' if not ahead else 'all' if ahead == len(rows) else ahead} of them beat"
    return text


def _luck(record: RunRecord) -> str:
    """Says whether luck explains the best of the strategies."""
    rows = [row for row in record.document["results"] if not row["baseline"] and entry_sessions(record, row["label"])]
    if not rows:
        return ""
    best = max(rows, key=lambda row: row["return_pct"])
    if best["return_pct"] <= 0:
        return "there is no gain for luck to explain"
    name = best["label"] if len(rows) > 1 else "it"
    trials = record.evidence.get("trials")
    if trials is None:
        return "what was tried was not counted, so luck is not judged"
    return luck(trials, next((row for row in trials["strategies"] if row["strategy"] == best["label"]), None), name)


def luck(trials: Mapping[str, Any], row: Mapping[str, Any] | None, name: str) -> str:
    """Says what the count of trials leaves of one strategy's gain.

    Args:
        trials: The document of `evidence/trials.json`.
        row: The strategy's row in it, None where it has none.
        name: What to call the strategy.
    """
    if row is None or row.get("sharpe_annual", 0.0) is None:
        return f"the returns of {name} do not vary, so nothing can be said about luck"
    entries, least = row.get("entry_sessions"), trials.get("least_entry_sessions", 0)
    if row["dsr"] is None and entries is not None and entries < least:
        sessions = f"{entries} session{'s' * (entries != 1)}"
        says = f"luck cannot be ruled out: {name} entered in {sessions}, and below {least} no probability is given"
        return says + _interval(row)
    if row["dsr"] is None:
        return f"luck is not judged for {name}: {trials['says']}"
    dsr = row["dsr"]
    says = "luck does not easily explain" if dsr >= SURE else "luck alone could explain"
    tried = trials["tried"]
    counted = f"{tried} configuration{'s' * (tried != 1)} tried"
    return f"{says} what {name} made (deflated Sharpe ratio {dsr:.2f} after {counted}){_interval(row)}"


def _interval(row: Mapping[str, Any]) -> str:
    """Writes the interval of a strategy's return, where there is one."""
    found = row.get("intervals")
    if not found:
        return ""
    low, high = (number(value, 1) for value in found["return_pct"])
    return f", and redrawn sessions make its return {low} to {high} % in {found['level_pct']:g} of 100 cases"
