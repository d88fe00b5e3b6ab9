"""Draws trades with the headlines behind them, and what trading cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backtests.records import metrics
from backtests.records.record import RunRecord
from backtests.report.page import svg, years
from backtests.report.page.markup import Markup, esc, figure, folded, section, table, title_of
from backtests.report.page.timeline import Row
from backtests.report.text.table import number

_SHOWN = 4  # headlines named per entry
_HEAD = ("opened", "symbol", "side", "closed", "shares", "entry", "exit", "costs", "dividends", "profit")


def _behind(record: RunRecord, strategy: str) -> dict[str, list[str]]:
    """Finds the headlines behind the trades that a strategy opened in a session: ids, each once."""
    gaps = record.evidence.get("gaps", {})
    found: dict[str, dict[str, None]] = {}
    for trade in gaps.get("trades", ()):
        if trade["strategy"] == strategy:
            found.setdefault(trade["opened"], {}).update(dict.fromkeys(trade["headlines"]))
    return {session: list(ids) for session, ids in found.items()}


def _costs(trade: Row) -> float:
    return float(trade["commission"] + trade["borrow"])


def _made(trade: Row) -> float:
    return float(trade["pnl"] or 0.0)


def _profit(trades: Sequence[Row]) -> float:
    return sum(map(_made, trades))


def _entry(session: str, trades: Sequence[Row], ids: Sequence[str], by_id: Mapping[str, Row]) -> str:
    closed = [row for row in trades if row["pnl"] is not None]
    profit = _profit(trades)
    longs = [row["symbol"] for row in trades if row["direction"] == "long"]
    shorts = [row["symbol"] for row in trades if row["direction"] == "short"]
    sides = "; ".join(f"{side} {', '.join(names)}" for side, names in (("long", longs), ("short", shorts)) if names)
    known = [by_id[each] for each in ids if each in by_id]
    known.sort(key=lambda row: (-abs(row["sentiment"] * row["relevance"] * row["story_weight"]), row["known_at"]))
    items = "".join(
        f"<li><span class='when'>{esc(row['known_at'][5:16].replace('T', ' '))}</span> "
        f"<span class='score'>{number(row['sentiment'])}</span> "
        f"{title_of(row['title'], row['link'], row['language'])}</li>"
        for row in known[:_SHOWN]
    )
    more = f"<li>and {len(known) - _SHOWN} more</li>" if len(known) > _SHOWN else ""
    why = f"<ol class='behind'>{items}{more}</ol>" if items else "<p class='note'>No headline stands behind these.</p>"
    made = f"{number(profit, 0)} US dollars" if closed else "still open"
    return f"<li><p><strong>{esc(session)}</strong> {esc(sides)}: <strong>{made}</strong></p>{why}</li>"


def _rows(trades: Sequence[Row]) -> list[tuple[str, ...]]:
    return [
        (
            row["opened"],
            row["symbol"],
            row["direction"],
            row["closed"] or "open",
            number(row["shares"], 0 if row["shares"] == int(row["shares"]) else 2, sign=False),
            number(row["entry_price"], sign=False),
            number(row["exit_price"], sign=False),
            number(_costs(row), sign=False),
            number(row["dividends"]),
            number(row["pnl"], 0),
        )
        for row in trades
    ]


def _count(number_: int, noun: str) -> str:
    return f"{number_} {noun}{'s' * (number_ != 1)}"


def trades(record: RunRecord) -> Markup:
    """Draws the section of trades."""
    by_id = {row["id"]: row for row in record.tables["scores"].records()}
    all_trades = record.tables["trades"].records()
    parts = []
    for each in record.document["results"]:
        mine = [row for row in all_trades if row["strategy"] == each["label"]]
        entries: dict[str, list[Row]] = {}
        for row in sorted(mine, key=lambda row: row["opened"]):
            entries.setdefault(row["opened"], []).append(row)
        if not mine:
            parts.append(f"<p><strong>{esc(each['label'])}</strong>: no trade.</p>")
            continue
        behind = _behind(record, each["label"])
        shown, rows = list(entries.items()), mine
        if years.is_long(record.document["window"]["sessions"]):
            shown, rows = years.largest(shown, lambda entry: _profit(entry[1])), years.largest(mine, _made)
        items = "".join(_entry(session, opened, behind.get(session, ()), by_id) for session, opened in shown)
        listed = table(_HEAD, _rows(rows), f"Trades of {each['label']}; prices and money in US dollars", left=3)
        parts.append(
            folded(
                f"{each['label']}: {_count(len(mine), 'position')} opened in {_count(len(entries), 'session')}",
                years.left_to(len(entries) - len(shown), "trades.csv", "entries that made or lost less"),
                f"<ol class='entries'>{items}</ol>",
                folded(
                    "Each trade" if len(rows) == len(mine) else "The largest trades",
                    years.left_to(len(mine) - len(rows), "trades.csv", "trades that made or lost less"),
                    listed,
                ),
            )
        )
    lead = (
        "A trade is a round trip in one symbol. Behind each entry stand the headlines that were known in time for it "
        "and moved the signal, strongest first, with their score."
    )
    return section("trades", "Trades, and the headlines behind them", lead, *parts)


_KINDS = (("commission", "commission"), ("slippage", "slippage"), ("borrow", "borrow"), ("dividends", "dividends paid"))


def _cost_bars(results: Sequence[Mapping[str, Any]], cash: float, width: float) -> Markup:
    left, right, top, step = (150.0 if width > 500 else 118.0), width - 52, 8.0, 24.0
    paid = [[max(each["costs"][key], 0.0) for key, _ in _KINDS] for each in results]
    most = max([sum(row) for row in paid] + [1e-9])
    x = svg.scale(0, most, left, right)
    parts = []
    for index, (each, row) in enumerate(zip(results, paid, strict=True)):
        y, place = top + index * step, 0.0
        parts.append(svg.text(left - 6, y + 13, each["label"], "label", "end"))
        for (key, _), value in zip(_KINDS, row, strict=True):
            parts.append(svg.rect(x(place), y + 2, x(place + value) - x(place), 14, f"cost-{key}"))
            place += value
        parts.append(svg.text(x(place) + 4, y + 13, f"{sum(row) / cash * 100:.2f} %", "value"))
    worst = max(range(len(paid)), key=lambda index: sum(paid[index]))
    label = f"What trading cost each strategy; most for {results[worst]['label']}. All figures are in the table above."
    return svg.drawing(width, top + step * len(results) + 4, label, parts)


def _terms(record: RunRecord) -> str:
    """States the run's own rates."""
    terms = record.config["broker"]
    own = " or the rate of the table of loans" if any("loans" in place for place in record.inputs) else ""
    return (
        f"Commission is {terms['commission_bps']:g} bps of what is traded, slippage {terms['slippage_bps']:g} bps of "
        f"the auction's price on every fill, borrow {terms['borrow_pct']:g} % a year{own} on shorts for every calendar "
        "night."
    )


def costs(record: RunRecord) -> Markup:
    """Draws the section of costs."""
    results, cash = record.document["results"], record.config["broker"]["cash"]
    kinds, rows = metrics.costs(), []
    for each in results:
        money = [kind.of(each) or 0.0 for kind in kinds]
        total, profit = sum(money), each["final_equity"] - cash
        rows.append((each["label"], *(number(value, 0) for value in (*money, total, profit + total, profit))))
    head = ("strategy", *(kind.key for kind in kinds), "all costs", "profit before", "profit after")
    legend = "".join(f'<span class="key cost-{key}"></span>{esc(name)} ' for key, name in _KINDS)
    drawn = svg.both(lambda width: _cost_bars(results, cash, width))
    received = " Dividends received are not drawn." if any(each["costs"]["dividends"] < 0 for each in results) else ""
    return section(
        "costs",
        "What it cost",
        _terms(record),
        f'<p class="legend">{legend}</p>',
        figure(f"Costs in percent of the cash at the start.{received}", *drawn),
        table(head, rows, "Costs, and profit before and after them, US dollars; paid +, received −"),
    )
