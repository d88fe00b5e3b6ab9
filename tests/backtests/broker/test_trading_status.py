"""Halts and delistings: nothing is traded without volume, and no share is held beyond its last bar in silence."""

from __future__ import annotations

import dataclasses

import backtrader as bt
import pytest

from backtests.broker.terms import BrokerTerms
from tests.helpers.markets import FREE, episode_of, flat_bars, run_orders, run_script, weekdays

DAYS = weekdays(7)


def market(closes=(100,) * 7, silent=(), **changes):
    """A benchmark, and a share X without volume in some rows."""
    bars = {"SPY": flat_bars([50] * 7, DAYS), "X": flat_bars(closes, DAYS)}
    episode = episode_of(bars, DAYS, sectors={"funds": ("SPY",), "chips": ("X",)})
    episode.prices.bars["X"].volume[list(silent)] = 0
    return dataclasses.replace(episode, **changes)


def ending(count, terms=FREE, weight=0.5, **changes):
    """X is held at 100 from row 1 on, and has `count` bars."""
    bars = {"SPY": flat_bars([50] * 7, DAYS), "X": flat_bars([100] * (count - 1) + [80], DAYS[:count])}
    episode = episode_of(bars, DAYS, sectors={"funds": ("SPY",), "chips": ("X",)})
    return run_script(dataclasses.replace(episode, **changes), {1: {"X": weight}}, terms)


def test_an_order_waits_through_sessions_without_volume_and_says_so():
    """Decided for row 1; rows 1 and 2 are halted; filled at the open of row 3."""
    replayed = run_script(market(silent=(1, 2)), {1: {"X": 0.5}})
    (order,) = replayed.orders
    assert (order.status, order.session) == ("filled", DAYS[3].isoformat())
    assert order.reason == f"no volume on {DAYS[1]}, {DAYS[2]}"
    assert [fill.session for fill in replayed.fills] == [DAYS[3].isoformat()]


def test_a_newer_target_takes_back_an_order_that_waits_in_a_halt():
    """Both reasons stand there; nothing is ever traded."""
    replayed = run_script(market(silent=(1, 2)), {1: {"X": 0.5}, 2: {"X": 0.0}})
    assert replayed.fills == ()
    assert [(order.status, order.reason) for order in replayed.orders] == [
        ("cancelled", f"replaced by a newer target; no volume on {DAYS[1]}")
    ]


@pytest.mark.parametrize("kind", [bt.Order.Market, bt.Order.Close, bt.Order.Limit, bt.Order.Stop])
def test_no_kind_of_order_is_filled_without_volume(kind):
    """A limit and a stop that the bar would have filled, the auctions, and a forced order are of one mind."""
    price = {} if kind in {bt.Order.Market, bt.Order.Close} else {"price": 100 if kind == bt.Order.Stop else 101}
    plan = {0: [lambda strategy: strategy.buy(data=strategy.datas[1], size=1, exectype=kind, **price)]}
    fills = run_orders(market(silent=(1,)), plan).fills
    assert [fill.session for fill in fills] == [DAYS[2].isoformat()]


def test_a_margin_call_waits_for_a_session_that_trades():
    """Short 190 at 100, called at 125 and halted on the day after: covered on the one after that."""
    replayed = run_script(market((100, 100, 125, 125, 125, 125, 125), silent=(3,)), {1: {"X": -1.9}})
    assert [fill.session for fill in replayed.fills if fill.forced][:1] == [DAYS[4].isoformat()]


def test_a_source_that_gives_no_volume_halts_nothing():
    """Volume 0 in each bar is a source without volume, not a share without trade."""
    assert len(run_script(market(silent=range(7)), {1: {"X": 0.5}}).fills) == 1


def test_a_declared_halt_stops_trading_whatever_the_source_says_of_volume():
    """No volume anywhere, a halt declared for rows 1 and 2."""
    halts = (("X", DAYS[1], DAYS[2]),)
    (fill,) = run_script(market(silent=range(7), halts=halts), {1: {"X": 0.5}}).fills
    assert fill.session == DAYS[3].isoformat()


@pytest.mark.parametrize(("rule", "value"), [("last", 80.0), ("zero", 0.0), ("35", 28.0), ("150", 120.0)])
def test_a_delisted_share_is_closed_by_the_stated_rule(rule, value):
    """Bought at 100, last close 80 in row 3: closed before row 4 without costs, and valued no more."""
    replayed = ending(4, dataclasses.replace(FREE, delisting=rule, commission_bps=10, slippage_bps=10))
    fill = replayed.fills[-1]
    assert (fill.auction, fill.session, fill.order, fill.forced) == ("delisting", DAYS[4].isoformat(), 0, True)
    assert (fill.price, fill.commission, fill.slippage, fill.position) == (pytest.approx(value), 0, 0, 0)
    bought = replayed.fills[0]
    paid = bought.size * bought.price + bought.commission
    assert replayed.days[-1].equity == pytest.approx(10_000 - paid + bought.size * value)
    assert replayed.days[-1].positions == ()


def test_the_episodes_own_table_wins_over_the_term():
    """A takeover at 120 % of the last close, whatever the run's terms say of others."""
    replayed = ending(4, dataclasses.replace(FREE, delisting="zero"), delistings=(("X", DAYS[3], "120"),))
    assert replayed.fills[-1].price == pytest.approx(96)


def test_a_short_in_a_delisted_share_is_closed_too():
    """It earns the fall to nothing."""
    replayed = ending(4, dataclasses.replace(FREE, delisting="zero"), weight=-0.5)
    assert replayed.days[-1].equity == pytest.approx(15_000)


def test_the_day_before_nothing_is_known_of_a_delisting():
    """Until the session after the last bar, days and fills are those of a share that goes on."""
    gone, stays = ending(4), ending(7)
    assert gone.days[:2] == stays.days[:2]
    assert dataclasses.replace(gone.fills[0], order=0) == dataclasses.replace(stays.fills[0], order=0)
    assert gone.days[2].positions == (("X", 50.0, 80.0),)


def test_bars_that_end_with_the_window_are_no_delisting():
    """The source has no more, and neither has the episode."""
    assert [fill.auction for fill in ending(7).fills] == ["open"]


def test_an_order_for_a_delisted_share_is_taken_back_or_refused_with_the_reason():
    """One that waits when the bars end, and one that is made later."""
    bars = {"SPY": flat_bars([50] * 7, DAYS), "X": flat_bars([100] * 3, DAYS[:3])}
    plan = {row: [lambda strategy: strategy.buy(data=strategy.datas[1], size=1)] for row in (2, 4)}
    replayed = run_orders(episode_of(bars, DAYS), plan)
    reason = f"delisted: bars end on {DAYS[2]}"
    assert [(order.status, order.reason) for order in replayed.orders] == [("cancelled", reason), ("refused", reason)]


def test_the_last_share_of_all_is_closed_on_the_session_after_its_bars():
    """Nothing else is traded, so no bar is left: the account is closed on the calendar's next session all the same."""
    episode = episode_of({"X": flat_bars([100, 100, 80], DAYS[:3])}, DAYS)
    replayed = run_script(episode, {1: {"X": 0.5}}, dataclasses.replace(FREE, delisting="zero"))
    assert [day.session for day in replayed.days] == [day.isoformat() for day in DAYS[1:4]]
    assert replayed.days[-1].equity == pytest.approx(5_000)


def test_an_order_has_the_session_of_its_decision_even_where_its_own_symbol_had_no_bar_then():
    """Decided after row 3, when X's last bar was that of row 1."""
    bars = {
        "SPY": flat_bars([50] * 7, DAYS),
        "X": {day: (100.0,) * 4 for row, day in enumerate(DAYS) if row not in {2, 3}},
    }
    (order,) = run_script(episode_of(bars, DAYS, sectors={"funds": ("SPY",), "chips": ("X",)}), {4: {"X": 0.5}}).orders
    assert (order.decided, order.session) == (DAYS[3].isoformat(), DAYS[4].isoformat())


@pytest.mark.parametrize("wrong", ["lost", "-1", "1001", "nan"])
def test_a_rule_for_delistings_that_is_none_is_refused(wrong):
    """In one line with what to give."""
    with pytest.raises(ValueError, match="must be last, zero, or per cent of the last close, from 0 to 1000"):
        BrokerTerms(delisting=wrong)
