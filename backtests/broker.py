"""The honest broker: backtrader's order and position objects on a book of our own.

A session has phases:

    a  splits, dividends and borrow for the nights since the last session, straight into cash
    b  opening auction: forced orders, then legs that reduce, then legs that increase (initial margin is
       checked at the real open); an order that turns a position round is split into both legs
    c  closing auction, for orders that ask for it, in the same order
    d  valuation at the close
    e  maintenance margin; a call queues forced orders for the next open

backtrader's own broker caps slippage at the bar's range, lets shorts grow without margin and drops orders
without a word when cash falls short at the open; none of its execution is used here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date
from typing import Any

import backtrader as bt

from backtests.book import BookTerms, CashFlow, DayEnd, Fill, OrderRecord
from backtests.prices import Action

_TINY = 1e-9  # relative; orders and margin gaps below it are noise of floating-point arithmetic


class HonestBroker(bt.brokers.BackBroker):
    """Fills market orders at the auctions of a session and keeps the whole book.

    Params:
        terms: The `BookTerms`.
        actions: Corporate actions by ex-date.
        adjusted: "splits" when the prices already have splits in them, "none" when positions must be split.
    """

    params = (("terms", None), ("actions", ()), ("adjusted", "splits"))

    def init(self) -> None:
        """Empties the book."""
        super().init()
        self.terms: BookTerms = self.p.terms
        self.cash = self._value = self.startingcash = self.terms.cash
        self.fills: list[Fill] = []
        self.records: list[OrderRecord] = []
        self.flows: list[CashFlow] = []
        self.days: list[DayEnd] = []
        self.ruined_on: str | None = None
        self.margin_calls = 0
        self._marks: dict[Any, float] = {}  # last known price of each listed symbol
        self._today = 0.0
        self._last = 0.0
        self._call = False  # forced orders are queued: no increases until they are through
        self._moved = [self.terms.cash]  # every change of cash, to check the balance against
        self._by_session: dict[int, list[Action]] = {}
        for action in self.p.actions:
            self._by_session.setdefault(action.ex_date.toordinal(), []).append(action)

    # The clock of one session

    def next(self) -> None:
        """Runs one session through its phases."""
        datas = self.cerebro.datas
        self._today = max(data.datetime[0] for data in datas if len(data))
        present = [data for data in datas if len(data) and data.datetime[0] == self._today]
        while self.submitted:
            self.submit_accept(self.submitted.popleft())
        self._nights()
        called = self._call
        self._auction(present, "open", called=called)
        self._auction(present, "close", called=called)
        for data in present:
            self._marks[data] = data.close[0]
        self._call = False
        self._close_books(self._value_now())
        self._last = self._today

    def _iso(self, day: float) -> str:
        return date.fromordinal(int(day)).isoformat()

    def _move(self, amount: float) -> None:
        self.cash += amount
        self._moved.append(amount)

    def _nights(self) -> None:
        """Phase a: corporate actions and borrow since the last session."""
        if not self._last:
            return
        nights = int(self._today) - int(self._last)
        for data in self.cerebro.datas:
            position = self.positions[data]
            if position.size < 0:
                fee = -position.size * self._marks[data] * self.terms.borrow_pct / 100 * nights / 360
                self._flow(data, "borrow", -fee)
        for day in range(int(self._last) + 1, int(self._today) + 1):
            for action in self._by_session.get(day, ()):
                self._corporate_action(action)

    def _flow(self, data: Any, kind: str, amount: float) -> None:
        self._move(amount)
        self.flows.append(CashFlow(session=self._iso(self._today), symbol=data._name, kind=kind, amount=amount))

    def _corporate_action(self, action: Action) -> None:
        for data in self.cerebro.datas:
            position = self.positions[data]
            if data._name != action.symbol or not position.size:
                continue
            if action.kind == "dividend":
                self._flow(data, "dividend", position.size * action.value)
            elif self.p.adjusted == "none":
                position.size *= action.value
                position.price /= action.value
                self._marks[data] /= action.value

    # Auctions

    def _auction(self, present: Iterable[Any], auction: str, *, called: bool) -> None:
        """Phases b and c: meets every order that asks for this auction and whose symbol trades today."""
        here = set(present)
        wanted = bt.Order.Close if auction == "close" else bt.Order.Market
        orders = [order for order in self.pending if order.data in here and order.exectype == wanted]
        if not orders:
            return
        prices = {data: (data.open if auction == "open" else data.close)[0] for data in here}
        orders.sort(key=lambda order: not order.info.get("forced"))  # stable: forced ones first
        for order in orders:
            self._reduce(order, prices[order.data], auction)
        for order in orders:
            self._increase(order, prices, auction, called=called)
        for order in orders:
            self.pending.remove(order)
            self._finish(order)

    def _reduce(self, order: Any, price: float, auction: str) -> None:
        held = self.positions[order.data].size
        asked = order.executed.remsize
        if held * asked < 0:
            self._fill(order, math.copysign(min(abs(held), abs(asked)), asked), price, auction)

    def _increase(self, order: Any, prices: dict[Any, float], auction: str, *, called: bool) -> None:
        asked = order.executed.remsize
        if not asked:
            return
        if order.info.get("forced"):
            order.addinfo(refused="position already closed")
        elif self.ruined_on is not None:
            order.addinfo(refused=f"ruined on {self.ruined_on}")
        elif called:
            order.addinfo(refused="margin call: no increases on that day")
        elif not self._affords(order.data, asked, prices):
            order.addinfo(refused="initial margin: equity at the auction is too small")
        else:
            self._fill(order, asked, prices[order.data], auction)

    def _affords(self, data: Any, size: float, prices: dict[Any, float]) -> bool:
        """Whether equity at the auction's prices covers the initial margin after the trade and its costs."""
        equity = self.cash
        gross = 0.0
        for each in self.cerebro.datas:
            held = self.positions[each].size
            mark = prices.get(each, self._marks.get(each, 0.0))
            equity += held * mark
            gross += abs(held + (size if each is data else 0.0)) * mark
        traded = abs(size) * prices[data]
        equity -= traded * (self.terms.slippage_bps + self.terms.commission_bps) / 10_000
        needed = gross * self.terms.initial_margin_pct / 100
        return not needed > equity * (1 + _TINY)

    def _fill(self, order: Any, size: float, auction_price: float, auction: str) -> None:
        """Books one execution: position, cash, backtrader's order, in that order."""
        data = order.data
        slip = auction_price * self.terms.slippage_bps / 10_000
        price = auction_price + math.copysign(slip, size)
        commission = abs(size) * price * self.terms.commission_bps / 10_000
        position = self.positions[data]
        entry = position.price
        held, average, opened, closed = position.update(size, price, data.datetime.datetime())
        self._move(-size * price)
        self._move(-commission)
        share = abs(opened / size)
        comminfo = self.getcommissioninfo(data)
        order.execute(
            data.datetime[0],
            size,
            price,
            closed,
            closed * entry,
            commission * (1 - share),
            opened,
            opened * price,
            commission * share,
            comminfo.margin,
            -closed * (price - entry),
            held,
            average,
        )
        order.addcomminfo(comminfo)
        self.fills.append(
            Fill(
                order=order.ref,
                session=self._iso(self._today),
                symbol=data._name,
                size=size,
                auction=auction,
                auction_price=auction_price,
                price=price,
                commission=commission,
                slippage=abs(size) * slip,
                forced=bool(order.info.get("forced")),
                position=held,
            )
        )

    def _finish(self, order: Any) -> None:
        """Writes down an order's fate after its auction."""
        reason = order.info.get("refused") or ""
        if reason:
            order.margin()
        self._record(order, self._iso(self._today), reason)
        self.notify(order)

    def _record(self, order: Any, session: str, reason: str) -> None:
        filled = order.created.size - order.executed.remsize
        fate = "filled" if not reason else "partly" if filled else "refused" if session else "expired"
        self.records.append(
            OrderRecord(
                order=order.ref,
                decided=self._iso(order.created.dt),
                session=session,
                symbol=order.data._name,
                size=order.created.size,
                filled=filled,
                fate=fate,
                reason=reason,
                forced=bool(order.info.get("forced")),
            )
        )

    # The close

    def _value_now(self) -> float:
        value = 0.0
        for data in self.cerebro.datas:
            held = self.positions[data].size
            if held:
                value += held * self._marks[data]
        return value

    def _close_books(self, value: float) -> None:
        """Phases d and e: values the book, checks its balance and its margin."""
        self._value = self.cash + value
        self._valuemkt = self._valuemktlever = value
        self._valuelever = self._value
        balance = math.fsum(self._moved)
        if abs(balance - self.cash) > 1e-6 * max(1.0, abs(balance) / self.terms.cash):
            raise RuntimeError(f"the book does not balance on {self._iso(self._today)}: {self.cash} against {balance}")
        called = self._maintenance()
        self.days.append(
            DayEnd(
                session=self._iso(self._today),
                cash=self.cash,
                value=value,
                equity=self._value,
                positions=tuple(
                    (data._name, self.positions[data].size, self._marks[data])
                    for data in self.cerebro.datas
                    if self.positions[data].size
                ),
                margin_call=called,
            )
        )

    def _maintenance(self) -> bool:
        """Checks the maintenance margin at the close; a call queues forced orders for the next open."""
        needed = initial = 0.0
        for data in self.cerebro.datas:
            value = self.positions[data].size * self._marks.get(data, 0.0)
            rate = self.terms.long_maintenance_pct if value > 0 else self.terms.short_maintenance_pct
            needed += abs(value) * rate / 100
            initial += abs(value) * self.terms.initial_margin_pct / 100
        ruined = self._value <= 0
        if ruined and self.ruined_on is None:
            self.ruined_on = self._iso(self._today)
        if not initial or not (ruined or needed > self._value * (1 + _TINY)):
            return False
        self.margin_calls += 1
        self._call = True
        part = 1.0 if ruined else min(1.0, 1 - self._value / initial)
        for data in self.cerebro.datas:
            self._force(data, part)
        return True

    def _force(self, data: Any, part: float) -> None:
        """Queues the reduction of a position by `part`, rounded away from zero, for the next open."""
        held = self.positions[data].size
        size = min(abs(held), abs(held) * part if self.terms.fractional else float(math.ceil(abs(held) * part)))
        if size:
            trade = self.sell if held > 0 else self.buy
            trade(self.cerebro.runningstrats[0], data, size, exectype=bt.Order.Market, forced=True)

    def stop(self) -> None:
        """Ends the book: what is still waiting gets its fate."""
        for order in [*self.submitted, *self.pending]:
            self._record(order, "", "expired, end of window")
        super().stop()

    def _get_value(self, datas: Any = None, lever: bool = False) -> float:
        """Value of the given symbols at their last known price, of the whole book without any."""
        if datas is None:
            return float(self._value)
        return float(sum(self.positions[data].size * self._marks.get(data, 0.0) for data in datas))
