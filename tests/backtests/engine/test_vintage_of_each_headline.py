"""Years of news: no decision rests on weights that learned from anything later, and the result says which read what."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from backtests.cli import cli
from backtests.engine.news import read_news
from backtests.engine.news_language import by_vintage
from backtests.episodes.episode import EPISODES, load_episode
from backtests.records.contamination import facts_of_news, scorer_line
from feeds.headline import Headline
from feeds.scoring import DEFAULT
from feeds.scoring.heads.model import VINTAGES

CUTOFFS = [date.fromisoformat(each) for each in VINTAGES[:-1]]


def headline(seen):
    """A headline seen at a moment."""
    return Headline(
        id=seen.isoformat(), feed="f", source="S", title="Nvidia falls", summary="", link="", language="en",
        published=None, seen=seen,
    )  # fmt: skip


@given(st.lists(st.integers(0, 1_800 * 24), unique=True), st.dates(date(2022, 1, 1), date(2026, 12, 1)))
def test_no_weights_decide_on_what_they_learned_from(hours, start):
    """Law: the newest cut-off before the first session, or the headline's day if later; the first where none was over."""
    heads = [headline(datetime(2022, 1, 1, tzinfo=UTC) + timedelta(hours=each)) for each in hours]
    groups = by_vintage(heads, DEFAULT, None, timedelta(minutes=5), start)
    assert sorted(each.id for _, group in groups for each in group) == sorted(each.id for each in heads)
    for vintage, group in groups:
        for each in group:
            decided = max(start, each.seen.date())
            over = [day for day in (*CUTOFFS, DEFAULT.trained_until) if day < decided]
            assert vintage.trained_until == max(over, default=CUTOFFS[0])


def test_in_an_episode_over_a_cut_off_each_headline_has_its_own_weights():
    """Before and after 26 October 2025, by the vintages asked one by one."""
    episode = load_episode("ai-bubble-2025", start=date(2025, 10, 20), end=date(2025, 11, 14))
    news = read_news(episode)
    own = {each.trained_until: each for each in DEFAULT.vintages}
    for item in news.items[::25]:
        head = item.headline
        cut = max(
            (day for day in CUTOFFS if day < max(episode.start, head.known_at(episode.assumed_delay).date())),
            default=CUTOFFS[0],
        )
        expected = own[cut]
        assert item.score == expected.score(head.title, head.summary, head.language, None)
    assert set(news.vintages) == {"2024-12-31", "2025-10-26"}
    assert "not contaminated" in scorer_line(facts_of_news(news, episode))


def test_the_panel_says_which_weights_read_how_much_and_what_no_weights_precede():
    """Counted from the episode's files alone; the headlines of 2022 are contaminated."""
    text = (EPISODES / "ai-2022-2026" / "news.jsonl").read_text(encoding="utf-8")
    days = [json.loads(line)["seen"][:10] for line in text.splitlines()]
    episode = load_episode("ai-2022-2026")
    news = read_news(episode)
    facts = facts_of_news(news, episode)
    early = sum(day <= "2022-12-31" for day in days)
    assert facts["before_first"] == early > 0
    assert sum(facts["vintages"].values()) == len(news.items)
    of_2023 = sum("2023-01-01" <= day <= "2023-12-31" for day in days)
    assert facts["vintages"]["2022-12-31"] == early + of_2023
    line = scorer_line(facts)
    assert line.startswith("CONTAMINATED scorer disruption 5")
    assert f"{early} headlines of ai-2022-2026 are from before 2022-12-31" in line


def test_a_run_over_a_cut_off_is_made_again_to_the_byte(tmp_path, monkeypatch):
    """It names the scorer of all its vintages, and its audit finds the same scores."""
    monkeypatch.chdir(tmp_path)
    window = ["--start", "2025-10-20", "--end", "2025-11-05"]
    words = [
        "run",
        "ai-bubble-2025",
        *window,
        "--no-resample",
        "-s",
        "shock",
        "--no-baselines",
        "--trials",
        "off",
        "-o",
        "run",
    ]
    for each in (words, ["verify", "run"], ["audit", "run"]):
        done = CliRunner().invoke(cli, each, catch_exceptions=False)
        assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "run" / "run_card.json").read_text())["config"]["scorer"] == "disruption 5"


@pytest.mark.parametrize(
    ("name", "label"), [("deepseek-2025", "disruption-2024-12-31 5"), ("quiet-2023", "disruption-2022-12-31 5")]
)
def test_where_one_vintage_read_all_the_result_names_that_one(name, label):
    """Weeks within the life of one."""
    news = read_news(load_episode(name))
    assert (news.scorer, news.vintages) == (label, {})
