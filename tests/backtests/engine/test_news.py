"""What a run says of its news: how much was read, and what had to be assumed."""

from __future__ import annotations

from backtests import load_episode
from backtests.engine.news import read_news
from feeds.dates import NO_ZONE
from tests.helpers.paths import CASES


def test_what_was_assumed_of_dates_is_counted_by_reason_in_the_run():
    """One item without a zone; where nothing was assumed, nothing is said."""
    feeds = CASES / "feeds"
    counted = read_news(load_episode("deepseek-2025", news=feeds / "slash_date.xml"))
    assert counted.counts()["remarks"] == {NO_ZONE: 1}
    assert "remarks" not in read_news(load_episode("deepseek-2025", news=feeds / "zone_good.xml")).counts()


def test_the_spelling_of_a_zone_moves_no_news():
    """Five spellings of one moment are known at one moment."""
    feeds = CASES / "feeds"
    known = {
        name: read_news(load_episode("deepseek-2025", news=feeds / f"zone_{name}.xml")).items[0].known_at
        for name in ("good", "named", "minus", "paren", "brt")
    }
    assert len(set(known.values())) == 1
