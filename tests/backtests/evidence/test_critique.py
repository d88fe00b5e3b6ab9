"""What speaks against a run: ruin, margin calls, a share that was delisted, a halt; and what is no finding."""

from __future__ import annotations

import dataclasses

import pytest

from backtests import replay
from backtests.evidence.attribution.attribution import attribute
from backtests.evidence.critique import criticise
from tests.helpers.markets import FREE, Script, episode_of, flat_bars, no_news, weekdays

DAYS = weekdays(14)


class Scripted(Script):
    """A script under a name of its own, that is no baseline."""

    name = "mine"


def findings(bars, weights, *, silent=(), **terms):
    """The findings on a script, by code; `silent` are rows without volume in X."""
    market = {"SPY": flat_bars([50 + n for n in range(14)], DAYS), **bars}
    sectors = {"funds": ("SPY",), "chips": tuple(bars)}
    episode = episode_of(market, DAYS, sectors=sectors)
    episode.prices.bars["X"].volume[list(silent)] = 0
    rules = [Scripted(weights=weights)]
    result = replay(episode, rules, terms=dataclasses.replace(FREE, **terms), news=no_news())
    found = criticise(result, attribute(result, rules, episode, no_news()), None)["strategies"][0]["findings"]
    return {each["code"]: each for each in found}, result


def test_ruin_and_margin_calls_are_severe():
    """Short 1.5 times equity at 100; at 200 the debt is larger than what was there."""
    found, result = findings({"X": flat_bars([100] * 3 + [200] * 11, DAYS)}, {1: {"X": -1.5}})
    assert found["ruin"]["grade"] == "severe"
    assert result.document["results"][0]["ruined_on"] in found["ruin"]["says"]
    called, _ = findings({"X": flat_bars([100] * 3 + [125] * 11, DAYS)}, {1: {"X": -1.9}})
    assert (called["margin-calls"]["grade"], called["margin-calls"]["figure"]) == ("severe", 1.0)
    assert "ruin" not in called


def test_a_share_that_was_delisted_while_it_was_held_is_named():
    """50 shares at 100; its last close of 80 makes a loss of 1,000, and hangs on 4,000 dollars that nobody may have paid."""
    found, _ = findings({"X": flat_bars([100] * 4 + [80], DAYS[:5])}, {1: {"X": 0.5}})
    assert "held +50 X when its bars ended" in found["delisting"]["says"]
    assert (found["delisting"]["grade"], found["delisting"]["figure"]) == ("severe", pytest.approx(4.0))


def test_an_order_that_waited_for_volume_is_named():
    """Rows 1 and 2 have none."""
    found, _ = findings({"X": flat_bars([100] * 14, DAYS)}, {1: {"X": 0.5}}, silent=(1, 2))
    assert (found["halt"]["grade"], found["halt"]["figure"]) == ("caution", 1.0)


def test_what_had_to_come_from_one_name_is_no_finding():
    """One share to trade: no finding; of three shares the one that was held: severe."""
    rising = flat_bars([100 + n for n in range(14)], DAYS)
    alone, _ = findings({"X": rising}, {1: {"X": 0.5}})
    assert (alone["one-name"]["grade"], alone["one-name"]["figure"]) == ("unknown", None)
    chosen, _ = findings({"X": rising, "Y": rising, "Z": rising}, {1: {"X": 0.5}})
    assert (chosen["one-name"]["grade"], chosen["one-name"]["figure"]) == ("severe", 1.0)


def test_many_names_on_one_morning_are_one_entry():
    """Three trades, one session of entry: caution, and it says why."""
    rising = flat_bars([100 + n for n in range(14)], DAYS)
    weights = {1: dict.fromkeys("XYZ", 0.2), 5: dict.fromkeys("XYZ", 0.0)}
    found, _ = findings({"X": rising, "Y": rising, "Z": rising}, weights)
    assert found["few-trades"]["says"].startswith("It made 3 trades, entered in 1 session: fewer than 10")
    assert (found["few-trades"]["grade"], found["few-trades"]["figure"]) == ("caution", 1.0)


def test_it_is_held_against_the_benchmark():
    """50 shares of X (half of 10,000 dollars at 100) from 101 to 113 make 6 %; SPY from 51 to 63 23.53 %."""
    found, result = findings({"X": flat_bars([100 + n for n in range(14)], DAYS)}, {1: {"X": 0.5}})
    assert result.document["benchmark"]["return_pct"] == pytest.approx((63 / 51 - 1) * 100)
    assert found["benchmark"]["figure"] == pytest.approx(0.06 - 12 / 51)
    assert found["benchmark"]["grade"] == "caution"
