"""Figures against hand-computed ones."""

from __future__ import annotations

import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtests.broker.terms import BrokerTerms
from backtests.episodes.prices import Action
from backtests.records.metrics import max_drawdown_pct, sharpe
from backtests.records.round_trips import round_trips
from tests.helpers.markets import episode_of, flat_bars, run_script, weekdays


def test_drawdown_is_the_deepest_fall_from_a_peak_so_far():
    """100, 120, 90, 130, 117: from 120 to 90 is -25 %."""
    assert max_drawdown_pct([100, 120, 90, 130, 117]) == pytest.approx(-25)


@given(st.lists(st.floats(1, 1e6), min_size=1, max_size=30))
def test_drawdown_of_positive_equity_lies_between_minus_100_and_0(equity):
    """A law, whatever the path."""
    assert -100 <= max_drawdown_pct(equity) <= 0


def test_sharpe_by_hand():
    """Returns of +1 %, -1 %, +2 %: mean 2/3 %, sample deviation 1.5275 %, times the root of 252."""
    equity = [100, 101, 99.99, 101.9898]
    assert sharpe(equity) == pytest.approx((0.02 / 3) / 0.015275252316519468 * math.sqrt(252), rel=1e-9)


def test_sharpe_is_none_without_variance_or_with_debt():
    """Nothing to divide by, or nothing that a return means."""
    assert [sharpe([100, 100, 100]), sharpe([100, 101]), sharpe([100, 50, -5])] == [None, None, None]


def test_round_trips_pair_entries_and_exits_with_their_costs():
    """Long 50 at 100.1 closed at 119.88 (10 bps slippage and commission) and a short left open."""
    days = weekdays(4)
    episode = episode_of({"X": flat_bars([100, 100, 120, 120], days)}, days)
    terms = BrokerTerms(cash=10_000, commission_bps=10, slippage_bps=10, borrow_pct=0, fractional=True)
    replayed = run_script(episode, {1: {"X": 0.5}, 2: {"X": 0.0}, 3: {"X": -0.1}}, terms)
    first, second = round_trips(replayed.fills, replayed.flows)
    commission = 50 * 100.1 * 0.001 + 50 * 119.88 * 0.001
    assert first.pnl == pytest.approx(50 * (119.88 - 100.1) - commission)
    assert (first.direction, first.shares, second.direction, second.closed) == ("long", 50, "short", "")


def test_turning_round_ends_one_trip_and_begins_another():
    """+50 to -50: one closed long, one open short of the same session."""
    days = weekdays(3)
    replayed = run_script(episode_of({"X": flat_bars([100] * 3, days)}, days), {1: {"X": 0.5}, 2: {"X": -0.5}})
    long, short = round_trips(replayed.fills, replayed.flows)
    assert (long.closed, short.opened, short.direction) == (days[2].isoformat(), days[2].isoformat(), "short")


def test_the_profits_of_closed_trades_are_the_change_of_cash():
    """Everything flat at the end: the trips' profits, fees and dividends in them, sum to the profit of the book."""
    days = weekdays(8)
    closes = [100, 103, 97, 110, 90, 105, 99, 101]
    dividend = Action(symbol="X", ex_date=days[4], kind="dividend", value=0.5)
    episode = episode_of({"X": flat_bars(closes, days)}, days, actions=[dividend])
    terms = BrokerTerms(cash=10_000, commission_bps=4, slippage_bps=6, borrow_pct=9)
    plan = {1: {"X": -0.7}, 3: {"X": 0.6}, 4: {"X": 0.3}, 5: {"X": -0.2}, 7: {"X": 0.0}}
    replayed = run_script(episode, plan, terms)
    profit = sum(trade.pnl for trade in round_trips(replayed.fills, replayed.flows))
    assert profit == pytest.approx(replayed.days[-1].cash - 10_000, abs=1e-6)


def test_a_split_inside_a_trip_leaves_its_profit_as_it_is():
    """Short 50 at 100, 10:1, bought back 500 at 9: profit 500."""
    days = [date(2025, 1, 23), date(2025, 1, 24), date(2025, 1, 27), date(2025, 1, 28)]
    split = Action(symbol="X", ex_date=days[2], kind="split", value=10.0)
    episode = episode_of({"X": flat_bars([100, 100, 10, 9], days)}, days, actions=[split], adjusted="none")
    replayed = run_script(episode, {1: {"X": -0.5}, 3: {"X": 0.0}})
    (trade,) = round_trips(replayed.fills, replayed.flows)
    assert (trade.pnl, trade.shares) == (pytest.approx(500), 500)
