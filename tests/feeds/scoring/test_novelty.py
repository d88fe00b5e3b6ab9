"""Weights of repeated stories: equal to comparing every pair of a day, at any density."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from feeds.scoring.novelty import same_story_weights

T0 = datetime(2025, 1, 27, tzinfo=UTC)
WORDS = [f"{letter * 3}word" for letter in "abcdefgh"] + ["the", "and", "ab"]
TITLES = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)
LONG = st.integers(60, 90).map(lambda count: " ".join(f"{number:03}x" for number in range(count)))
HEADLINES = st.lists(
    st.tuples(
        st.one_of(TITLES, TITLES, LONG),
        st.sampled_from([0, 0, 1, 60, 700, 1440, 1500]),  # minutes since the one before
        st.frozensets(st.sampled_from(["META+", "META-", "NVDA-"]), max_size=2),
    ),
    max_size=80,
)


def words(title: str) -> set[str]:
    """The definition's content words, spelt out again for the words used here."""
    return {word[:6] for word in re.findall(r"[a-z0-9]{3,}", title) if word not in {"the", "and"}}


@given(HEADLINES)
def test_weights_are_those_of_comparing_every_pair_of_24_hours(rows):
    """A story: two shared words, and half of the shorter title's, or a shared topic."""
    minutes, times = 0, []
    for _, pause, _ in rows:
        minutes += pause
        times.append(T0 + timedelta(minutes=minutes))
    expected = []
    for later, (title, _, topics) in enumerate(rows):
        repeats = 0
        for earlier in range(later):
            one, other = words(title), words(rows[earlier][0])
            shared = len(one & other)
            close = times[later] - times[earlier] <= timedelta(hours=24)
            story = shared >= 2 and shared >= min(len(one), len(other)) / 2
            repeats += close and bool(story or topics & rows[earlier][2])
        expected.append(0.75**repeats)
    assert same_story_weights([row[0] for row in rows], times, [row[2] for row in rows]) == expected


def test_ten_times_as_many_headlines_a_day_take_less_than_three_times_as_long_each():
    """All pairs would take ten times as long. The same 8,000 titles, closer together."""
    titles = [f"company{n % 97} plans number{n % 1013} for market{n % 31} growth{n % 7}" for n in range(8_000)]

    def took(per_day: int) -> float:
        times = [T0 + timedelta(days=number / per_day) for number in range(len(titles))]
        started = time.process_time()
        same_story_weights(titles, times)
        return time.process_time() - started

    assert min(took(7_000) for _ in range(3)) < 3 * min(took(700) for _ in range(3))
