"""Laws that every rule keeps in any market. Rules come from the registry, so that a new one is covered unnamed."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backtests.kernel.numba_cache import compiled
from feeds.headline import Headline
from feeds.scoring import Entity, Score
from strategies.registry import make_rule, rules
from strategies.signals import NewsItem, SignalBook
from strategies.sized_rule import SizedRule
from strategies.universe import CHANNELS
from strategies.view import Market, View
from tests.helpers.markets import weekdays

PLACES = {
    "NVDA": "chips", "AMD": "chips", "QCOM": "chips", "VST": "power", "NRG": "power", "ANET": "gear",
    "META": "platforms", "MSFT": "platforms", "CRM": "software", "SPY": "funds",
    "SMH": "funds",
}  # fmt: skip
DAYS = weekdays(26, date(2025, 1, 13))
FIRST = 12  # row of the window's first session
QUICK = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def market_of(seed: int, *, listed_late: int = 0) -> Market:
    """A random market of 26 sessions, its news in the last 14: jumps, wide moods, companies named, a late listing."""
    rng = np.random.default_rng(seed)
    count = len(PLACES)
    moves = rng.normal(0, 0.06, (2, len(DAYS), count))
    closes = 100 * np.exp(np.cumsum(moves[0] + moves[1], axis=0))
    opens = closes * np.exp(-moves[1])
    opens[:listed_late, 1], closes[:listed_late, 1] = np.nan, np.nan
    exposure = rng.choice([0.0, 0.5, 1.0], (len(CHANNELS), 1, count)) * np.ones((1, len(DAYS), 1))
    exposure[3] *= -1
    items = [_item(rng, number, row) for number, row in enumerate(sorted(rng.integers(FIRST, len(DAYS), 40)))]
    return Market(
        symbols=tuple(PLACES),
        sectors=tuple(PLACES.values()),
        exposure=exposure,
        benchmark="SPY",
        sessions=tuple(DAYS),
        open=opens,
        close=closes,
        first=FIRST,
        signals=SignalBook(items, FIRST, len(DAYS) - 1),
    )


def _item(rng: np.random.Generator, number: int, row: int) -> NewsItem:
    known_at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=int(row))
    head = Headline(
        id=str(number), feed="made", source="made", title="made", summary="", link="", language="en",
        published=known_at, seen=None,
    )  # fmt: skip
    names = rng.choice(list(PLACES), 2, replace=False)
    named = tuple(Entity(symbol=str(name), direction=int(rng.integers(-1, 2)), salience=1.0) for name in names)
    mood = float(rng.uniform(-1, 1))
    score = Score(
        language="en", relevance=1.0, sentiment=mood, tone=float(np.sign(mood)), displacement=-mood, entities=named
    )
    return NewsItem(headline=head, score=score, known_at=known_at, session=int(row), weight=1.0, vader=mood)


def weights_of(rule, market: Market, last: int = len(DAYS)) -> np.ndarray:
    """The rule's targets for every session of the window before `last`, shape (sessions, symbols)."""
    state = rule.fresh_state(len(market.symbols))
    return np.array(
        [rule.decide(View(market, row, after_open=rule.after_open), state) for row in range(FIRST, last)]
    )  # fmt: skip


def settings_of(rule_type):
    """The rule's defaults, and each choice of each parameter, one at a time."""
    yield {}
    for each in rule_type.described():
        yield from ({each["name"]: str(choice)} for choice in each["choices"] or () if choice != each["default"])
        if isinstance(each["default"], bool):
            yield {each["name"]: str(not each["default"])}


CASES = [
    pytest.param(name, own, id=" ".join([name, *itertools.starmap("{}={}".format, own.items())]))
    for name, rule_type in rules().items()
    for own in settings_of(rule_type)
]
seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize(("name", "own"), CASES)
@QUICK
@given(seed=seeds, cut=st.integers(FIRST + 1, len(DAYS) - 1), late=st.integers(0, 20))
def test_another_future_changes_no_past_decision(name, own, seed, cut, late):
    """From the session `cut` on all prices and news are others; what was decided before it is the same to the bit."""
    rule, market, other = make_rule(name, own), market_of(seed, listed_late=late), market_of(seed + 1)
    opens, closes, exposure = market.open.copy(), market.close.copy(), market.exposure.copy()
    opens[cut:], closes[cut:], exposure[:, cut:] = other.open[cut:] * 9, other.close[cut:] / 9, -1.0
    closes[cut - 1] = other.close[cut - 1] * 7  # the close of the last session decided for is not known either
    opens[cut - 1] *= 1 if rule.after_open else 7
    items = [item for item in market.signals._items if item.session < cut]
    items += [item for item in other.signals._items if item.session >= cut]
    altered = dataclasses.replace(
        market, open=opens, close=closes, exposure=exposure, signals=SignalBook(items, FIRST, len(DAYS) - 1)
    )
    np.testing.assert_array_equal(weights_of(rule, market, cut), weights_of(rule, altered, cut))


@pytest.mark.parametrize(("name", "own"), CASES)
@QUICK
@given(
    seed=seeds,
    gross=st.floats(0.1, 2),
    name_cap=st.floats(0.05, 2),
    net_cap=st.floats(0.05, 2),
    late=st.integers(0, 20),
)
def test_weights_stay_within_gross_net_and_name_caps(name, own, seed, gross, name_cap, net_cap, late):
    """Whatever the bounds; a hedge (platforms, funds, the other leg of a pair) is not held to the name cap."""
    caps = {"gross": repr(gross), "name_cap": repr(name_cap), "net_cap": repr(net_cap)}
    weights = weights_of(make_rule(name, {**own, **caps}), market_of(seed, listed_late=late))
    assert np.isfinite(weights).all()
    assert np.abs(weights).sum(axis=1).max() <= gross * (1 + 1e-12)
    assert np.abs(weights.sum(axis=1)).max() <= net_cap * (1 + 1e-9)
    hedges = {"funds"} | ({"platforms"} if own.get("hedge") else set()) | ({"power"} if name == "pairs" else set())
    legs = [column for column, sector in enumerate(PLACES.values()) if sector not in hedges]
    assert np.abs(weights[:, legs]).max() <= name_cap * (1 + 1e-12)


@pytest.mark.parametrize(("name", "own"), CASES)
@QUICK
@given(seed=seeds, order=st.permutations(range(len(PLACES))))
def test_the_order_of_symbols_is_irrelevant(name, own, seed, order):
    """The same market with its columns shuffled gives the same weights, but for the last bits of sums."""
    market, rule, order = market_of(seed), make_rule(name, own), list(order)
    shuffled = dataclasses.replace(
        market,
        symbols=tuple(market.symbols[column] for column in order),
        sectors=tuple(market.sectors[column] for column in order),
        exposure=market.exposure[:, :, order],
        open=market.open[:, order],
        close=market.close[:, order],
        signals=SignalBook(market.signals._items, FIRST, len(DAYS) - 1),
    )
    np.testing.assert_allclose(weights_of(rule, shuffled), weights_of(rule, market)[:, order], rtol=0, atol=1e-9)


@pytest.mark.parametrize(("name", "own"), CASES)
def test_the_same_market_gives_the_same_weights_and_nothing_in_it_is_changed(name, own):
    """A rule keeps nothing but its state, and writes to nothing else."""
    market, rule = market_of(5), make_rule(name, own)
    before = [array.copy() for array in (market.open, market.close, market.exposure)]
    first = weights_of(rule, market)
    np.testing.assert_array_equal(first, weights_of(rule, market))
    for array, copy in zip((market.open, market.close, market.exposure), before, strict=True):
        np.testing.assert_array_equal(array, copy)
    assert np.abs(first).sum() > 0, "a law about a rule that never trades proves nothing"


@pytest.mark.parametrize(("name", "own"), CASES)
def test_without_news_a_news_rule_holds_nothing(name, own):
    """No headline, no position; baselines that need no news may trade."""
    rule = make_rule(name, own)
    silent = dataclasses.replace(market_of(6), signals=SignalBook((), FIRST, len(DAYS) - 1))
    assert not rule.news or not weights_of(rule, silent).any()


@pytest.mark.parametrize("name", rules())
def test_every_step_compiles_and_gives_the_same_bits(name):
    """Each choice of each parameter: numba's weights and state are Python's."""
    rule_type = rules()[name]
    assert rule_type.compiles()
    advance, weigh, market = compiled(rule_type.advance), compiled(rule_type.weigh), market_of(7, listed_late=15)
    for own in settings_of(rule_type):
        rule = make_rule(name, own)
        state = rule.fresh_state(len(PLACES))
        other, before = state.copy(), np.zeros(len(PLACES))
        for row in range(FIRST, len(DAYS)):
            rows = rule.observe(View(market, row, after_open=rule.after_open))
            expected, weights = rule.step(state, rows), np.full(len(PLACES), np.nan)
            changed = advance(rule.numbers(), other, np.array(rows))
            weigh(rule.limits(), rule.numbers(), other, weights)
            np.testing.assert_array_equal(expected, weights)
            assert changed or np.array_equal(before, weights), "it said that nothing has changed"
            before = weights
            np.testing.assert_array_equal(state, other)


@pytest.mark.parametrize("name", [name for name, each in rules().items() if issubclass(each, SizedRule)])
@QUICK
@given(seed=seeds)
def test_a_side_is_kept(name, seed):
    """`side=long` never sells a leg short, `side=short` never buys one; a pair's hedge is the other way round."""
    for side, sign in (("long", 1), ("short", -1)):
        weights = weights_of(make_rule(name, {"side": side}), market_of(seed))
        legs = [column for column, sector in enumerate(PLACES.values()) if name != "pairs" or sector == "chips"]
        assert (weights[:, legs] * sign >= 0).all()


@pytest.mark.parametrize("name", rules())
def test_every_parameter_says_its_unit_and_what_it_does(name):
    """Numbers have a unit, choices are listed, and each has a line."""
    assert rules()[name].about
    for each in rules()[name].described():
        assert each["about"], each["name"]
        assert each["unit"] or each["choices"] or isinstance(each["default"], bool) or each["name"] == "sign"


@pytest.mark.parametrize("name", rules())
@QUICK
@given(seed=seeds)
def test_a_rule_told_its_sectors_holds_no_other_but_its_hedges(name, seed):
    """Of gear and software; the benchmark may be a hedge."""
    rule, market = make_rule(name, {"sectors": "gear+software"}), market_of(seed)
    held = {PLACES[market.symbols[column]] for column in np.flatnonzero(weights_of(rule, market).any(axis=0))}
    assert held <= {"gear", "software", "funds", *rule.hedges}
