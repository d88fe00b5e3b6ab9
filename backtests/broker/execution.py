"""Fills orders on the bars of one moment, for the account."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from backtests.broker.account import TINY, Account
from backtests.broker.orders import CLOSE, LIMIT, STOP, fill_at_open, fill_inside


class OrderDesk:
    """Fills backtrader's orders on an account. It decides what is filled; the broker writes each order's status.

    An order that may not be filled gets the reason in its `info` as `refused`.
    """

    def __init__(
        self, account: Account, datas: Sequence[Any], comminfo: Any, moments: Mapping[float, tuple[str, str]]
    ) -> None:
        """Takes the feeds in the order of the account's symbols; `moments` as the broker has them."""
        self.account = account
        self.terms = account.terms
        self._datas = datas
        self._columns = {id(data): column for column, data in enumerate(datas)}
        self._comminfo = comminfo
        self._moments = moments
        self._now = 0.0
        self._present: Sequence[int] = ()
        self._taken: dict[int, float] = {}  # shares of this bar's volume already taken, by column

    def begin(self, now: float, present: Sequence[int]) -> None:
        """Turns to the bars of a moment; `present` are the columns that have one."""
        self._now = now
        self._present = present
        self._taken.clear()

    def auction(self, pending: Iterable[Any], auction: str) -> list[Any]:
        """Phases b and d: fills what meets this auction and whose symbol trades now; returns those orders.

        Args:
            pending: Orders in the order in which they came.
            auction: "open", "close", or "bar" for the open of a bar of minutes.
        """
        if not pending:
            return []
        here = {id(self._datas[column]) for column in self._present}
        orders: list[tuple[Any, int, float, float]] = []  # order, column, auction price, worst price
        for order in pending:
            if id(order.data) in here:
                price, worst = self._auction_price(order, auction)
                if price is not None:
                    orders.append((order, self._columns[id(order.data)], price, worst))
        if not orders:
            return []
        orders.sort(key=lambda each: not each[0].info.get("forced"))  # stable: forced ones first
        base = self.terms.bar_slippage_bps if auction == "bar" else self.terms.slippage_bps
        for order, column, price, worst in orders:
            self._reduce(order, column, price, worst, auction, base)
        prices = self._prices(auction)
        totals: list[float] = []
        for order, column, price, worst in orders:
            self._increase(order, column, price, worst, auction, base, prices, totals)
        return [each[0] for each in orders]

    def _auction_price(self, order: Any, auction: str) -> tuple[float | None, float]:
        """Returns the auction's price for an order, None when it does not take part, and the worst it accepts."""
        if order.exectype == CLOSE:
            return (order.data.close[0] if auction == "close" else None), 0.0
        if auction == "close":
            return None, 0.0
        return fill_at_open(order, order.data.open[0])

    def _prices(self, auction: str) -> list[float]:
        """Returns prices to measure margin with: the auction's for what trades now, else the last known."""
        prices = list(self.account.marks)
        for column in self._present:
            data = self._datas[column]
            prices[column] = (data.close if auction == "close" else data.open)[0]
        return prices

    def inside(self, pending: Iterable[Any]) -> list[Any]:
        """Phase c: fills stops, then limits, that the bar reaches after its open; returns those orders."""
        waiting = [order for order in pending if order.exectype in (STOP, LIMIT)]
        if not waiting:
            return []
        waiting.sort(key=lambda order: order.exectype != STOP)
        done = []
        for order in waiting:
            column = self._columns[id(order.data)]
            price, worst = fill_inside(order) if column in self._present else (None, 0.0)
            if price is not None:
                base = self.terms.bar_slippage_bps
                prices = self._prices("open")
                prices[column] = price
                self._reduce(order, column, price, worst, "session", base)
                self._increase(order, column, price, worst, "session", base, prices, [])
                done.append(order)
        return done

    def _reduce(self, order: Any, column: int, price: float, worst: float, auction: str, base: float) -> float:
        """Fills the leg that makes a position smaller, as far as the volume allows; returns the shares traded."""
        held = self.account.positions[column].size
        asked = order.executed.remsize
        if not held * asked < 0:
            return 0.0
        size = self._room(column, math.copysign(min(abs(held), abs(asked)), asked))
        if size:
            self._fill(order, column, size, price, worst, auction, base)
        return size

    def _increase(
        self, order: Any, column: int, price: float, worst: float, auction: str, base: float,
        prices: Sequence[float], totals: list[float],
    ) -> None:  # fmt: skip
        """Fills the leg that makes a position larger, all of it or none. `totals` is kept along an auction.

        What an order before it has opened in this auction, it first reduces.
        """
        account = self.account
        if not totals:
            totals += account.totals(prices)
        size = self._reduce(order, column, price, worst, auction, base)
        totals[0] += size * price
        totals[1] -= abs(size) * price
        asked = order.executed.remsize
        held = account.positions[column].size
        if not asked or held * asked < 0:  # nothing left, or a reduction that the volume has cut
            return
        size = self._room(column, asked)
        reason = self._refusal(order, column, size, price, base, totals)
        if reason:
            order.addinfo(refused=reason)
            return
        self._fill(order, column, size, price, worst, auction, base)
        totals[0] += size * price
        totals[1] += abs(size) * price
        if size != asked:
            order.addinfo(refused=self.cap(column))

    def _refusal(self, order: Any, column: int, size: float, price: float, base: float, totals: list[float]) -> str:
        """Says why an increase may not be filled; "" when it may."""
        account = self.account
        if order.info.get("forced"):
            return "position already closed"
        if account.ruined_on is not None:
            return f"ruined on {account.ruined_on}"
        if account.called:
            return "margin call: no increases on that day"
        if not size:
            return self.cap(column)
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

    def cap(self, column: int) -> str:
        """Says what the cap on volume was."""
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
            self._comminfo.margin,
            -closed * (price - entry),
            held,
            average,
        )
        order.addcomminfo(self._comminfo)
