"""Laws of the book on random markets: gaps, splits, dividends, margin calls, ruin, missing bars, thin volume."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from datetime import date

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from backtests.broker.terms import BrokerTerms
from backtests.episodes.prices import Action
from tests.helpers.markets import episode_of, run_script, weekdays

SYMBOLS = ("A", "B", "C")
DAYS = weekdays(9)

moves = st.floats(-0.6, 0.9)
bar = st.tuples(moves, moves, st.booleans())  # gap, move of the session, whether there is a bar
weight = st.one_of(st.just(0.0), st.floats(-1.5, 1.5))


@st.composite
def markets(draw, *, missing=True, splits=True):
    """Bars by symbol, corporate actions; the first two days always have bars."""
    bars, actions = {}, []
    for symbol in SYMBOLS:
        price, rows = draw(st.floats(5, 500)), {}
        ratios = {}
        if splits and draw(st.booleans()):
            ratios[draw(st.sampled_from(DAYS[2:]))] = draw(st.sampled_from([2.0, 10.0, 1.5, 0.1]))
        for number, day in enumerate(DAYS):
            gap, move, present = draw(bar)
            price /= ratios.get(day, 1.0)
            opened = max(price * (1 + gap), 0.01)
            price = max(opened * (1 + move), 0.01)
            if present or number < 2 or not missing:
                rows[day] = (opened, max(opened, price), min(opened, price), price)
        bars[symbol] = rows
        actions += [Action(symbol=symbol, ex_date=day, kind="split", value=ratio) for day, ratio in ratios.items()]
        if draw(st.booleans()):
            day = draw(st.sampled_from(DAYS))
            actions.append(Action(symbol=symbol, ex_date=day, kind="dividend", value=draw(st.floats(0.01, 2))))
    volume = draw(st.sampled_from([50.0, 1e4, 1e9]))
    return episode_of(bars, DAYS, actions=actions, adjusted="none", volumes=dict.fromkeys(SYMBOLS, volume))


scripts = st.dictionaries(st.integers(1, 8), st.fixed_dictionaries(dict.fromkeys(SYMBOLS, weight)), max_size=8)
terms = st.builds(
    BrokerTerms,
    cash=st.just(50_000.0),
    commission_bps=st.floats(0, 20),
    slippage_bps=st.floats(0, 50),
    impact_bps=st.sampled_from([0.0, 100.0]),
    volume_cap_pct=st.sampled_from([0.0, 10.0]),
    borrow_pct=st.floats(0, 100),
    rebate_pct=st.sampled_from([0.0, 3.0]),
    cash_pct=st.sampled_from([0.0, 4.0]),
    fractional=st.booleans(),
    rebalance=st.sampled_from(["never", "daily"]),
)


def counted(episode, replayed, start):
    """Equity by session, added up from fills, flows, splits and prices alone."""
    fills, flows = defaultdict(list), defaultdict(float)
    for fill in replayed.fills:
        fills[fill.session].append(fill)
    for flow in replayed.flows:
        flows[flow.session] += flow.amount
    held, marks, cash, found = dict.fromkeys(SYMBOLS, 0.0), {}, start, {}
    for day in DAYS:
        for action in episode.actions:
            if action.kind == "split" and action.ex_date == day and day > DAYS[0]:
                held[action.symbol] *= action.value
                marks[action.symbol] /= action.value
        cash += flows[day.isoformat()]
        for fill in fills[day.isoformat()]:
            cash -= fill.size * fill.price + fill.commission
            held[fill.symbol] += fill.size
        for symbol in SYMBOLS:
            bars = episode.prices.bars[symbol]
            if day in bars.sessions:
                marks[symbol] = float(bars.close[bars.sessions.index(day)])
        found[day.isoformat()] = cash + sum(held[symbol] * marks[symbol] for symbol in SYMBOLS)
    return found


@settings(max_examples=150, deadline=None)
@given(markets(), scripts, terms)
def test_cash_and_positions_are_equity_on_every_session(episode, script, book):
    """Whatever happens, every dollar comes from a fill, a flow or a price."""
    replayed = run_script(episode, script, book)
    again = counted(episode, replayed, book.cash)
    for day in replayed.days:
        assert day.equity == pytest.approx(day.cash + day.value, rel=1e-12, abs=1e-6)
        assert day.equity == pytest.approx(again[day.session], rel=1e-9, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(markets(), scripts, terms)
def test_every_order_has_a_fate_and_the_fills_are_the_orders(episode, script, book):
    """What an order says was filled is what its fills add up to; what was not filled has a reason."""
    replayed = run_script(episode, script, book)
    sums = defaultdict(float)
    for fill in replayed.fills:
        sums[fill.order] += fill.size
    sums.pop(0, None)  # fractions of splits have no order
    for order in replayed.orders:
        splits = any(action.kind == "split" and action.symbol == order.symbol for action in episode.actions)
        assert splits or order.filled == pytest.approx(sums[order.order], abs=1e-9)
        assert order.status == "filled" or order.reason
        assert order.status != "filled" or order.filled == pytest.approx(order.size, rel=1e-9) or splits
    assert set(sums) <= {order.order for order in replayed.orders}


@settings(max_examples=60, deadline=None)
@given(markets(), scripts, terms)
def test_twice_the_money_is_twice_the_result(episode, script, book):
    """With fractions and volume to match, each day's equity doubles."""
    book = dataclasses.replace(book, fractional=True)
    bars = {name: dataclasses.replace(each, volume=each.volume * 2) for name, each in episode.prices.bars.items()}
    deeper = dataclasses.replace(episode, prices=dataclasses.replace(episode.prices, bars=bars))
    once = run_script(episode, script, book).days
    twice = run_script(deeper, script, dataclasses.replace(book, cash=book.cash * 2)).days
    assert [day.equity for day in twice] == pytest.approx([day.equity * 2 for day in once], rel=1e-9, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(markets(), terms)
def test_a_flat_book_pays_nothing(episode, book):
    """No position, no fee, no dividend; without interest the cash stands still."""
    replayed = run_script(episode, {1: dict.fromkeys(SYMBOLS, 0.0)}, dataclasses.replace(book, cash_pct=0.0))
    assert (replayed.fills, replayed.flows, replayed.orders) == ((), (), ())
    assert {day.equity for day in replayed.days} == {book.cash}


@settings(max_examples=60, deadline=None)
@given(markets(), scripts, terms, st.permutations(SYMBOLS))
def test_the_order_of_symbols_does_not_matter_where_all_orders_fit(episode, script, book, order):
    """The same equities to 1e-9; an order refused for margin depends on which came first and is left out here."""
    bars = {symbol: episode.prices.bars[symbol] for symbol in order}
    other = dataclasses.replace(
        episode, prices=dataclasses.replace(episode.prices, bars=bars), sectors={"chips": tuple(order)}
    )
    script = {row: {symbol: weight / 3 for symbol, weight in weights.items()} for row, weights in script.items()}
    one, two = run_script(episode, script, book), run_script(other, script, book)
    assume(not any("initial margin" in each.reason for replayed in (one, two) for each in replayed.orders))
    assert [day.equity for day in one.days] == pytest.approx([day.equity for day in two.days], rel=1e-9, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(markets(), scripts, terms)
def test_a_book_that_was_ruined_opens_nothing_and_a_call_stops_increases(episode, script, book):
    """After the day of ruin positions only get smaller; in the session after a call they do too."""
    replayed = run_script(episode, script, book)
    called = {after.session for before, after in zip(replayed.days, replayed.days[1:], strict=False)
              if before.margin_call}  # fmt: skip
    for fill in replayed.fills:
        ruined = replayed.ruined_on is not None and fill.session > replayed.ruined_on
        if (ruined or fill.session in called) and fill.auction != "fraction":
            assert abs(fill.position) < abs(fill.position - fill.size) + 1e-9


def test_the_days_of_these_markets_have_a_weekend():
    """So that nights are not all one."""
    assert (DAYS[2] - DAYS[1]).days == 3
    assert date(2025, 1, 6) == DAYS[2]
