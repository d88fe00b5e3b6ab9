"""An independent ledger: what the logs say, added up again without the engine, must be the book's equity.

Nothing of the account, the broker or the metrics is used here, only the files of a saved run and of its episode.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

import pytest

from backtests import load_episode, replay
from strategies.registry import rule_names

EPISODE = load_episode("deepseek-2025").folder
BORROW, SLIPPAGE, COMMISSION, CASH = 3.0, 7.0, 2.0, 250_000.0  # per cent a year, bp, bp, dollars


def rows(path: Path) -> list[dict[str, str]]:
    """A table's rows as texts."""
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def ledger(run: Path, strategy: str) -> dict[str, float]:
    """Equity by session, in US dollars, from orders, fills, prices and dividends alone."""
    bars = {(bar["symbol"], bar["date"]): bar for bar in rows(EPISODE / "prices.csv")}
    dividends = {(a["symbol"], a["ex_date"]): float(a["value"]) for a in rows(EPISODE / "actions.csv")
                 if a["kind"] == "dividend"}  # fmt: skip
    fills = [fill for fill in rows(run / "fills.csv") if fill["strategy"] == strategy]
    orders = {o["order"]: o for o in rows(run / "orders.csv") if o["strategy"] == strategy}
    filled: dict[str, float] = defaultdict(float)
    cash, held, equity, yesterday = CASH, defaultdict(float), {}, None
    for session in [row["session"] for row in rows(EPISODE / "sessions.csv")]:
        if not "2025-01-13" <= session <= "2025-02-07":
            continue
        today = date.fromisoformat(session)
        for symbol, shares in held.items():
            if shares < 0:
                close = float(bars[symbol, yesterday.isoformat()]["close"])
                cash += shares * close * BORROW / 100 * (today - yesterday).days / 360
            nights = (today - yesterday).days
            days = [(yesterday + timedelta(days=n + 1)).isoformat() for n in range(nights)]
            cash += shares * sum(dividends.get((symbol, day), 0.0) for day in days)
        for fill in (fill for fill in fills if fill["session"] == session):
            size, symbol = float(fill["size"]), fill["symbol"]
            price = float(bars[symbol, session][fill["auction"]]) * (1 + (1 if size > 0 else -1) * SLIPPAGE / 10_000)
            cash -= size * price + abs(size) * price * COMMISSION / 10_000
            held[symbol] += size
            filled[fill["order"]] += size
        equity[session] = cash + sum(n * float(bars[s, session]["close"]) for s, n in held.items() if n)
        yesterday = today
    assert all(filled[number] == float(order["filled"]) for number, order in orders.items())
    return equity


@pytest.fixture(scope="module", params=rule_names())
def run(request, tmp_path_factory):
    """A saved run of one built-in rule, found through the registry."""
    from backtests.book import BookTerms

    terms = BookTerms(cash=CASH, commission_bps=COMMISSION, slippage_bps=SLIPPAGE, borrow_pct=BORROW)
    folder = tmp_path_factory.mktemp("run")
    replay(load_episode("deepseek-2025"), request.param, terms=terms).save(folder)
    return folder


def test_the_logs_added_up_again_are_the_books_equity(run):
    """Cash, fees, borrow, dividends and equity of every session to a millionth of a dollar."""
    booked = {row["session"]: float(row["equity"]) for row in rows(run / "equity.csv")}
    names = {row["strategy"] for row in rows(run / "equity.csv")}
    again = ledger(run, *names)
    assert list(again) == list(booked)
    assert max(abs(again[session] - booked[session]) for session in booked) < 1e-6
