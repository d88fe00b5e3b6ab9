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
from backtests.broker.terms import BrokerTerms
from strategies.registry import rule_names

EPISODE = load_episode("deepseek-2025").folder
BORROW, SLIPPAGE, COMMISSION, CASH = 3.0, 7.0, 2.0, 250_000.0  # per cent a year, bp, bp, dollars
REBATE, INTEREST = 1.5, 4.0  # per cent a year, on short proceeds and on other cash
DEAR = date(2025, 1, 22)  # from then on NVDA costs 40 % and MU 9 %
LOANS = {"NVDA": 40.0, "MU": 9.0}


def rows(path: Path) -> list[dict[str, str]]:
    """A table's rows as texts."""
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def ledger(run: Path, strategy: str) -> dict[str, float]:
    """Equity by session, in US dollars, from orders, fills, prices, dividends and rates alone."""
    bars = {(bar["symbol"], bar["date"]): bar for bar in rows(EPISODE / "prices.csv")}
    dividends = {(a["symbol"], a["ex_date"]): float(a["value"]) for a in rows(EPISODE / "actions.csv")
                 if a["kind"] == "dividend"}  # fmt: skip
    fills = [fill for fill in rows(run / "fills.csv") if fill["strategy"] == strategy]
    filled: dict[str, float] = defaultdict(float)
    cash, held, equity, last = CASH, defaultdict(float), {}, date(2025, 1, 10)
    for session in [row["session"] for row in rows(EPISODE / "sessions.csv")]:
        if not "2025-01-13" <= session <= "2025-02-07":
            continue
        nights = [last + timedelta(days=n) for n in range((date.fromisoformat(session) - last).days)]
        worth = {s: n * float(bars[s, last.isoformat()]["close"]) for s, n in held.items() if n}
        credit, shorts = max(cash, 0.0), -sum(value for value in worth.values() if value < 0)
        cash += (min(shorts, credit) * REBATE + max(credit - shorts, 0.0) * INTEREST) / 100 * len(nights) / 360
        for symbol, value in worth.items():
            for night in nights:
                rate = LOANS.get(symbol, BORROW) if night >= DEAR else BORROW
                cash += min(value, 0.0) * rate / 100 / 360
                cash += held[symbol] * dividends.get((symbol, (night + timedelta(days=1)).isoformat()), 0.0)
        for fill in (fill for fill in fills if fill["session"] == session):
            size, symbol = float(fill["size"]), fill["symbol"]
            price = float(bars[symbol, session][fill["auction"]]) * (1 + (1 if size > 0 else -1) * SLIPPAGE / 10_000)
            cash -= size * price + abs(size) * price * COMMISSION / 10_000
            held[symbol] += size
            filled[fill["order"]] += size
        equity[session] = cash + sum(n * float(bars[s, session]["close"]) for s, n in held.items() if n)
        last = date.fromisoformat(session)
    orders = {o["order"]: float(o["filled"]) for o in rows(run / "orders.csv") if o["strategy"] == strategy}
    assert {number: size for number, size in orders.items() if size} == dict(filled)
    return equity


@pytest.fixture(scope="module", params=["open", "open,close"])
def run(request, tmp_path_factory):
    """A saved run of every built-in rule, found through the registry, with dated rates and interest."""
    folder = tmp_path_factory.mktemp("run")
    loans = tmp_path_factory.mktemp("given") / "loans.csv"
    loans.write_text("symbol,valid_from,rate_pct\n" + "".join(f"{s},{DEAR},{rate}\n" for s, rate in LOANS.items()))
    terms = BrokerTerms(
        cash=CASH, commission_bps=COMMISSION, slippage_bps=SLIPPAGE, borrow_pct=BORROW, rebate_pct=REBATE,
        cash_pct=INTEREST, auctions=request.param,
    )  # fmt: skip
    episode = load_episode("deepseek-2025", loans=loans)
    replay(episode, [*rule_names()], terms=terms).save(folder)
    return folder


@pytest.mark.parametrize("rule", rule_names())
def test_the_logs_added_up_again_are_the_books_equity(run, rule):
    """Cash, fees, borrow, interest, dividends and equity of every session to a millionth of a dollar."""
    booked = {row["session"]: float(row["equity"]) for row in rows(run / "equity.csv") if row["strategy"] == rule}
    again = ledger(run, rule)
    assert list(again) == list(booked)
    assert len(booked) == 19
    assert max(abs(again[session] - booked[session]) for session in booked) < 1e-6
