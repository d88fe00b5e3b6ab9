"""The book is like a bank's: these promises come before everything else."""

from __future__ import annotations

import dataclasses
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtests.broker.terms import BrokerTerms
from backtests.episodes.prices import Action
from feeds.errors import InputError
from tests.helpers.markets import FREE, episode_of, flat_bars, run_script, weekdays

THU, FRI, MON, TUE = date(2025, 1, 23), date(2025, 1, 24), date(2025, 1, 27), date(2025, 1, 28)
WEEKEND = [THU, FRI, MON, TUE]


def test_worked_example_of_a_short_over_a_weekend_with_dividend_and_borrow():
    """Three sessions by hand: short 50 at 99.95, commission 5 bps, dividend 0.44 on Monday, borrow 1 % a year."""
    bars = {
        THU: (100.0, 100.0, 100.0, 100.0),
        FRI: (100.0, 102.0, 100.0, 102.0),
        MON: (105.0, 105.0, 105.0, 105.0),
        TUE: (103.0, 103.0, 103.0, 103.0),
    }
    episode = episode_of({"X": bars}, WEEKEND, actions=[Action(symbol="X", ex_date=MON, kind="dividend", value=0.44)])
    terms = BrokerTerms(cash=10_000, commission_bps=5, slippage_bps=5, borrow_pct=1)
    replayed = run_script(episode, {1: {"X": -0.5}}, terms)  # 0.5 of 10,000 at 100 a share = 50 shares

    cash = 10_000 + 50 * 99.95 - 50 * 99.95 * 0.0005
    friday = cash - 50 * 102
    cash += -50 * 102 * 0.01 * 3 / 360 - 50 * 0.44
    monday = cash - 50 * 105
    cash += -50 * 105 * 0.01 * 1 / 360
    tuesday = cash - 50 * 103
    assert [friday, monday, tuesday] == pytest.approx([9895.00125, 9722.57625, 9822.43041666667], abs=1e-8)
    assert [day.equity for day in replayed.days] == pytest.approx([friday, monday, tuesday], abs=1e-8)
    assert replayed.fills[0].price == pytest.approx(99.95, abs=1e-12)


def test_sizes_come_from_the_last_close_and_not_from_the_coming_open():
    """With a close of 100 and an open of 125 half of 10,000 is 50 shares, bought at 125."""
    bars = {THU: (100.0, 100.0, 100.0, 100.0), FRI: (125.0, 130.0, 120.0, 120.0)}
    (fill,) = run_script(episode_of({"X": bars}, [THU, FRI]), {1: {"X": 0.5}}).fills
    assert (fill.size, fill.price, fill.session) == (50.0, 125.0, "2025-01-24")


def test_slippage_is_paid_in_full_even_outside_the_bars_range():
    """On a bar of one price a buy pays more and a sale gets less than that price."""
    episode = episode_of({"X": flat_bars([100, 100, 100], [THU, FRI, MON])}, [THU, FRI, MON])
    terms = BrokerTerms(cash=10_000, commission_bps=0, slippage_bps=50, borrow_pct=0)
    fills = run_script(episode, {1: {"X": 0.5}, 2: {"X": 0.0}}, terms).fills
    assert [fill.price for fill in fills] == [100.5, 99.5]


def test_an_increase_beyond_initial_margin_is_refused_with_its_reason_and_nothing_is_dropped():
    """Gross 2.5 needs 125 % of equity: refused, written down, cash untouched."""
    episode = episode_of({"X": flat_bars([100, 100], [THU, FRI])}, [THU, FRI])
    replayed = run_script(episode, {1: {"X": -2.5}})
    (order,) = replayed.orders
    assert (order.status, order.filled, replayed.days[-1].cash) == ("refused", 0, 10_000)
    assert "initial margin" in order.reason


def test_initial_margin_holds_to_the_cent():
    """Equity 10,000 carries exactly 20,000 of shorts; one dollar more is refused."""
    episode = episode_of({"X": flat_bars([100, 100], [THU, FRI])}, [THU, FRI])
    assert run_script(episode, {1: {"X": -2.0}}).orders[0].status == "filled"
    assert run_script(episode, {1: {"X": -2.0001}}).orders[0].status == "refused"


def test_a_cover_is_never_refused():
    """A short that doubled against us leaves no margin at all, and is still bought back in full."""
    bars = flat_bars([100, 100, 100], [THU, FRI, MON]) | {TUE: (160.0, 160.0, 160.0, 160.0)}
    replayed = run_script(episode_of({"X": bars}, WEEKEND), {1: {"X": -1.9}, 3: {"X": 0.0}})
    assert replayed.orders[-1].status == "filled"
    assert replayed.fills[-1].position == 0


def test_a_margin_call_at_the_close_is_met_at_the_next_open():
    """Short 190 at 100, close 125: equity 5,250 is under 30 % of 23,750, so Monday's open reduces by force."""
    bars = flat_bars([100, 100, 100, 100], WEEKEND) | {FRI: (100.0, 125.0, 100.0, 125.0)}
    replayed = run_script(episode_of({"X": bars}, WEEKEND), {1: {"X": -1.9}})
    assert replayed.days[0].margin_call
    assert replayed.days[0].equity == pytest.approx(10_000 - 190 * 25)
    forced = replayed.fills[1]
    assert (forced.forced, forced.session, forced.auction) == (True, "2025-01-27", "open")
    assert forced.position == pytest.approx(-5_250 / 0.5 / 125)  # what initial margin carries at the close


def test_ruin_keeps_the_debt_and_freezes_the_book():
    """A short that triples costs more than there is: liquidated at the next open, the debt of 10,000 stays."""
    episode = episode_of({"X": flat_bars([100, 100, 300, 300], WEEKEND)}, WEEKEND)
    replayed = run_script(episode, {1: {"X": -1.0}})
    assert replayed.ruined_on == "2025-01-27"
    assert [day.equity for day in replayed.days[1:]] == [pytest.approx(10_000 - 100 * 200)] * 2
    assert replayed.days[-1].positions == ()


def test_a_ruined_book_refuses_whatever_is_ordered_later():
    """After ruin and liquidation every order is refused, with the day of ruin, even when prices come back."""
    days = weekdays(6)
    episode = episode_of({"X": flat_bars([100, 100, 300, 300, 100, 100], days)}, days)
    replayed = run_script(episode, {1: {"X": -1.0}, 4: {"X": 0.0}, 5: {"X": 0.5}})
    assert {order.reason for order in replayed.orders[2:]} == {f"ruined on {days[2].isoformat()}"}
    assert replayed.days[-1].equity == pytest.approx(-10_000)


def test_turning_a_position_round_is_split_into_a_reducing_and_an_increasing_leg():
    """From +50 to -50 shares: two fills of 50 under one order."""
    episode = episode_of({"X": flat_bars([100, 100, 100], [THU, FRI, MON])}, [THU, FRI, MON])
    replayed = run_script(episode, {1: {"X": 0.5}, 2: {"X": -0.5}})
    assert [fill.size for fill in replayed.fills] == [50, -50, -50]
    assert replayed.fills[1].order == replayed.fills[2].order


def test_reductions_come_before_increases_whatever_the_order_of_symbols():
    """Swapping all of one symbol into another at gross 2 works, since the sale comes first."""
    days = [THU, FRI, MON]
    episode = episode_of({"A": flat_bars([100] * 3, days), "B": flat_bars([100] * 3, days)}, days)
    replayed = run_script(episode, {1: {"B": 2.0}, 2: {"A": 2.0, "B": 0.0}})
    assert {order.status for order in replayed.orders} == {"filled"}


def test_dividends_are_paid_by_shorts_and_to_longs_on_the_ex_date():
    """Held over the ex-date: 50 shares long get 22.00, 50 short pay 22.00; bought on it: nothing."""
    dividend = [Action(symbol="X", ex_date=MON, kind="dividend", value=0.44)]
    episode = episode_of({"X": flat_bars([100] * 4, WEEKEND)}, WEEKEND, actions=dividend)
    amounts = [[flow.amount for flow in run_script(episode, {row: {"X": w}}).flows if flow.kind == "dividend"]
               for row, w in ((1, 0.5), (1, -0.5), (2, 0.5))]  # fmt: skip
    assert amounts == [[pytest.approx(22)], [pytest.approx(-22)], []]


def test_a_split_inside_a_holding_changes_shares_and_not_money():
    """10:1 on unadjusted prices: 50 shares at 100 become 500 at 10."""
    split = [Action(symbol="X", ex_date=MON, kind="split", value=10.0)]
    episode = episode_of({"X": flat_bars([100, 100, 10, 10], WEEKEND)}, WEEKEND, actions=split, adjusted="none")
    replayed = run_script(episode, {1: {"X": -0.5}})
    assert [day.equity for day in replayed.days] == [10_000] * 3
    assert replayed.days[-1].positions == (("X", -500.0, 10.0),)


def test_listed_splits_are_not_applied_again_to_adjusted_prices():
    """Where prices have splits in them already, a listed split changes nothing."""
    split = [Action(symbol="X", ex_date=MON, kind="split", value=10.0)]
    episode = episode_of({"X": flat_bars([100] * 4, WEEKEND)}, WEEKEND, actions=split, adjusted="splits")
    assert run_script(episode, {1: {"X": 0.5}}).days[-1].positions == (("X", 50.0, 100.0),)


def test_a_late_listing_neither_shortens_the_run_nor_shows_its_future():
    """A symbol listed in the middle is no order before its first close is known."""
    days = weekdays(6)
    late = flat_bars([50, 50, 50], days[3:])
    episode = episode_of({"A": flat_bars([100] * 6, days), "L": late}, days)
    replayed = run_script(episode, {row: {"A": 0.4, "L": 0.1 + row / 100} for row in range(1, 6)})
    assert len(replayed.days) == 5
    assert min(fill.session for fill in replayed.fills if fill.symbol == "L") == days[4].isoformat()


def test_an_order_that_meets_no_auction_expires_at_the_end():
    """A symbol without a bar for the rest of the window leaves its order open; the status says so."""
    days = [THU, FRI, MON]
    episode = episode_of({"A": flat_bars([100] * 3, days), "X": flat_bars([10, 10], days[::2])}, days)
    episode = dataclasses.replace(episode, end=FRI)
    (order,) = run_script(episode, {1: {"X": 0.5}}).orders
    assert (order.status, order.session, order.reason) == ("expired", "", "expired, end of window")


def test_whole_shares_are_cut_towards_zero_and_never_lose_one_to_noise():
    """99.9999999999 is 100 shares, 99.9 is 99, for longs and shorts."""
    terms = BrokerTerms()
    assert [terms.shares(x) for x in (99.9999999999, 99.9, -99.9999999999, -99.9)] == [100, 99, -100, -99]


def test_interest_is_paid_on_cash_and_on_short_proceeds_only_by_choice():
    """Short 50 at 100: 5,000 of proceeds at 2 %, the other cash at 3 %, three nights; without the terms nothing.

    The other cash is 10,000 and what it earned in its first night.
    """
    episode = episode_of({"X": flat_bars([100] * 4, WEEKEND)}, WEEKEND)
    terms = dataclasses.replace(FREE, rebate_pct=2, cash_pct=3)
    flows = {
        flow.session: flow for flow in run_script(episode, {1: {"X": -0.5}}, terms).flows if flow.kind == "interest"
    }
    monday = flows["2025-01-27"]
    other = 10_000 * (1 + 0.03 / 360)
    assert (monday.symbol, monday.amount) == ("", pytest.approx((5_000 * 0.02 + other * 0.03) * 3 / 360))
    assert {flow.kind for flow in run_script(episode, {1: {"X": -0.5}}).flows} == {"borrow"}


def test_buying_power_is_what_initial_margin_still_lets_us_open():
    """10,000 at 50 % carry 20,000; 5,000 of them are short; at maintenance of 30 % the price is 125: 3,750 of loss."""
    bars = flat_bars([100, 100, 125], [THU, FRI, MON])
    days = run_script(episode_of({"X": bars}, [THU, FRI, MON]), {1: {"X": -0.5}}).days
    assert [day.buying_power for day in days] == [20_000 - 5_000, (10_000 - 50 * 25) * 2 - 50 * 125]


def test_rebalancing_daily_trades_drift_back_and_is_not_the_default():
    """Half in a symbol that doubles: 50 shares at 100, of 15,000 half is 37.5 at 200; once bought, or sold down."""
    days = weekdays(4)
    episode = episode_of({"X": flat_bars([100, 100, 200, 200], days)}, days)
    never = run_script(episode, {1: {"X": 0.5}})
    daily = run_script(episode, {1: {"X": 0.5}}, dataclasses.replace(FREE, rebalance="daily"))
    assert [fill.size for fill in never.fills] == [50]
    assert [fill.size for fill in daily.fills] == [50, pytest.approx(-12.5)]


def test_an_order_for_a_symbol_that_was_halted_is_sized_on_its_last_known_price():
    """No bar on Friday: Thursday's close of 100 is what is known for Monday, and Monday's open is what is paid."""
    other = flat_bars([10, 10, 10], [THU, FRI, MON])
    halted = {THU: (100.0,) * 4, MON: (80.0,) * 4}
    replayed = run_script(episode_of({"A": other, "X": halted}, [THU, FRI, MON]), {2: {"X": 0.5}})
    assert [(fill.size, fill.price, fill.session) for fill in replayed.fills] == [(50, 80, "2025-01-27")]


def test_a_short_that_loses_more_than_everything_never_recovers_from_below_zero():
    """Short at 100, 300 at the close, 350 at the next open, then 10: the debt of 15,000 stays."""
    days = weekdays(5)
    bars = flat_bars([100, 100, 300, 350, 10], days)
    replayed = run_script(episode_of({"X": bars}, days), {1: {"X": -1.0}})
    assert [day.equity for day in replayed.days] == pytest.approx([10_000, -10_000, -15_000, -15_000])


def test_terms_out_of_range_are_refused_in_one_line():
    """With the name and what is allowed."""
    for settings_, said in (
        ({"rebalance": "weekly"}, "never"), ({"auctions": "noon"}, "open"), ({"volume_cap_pct": "101"}, "between 0"),
        ({"impact_bps": "-1"}, "at least 0"), ({"cash": "0"}, "above 0"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=said):
            BrokerTerms().with_settings(settings_)


prices = st.floats(1, 1_000)
weights = st.floats(-1.9, 1.9)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(prices, prices), min_size=3, max_size=8), st.lists(weights, min_size=8, max_size=8),
       st.booleans())  # fmt: skip
def test_cash_plus_positions_is_equity_and_money_comes_from_somewhere(path, script, fractional):
    """On any path and any script, an independent sum over fills and flows gives every session's equity."""
    days = weekdays(len(path))
    bars = {day: (o, max(o, c), min(o, c), c) for day, (o, c) in zip(days, path, strict=True)}
    terms = BrokerTerms(cash=10_000, commission_bps=3, slippage_bps=7, borrow_pct=5, fractional=fractional)
    replayed = run_script(episode_of({"X": bars}, days), {r: {"X": w} for r, w in enumerate(script, 1)}, terms)
    for day in replayed.days:
        fills = [fill for fill in replayed.fills if fill.session <= day.session]
        cash = 10_000 - sum(fill.size * fill.price + fill.commission for fill in fills)
        cash += sum(flow.amount for flow in replayed.flows if flow.session <= day.session)
        shares = sum(fill.size for fill in fills)
        close = bars[date.fromisoformat(day.session)][3]
        assert day.equity == pytest.approx(cash + shares * close, abs=1e-6, rel=1e-12)
        assert day.equity == pytest.approx(day.cash + day.value, abs=1e-6, rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(prices, prices), min_size=4, max_size=8), st.lists(weights, min_size=8, max_size=8),
       st.integers(2, 6))  # fmt: skip
def test_what_happens_later_changes_no_earlier_day_of_the_book(path, script, cut):
    """Cut the market after any session: every day until then is the same to the last bit."""
    days = weekdays(len(path))
    bars = {day: (o, max(o, c), min(o, c), c) for day, (o, c) in zip(days, path, strict=True)}
    plan = {row: {"X": weight} for row, weight in enumerate(script, 1)}
    cut = min(cut, len(days))
    whole = run_script(episode_of({"X": bars}, days), plan, FREE).days
    short = run_script(episode_of({"X": {d: bars[d] for d in days[:cut]}}, days[:cut]), plan, FREE).days
    assert whole[: cut - 1] == short


def test_the_first_bar_cannot_look_back_into_the_future():
    """Backtrader's `close[-1]` on the first bar is the run's last bar when preloaded; here nothing later is there."""
    days = weekdays(5)
    episode = episode_of({"X": flat_bars([100, 101, 102, 103, 999], days)}, days)
    replayed = run_script(episode, {1: {"X": 0.5}})
    assert replayed.fills[0].size == pytest.approx(50)
    assert np.isfinite(replayed.days[0].equity)
