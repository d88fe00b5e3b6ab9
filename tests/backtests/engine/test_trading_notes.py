"""What stood still is said: a run names orders that waited for volume and shares whose bars ended."""

from __future__ import annotations

import dataclasses
from datetime import date

import pytest

from backtests import load_episode, replay
from backtests.broker.terms import BrokerTerms
from backtests.engine.news import read_news
from backtests.episodes.prices import Prices
from tests.helpers.paths import SHARED

MONDAY = date(2025, 1, 27)


@pytest.fixture(scope="module")
def deepseek():
    """The episode."""
    return load_episode("deepseek-2025")


def with_bars(episode, symbol, change):
    """The episode with one symbol's bars changed."""
    bars = {**episode.prices.bars, symbol: change(episode.prices.bars[symbol])}
    return dataclasses.replace(episode, prices=Prices(bars=bars))


def until_monday(bars):
    """Bars that end on the Monday of the selloff."""
    count = bars.sessions.index(MONDAY) + 1
    figures = {name: getattr(bars, name)[:count] for name in ("open", "high", "low", "close", "volume")}
    return dataclasses.replace(bars, sessions=bars.sessions[:count], **figures)


def silent_after_monday(bars):
    """Bars without volume from Tuesday on."""
    volume = bars.volume.copy()
    volume[bars.sessions.index(MONDAY) + 1 :] = 0
    return dataclasses.replace(bars, volume=volume)


def test_a_run_in_which_all_traded_says_nothing(deepseek):
    """No finding, no note."""
    document = replay(deepseek, "buy-hold").document
    assert document.keys().isdisjoint({"halts", "delistings"})
    assert document["notes"] == []


def test_a_delisted_share_is_named_with_what_was_paid_and_who_held_it(deepseek):
    """In the document, in a note, and as a fill that closes the trade."""
    result = replay(with_bars(deepseek, "SMCI", until_monday), "buy-hold", terms=BrokerTerms(delisting="25"))
    (row,) = result.document["delistings"]
    (closed,) = row["closed"]
    close = float(deepseek.prices.bars["SMCI"].close[deepseek.prices.bars["SMCI"].sessions.index(MONDAY)])
    assert (row["symbol"], row["last_session"], row["paid_pct"]) == ("SMCI", "2025-01-27", 25)
    assert (closed["strategy"], closed["price"]) == ("buy-hold", pytest.approx(close / 4))
    (note,) = result.document["notes"]
    assert note.startswith(
        "SMCI: bars end on 2025-01-27, inside the window; taken as delisted at 25 % of its last close"
    )
    assert f"buy-hold {closed['shares']:+g} shares" in note
    trade = result.trades[result.trades["symbol"] == "SMCI"].iloc[0]
    assert trade["closed"].date() == date(2025, 1, 28)


def test_orders_that_waited_for_volume_are_counted_by_strategy(deepseek):
    """`drift` wants SMCI on Tuesday; it has no volume from then on."""
    result = replay(with_bars(deepseek, "SMCI", silent_after_monday), "drift", "always-short")
    (row,) = result.document["halts"]
    assert (row["symbol"], row["sessions"][0]) == ("SMCI", "2025-01-28")
    assert row["orders"] == {"drift": 1}
    assert result.document["notes"][0].startswith("SMCI: no volume on 2025-01-28, ")
    fills = result.fills[result.fills["symbol"] == "SMCI"]
    assert fills["session"].max().date() <= MONDAY


@pytest.mark.skipif(not (SHARED / "cases" / "prices").is_dir(), reason="needs the shared cases")
@pytest.mark.parametrize(("kind", "key"), [("delisted", "delistings"), ("halted", "halts")])
def test_the_shared_cases_of_prices_are_named(kind, key, tmp_path):
    """As a vendor's file has them."""
    import subprocess
    import sys

    from tests.helpers.paths import ROOT

    script = SHARED / "cases" / "prices" / "make_episode.py"
    subprocess.run([sys.executable, script, kind, tmp_path / kind], cwd=ROOT, check=True)
    episode = load_episode(tmp_path / kind)
    result = replay(episode, "drift", news=read_news(episode))
    assert [row["symbol"] for row in result.document[key]] == ["SMCI"]


def test_a_strategy_that_can_trade_nothing_is_named(deepseek):
    """In the document and in a note: its 0.00 % is no result."""
    result = replay(deepseek, ["displaced", "buy-hold"])
    (row,) = result.document["nothing_to_trade"]
    assert row == {"strategy": "displaced", "reason": "there is no symbol of software"}
    assert [note for note in result.document["notes"] if note.startswith("NOTHING TO TRADE for displaced: ")]


def test_a_sector_without_the_exposure_that_a_rule_follows_is_nothing_to_trade():
    """In September 2023 nobody had said that office software is displaced, but that images are (Adobe) was known."""
    episode = load_episode("quiet-2023")
    assert "nothing_to_trade" not in replay(episode, "displaced").document
    (row,) = replay(episode, "shock", sectors="software", reactions="include").document["nothing_to_trade"]
    assert row["reason"] == "no symbol of software has an exposure to compute demand or power demand by then"
