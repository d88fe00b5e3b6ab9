"""Criticises a finished run: what its profit hangs on, and which baseline did as well without the news.

Shares are of the profit (or the loss) by absolute size. A share above 1 means that the rest went the other way.
Grades: severe from `SEVERE`, caution from `CAUTION`; they are conventions, fixed before any result was looked at. A
share that an even split would reach as well is no finding: of two sessions one always holds at least half.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from backtests.evidence.attribution.attribution import Attribution
from backtests.evidence.attribution.gap_split import made
from backtests.evidence.trials.trials import LEAST_ENTRIES
from backtests.records.metrics import LEAST_RETURNS, are_enough
from backtests.report.text.limits import entry_sessions
from backtests.report.text.table import number
from backtests.report.text.verdict import SURE, luck

if TYPE_CHECKING:
    from backtests.records.record import RunRecord

SEVERE, CAUTION = 0.5, 0.25  # share of the profit that hangs on one thing
GAP_ONLY = "gap-only"
ALIKE = 0.95  # correlation of session returns from which a strategy counts as its baseline again
NOTES = (
    "Cost sensitivity keeps the fills as they were; a strategy that trades less when trading costs more is not seen.",
    f"Grades of shares are conventions ({SEVERE:.0%} or more: severe; {CAUTION:.0%}: caution), not tests.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Holds one point of criticism."""

    code: str
    grade: str  # "severe", "caution", "fine" or "unknown"
    figure: float | None
    unit: str  # "share", "usd", "bps", "count" or "correlation"
    says: str  # a whole sentence

    def document(self) -> dict[str, Any]:
        """Returns it as JSON has it."""
        return {name: getattr(self, name) for name in ("code", "grade", "figure", "unit", "says")}


def criticise(
    record: RunRecord, attributions: Sequence[Attribution], trials: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Criticises every strategy of a run; as `evidence/critique.json` has it.

    Args:
        record: The run.
        attributions: From `attribute`.
        trials: The document of `evidence/trials.json`, None when the run is in no ledger.
    """
    rows = {each["label"]: each for each in record.document["results"]}
    curves = {each.strategy: each.pnl.equity for each in attributions}
    strategies = []
    for each in attributions:
        row = rows[each.strategy]
        findings = [_no_trades(each.strategy, record.document.get("nothing_to_trade", ()))]
        if each.pnl.holdings:
            findings = [
                *_trouble(row),
                *_stood_still(record, each),
                *_dependence(record, each),
                _gaps(each),
                _costs(row, record.config["broker"]["slippage_bps"]),
                _few(record, row),
            ]
            if not row["baseline"]:
                findings += [_baseline(row, rows), *_benchmark(row, record.document.get("benchmark"))]
                findings += [_gap_only(each.strategy, rows, curves)]
                findings += [_luck(each, trials)] if trials else []
        points = [finding.document() for finding in findings]
        strategies.append({"strategy": each.strategy, "baseline": row["baseline"], "findings": points})
    return {
        "name": "critique",
        "episode": record.document["episode"],
        "strategies": strategies,
        "notes": list(NOTES) if any(each.pnl.holdings for each in attributions) else [],
    }


def _no_trades(strategy: str, idle: Sequence[Mapping[str, str]]) -> Finding:
    """Tells a strategy that waited from one that could trade nothing."""
    reason = next((row["reason"] for row in idle if row["strategy"] == strategy), None)
    if reason is None:
        return Finding(code="no-trades", grade="fine", figure=0.0, unit="count", says="It never traded.")
    says = f"It could trade nothing in this episode: {reason}. Its return says nothing."
    return Finding(code="nothing-to-trade", grade="severe", figure=0.0, unit="count", says=says)


def _grade(share: float) -> str:
    return "severe" if share >= SEVERE else "caution" if share >= CAUTION else "fine"


def _word(profit: float) -> str:
    return "profit" if profit > 0 else "loss"


def _trouble(row: Mapping[str, Any]) -> list[Finding]:
    """Names ruin and margin calls."""
    found = []
    if row["ruined_on"]:
        says = f"It was ruined on {row['ruined_on']}: equity was not positive, and the account is frozen from then on."
        found.append(Finding(code="ruin", grade="severe", figure=row["return_pct"] / 100, unit="share", says=says))
    if row["margin_calls"]:
        calls = f"{row['margin_calls']} margin call{'s' * (row['margin_calls'] != 1)}"
        says = f"It had {calls}: the broker closed positions that the strategy wanted to hold."
        found.append(
            Finding(code="margin-calls", grade="severe", figure=float(row["margin_calls"]), unit="count", says=says)
        )
    return found


def _stood_still(record: RunRecord, each: Attribution) -> list[Finding]:
    """Names what it held when a share's bars ended, and its orders that waited for volume."""
    found = []
    for gone in record.document.get("delistings", ()):
        mine = [row for row in gone["closed"] if row["strategy"] == each.strategy]
        found += [_delisted(record, each.pnl.profit, gone, row) for row in mine]
    for halt in record.document.get("halts", ()):
        if count := halt["orders"].get(each.strategy):
            waited = f"{count} of its orders in {halt['symbol']} waited for volume"
            says = f"{waited} ({', '.join(halt['sessions'])}): it could not trade when it wanted to."
            found.append(Finding(code="halt", grade="caution", figure=float(count), unit="count", says=says))
    return found


def _delisted(record: RunRecord, profit: float, gone: Mapping[str, Any], row: Mapping[str, Any]) -> Finding:
    """Holds what a position was worth at the last close against the profit: what it was closed at is an assumption."""
    symbol, last = gone["symbol"], gone["last_session"]
    close = next(bar[5] for bar in record.tables["bars"].rows if bar[:2] == (symbol, last))
    worth = abs(row["shares"] * close)
    share = worth / abs(profit) if profit else None
    says = (
        f"It held {number(row['shares'], 0)} {symbol} when its bars ended on {last}; that they were closed at "
        f"{gone['paid_pct']:g} % of the last close is an assumption about {worth:,.0f} US dollars."
    )
    grade = "severe" if share is not None and share >= SEVERE else "caution"
    return Finding(code="delisting", grade=grade, figure=share, unit="share", says=says)


def _dependence(record: RunRecord, each: Attribution) -> list[Finding]:
    """Measures how much hangs on one session, one name, one source."""
    profit = each.pnl.profit
    sessions = {row["session"]: row["profit_usd"] for row in each.sessions}
    profits = each.profits()
    symbols: dict[str, float] = {}
    sources: dict[str, float] = {}
    for name, row in profits.items():
        for symbol, value in row.items():
            symbols[symbol] = symbols.get(symbol, 0.0) + value
        if name in each.items:
            source = each.items[name].headline.source
            sources[source] = sources.get(source, 0.0) + math.fsum(row.values())
    benchmark = (record.document.get("benchmark") or {}).get("symbol")
    traded = {symbol for members in record.document["sectors"].values() for symbol in members} - {benchmark}
    heard = {row["source"] for row in record.tables["scores"].records() if row["used"]}
    return [
        _one("one-day", profit, sessions, "on one session", (len(sessions), "the window has {} session{}")),
        _one("one-name", profit, symbols, "on one name", (len(traded | symbols.keys()), "there is {} name{} to trade")),
        _one(
            "one-source", profit, sources, "after headlines of one source",
            (len(heard | sources.keys()), "the news about AI has {} source{}"),
        ),
    ]  # fmt: skip


def _one(code: str, profit: float, parts: Mapping[str, float], where: str, among: tuple[int, str]) -> Finding:
    """Measures the largest part; `among` is how many parts there could have been, and how that is said."""
    choices, said = among
    if choices <= 1 / SEVERE:
        says = f"No finding where profit came {where}: {said.format(choices, 's' * (choices != 1))}."
        return Finding(code=code, grade="unknown", figure=None, unit="share", says=says)
    mine = {name: value / profit for name, value in parts.items() if name and profit and value * profit > 0}
    if not mine:
        return Finding(code=code, grade="unknown", figure=None, unit="share", says=f"Nothing was made or lost {where}.")
    name = max(mine, key=lambda each: mine[each])
    share = mine[name]
    says = f"{share * 100:.0f} % of the {_word(profit)} came {where}, {name}."
    grade = _grade(share)
    if grade == "caution" and choices <= 1 / CAUTION:
        grade = "fine"
    return Finding(code=code, grade=grade, figure=share, unit="share", says=says)


def _gaps(each: Attribution) -> Finding:
    """Measures how much was made while nobody could trade."""
    profit = each.pnl.profit
    gaps = math.fsum(made(holding)["later_gaps"] for holding in each.pnl.holdings)
    if not profit:
        return Finding(code="gaps", grade="unknown", figure=None, unit="share", says="Nothing was made or lost.")
    share = gaps / profit
    says = (
        f"Overnight gaps, while the position could not be changed, made {number(gaps, 0)} of the "
        f"{number(profit, 0)} US dollars."
    )
    return Finding(code="gaps", grade=_grade(abs(share)), figure=share, unit="share", says=says)


def _costs(row: Mapping[str, Any], slippage_bps: float) -> Finding:
    """Computes what is left at twice the costs, and at which slippage nothing is left."""
    paid = math.fsum(row["costs"].get(name) or 0.0 for name in ("commission", "slippage", "borrow"))
    profit = row["final_equity"] / (1 + row["return_pct"] / 100) * row["return_pct"] / 100
    twice = profit - paid
    before = profit + paid
    if profit > 0:
        grade = "severe" if twice <= 0 else "caution" if paid > profit else "fine"
        says = f"At twice the costs {number(twice, 0)} US dollars would be left of {number(profit, 0)}"
        slipped = row["costs"]["slippage"]
        if slipped > 0:
            says += (
                f"; at {slippage_bps * (1 + profit / slipped):,.0f} bps of slippage instead of {slippage_bps:g}, none"
            )
        says += "."
    elif before > 0:
        grade, says = "severe", f"Costs of {paid:,.0f} US dollars ate a gain of {number(before, 0)} before costs."
    else:
        grade, says = "fine", f"It lost before costs too ({number(before, 0)} US dollars), so costs are not the reason."
    return Finding(code="costs", grade=grade, figure=twice, unit="usd", says=says)


def _few(record: RunRecord, row: Mapping[str, Any]) -> Finding:
    """Counts the sessions in which it entered: names that are bought on one morning are nearly one case."""
    trades, entries = row["trades"] + row["open_positions"], entry_sessions(record, row["label"])
    says = f"It made {trades} trade{'s' * (trades != 1)}, entered in {entries} session{'s' * (entries != 1)}"
    if entries < LEAST_ENTRIES:
        says += f": fewer than {LEAST_ENTRIES}, so its ratios say nothing about chance"
    grade = "caution" if entries < LEAST_ENTRIES else "fine"
    return Finding(code="few-trades", grade=grade, figure=float(entries), unit="count", says=f"{says}.")


def _baseline(row: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]]) -> Finding:
    """Counts the baselines that did better."""
    baselines = {name: each["return_pct"] for name, each in rows.items() if each["baseline"]}
    if not baselines:
        says = "No baseline ran beside it; run it without --no-baselines to compare."
        return Finding(code="baseline", grade="unknown", figure=None, unit="count", says=says)
    better = sorted(
        (name for name in baselines if baselines[name] > row["return_pct"]), key=lambda name: -baselines[name]
    )
    if not better:
        says = f"None of {len(baselines)} baselines did better."
    else:
        shown = ", ".join(f"{name} ({number(baselines[name])} %)" for name in better)
        says = f"{len(better)} of {len(baselines)} baselines did better: {shown}."
    grade = "fine" if not better else "severe" if len(better) * 2 > len(baselines) else "caution"
    return Finding(code="baseline", grade=grade, figure=float(len(better)), unit="count", says=says)


def _benchmark(row: Mapping[str, Any], held: Mapping[str, Any] | None) -> list[Finding]:
    """Compares with buying and holding the benchmark."""
    if not held or held["return_pct"] is None:
        return []
    ahead = row["return_pct"] - held["return_pct"]
    word = "more" if ahead > 0 else "less"
    says = f"It made {abs(ahead):,.2f} points {word} than {held['symbol']} held ({number(held['return_pct'])} %)."
    grade = "fine" if ahead > 0 else "caution"
    return [Finding(code="benchmark", grade=grade, figure=ahead / 100, unit="share", says=says)]


def _gap_only(name: str, rows: Mapping[str, Mapping[str, Any]], curves: Mapping[str, Sequence[float]]) -> Finding:
    """Compares with the rule that sees no news: where it earned the same, the news added nothing."""
    label = next((each for each, row in rows.items() if row["strategy"] == GAP_ONLY), None)
    if label is None:
        says = "The rule that trades the gap without news did not run beside it."
        return Finding(code="gap-only", grade="unknown", figure=None, unit="correlation", says=says)
    if not are_enough(min(len(curves[name]), len(curves[label])) - 1):
        says = f"It cannot be compared with the gap alone: {LEAST_RETURNS} sessions are the least for a correlation."
        return Finding(code="gap-only", grade="unknown", figure=None, unit="correlation", says=says)
    found = _correlation(curves[name], curves[label])
    if found is None:
        says = "It cannot be compared with the gap alone: one of the two never moved."
        return Finding(code="gap-only", grade="unknown", figure=None, unit="correlation", says=says)
    beaten = rows[label]["return_pct"] >= rows[name]["return_pct"]
    if found >= ALIKE:
        grade, says = "severe", f"It moved like the gap alone (correlation {number(found)}): the news added nothing."
    elif beaten:
        grade, says = "caution", f"The gap alone did at least as well, by other moves (correlation {number(found)})."
    else:
        grade, says = "fine", f"It did better than the gap alone, by other moves (correlation {number(found)})."
    return Finding(code="gap-only", grade=grade, figure=found, unit="correlation", says=says)


def _correlation(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Correlates the session changes of two equity curves; None where one never moved."""
    left, right = ([after - before for before, after in pairwise(curve)] for curve in (one, other))
    size = min(len(left), len(right))
    left, right = left[-size:], right[-size:]
    means = math.fsum(left) / size, math.fsum(right) / size
    left, right = [each - means[0] for each in left], [each - means[1] for each in right]
    spread = math.fsum(each**2 for each in left) * math.fsum(each**2 for each in right)
    if not spread > 0:
        return None
    return math.fsum(a * b for a, b in zip(left, right, strict=True)) / math.sqrt(spread)


def _luck(strategy: Attribution, trials: Mapping[str, Any]) -> Finding:
    """Says what is left when one knows how many configurations were tried."""
    row = next((each for each in trials["strategies"] if each["strategy"] == strategy.strategy), None)
    dsr = row["dsr"] if row else None
    if strategy.pnl.profit <= 0:
        says = f"It lost, of {trials['tried']} configurations tried: there is no gain for luck to explain."
        return Finding(code="luck", grade="fine", figure=dsr, unit="share", says=says)
    says = luck(trials, row, "it")
    grade = "unknown" if dsr is None else "fine" if dsr >= SURE else "caution" if dsr >= 0.5 else "severe"
    return Finding(code="luck", grade=grade, figure=dsr, unit="share", says=f"{says[0].upper()}{says[1:]}.")
