"""Keeps the account: cash, positions, what moves them, and margin; docs/broker.md has every formula.

No orders and no backtrader here.

Symbols are columns in fixed order; every sum runs in that order, so that another engine can add alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import Any, Protocol

from backtests.broker.records import CashFlow, DayEnd, Fill
from backtests.broker.terms import BrokerTerms
from backtests.episodes.prices import Action
from backtests.episodes.stock_loans import Loans

TINY = 1e-9  # relative; margin gaps below it are noise of floating-point arithmetic


class Position(Protocol):
    """Shares held and their average price; backtrader's is one."""

    size: float
    price: float

    def update(self, size: float, price: float, dt: Any = None) -> tuple[float, float, float, float]:
        """Adds shares; returns shares held, average price, shares that opened and shares that closed."""


class Account:
    """Keeps one account. Days are ordinals of dates."""

    def __init__(
        self,
        symbols: Sequence[str],
        positions: Sequence[Position],
        *,
        terms: BrokerTerms,
        actions: Sequence[Action] = (),
        adjusted: str = "splits",
        loans: Loans | None = None,
    ) -> None:
        """Opens the account with the terms' cash; `positions` are flat, in the order of `symbols`."""
        self.terms = terms
        self.symbols = tuple(symbols)
        self.positions = list(positions)
        self.column = {symbol: column for column, symbol in enumerate(symbols)}
        self.cash = terms.cash
        self.marks = [0.0] * len(self.symbols)  # last known prices; 0 before the first
        self.volumes = [0.0] * len(self.symbols)  # of the last session, in shares
        self.fills: list[Fill] = []
        self.flows: list[CashFlow] = []
        self.days: list[DayEnd] = []
        self.ruined_on: str | None = None
        self.margin_calls = 0
        self.called = False  # a call at the last close: no increases in this session
        self.day = 0  # of the session that runs, or of the last one; 0 before the first
        self.session = ""
        self._loans = loans or Loans()
        self._split = adjusted == "none"
        self._checked = (0, 0, terms.cash)  # fills, flows and cash at the last close
        self._actions: dict[int, list[Action]] = {}
        for action in sorted(actions, key=lambda each: each.kind != "split"):  # stable: else the file's order
            self._actions.setdefault(action.ex_date.toordinal(), []).append(action)

    # Phase a: the nights since the last session

    def begin(self, day: int) -> list[Action]:
        """Begins a session: borrow, interest, then corporate actions. Returns the splits that were applied."""
        last, self.day = self.day, day
        self.session = date.fromordinal(day).isoformat()
        applied: list[Action] = []
        if last:
            cash = self.cash
            self._borrow(last, day)
            if self.terms.cash_pct or self.terms.rebate_pct:
                self._interest(cash, day - last)
            if self._actions:
                for between in range(last + 1, day + 1):
                    applied += [each for each in self._actions.get(between, ()) if self._corporate_action(each)]
        return applied

    def _borrow(self, last: int, day: int) -> None:
        for column, position in enumerate(self.positions):
            size = position.size
            if size < 0:
                fee = 0.0
                for rate, nights in self._loans.rates(self.symbols[column], last, day, self.terms.borrow_pct):
                    fee += -size * self.marks[column] * rate / 100 * nights / 360
                self._flow(self.symbols[column], "borrow", -fee)

    def _interest(self, cash: float, nights: int) -> None:
        short = 0.0
        for position, mark in zip(self.positions, self.marks, strict=True):
            if position.size < 0:
                short += -position.size * mark
        credit = max(cash, 0.0)
        short = min(short, credit)
        earned = short * self.terms.rebate_pct + (credit - short) * self.terms.cash_pct
        if earned:
            self._flow("", "interest", earned / 100 * nights / 360)

    def _flow(self, symbol: str, kind: str, amount: float) -> None:
        self.cash += amount
        self.flows.append(CashFlow(session=self.session, symbol=symbol, kind=kind, amount=amount))

    def _corporate_action(self, action: Action) -> bool:
        """Carries out an action; returns whether it was a split that waiting orders must follow."""
        column = self.column.get(action.symbol)
        if column is None:
            return False
        position = self.positions[column]
        if action.kind == "dividend":
            if position.size:
                self._flow(action.symbol, "dividend", position.size * action.value)
            return False
        if not self._split:
            return False
        self.marks[column] /= action.value
        self.volumes[column] *= action.value
        if position.size:
            self._split_position(column, action.value)
        return True

    def _split_position(self, column: int, ratio: float) -> None:
        position = self.positions[column]
        position.size *= ratio
        position.price /= ratio
        left = position.size - self.terms.shares(position.size)
        if left:  # of whole shares: what is left over is paid out
            self.fill(column, -left, self.marks[column], 0.0, order=0, auction="fraction", forced=True, moment="")

    # Phases b to d: fills

    def fill(
        self,
        column: int,
        size: float,
        auction_price: float,
        slip: float,
        *,
        order: int,
        auction: str,
        forced: bool,
        moment: str,
        dt: Any = None,
    ) -> tuple[float, float, float, float, float, float]:
        """Books an execution at `slip` dollars per share worse than the auction's price.

        Returns:
            Price, commission, shares held, their average price, shares that opened, shares that closed.
        """
        price = auction_price + math.copysign(slip, size)
        commission = 0.0 if auction == "fraction" else abs(size) * price * self.terms.commission_bps / 10_000
        held, average, opened, closed = self.positions[column].update(size, price, dt)
        self.cash += -size * price
        self.cash += -commission
        self.fills.append(
            Fill(
                order=order,
                session=self.session,
                symbol=self.symbols[column],
                size=size,
                auction=auction,
                auction_price=auction_price,
                price=price,
                commission=commission,
                slippage=abs(size) * slip,
                forced=forced,
                position=held,
                moment=moment,
            )
        )
        return price, commission, held, average, opened, closed

    def locate(self, column: int, size: float) -> str:
        """Says why a sale may not make the position so short; "" when it may."""
        after = self.positions[column].size + size
        if size > 0 or after >= 0:
            return ""
        most = self._loans.max_shares(self.symbols[column], self.day)
        if self.terms.locate_pct:
            most = min(most, self.terms.locate_pct / 100 * self.volumes[column])
        return "" if -after <= most * (1 + TINY) else f"locate: {-after:g} shares short, {most:g} to be had"

    def totals(self, prices: Sequence[float]) -> tuple[float, float]:
        """Returns the value of the positions and the sum of its absolute parts at the given prices."""
        value = gross = 0.0
        for position, price in zip(self.positions, prices, strict=True):
            held = position.size
            if held:
                value += held * price
                gross += abs(held) * price
        return value, gross

    # Phases e and f: the close

    def value(self) -> float:
        """Returns the positions' value at the marks."""
        value = 0.0
        for position, mark in zip(self.positions, self.marks, strict=True):
            if position.size:
                value += position.size * mark
        return value

    def close(self) -> float:
        """Values the account, checks its balance and margin; returns the part of every position to be reduced.

        Raises:
            RuntimeError: Cash is not what fills and flows say; a defect of this program.
        """
        self._balance()
        value = needed = gross = 0.0
        held = []
        for symbol, position, mark in zip(self.symbols, self.positions, self.marks, strict=True):
            if position.size:
                each = position.size * mark
                value += each
                gross += abs(each)
                rate = self.terms.long_maintenance_pct if each > 0 else self.terms.short_maintenance_pct
                needed += abs(each) * rate / 100
                held.append((symbol, position.size, mark))
        equity = self.cash + value
        carried = max(gross * self.terms.initial_margin_pct / 100, needed)
        ruined = equity <= 0
        if ruined and self.ruined_on is None:
            self.ruined_on = self.session
        self.called = bool(held) and (ruined or needed > equity * (1 + TINY))
        self.margin_calls += self.called
        self.days.append(
            DayEnd(
                session=self.session,
                cash=self.cash,
                value=value,
                equity=equity,
                positions=tuple(held),
                margin_call=self.called,
                buying_power=0.0 if self.ruined_on else max(0.0, equity * 100 / self.terms.initial_margin_pct - gross),
            )
        )
        if not self.called:
            return 0.0
        return 1.0 if ruined else 1 - equity / carried

    def _balance(self) -> None:
        """Checks that the cash moved since the last close by what the new fills and flows say."""
        fills, flows, cash = self._checked
        moved = [cash, *(flow.amount for flow in self.flows[flows:])]
        for fill in self.fills[fills:]:
            moved += (-fill.size * fill.price, -fill.commission)
        expected = math.fsum(moved)
        if not abs(expected - self.cash) <= 1e-6 * max(1.0, abs(expected) / self.terms.cash):
            raise RuntimeError(f"the account does not balance on {self.session}: {self.cash} against {expected}")
        self._checked = (len(self.fills), len(self.flows), self.cash)
