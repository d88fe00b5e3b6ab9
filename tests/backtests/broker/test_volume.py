"""Slippage that grows with the part of the volume taken, and a cap on that part."""

from __future__ import annotations

import dataclasses
import math

import backtrader as bt
import pytest

from backtests.broker.terms import BrokerTerms
from tests.helpers.markets import FREE, episode_of, flat_bars, run_orders, run_script, weekdays

DAYS = weekdays(6)


def market(volume, closes=(100,) * 6):
    """One symbol with the same volume in every bar."""
    return episode_of({"X": flat_bars(closes, DAYS)}, DAYS, volumes={"X": volume})


def test_slippage_has_a_base_and_a_part_that_grows_with_the_root_of_the_volume_taken():
    """25 of 10,000 shares are 1/400; the root is 1/20; 100 basis points of impact make 5, on a base of 3."""
    terms = dataclasses.replace(FREE, slippage_bps=3, impact_bps=100)
    (fill,) = run_script(market(10_000), {1: {"X": 0.25}}, terms).fills
    assert fill.price == pytest.approx(100 * (1 + 8 / 10_000))
    assert fill.slippage == pytest.approx(25 * 100 * 8 / 10_000)


@pytest.mark.parametrize(("size", "volume", "bps"), [(100, 100, 55), (1, 100, 10), (400, 100, 105), (5, 0, 55)])
def test_the_formula_by_hand(size, volume, bps):
    """Base 5, impact 50: all of the volume 55, a hundredth 10, four times 105; without volume as if all of it."""
    assert BrokerTerms(impact_bps=50).slip_bps(5, -size, volume) == pytest.approx(bps)
    assert BrokerTerms().slip_bps(5, size, volume) == 5


def test_auctions_and_continuous_trading_have_slippages_of_their_own():
    """30 bp at the open, 10 bp for a stop inside the session, 30 bp at the close."""
    terms = dataclasses.replace(FREE, slippage_bps=30, bar_slippage_bps=10)
    bars = {DAYS[0]: (100.0,) * 4, DAYS[1]: (100.0, 111.0, 100.0, 100.0)}
    kinds = [{}, {"exectype": bt.Order.Stop, "price": 110}, {"exectype": bt.Order.Close}]
    plan = {0: [lambda strategy, how=how: strategy.buy(size=1, **how) for how in kinds]}
    replayed = run_orders(episode_of({"X": bars}, DAYS[:2]), plan, terms)
    paid = [(fill.auction, round(fill.price / fill.auction_price * 10_000 - 10_000, 6)) for fill in replayed.fills]
    assert paid == [("open", 30), ("session", 10), ("close", 30)]


def test_an_increase_beyond_the_cap_is_filled_in_part_and_the_rest_is_cancelled_with_its_reason():
    """50 shares wanted, 10 % of 300 may be had."""
    terms = dataclasses.replace(FREE, volume_cap_pct=10)
    replayed = run_script(market(300), {1: {"X": 0.5}}, terms)
    (order,) = replayed.orders
    assert (order.status, order.size, order.filled) == ("partly", 50, 30)
    assert order.reason == "volume cap: 10 % of 300 shares"
    assert [fill.size for fill in replayed.fills] == [30]


def test_a_reduction_beyond_the_cap_goes_on_until_it_is_done():
    """60 shares short are covered at 25 a session: three fills of one order."""
    terms = dataclasses.replace(FREE, volume_cap_pct=100)
    episode = market(1_000)
    bars = episode.prices.bars["X"]
    bars.volume[2:] = 25
    replayed = run_script(episode, {1: {"X": -0.6}, 2: {"X": 0.0}}, terms)
    cover = replayed.orders[-1]
    assert (cover.status, cover.filled) == ("filled", 60)
    assert [fill.size for fill in replayed.fills if fill.order == cover.order] == [25, 25, 10]


def test_a_newer_target_takes_the_place_of_what_still_waits():
    """Covering 60 at 25 a session, then short 50 wanted again: the rest of the cover is taken back first."""
    terms = dataclasses.replace(FREE, volume_cap_pct=100)
    episode = market(1_000)
    episode.prices.bars["X"].volume[2] = 25
    replayed = run_script(episode, {1: {"X": -0.6}, 2: {"X": 0.0}, 3: {"X": -0.5}}, terms)
    first = next(order for order in replayed.orders if order.status != "filled")
    assert (first.status, first.filled) == ("partly", 25)
    assert first.reason.startswith("replaced by a newer target; volume cap")
    assert replayed.days[-1].positions[0][1] == pytest.approx(-50)


def test_a_forced_reduction_is_cut_by_the_volume_and_measured_anew():
    """A call for 106 of 190 shares, 40 a session to be had: 150 short are still too many, 110 are not."""
    terms = dataclasses.replace(FREE, volume_cap_pct=100)
    episode = market(100_000, (100, 125, 125, 125, 125, 125))
    bars = episode.prices.bars["X"]
    bars.open[1] = bars.low[1] = 100
    bars.volume[2:] = 40
    replayed = run_script(episode, {1: {"X": -1.9}}, terms)
    assert [fill.size for fill in replayed.fills if fill.forced] == [40, 40]
    assert [day.margin_call for day in replayed.days] == [True, True, False, False, False]
    assert {order.reason for order in replayed.orders if order.status == "partly"} == {
        "replaced by the next margin check; volume cap: 100 % of 40 shares"
    }


def test_a_bar_without_volume_fills_nothing_under_a_cap():
    """The order says why."""
    terms = dataclasses.replace(FREE, volume_cap_pct=10)
    (order,) = run_script(market(0), {1: {"X": 0.5}}, terms).orders
    assert (order.status, order.reason) == ("refused", "volume cap: 10 % of 0 shares")


def test_orders_of_one_bar_share_its_volume():
    """Two orders of 20 with 30 to be had: 20 and 10."""
    terms = dataclasses.replace(FREE, volume_cap_pct=10)
    plan = {0: [lambda strategy: strategy.buy(size=20)] * 2}
    assert [fill.size for fill in run_orders(market(300), plan, terms).fills] == [20, 10]
    assert math.isclose(run_orders(market(300), plan, terms).days[-1].equity, 10_000)
