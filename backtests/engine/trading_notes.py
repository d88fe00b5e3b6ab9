"""Reports where trading stood still in a run: orders that waited, shares whose bars ended, nothing to trade at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from backtests.broker.terms import BrokerTerms, share_value
from backtests.broker.trading_status import NO_VOLUME, delistings
from backtests.engine.replayed import Replayed
from backtests.episodes.episode import Episode

Named = Sequence[tuple[str, Replayed]]  # a strategy's label and its replay


def trading_findings(episode: Episode, terms: BrokerTerms, replays: Named) -> dict[str, list[dict[str, Any]]]:
    """Returns `halts` and `delistings` for a run's document; a list that would be empty is left out.

    Returns:
        halts: One row per symbol: `symbol`, `sessions` (ISO dates without volume in which orders waited), and `orders`
            (how many waited, by strategy).
        delistings: One row per share whose bars end inside the window: `symbol`, `last_session`, `paid_pct` (of the
            last close), and `closed` (strategy, shares, price in US dollars of each position closed so).
    """
    findings = {"halts": _halts(replays), "delistings": _delistings(episode, terms, replays)}
    return {name: rows for name, rows in findings.items() if rows}


def idle_strategies(reasons: Iterable[tuple[str, str]]) -> dict[str, list[dict[str, Any]]]:
    """Returns `nothing_to_trade` for a run's document: `strategy` and `reason` of each that no symbol is for; or {}."""
    rows = [{"strategy": name, "reason": reason} for name, reason in reasons if reason]
    return {"nothing_to_trade": rows} if rows else {}


def trading_notes(findings: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Returns the same as lines for a reader."""
    idle: dict[str, list[str]] = {}
    for row in findings.get("nothing_to_trade", ()):
        idle.setdefault(row["reason"], []).append(row["strategy"])
    lines = [
        f"NOTHING TO TRADE for {', '.join(names)}: {reason}; a return of 0.00 % says nothing here (sectors=A+B trades "
        "other sectors)"
        for reason, names in idle.items()
    ]
    for row in findings.get("halts", ()):
        orders = ", ".join(f"{count} of {name}" for name, count in row["orders"].items())
        lines.append(f"{row['symbol']}: no volume on {', '.join(row['sessions'])}; orders waited: {orders}")
    for row in findings.get("delistings", ()):
        closed = ", ".join(f"{each['strategy']} {each['shares']:+g} shares" for each in row["closed"])
        lines.append(
            f"{row['symbol']}: bars end on {row['last_session']}, inside the window; taken as delisted at "
            f"{row['paid_pct']:g} % of its last close (delisting=last|zero|PCT); closed: {closed or 'no position'}"
        )
    return lines


def _halts(replays: Named) -> list[dict[str, Any]]:
    sessions: dict[str, set[str]] = {}
    orders: dict[str, dict[str, int]] = {}
    for name, replayed in replays:
        for order in replayed.orders:
            _, waited, days = order.reason.partition(NO_VOLUME)
            if waited:
                sessions.setdefault(order.symbol, set()).update(days.split(", "))
                counts = orders.setdefault(order.symbol, {})
                counts[name] = counts.get(name, 0) + 1
    return [
        {"symbol": symbol, "sessions": sorted(sessions[symbol]), "orders": orders[symbol]} for symbol in sorted(orders)
    ]


def _delistings(episode: Episode, terms: BrokerTerms, replays: Named) -> list[dict[str, Any]]:
    minutes = episode.intraday
    traded = episode.tradable if minutes is None else [each for each in episode.tradable if each in minutes.bars]
    rows = []
    for each in delistings(episode, traded):
        value = share_value(terms.delisting) if each.value is None else each.value
        closed = [
            {"strategy": name, "shares": -fill.size, "price": fill.price}
            for name, replayed in replays
            for fill in replayed.fills
            if fill.auction == "delisting" and fill.symbol == each.symbol
        ]
        last = date.fromordinal(each.last).isoformat()
        rows.append({"symbol": each.symbol, "last_session": last, "paid_pct": value * 100, "closed": closed})
    return rows
