"""Laws of users' orders, of every kind, on random bars of sessions and of minutes."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from datetime import timedelta

import backtrader as bt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtests.broker.terms import BrokerTerms
from backtests.episodes.intraday import Intraday, MinuteBars
from tests.helpers.markets import episode_of, flat_bars, run_orders, weekdays

DAYS = weekdays(6)
KINDS = (bt.Order.Market, bt.Order.Close, bt.Order.Stop, bt.Order.Limit)
order = st.tuples(
    st.sampled_from(["A", "B"]), st.booleans(), st.integers(1, 400), st.sampled_from(KINDS), st.floats(60, 140)
)
ohlc = st.tuples(*[st.floats(60, 140)] * 4).map(lambda p: (p[0], max(p), min(p), p[3]))


def send(symbol, buys, size, kind, price):
    """An order to be sent later."""

    def act(strategy):
        trade = strategy.buy if buys else strategy.sell
        return trade(strategy.getdatabyname(symbol), size=size, exectype=kind, price=price)

    return act


@st.composite
def daily(draw):
    """Two symbols, six sessions; only the first symbol has all its bars."""
    bars = {symbol: {day: draw(ohlc) for day in DAYS} for symbol in "AB"}
    for day in draw(st.sets(st.sampled_from(DAYS[1:]), max_size=3)):
        del bars["B"][day]
    return episode_of(bars, DAYS, volumes={"A": 500, "B": 1e6})


@st.composite
def minutes(draw):
    """Two symbols, two sessions of three bars of an hour, some of the second symbol's missing."""
    episode = episode_of({symbol: flat_bars([100] * len(DAYS), DAYS) for symbol in "AB"}, DAYS)
    starts = [opened + timedelta(hours=n) for opened in episode.sessions.opens[2:4] for n in range(3)]
    bars = {}
    for symbol in "AB":
        mine = [start for start in starts if symbol == "A" or draw(st.booleans())] or starts[:1]
        rows = np.array([draw(ohlc) for _ in mine]).T
        bars[symbol] = MinuteBars(
            symbol=symbol, starts=tuple(mine), open=rows[0], high=rows[1], low=rows[2], close=rows[3],
            volume=np.full(len(mine), 500.0),
        )  # fmt: skip
    intraday = Intraday(length=timedelta(hours=1), bars=bars, outside=0)
    return dataclasses.replace(episode, start=DAYS[2], end=DAYS[3], intraday=intraday)


plans = st.dictionaries(st.integers(0, 5), st.lists(order, max_size=3), max_size=6)
terms = st.builds(
    BrokerTerms,
    cash=st.just(20_000.0),
    slippage_bps=st.floats(0, 50),
    bar_slippage_bps=st.floats(0, 50),
    volume_cap_pct=st.sampled_from([0.0, 30.0]),
    borrow_pct=st.floats(0, 100),
    initial_margin_pct=st.sampled_from([50.0, 20.0]),
    fractional=st.booleans(),
)


@settings(max_examples=120, deadline=None)
@given(st.one_of(daily(), minutes()), plans, terms)
def test_every_dollar_of_every_kind_of_order_is_accounted_for(episode, plan, book):
    """Equity from fills and flows alone; orders' sizes, fills and fates agree; prices are never better than allowed."""
    acts = {bar: [send(*each) for each in orders] for bar, orders in plan.items()}
    replayed = run_orders(episode, acts, book)
    cash, held, sums = book.cash, defaultdict(float), defaultdict(float)
    by_day = defaultdict(list)
    for fill in replayed.fills:
        by_day[fill.session].append(fill)
    for day in replayed.days:
        cash += sum(flow.amount for flow in replayed.flows if flow.session == day.session)
        for fill in by_day[day.session]:
            cash -= fill.size * fill.price + fill.commission
            held[fill.symbol] += fill.size
            sums[fill.order] += fill.size
            assert (fill.price - fill.auction_price) * fill.size >= 0
        assert {symbol: shares for symbol, shares, _ in day.positions} == pytest.approx(
            {symbol: shares for symbol, shares in held.items() if shares}
        )
        assert day.equity == pytest.approx(cash + sum(n * close for _, n, close in day.positions), abs=1e-6)
    sent = sum(map(len, plan.values()))
    assert len([one for one in replayed.orders if not one.forced]) <= sent
    for one in replayed.orders:
        assert one.filled == pytest.approx(sums[one.order])
        assert one.status in {"filled", "partly", "refused", "cancelled", "expired"}
        assert bool(one.reason) == (one.status != "filled")


@settings(max_examples=60, deadline=None)
@given(daily(), plans)
def test_a_limit_is_never_beaten_and_a_stop_is_never_flattered(episode, plan):
    """A limit's price is the limit or better; a stop's is the stop or worse, whatever gaps and slippage do."""
    book = BrokerTerms(cash=1e6, slippage_bps=40, bar_slippage_bps=60)
    acts = {bar: [send(*each) for each in orders] for bar, orders in plan.items()}
    replayed = run_orders(episode, acts, book)
    kinds = {}
    for bar in sorted(plan):
        for symbol, buys, size, kind, price in plan[bar]:
            kinds.setdefault((symbol, size if buys else -size), []).append((kind, price))
    asked = {one.order: kinds[one.symbol, one.size] for one in replayed.orders if not one.forced}
    for fill in replayed.fills:
        if len(asked.get(fill.order, ())) == 1:  # else it is not known which of the like orders it was
            ((kind, price),) = asked[fill.order]
            sign = 1 if fill.size > 0 else -1
            assert kind != bt.Order.Limit or sign * fill.price <= sign * price + 1e-9
            assert kind != bt.Order.Stop or sign * fill.price >= sign * price - 1e-9


def test_a_margin_call_on_bars_of_minutes_is_met_at_the_next_sessions_first_bar():
    """Short 150 at 100, close 130: under 30 % of 19,500, so Friday's first bar reduces by force."""
    episode = episode_of({"A": flat_bars([100] * 6, DAYS)}, DAYS)
    starts = [opened + timedelta(hours=n) for opened in episode.sessions.opens[2:4] for n in range(3)]
    opens = np.array([100.0, 100, 130, 130, 130, 130])
    closes = np.array([100.0, 130, 130, 130, 130, 130])
    bars = MinuteBars(
        symbol="A", starts=tuple(starts), open=opens, high=np.maximum(opens, closes), low=np.minimum(opens, closes),
        close=closes, volume=np.full(6, 1e6),
    )  # fmt: skip
    intraday = Intraday(length=timedelta(hours=1), bars={"A": bars}, outside=0)
    episode = dataclasses.replace(episode, start=DAYS[2], end=DAYS[3], intraday=intraday)
    book = BrokerTerms(cash=10_000, commission_bps=0, bar_slippage_bps=0, borrow_pct=0)
    replayed = run_orders(episode, {0: [send("A", buys=False, size=150, kind=None, price=None)]}, book)
    assert [day.margin_call for day in replayed.days] == [True, False]
    assert [(fill.forced, fill.moment, fill.size) for fill in replayed.fills] == [
        (False, starts[0].isoformat(), -150),
        (True, starts[3].isoformat(), 66),  # 150 - 5,500 / (50 % of 130), rounded up
    ]
