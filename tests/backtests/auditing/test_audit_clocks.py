"""The audit of runs that decide more than once a session: both auctions, bars of minutes."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from backtests import load_episode
from backtests.auditing.audit import audit
from backtests.broker.terms import BrokerTerms
from backtests.engine.news import read_news
from backtests.user_strategies.selection import standard_rules
from feeds.scoring import DEFAULT
from tests.helpers.cheats import Claimed, FullSample, Tomorrow


def anew(headline):
    """Scores a headline without remembering."""
    return DEFAULT.before(date(2025, 1, 13)).score(headline.title, headline.summary, headline.language, None)


def on_minutes(folder):
    """The episode on bars of a quarter of an hour around its key session, flat at each day's close."""
    rows = []
    daily = load_episode("deepseek-2025").prices.bars
    for symbol in ("NVDA", "AVGO", "MU", "CEG", "SPY"):
        for day, close in zip(daily[symbol].sessions, daily[symbol].close.tolist(), strict=True):
            if date(2025, 1, 22) <= day <= date(2025, 1, 30):
                start = datetime.fromisoformat(f"{day}T09:30:00-05:00")
                rows += [f"{symbol},{(start + n * timedelta(minutes=15)).isoformat()},{close},{close},{close},{close},9"
                         for n in range(26)]  # fmt: skip
    path = folder / "minutes.csv"
    path.write_text("symbol,timestamp,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
    return load_episode("deepseek-2025", bars="15m", prices=path)


@pytest.fixture(scope="module", params=["open,close", "close", "minutes"])
def run_on(request, tmp_path_factory):
    """Episode, news and terms of each way to decide more than once, or later, in a session."""
    if request.param == "minutes":
        episode, terms = on_minutes(tmp_path_factory.mktemp("minutes")), BrokerTerms()
    else:
        episode, terms = load_episode("deepseek-2025"), BrokerTerms(auctions=request.param)
    return episode, read_news(episode), terms


def test_no_registered_rule_is_accused_on_any_clock(run_on):
    """Cut and planted at the last moment of each session whose news it may trade; nothing differs."""
    episode, news, terms = run_on
    found = audit(episode, news, standard_rules(), terms, scoring=anew)
    assert found.violations == ()
    assert found.decisions == len(standard_rules()) * len(episode.window)
    assert found.headlines > found.claimed > 0


@pytest.mark.parametrize("cheat", [Tomorrow, Claimed, FullSample])
def test_each_cheat_is_caught_on_any_clock(run_on, cheat):
    """Beside an honest rule, which stays clean."""
    episode, news, terms = run_on
    found = audit(episode, news, [cheat(), *standard_rules(["shock"], {"reactions": "include"})], terms)
    assert {each.strategy for each in found.violations} == {cheat.name}
