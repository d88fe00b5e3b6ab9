"""Splits and dividends inside a holding, on prices that are not adjusted for them."""

from __future__ import annotations

import dataclasses
from datetime import date

import numpy as np
import pytest

from backtests.broker.terms import BrokerTerms
from backtests.engine.market import make_market
from backtests.episodes.prices import Action
from strategies.view import View
from tests.helpers.markets import FREE, episode_of, flat_bars, no_news, run_orders, run_script, weekdays

# Nvidia around its 10:1 split of 10 June 2024, as it was quoted, and its dividend of the day after
DAYS = [date(2024, 6, day) for day in (6, 7, 10, 11, 12)]
QUOTED = [
    (1240.48, 1255.87, 1183.20, 1209.98),
    (1197.70, 1216.92, 1180.22, 1208.88),
    (120.37, 123.10, 117.01, 121.79),
    (121.77, 122.87, 118.74, 120.91),
    (123.06, 126.88, 122.57, 125.20),
]
ACTIONS = (
    Action(symbol="NVDA", ex_date=date(2024, 6, 11), kind="dividend", value=0.01),
    Action(symbol="NVDA", ex_date=date(2024, 6, 10), kind="split", value=10.0),
)


def quoted():
    """The episode on unadjusted prices."""
    return episode_of({"NVDA": dict(zip(DAYS, QUOTED, strict=True))}, DAYS, actions=ACTIONS, adjusted="none")


def adjusted():
    """The same with the split taken out of the prices."""
    bars = [tuple(price / (10 if day < DAYS[2] else 1) for price in bar)
            for day, bar in zip(DAYS, QUOTED, strict=True)]  # fmt: skip
    return episode_of({"NVDA": dict(zip(DAYS, bars, strict=True))}, DAYS, actions=ACTIONS)


def test_a_short_goes_through_nvidias_split_and_dividend():
    """Short 40 at 1,197.70, from Monday on 400; Tuesday's dividend of 0.01 costs 4.00; by hand to the cent."""
    terms = BrokerTerms(cash=100_000, commission_bps=0, slippage_bps=0, borrow_pct=0)
    replayed = run_orders(quoted(), {0: [lambda strategy: strategy.sell(size=40)]}, terms)
    cash = 100_000 + 40 * 1197.70
    expected = [cash - 40 * 1208.88, cash - 400 * 121.79, cash - 4 - 400 * 120.91, cash - 4 - 400 * 125.20]
    assert [day.equity for day in replayed.days] == pytest.approx(expected)
    assert [day.positions[0][1] for day in replayed.days] == [-40, -400, -400, -400]


@pytest.mark.parametrize("weight", [0.8, -0.8])
@pytest.mark.parametrize("row", [1, 2, 3])
def test_a_split_changes_no_result_whichever_prices_are_used(weight, row):
    """Bought or sold before it, over it or after it, with fractions: the equities of both kinds of prices are one."""
    terms = BrokerTerms(cash=100_000, fractional=True, borrow_pct=7)
    plan = {row: {"NVDA": weight}, 4: {"NVDA": 0.0}}
    equities = [[day.equity for day in run_script(each, plan, terms).days] for each in (quoted(), adjusted())]
    assert equities[0] == pytest.approx(equities[1], rel=1e-12)


def test_a_round_trip_over_a_split_has_its_profit():
    """Short 40 at 1,197.70, covered as 400 at 121.77, after a dividend of 4.00."""
    from backtests.records.round_trips import round_trips

    terms = BrokerTerms(cash=100_000, commission_bps=0, slippage_bps=0, borrow_pct=0)
    plan = {0: [lambda strategy: strategy.sell(size=40)], 2: [lambda strategy: strategy.close()]}
    replayed = run_orders(quoted(), plan, terms)
    (trade,) = round_trips(replayed.fills, replayed.flows)
    assert trade.pnl == pytest.approx(40 * 1197.70 - 400 * 121.77 - 4)


def test_a_reverse_split_pays_out_the_fraction_of_a_share():
    """15 shares at 10 become 1 at 100 and half a share in cash; of 5 short nothing is left, bought back at the mark."""
    days = weekdays(3)
    split = [Action(symbol="X", ex_date=days[2], kind="split", value=0.1)]
    bars = flat_bars([10, 10, 100], days)
    episode = episode_of({"X": bars}, days, actions=split, adjusted="none")
    whole = dataclasses.replace(FREE, fractional=False)
    held = run_orders(episode, {0: [lambda strategy: strategy.buy(size=15)]}, whole)
    short = run_orders(episode, {0: [lambda strategy: strategy.sell(size=5)]}, whole)
    assert [(fill.auction, fill.size, fill.price) for fill in held.fills][1:] == [("fraction", -0.5, 100)]
    assert (held.days[-1].positions, held.days[-1].equity) == ((("X", 1.0, 100.0),), 10_000)
    assert (short.days[-1].positions, short.days[-1].equity) == ((), 10_000)


def test_a_rule_sees_no_fall_where_there_was_a_split():
    """On Monday the closes before are in Monday's shares; on Friday, when Monday is the future, they are as quoted."""
    market = make_market(quoted(), no_news())
    closes = [View(market, row, after_open=False).closes[:, 0] for row in (1, 2, 3)]
    assert closes[0] == pytest.approx([1209.98])
    assert closes[1] == pytest.approx([120.998, 120.888])
    assert closes[2] == pytest.approx([120.998, 120.888, 121.79])
    assert np.allclose(View(market, 2, after_open=True).opens[:, 0], [124.048, 119.77, 120.37])


def test_a_split_and_a_dividend_on_one_day_are_in_new_shares():
    """Whatever their order in the file, the split comes first: 100 old shares, 1,000 new, 0.01 each."""
    days = weekdays(3)
    actions = [Action(symbol="X", ex_date=days[2], kind=kind, value=value)
               for kind, value in (("dividend", 0.01), ("split", 10.0))]  # fmt: skip
    episode = episode_of({"X": flat_bars([100, 100, 10], days)}, days, actions=actions, adjusted="none")
    (flow,) = run_script(episode, {1: {"X": 1.0}}).flows
    assert flow.amount == pytest.approx(10.0)
