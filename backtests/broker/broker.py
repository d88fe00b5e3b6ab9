"""Fills backtrader's orders on an account of our own, at prices that could be had.

A session has phases; docs/broker.md has every formula:

    a  nights: borrow, interest, dividends, splits
    b  opening auction: forced orders, then legs that reduce, then legs that increase (margin is checked at the
       real open); an order that turns a position round is split into both legs
    c  stops and limits inside the session
    d  closing auction, for orders that ask for it, in the same order as b
    e  valuation at the close
    f  maintenance margin; a call queues forced orders for the next open

With bars of minutes b and c happen on each bar, d to f on a session's last. backtrader's own broker caps slippage
at the bar's range, lets shorts grow without margin and drops orders without a word when cash falls short at the
open; none of its execution is used here. Between b and d the replay of a rule may be asked, see `before_close`.
"""

from __future__ import annotations

import collections
import math
from collections.abc import Callable, Container, Mapping, Sequence
from datetime import date
from typing import Any

import backtrader as bt

from backtests.broker.account import Account
from backtests.broker.execution import OrderDesk
from backtests.broker.orders import check_order, is_expired
from backtests.broker.records import OrderRecord
from backtests.broker.terms import BrokerTerms
from backtests.broker.trading_status import NO_VOLUME


class _Shares(bt.CommInfoBase):
    """Rounds sizes for backtrader's `order_target_*`; costs are the account's business."""

    params = (("terms", None), ("percabs", True))

    def getsize(self, price: float, cash: float) -> float:
        return float(self.p.terms.shares(cash / price))


class HonestBroker(bt.brokers.BackBroker):
    """Fills orders at the auctions and inside the sessions, and keeps the account.

    It takes market, close, stop and limit orders; any other kind is an `InputError` when it is made.

    Params:
        terms: The `BrokerTerms`.
        actions: Corporate actions with their ex-dates.
        adjusted: "splits" when the prices already have splits in them, "none" when positions must be split.
        loans: The table of stock loans.
        closing: With bars of minutes, the times (as backtrader's numbers) of each session's last bar; None: every
            bar is a session.
        halted: Times (as backtrader's numbers) of the bars in which a symbol cannot be traded, by symbol.
        delistings: The shares whose bars end inside the window.
        quiet: Nobody listens to orders and trades: they are not copied for every change of status.
        moments: (open, close) of each session or (start, close of the session) of each bar, ISO in UTC, by time.
    """

    params = (
        ("terms", None), ("actions", ()), ("adjusted", "splits"), ("loans", None),
        ("closing", None), ("moments", None), ("quiet", False), ("halted", None), ("delistings", ()),
    )  # fmt: skip

    pending: collections.deque[Any]
    # Asked before the closing auction, when the bar shows its close already: for the replay, whose rules see a `View`.
    before_close: Callable[[], None] | None = None
    on_order: Callable[[Any], None] | None = None  # told of each order that is made or taken back by the strategy

    def init(self) -> None:
        """Empties the account."""
        super().init()
        self.terms: BrokerTerms = self.p.terms
        self.comminfo = {None: _Shares(terms=self.terms)}
        self.cash = self._value = self.startingcash = self.terms.cash
        self.records: list[OrderRecord] = []
        self.account = Account((), (), terms=self.terms)
        self._closing: Container[float] | None = self.p.closing
        self._now = 0.0
        self._day = 0
        self._traded: dict[int, float] = {}  # shares traded in this session so far, by column
        self._trading: list[int] = []  # columns that can be traded in this bar
        self._halted: Mapping[str, Container[float]] = self.p.halted or {}
        self._decided: dict[int, float] = {}  # when each order that still waits was made
        self._waited: dict[int, list[str]] = {}  # sessions without volume that it has waited through

    def start(self) -> None:
        """Opens the account for the symbols of the run."""
        super().start()
        self._datas = list(self.cerebro.datas)
        self.account = Account(
            [data._name for data in self._datas],
            [self.positions[data] for data in self._datas],
            terms=self.terms,
            actions=self.p.actions,
            adjusted=self.p.adjusted,
            loans=self.p.loans,
            delistings=self.p.delistings,
        )
        self._desk = OrderDesk(self.account, self._datas, self.comminfo[None], self.p.moments or {})

    def buy(self, owner: Any, data: Any, size: float, **how: Any) -> Any:
        """Takes an order to buy."""
        check_order(data._name, size, how)
        return self._made(super().buy(owner, data, size, **how))

    def sell(self, owner: Any, data: Any, size: float, **how: Any) -> Any:
        """Takes an order to sell."""
        check_order(data._name, size, how)
        return self._made(super().sell(owner, data, size, **how))

    def _made(self, order: Any) -> Any:
        """Notes when an order was made: its symbol's own last bar may be older."""
        if self._now:
            self._decided[order.ref] = self._now
        if self.on_order is not None:
            self.on_order(order)
        return order

    def cancel(self, order: Any, bracket: bool = False, reason: str = "by the strategy") -> bool:
        """Takes a waiting order back; False when it waits no more."""
        for queue in (self.pending, self.submitted):
            if order in queue:
                if self.on_order is not None and reason == "by the strategy":
                    self.on_order(order)
                queue.remove(order)
                order.cancel()
                self._record(order, "", reason, "cancelled")
                self.notify(order)
                return True
        return False

    def waiting(self) -> dict[str, list[Any]]:
        """Returns the orders that wait, by symbol, without forced ones."""
        found: dict[str, list[Any]] = {}
        for order in [*self.pending, *self.submitted]:
            if not order.info.get("forced"):
                found.setdefault(order.data._name, []).append(order)
        return found

    def notify(self, order: Any) -> None:
        """Tells the strategy and its analyzers of an order's new status, unless nobody listens."""
        if not self.p.quiet:
            super().notify(order)

    def last_price(self, data: Any, *, opened: bool) -> float:
        """Returns a symbol's last known price: the last close, or with `opened` this bar's open; 0 before the first."""
        column = self.account.column[data._name]
        return float(data.open[0]) if opened and column in self._trading else self.account.marks[column]

    # The clock

    def next(self) -> None:
        """Runs one bar: a whole session, or minutes of one."""
        self._now = max(data.datetime[0] for data in self._datas if len(data))
        present = [n for n, data in enumerate(self._datas) if len(data) and data.datetime[0] == self._now]
        self._trading = [n for n in present if self._now not in self._halted.get(self._datas[n]._name, ())]
        self._desk.begin(self._now, self._trading)
        self._accept_all()
        if int(self._now) != self._day:
            self._day = int(self._now)
            for split in self.account.begin(self._day):
                self._split_orders(split.symbol, split.value)
            self._settle_delistings()
        self._expire()
        self._settle(self._desk.auction(self.pending, "open" if self._closing is None else "bar"))
        self._settle(self._desk.inside(self.pending))
        closing = self._closing is None or self._now in self._closing
        if closing:
            self._ask_before_close()
            self._settle(self._desk.auction(self.pending, "close"))
        for column in self._trading:
            self.account.marks[column] = self._datas[column].close[0]
        if self.terms.locate_pct:
            self._count_volume(self._trading, closing=closing)
        if len(self._trading) < len(present):
            self._note_waiting({self._datas[n]._name for n in present} - {self._datas[n]._name for n in self._trading})
        if closing:
            self._close()
        self._show(self.account.days[-1].value if closing else self.account.value())

    def _settle_delistings(self) -> None:
        """Closes positions in shares whose bars have ended, and takes their orders back."""
        for ended in self.account.settle_delistings():
            for order in [each for each in self.pending if each.data._name == ended.symbol]:
                self.cancel(order, reason=ended.reason)

    def _note_waiting(self, symbols: Container[str]) -> None:
        """Notes the session on orders that could not be filled in it for want of volume."""
        for order in self.pending:
            if order.data._name in symbols:
                sessions = self._waited.setdefault(order.ref, [])
                if self.account.session not in sessions:
                    sessions.append(self.account.session)

    def _ask_before_close(self) -> None:
        if self.before_close is not None:
            self.cash = self.account.cash
            self.before_close()
            self._accept_all()

    def _count_volume(self, present: Sequence[int], *, closing: bool) -> None:
        """Adds up each symbol's volume of the session; at its end that is what locates are measured by."""
        for column in present:
            self._traded[column] = self._traded.get(column, 0.0) + self._datas[column].volume[0]
        if closing:
            for column, volume in self._traded.items():
                self.account.volumes[column] = volume
            self._traded.clear()

    def _show(self, value: float) -> None:
        """Lets backtrader's analyzers and strategies see the account."""
        self.cash = self.account.cash
        self._value = self._valuelever = self.cash + value
        self._valuemkt = self._valuemktlever = value

    def _accept_all(self) -> None:
        while self.submitted:
            self._accept(self.submitted.popleft())

    def _accept(self, order: Any) -> None:
        """Accepts an order; with whole shares a fraction is cut off, and an order of nothing else is refused."""
        self.submit_accept(order)
        ended = self.account.delisted.get(self.account.column[order.data._name])
        if ended is not None:
            self.pending.remove(order)
            order.addinfo(refused=ended.reason)
            self._finish(order)
            return
        asked = order.executed.remsize
        whole = self.terms.shares(asked)
        if whole != asked and not order.info.get("forced"):
            order.executed.remsize = whole
            order.addinfo(cut="whole shares only")
            if not whole:
                self.pending.remove(order)
                order.reject()
                self._finish(order)

    def _split_orders(self, symbol: str, ratio: float) -> None:
        """Changes waiting orders for a split, as FINRA rule 5330 asks, and backtrader's open trades with them."""
        for order in [each for each in self.pending if each.data._name == symbol]:
            for part in (order.created, order.executed):
                part.remsize *= ratio
            order.created.size *= ratio
            order.created.price /= ratio
            whole = self.terms.shares(order.executed.remsize)
            if whole != order.executed.remsize:
                order.executed.remsize = whole
                order.addinfo(cut="whole shares only")
        for strategy in self.cerebro.runningstrats:
            for data, trades in strategy._trades.items():
                for each in trades.values():
                    if data._name == symbol and each and each[-1].isopen:
                        each[-1].size *= ratio
                        each[-1].price /= ratio

    def _expire(self) -> None:
        gone = [order for order in self.pending if is_expired(order, self._now)]
        for order in gone:
            self.pending.remove(order)
            order.status = order.Expired
            self._record(order, "", "expired, no longer valid", "expired")
            self.notify(order)

    # What becomes of orders

    def _settle(self, orders: Sequence[Any]) -> None:
        """Takes orders that met their auction off the list; a reduction that the volume has cut goes on waiting.

        A stop has been triggered and goes on as a market order.
        """
        if not orders:
            return
        done = []
        for order in orders:
            if order.info.get("refused") or not order.executed.remsize:
                done.append(order)
            else:
                order.exectype = bt.Order.Close if order.exectype == bt.Order.Close else bt.Order.Market
                self.notify(order)
        gone = {order.ref for order in done}
        self.pending = collections.deque(order for order in self.pending if order.ref not in gone)
        for order in done:
            self._finish(order)

    def _finish(self, order: Any) -> None:
        """Writes down an order's status."""
        reason = order.info.get("refused") or ""
        if reason:
            order.margin()
        self._record(order, self.account.session, reason or order.info.get("cut") or "")
        self.notify(order)

    def _record(self, order: Any, session: str, reason: str, status: str = "") -> None:
        asked = order.created.size
        filled = order.executed.size
        if not status:
            status = "filled" if not reason else "partly" if filled else "refused"
        elif filled:
            status, reason = "partly", f"{reason}; {self._desk.cap(self.account.column[order.data._name])}"
        waited = self._waited.pop(order.ref, ())
        if waited:
            reason = "; ".join(filter(None, [reason, NO_VOLUME + ", ".join(waited)]))
        self.records.append(
            OrderRecord(
                order=order.ref,
                decided=date.fromordinal(int(self._decided.pop(order.ref, order.created.dt))).isoformat(),
                session=session,
                symbol=order.data._name,
                size=asked,
                filled=filled,
                status=status,
                reason=reason,
                forced=bool(order.info.get("forced")),
            )
        )

    # The close

    def _close(self) -> None:
        """Phases e and f; a margin call takes the place of forced orders that still wait from the last one."""
        part = self.account.close()
        for order in [order for order in self.pending if order.info.get("forced")]:
            self.cancel(order, reason="replaced by the next margin check")
        if not self.account.called:
            return
        for data, position in zip(self._datas, self.account.positions, strict=True):
            held = abs(position.size)
            size = min(held, held * part if self.terms.fractional else float(math.ceil(held * part - 1e-9)))
            if size:
                trade = self.sell if position.size > 0 else self.buy
                trade(self.cerebro.runningstrats[0], data, size, exectype=bt.Order.Market, forced=True)

    def stop(self) -> None:
        """Ends the run: what is still waiting gets its status."""
        for order in [*self.submitted, *self.pending]:
            self._record(order, "", "expired, end of window", "expired")
        if self.account.day and (day := self.account.left_to_settle()):  # no bar is left to do it on
            self.account.begin(day)
            self.account.settle_delistings()
            self.account.close()
        super().stop()

    def _get_value(self, datas: Any = None, lever: bool = False) -> float:
        """Returns the value of the given symbols at their last known price, of the whole account without any."""
        if datas is None:
            return float(self._value)
        columns = [self.account.column[data._name] for data in datas]
        return float(sum(self.account.positions[column].size * self.account.marks[column] for column in columns))
