"""Pairs fills into round trips: the rows of trades.csv. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backtests.broker.records import CashFlow, Fill


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """Holds a round trip: from flat to flat (or to the other side). Open ones have no `closed`."""

    symbol: str
    direction: str  # "long" or "short"
    opened: str  # ISO session
    closed: str  # "" while open
    shares: float  # most shares held
    entry_price: float  # average, slippage in it
    exit_price: float | None  # average so far, None while nothing was closed
    commission: float
    borrow: float  # paid, positive
    dividends: float  # received; negative when paid on a short
    pnl: float | None  # after all of these, None while open


@dataclass(slots=True)
class _Open:
    symbol: str
    opened: str
    sign: float
    bought: float = 0.0  # shares that entered, in today's shares
    spent: float = 0.0
    left: float = 0.0  # shares that went out
    got: float = 0.0
    most: float = 0.0
    commission: float = 0.0

    def close(self, closed: str, flows: Iterable[CashFlow]) -> Trade:
        mine = [
            flow
            for flow in flows
            if flow.symbol == self.symbol and self.opened < flow.session and (not closed or flow.session <= closed)
        ]
        borrow = 0.0 - math.fsum(flow.amount for flow in mine if flow.kind == "borrow")
        dividends = math.fsum(flow.amount for flow in mine if flow.kind == "dividend")
        gross = self.sign * (self.got - self.spent)
        return Trade(
            symbol=self.symbol,
            direction="long" if self.sign > 0 else "short",
            opened=self.opened,
            closed=closed,
            shares=self.most,
            entry_price=self.spent / self.bought,
            exit_price=self.got / self.left if self.left else None,
            commission=self.commission,
            borrow=borrow,
            dividends=dividends,
            pnl=gross - self.commission - borrow + dividends if closed else None,
        )


def round_trips(fills: Sequence[Fill], flows: Sequence[CashFlow]) -> list[Trade]:
    """Pairs fills into round trips, in order of their opening; open positions come last."""
    running: dict[str, _Open] = {}
    trades: list[Trade] = []
    for fill in fills:
        before = fill.position - fill.size
        if abs(before) < 1e-9:
            before = 0.0
        remaining = fill.size
        if before and before * fill.size < 0:
            trade = running[fill.symbol]
            split = before / (trade.sign * (trade.bought - trade.left))  # 1 unless a split came between
            trade.bought, trade.left, trade.most = trade.bought * split, trade.left * split, trade.most * split
            out = min(abs(before), abs(fill.size))
            trade.left += out
            trade.got += out * fill.price
            trade.commission += fill.commission * out / abs(fill.size)
            remaining = fill.size + (out if fill.size < 0 else -out)
            if abs(fill.position) < 1e-9 or fill.position * before < 0:
                trades.append(running.pop(fill.symbol).close(fill.session, flows))
        if abs(remaining) > 1e-9:
            sign = 1.0 if remaining > 0 else -1.0
            trade = running.setdefault(fill.symbol, _Open(symbol=fill.symbol, opened=fill.session, sign=sign))
            trade.bought += abs(remaining)
            trade.spent += abs(remaining) * fill.price
            trade.most = max(trade.most, trade.bought - trade.left)
            trade.commission += fill.commission * abs(remaining) / abs(fill.size)
    return trades + [trade.close("", flows) for trade in running.values()]
