"""The honest broker: backtrader's orders on an account of our own.

A session has phases; docs/book.md has every formula:

    a  nights: borrow, interest, dividends, splits
    b  opening auction: forced orders, then legs that reduce, then legs that increase (margin is checked at the
       real open); an order that turns a position round is split into both legs
    c  stops and limits inside the session
    d  closing auction, for orders that ask for it, in the same order as b
    e  valuation at the close
    f  maintenance margin; a call queues forced orders for the next open

With bars of minutes b and c happen on each bar, d to f on a session's last. backtrader's own broker caps slippage
at the bar's range, lets shorts grow without margin and drops orders without a word when cash falls short at the
open; none of its execution is used here. A strategy with a method `before_close` is asked between b and d.
"""

from __future__ import annotations

import collections
import math
from collections.abc import Container, Mapping, Sequence
from datetime import date
from typing import Any

import backtrader as bt

from backtests.account import TINY, Account
from backtests.book import BookTerms, OrderRecord
from backtests.orders import check_order, fill_at_open, fill_inside, is_expired


class _Shares(bt.CommInfoBase):
    """How backtrader's `order_target_*` round a size; costs are the account's business."""

    params = (("terms", None), ("percabs", True))

    def getsize(self, price: float, cash: float) -> float:
        return float(self.p.terms.shares(cash / price))


class HonestBroker(bt.brokers.BackBroker):
    """Fills orders at the auctions and inside the sessions, and keeps the whole book.

    It takes market, close, stop and limit orders; any other kind is an `InputError` when it is made.

    Params:
        terms: The `BookTerms`.
        actions: Corporate actions with their ex-dates.
        adjusted: "splits" when the prices already have splits in them, "none" when positions must be split.
        loans: The table of stock loans.
        closing: With bars of minutes, the times (as backtrader's numbers) of each session's last bar; None: every
            bar is a session.
        quiet: Nobody listens to orders and trades: they are not copied for every change of status.
        moments: (open, close) of each session or (start, close of the session) of each bar, ISO in UTC, by time.
    """

    params = (
        ("terms", None), ("actions", ()), ("adjusted", "splits"), ("loans", None),
        ("closing", None), ("moments", None), ("quiet", False),
    )  # fmt: skip

    pending: collections.deque[Any]

    def init(self) -> None:
        """Empties the book."""
        super().init()
        self.terms: BookTerms = self.p.terms
        self.comminfo = {None: _Shares(terms=self.terms)}
        self.cash = self._value = self.startingcash = self.terms.cash
        self.records: list[OrderRecord] = []
        self.account = Account((), (), terms=self.terms)
        self._closing: Container[float] | None = self.p.closing
        self._moments: Mapping[float, tuple[str, str]] = self.p.moments or {}
        self._base = self.terms.slippage_bps if self._closing is None else self.terms.bar_slippage_bps
        self._now = 0.0
        self._day = 0
        self._present: list[int] = []
        self._traded: dict[int, float] = {}  # shares traded in this session so far, by column
        self._taken: dict[int, float] = {}  # shares of this bar's volume already taken, by column

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
        )

    def buy(self, owner: Any, data: Any, size: float, **how: Any) -> Any:
        """Takes an order to buy."""
        check_order(data._name, size, how)
        return super().buy(owner, data, size, **how)

    def sell(self, owner: Any, data: Any, size: float, **how: Any) -> Any:
        """Takes an order to sell."""
        check_order(data._name, size, how)
        return super().sell(owner, data, size, **how)

    def cancel(self, order: Any, bracket: bool = False, reason: str = "by the strategy") -> bool:
        """Takes a waiting order back; False when it waits no more."""
        for queue in (self.pending, self.submitted):
            if order in queue:
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
        if opened and len(data) and data.datetime[0] == self._now:
            return float(data.open[0])
        return self.account.marks[self.account.column[data._name]]

    # The clock

    def next(self) -> None:
        """Runs one bar: a whole session, or minutes of one."""
        self._now = max(data.datetime[0] for data in self._datas if len(data))
        self._present = [n for n, data in enumerate(self._datas) if len(data) and data.datetime[0] == self._now]
        self._taken.clear()
        self._accept_all()
        if int(self._now) != self._day:
            self._day = int(self._now)
            for split in self.account.begin(self._day):
                self._split_orders(split.symbol, split.value)
        self._expire()
        self._auction("open" if self._closing is None else "bar")
        self._inside()
        closing = self._closing is None or self._now in self._closing
        if closing:
            self._ask_before_close()
            self._auction("close")
        for column in self._present:
            self.account.marks[column] = self._datas[column].close[0]
        if self.terms.locate_pct:
            self._count_volume(closing=closing)
        if closing:
            self._close()
        self._show(self.account.days[-1].value if closing else self.account.value())

    def _ask_before_close(self) -> None:
        self.cash = self.account.cash
        for strategy in self.cerebro.runningstrats:
            if hasattr(strategy, "before_close"):
                strategy.before_close()
        self._accept_all()

    def _count_volume(self, *, closing: bool) -> None:
        """Adds up each symbol's volume of the session; at its end that is what locates are measured by."""
        for column in self._present:
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
            order.executed.remsize = self.terms.shares(order.executed.remsize)
            order.created.price /= ratio
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

    # Auctions and what happens between them

    def _auction(self, auction: str) -> None:
        """Phases b and d: every order that meets this auction and whose symbol trades now."""
        if not self.pending:
            return
        here = {id(self._datas[column]) for column in self._present}
        orders: list[tuple[Any, int, float, float]] = []  # order, column, auction price, worst price
        for order in self.pending:
            if id(order.data) in here:
                price, worst = self._auction_price(order, auction)
                if price is not None:
                    orders.append((order, self.account.column[order.data._name], price, worst))
        if not orders:
            return
        orders.sort(key=lambda each: not each[0].info.get("forced"))  # stable: forced ones first
        base = self.terms.slippage_bps if auction == "close" else self._base
        for order, column, price, worst in orders:
            self._reduce(order, column, price, worst, auction, base)
        prices = self._prices(auction)
        totals: list[float] = []
        for order, column, price, worst in orders:
            self._increase(order, column, price, worst, auction, base, prices, totals)
        self._settle([each[0] for each in orders])

    def _auction_price(self, order: Any, auction: str) -> tuple[float | None, float]:
        """The auction's price for an order, None when it does not take part, and the worst it accepts."""
        if order.exectype == bt.Order.Close:
            return (order.data.close[0] if auction == "close" else None), 0.0
        if auction == "close":
            return None, 0.0
        return fill_at_open(order, order.data.open[0])

    def _prices(self, auction: str) -> list[float]:
        """Prices to measure margin with: the auction's for what trades now, else the last known."""
        prices = list(self.account.marks)
        for column in self._present:
            data = self._datas[column]
            prices[column] = (data.close if auction == "close" else data.open)[0]
        return prices

    def _inside(self) -> None:
        """Phase c: stops, then limits, that the bar reaches after its open."""
        waiting = [order for order in self.pending if order.exectype in (bt.Order.Stop, bt.Order.Limit)]
        if not waiting:
            return
        waiting.sort(key=lambda order: order.exectype != bt.Order.Stop)
        done = []
        for order in waiting:
            column = self.account.column[order.data._name]
            price, worst = fill_inside(order) if column in self._present else (None, 0.0)
            if price is not None:
                base = self.terms.bar_slippage_bps
                prices = self._prices("open")
                prices[column] = price
                self._reduce(order, column, price, worst, "session", base)
                self._increase(order, column, price, worst, "session", base, prices, [])
                done.append(order)
        self._settle(done)

    def _reduce(self, order: Any, column: int, price: float, worst: float, auction: str, base: float) -> None:
        held = self.account.positions[column].size
        asked = order.executed.remsize
        if held * asked < 0:
            size = self._room(column, math.copysign(min(abs(held), abs(asked)), asked))
            if size:
                self._fill(order, column, size, price, worst, auction, base)

    def _increase(
        self, order: Any, column: int, price: float, worst: float, auction: str, base: float,
        prices: Sequence[float], totals: list[float],
    ) -> None:  # fmt: skip
        """The leg that makes a position larger: all of it, or a reason. `totals` is kept along an auction."""
        account = self.account
        asked = order.executed.remsize
        held = account.positions[column].size
        if not asked or held * asked < 0:  # nothing left, or a reduction that the volume has cut
            return
        size = self._room(column, asked)
        if not totals:
            totals += account.totals(prices)
        reason = self._refusal(order, column, size, price, base, totals)
        if reason:
            order.addinfo(refused=reason)
            return
        self._fill(order, column, size, price, worst, auction, base)
        totals[0] += size * price
        totals[1] += (abs(held + size) - abs(held)) * price
        if size != asked:
            order.addinfo(refused=self._cap(column))

    def _refusal(self, order: Any, column: int, size: float, price: float, base: float, totals: list[float]) -> str:
        """Why an increase may not be filled; "" when it may."""
        account = self.account
        if order.info.get("forced"):
            return "position already closed"
        if account.ruined_on is not None:
            return f"ruined on {account.ruined_on}"
        if account.called:
            return "margin call: no increases on that day"
        if not size:
            return self._cap(column)
        if size < 0:
            reason = account.locate(column, size)
            if reason:
                return reason
        traded = abs(size) * price
        bps = self.terms.slip_bps(base, size, self._datas[column].volume[0]) + self.terms.commission_bps
        equity = account.cash + totals[0] - traded * bps / 10_000
        needed = (totals[1] + traded) * self.terms.initial_margin_pct / 100
        return "initial margin: equity at the auction is too small" if needed > equity * (1 + TINY) else ""

    def _room(self, column: int, size: float) -> float:
        """Cuts a size to what the cap leaves of the bar's volume."""
        if not self.terms.volume_cap_pct:
            return size
        most = self.terms.volume_cap_pct / 100 * self._datas[column].volume[0] - self._taken.get(column, 0.0)
        return size if abs(size) <= most else self.terms.shares(math.copysign(max(0.0, most), size))

    def _cap(self, column: int) -> str:
        return f"volume cap: {self.terms.volume_cap_pct:g} % of {self._datas[column].volume[0]:g} shares"

    def _fill(
        self, order: Any, column: int, size: float, auction_price: float, worst: float, auction: str, base: float
    ) -> None:
        """Books one execution: position and cash, then backtrader's order. `worst` is a limit, 0 without."""
        data = order.data
        slip = auction_price * self.terms.slip_bps(base, size, data.volume[0]) / 10_000
        if worst:
            slip = max(0.0, min(slip, math.copysign(1.0, size) * (worst - auction_price)))
        if self.terms.volume_cap_pct:
            self._taken[column] = self._taken.get(column, 0.0) + abs(size)
        entry = self.account.positions[column].price
        moments = self._moments.get(self._now, ("", ""))
        price, commission, held, average, opened, closed = self.account.fill(
            column,
            size,
            auction_price,
            slip,
            order=order.ref,
            auction=auction,
            forced=bool(order.info.get("forced")),
            moment=moments[1] if auction == "close" else "" if auction == "session" else moments[0],
            dt=data.datetime.datetime(),
        )
        share = abs(opened / size)
        comminfo = self.getcommissioninfo(data)
        order.execute(
            self._now,
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

    # Fates

    def _settle(self, orders: Sequence[Any]) -> None:
        """Takes orders that met their auction off the list; a reduction that the volume has cut goes on waiting."""
        done = []
        for order in orders:
            if order.info.get("refused") or not order.executed.remsize:
                done.append(order)
            else:
                self.notify(order)
        gone = {order.ref for order in done}
        self.pending = collections.deque(order for order in self.pending if order.ref not in gone)
        for order in done:
            self._finish(order)

    def _finish(self, order: Any) -> None:
        """Writes down an order's fate."""
        reason = order.info.get("refused") or ""
        if reason:
            order.margin()
        self._record(order, self.account.session, reason or order.info.get("cut") or "")
        self.notify(order)

    def _record(self, order: Any, session: str, reason: str, fate: str = "") -> None:
        asked = order.created.size
        filled = order.executed.size
        if not fate:
            fate = "filled" if not reason else "partly" if filled else "refused"
        elif filled:
            fate, reason = "partly", f"{reason}; {self._cap(self.account.column[order.data._name])}"
        self.records.append(
            OrderRecord(
                order=order.ref,
                decided=date.fromordinal(int(order.created.dt)).isoformat(),
                session=session,
                symbol=order.data._name,
                size=asked,
                filled=filled,
                fate=fate,
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
            size = min(held, held * part if self.terms.fractional else float(math.ceil(held * part)))
            if size:
                trade = self.sell if position.size > 0 else self.buy
                trade(self.cerebro.runningstrats[0], data, size, exectype=bt.Order.Market, forced=True)

    def stop(self) -> None:
        """Ends the book: what is still waiting gets its fate."""
        for order in [*self.submitted, *self.pending]:
            self._record(order, "", "expired, end of window", "expired")
        super().stop()

    def _get_value(self, datas: Any = None, lever: bool = False) -> float:
        """Value of the given symbols at their last known price, of the whole book without any."""
        if datas is None:
            return float(self._value)
        columns = [self.account.column[data._name] for data in datas]
        return float(sum(self.account.positions[column].size * self.account.marks[column] for column in columns))
