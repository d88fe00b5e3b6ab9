"""Orders of a user's `bt.Strategy`: what fills, at which price, and what is refused."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta

import backtrader as bt
import pytest

from backtests.broker.terms import BrokerTerms
from backtests.episodes.prices import Action
from feeds.errors import InputError
from tests.helpers.markets import FREE, episode_of, flat_bars, run_orders, weekdays

D = weekdays(5)
WHOLE = dataclasses.replace(FREE, fractional=False)
Order = bt.Order


def one(*bars):
    """An episode of one symbol whose first bar is 100 flat and the others as given (open, high, low, close)."""
    return episode_of({"X": dict(zip(D, [(100.0, 100.0, 100.0, 100.0), *bars], strict=False))}, D[: len(bars) + 1])


def buy(size=10, **how):
    """An order to buy, to be sent later."""
    return lambda strategy: strategy.buy(size=size, **how)


def sell(size=10, **how):
    """An order to sell, to be sent later."""
    return lambda strategy: strategy.sell(size=size, **how)


def prices(replayed):
    """Where and at which price each fill was."""
    return [(fill.auction, fill.price) for fill in replayed.fills]


def test_a_market_order_fills_at_the_next_open_and_a_close_order_at_the_next_close():
    """Sent after bar 0, both fill in bar 1."""
    replayed = run_orders(one((101, 104, 99, 103)), {0: [buy(), buy(exectype=Order.Close)]})
    assert prices(replayed) == [("open", 101), ("close", 103)]


def test_orders_of_one_auction_meet_each_other():
    """Sell 10, sell 10, buy 5 at one open from a flat book: 15 short, nothing left waiting."""
    replayed = run_orders(one((100, 100, 100, 100)), {0: [sell(), sell(), buy(5)]})
    assert [fill.size for fill in replayed.fills] == [-10, -10, 5]
    assert replayed.days[-1].positions == (("X", -15.0, 100.0),)


def test_a_triggered_stop_that_the_volume_cuts_goes_on_as_a_market_order():
    """Long 100, stop at 95, 40 shares a bar to be had: 95, then the opens of the bars after, although they are higher."""
    bars = [(100, 100, 100, 100), (100, 101, 94, 96), (97, 99, 97, 98), (99, 99, 99, 99)]
    episode = one(*bars)
    episode.prices.bars["X"].volume[2:] = 40
    terms = dataclasses.replace(FREE, volume_cap_pct=100)
    replayed = run_orders(episode, {0: [buy(100)], 1: [sell(100, exectype=Order.Stop, price=95)]}, terms)
    assert [(fill.size, fill.auction, fill.price) for fill in replayed.fills[1:]] == [
        (-40, "session", 95), (-40, "open", 97), (-20, "open", 99)
    ]  # fmt: skip


def test_a_strategy_is_not_asked_when_the_close_is_already_on_its_bar():
    """Whatever its methods are called: only `next` decides, once the session is over."""
    asked = []

    class Curious(bt.Strategy):
        def before_close(self):
            asked.append(self.data.close[0])

        def next(self):
            pass

    from backtests.engine.cerebro import make_cerebro, run_cerebro

    cerebro, *_ = make_cerebro(one((100, 100, 100, 200)), ("X",), FREE)
    cerebro.addstrategy(Curious)
    run_cerebro(cerebro)
    assert asked == []


def test_a_waiting_order_of_which_a_reverse_split_leaves_nothing_says_so():
    """Five shares become half a share; whole shares only."""
    episode = dataclasses.replace(
        one((1000, 1000, 1000, 1000)), adjusted="none",
        actions=(Action(symbol="X", ex_date=D[1], kind="split", value=0.1),),
    )  # fmt: skip
    (order,) = run_orders(episode, {0: [buy(5)]}, WHOLE).orders
    assert (order.status, order.filled, order.reason) == ("refused", 0, "whole shares only")


def test_our_numbers_of_order_kinds_are_backtraders():
    """So that only the broker and the replay have to import it."""
    from backtests.broker.orders import CLOSE, KINDS, LIMIT, MARKET, STOP

    assert list(KINDS) == Order.ExecTypes
    assert (Order.Market, Order.Close, Order.Limit, Order.Stop) == (MARKET, CLOSE, LIMIT, STOP)


def test_a_stop_gapped_through_fills_at_the_open_and_not_at_the_stop():
    """A sell stop at 95 on a bar that opens at 80 gets 80; a buy stop at 105 on one that opens at 120 pays 120."""
    down = run_orders(one((80, 82, 78, 81)), {0: [sell(exectype=Order.Stop, price=95)]})
    up = run_orders(one((120, 125, 119, 121)), {0: [buy(exectype=Order.Stop, price=105)]})
    assert (prices(down), prices(up)) == ([("open", 80)], [("open", 120)])


def test_a_stop_reached_inside_the_bar_fills_at_the_stop_with_slippage_of_continuous_trading():
    """Sell stop 95, low 94: 95 less 10 basis points; the auction's slippage has no part in it."""
    terms = dataclasses.replace(FREE, slippage_bps=99, bar_slippage_bps=10)
    replayed = run_orders(one((100, 101, 94, 96)), {0: [sell(exectype=Order.Stop, price=95)]}, terms)
    assert prices(replayed) == [("session", pytest.approx(94.905))]


def test_a_stop_that_is_not_reached_waits():
    """It is reached one bar later."""
    replayed = run_orders(one((100, 101, 96, 97), (97, 97, 94, 94)), {0: [sell(exectype=Order.Stop, price=95)]})
    assert [(fill.session, fill.price) for fill in replayed.fills] == [(D[2].isoformat(), 95)]


def test_a_limit_gapped_in_favour_fills_at_the_open():
    """A buy limit at 95 on a bar that opens at 80 pays 80; a sell limit at 105 on one that opens at 120 gets 120."""
    bought = run_orders(one((80, 82, 78, 81)), {0: [buy(exectype=Order.Limit, price=95)]})
    sold = run_orders(one((120, 125, 119, 121)), {0: [sell(exectype=Order.Limit, price=105)]})
    assert (prices(bought), prices(sold)) == ([("open", 80)], [("open", 120)])


def test_a_limit_is_filled_when_the_bar_trades_through_it_and_not_when_it_touches():
    """Low 95 is a touch of 95; low 94.9 is through it."""
    order = {0: [buy(exectype=Order.Limit, price=95)]}
    assert prices(run_orders(one((100, 101, 95, 96)), order)) == []
    assert prices(run_orders(one((100, 101, 94.9, 96)), order)) == [("session", 95)]


def test_a_limit_never_pays_more_than_its_price_whatever_the_slippage():
    """Open 94.99, slippage 1 %: the limit of 95 holds."""
    terms = dataclasses.replace(FREE, slippage_bps=100, bar_slippage_bps=100)
    replayed = run_orders(one((94.99, 96, 94, 95)), {0: [buy(exectype=Order.Limit, price=95)]}, terms)
    assert prices(replayed) == [("open", 95)]


def test_of_a_stop_and_a_limit_in_one_bar_the_stop_comes_first():
    """Long 10 with a stop at 95 and a limit at 105; the bar reaches both: sold at 95, then short at 105."""
    plan = {0: [buy()], 1: [sell(exectype=Order.Limit, price=105), sell(exectype=Order.Stop, price=95)]}
    replayed = run_orders(one((100, 100, 100, 100), (100, 106, 94, 100)), plan)
    assert prices(replayed) == [("open", 100), ("session", 95), ("session", 105)]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"exectype": Order.StopTrail, "trailamount": 1}, "StopTrail orders are not filled here"),
        ({"exectype": Order.StopLimit, "price": 95, "plimit": 94}, "StopLimit orders are not filled here"),
        ({"oco": object()}, "oco is not known here"),
        ({"transmit": False}, "transmit=False"),
        ({"exectype": Order.Limit}, "needs a price"),
        ({"size": float("nan")}, "give a number of shares"),
        ({"valid": 3.0}, "give a date"),
    ],
)
def test_other_kinds_of_orders_are_refused_with_one_line(how, said):
    """When they are made, so that the line of the strategy is in the traceback."""
    with pytest.raises(InputError, match=said):
        run_orders(one((100, 100, 100, 100)), {0: [buy(**how)]})


def test_an_order_expires_when_its_time_has_passed_and_says_so():
    """A limit that is valid until bar 1 is not filled in bar 2."""
    plan = {0: [buy(exectype=Order.Limit, price=90, valid=D[1])]}
    (order,) = run_orders(one((100, 100, 100, 100), (80, 80, 80, 80)), plan).orders
    assert (order.status, order.reason, order.filled) == ("expired", "expired, no longer valid", 0)


def test_a_cancelled_order_is_written_down():
    """Sent after bar 0, taken back after bar 1."""
    plan = {0: [buy(exectype=Order.Limit, price=90)], 1: [lambda strategy: strategy.cancel(strategy.sent[0])]}
    (order,) = run_orders(one((100, 100, 100, 100), (80, 80, 80, 80)), plan).orders
    assert (order.status, order.reason) == ("cancelled", "by the strategy")


def test_with_whole_shares_a_fraction_is_cut_off_and_the_record_says_so():
    """10.7 shares asked, 10 bought; of 0.7 nothing is left."""
    ten, none = run_orders(one((100, 100, 100, 100)), {0: [buy(10.7), buy(0.7)]}, WHOLE).orders[::-1]
    assert (ten.status, ten.size, ten.filled, ten.reason) == ("partly", 10.7, 10, "whole shares only")
    assert (none.status, none.filled, none.reason) == ("refused", 0, "whole shares only")


def test_order_target_percent_counts_in_the_books_own_shares():
    """Half of 10,000 at 33 a share: 151 whole shares, 151.5 with fractions."""
    episode = episode_of({"X": flat_bars([33.0, 33.0], D[:2])}, D[:2])
    plan = {0: [lambda strategy: strategy.order_target_percent(target=0.5)]}
    sizes = [run_orders(episode, plan, terms).fills[0].size for terms in (WHOLE, FREE)]
    assert sizes == [151, pytest.approx(5_000 / 33)]


def test_a_waiting_order_follows_a_split():
    """A limit to buy 10 at 95 becomes one to buy 100 at 9.5 on the day of a 10:1 split."""
    episode = dataclasses.replace(
        one((10, 10, 9.4, 10)), adjusted="none",
        actions=(Action(symbol="X", ex_date=D[1], kind="split", value=10.0),),
    )  # fmt: skip
    replayed = run_orders(episode, {0: [buy(exectype=Order.Limit, price=95)]})
    assert [(fill.size, fill.price) for fill in replayed.fills] == [(100, 9.5)]


def test_a_strategy_is_told_of_every_fate():
    """notify_order hears of acceptance and of a refusal for margin; notify_trade of a closed round trip."""
    heard = []

    class Listening(bt.Strategy):
        def next(self):
            if len(self) == 1:
                self.buy(size=10)
                self.buy(size=1_000)
            elif len(self) == 2:
                self.close()

        def notify_order(self, order):
            heard.append(order.getstatusname())

        def notify_trade(self, trade):
            heard.append(("closed", trade.pnl) if trade.isclosed else "opened")

    from backtests.engine.cerebro import make_cerebro, run_cerebro

    cerebro, *_ = make_cerebro(one((100, 100, 100, 100), (110, 110, 110, 110)), ("X",), FREE)
    cerebro.addstrategy(Listening)
    run_cerebro(cerebro)
    assert {"Submitted", "Accepted", "Completed", "Margin", "opened", ("closed", 100.0)} <= set(heard)


def test_valid_takes_a_timedelta_too():
    """One and a half days from bar 0 on: bar 1 is in time, bar 2 is not."""
    how = {"exectype": Order.Limit, "price": 90, "valid": timedelta(days=1, hours=12)}
    late = run_orders(one((100, 100, 100, 100), (80, 80, 80, 80)), {0: [buy(**how)]})
    in_time = run_orders(one((80, 80, 80, 80)), {0: [buy(**how)]})
    assert (late.orders[0].status, in_time.orders[0].status) == ("expired", "filled")
    assert D[:3] == [date(2025, 1, 2), date(2025, 1, 3), date(2025, 1, 6)]


def test_every_order_meets_the_same_margin_as_a_rules():
    """A stop that would open too large a position is refused when it is reached."""
    replayed = run_orders(
        one((100, 112, 100, 111)), {0: [buy(250, exectype=Order.Stop, price=110)]}, BrokerTerms(cash=1e4)
    )
    (order,) = replayed.orders
    assert (order.status, order.reason) == ("refused", "initial margin: equity at the auction is too small")
