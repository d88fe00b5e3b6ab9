"""The doctor finds each planted fault of a set's times, and accuses no clean set."""

from __future__ import annotations

import csv
import dataclasses
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backtests.engine.news import read_document
from backtests.episodes.episode import load_episode
from feeds.doctor import examine
from feeds.headline import Headline
from tests.helpers.paths import EPISODES, SHARED

NOW = datetime(2025, 6, 1, tzinfo=UTC)
START = datetime(2025, 1, 6, tzinfo=UTC)
HOURS = {"en": 14, "de": 9}  # UTC in which papers are busiest
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def paper(
    name: str, language: str, *, days: int = 40, a_day: int = 8, seen: bool = True, seed: int = 1
) -> list[Headline]:
    """A paper's headlines: by day more than by night, fewer on Sundays; seen at the next poll, within a quarter."""
    chance = random.Random(f"{name} {seed}")
    made = []
    for day in range(days):
        for _ in range(a_day // (2 if (START + day * DAY).weekday() == 6 else 1)):
            hour = chance.gauss(HOURS[language], 3.5) % 24
            moment = START + day * DAY + timedelta(seconds=round(hour * 3600 + chance.uniform(0, 60)))
            poll = moment + timedelta(seconds=chance.uniform(5, 900))
            number = len(made)
            made.append(
                Headline(id=f"{number}", feed=name, source=name, title=f"Title {number} of {name}", summary="", link="",
                         language=language, published=moment, seen=poll if seen else None)
            )  # fmt: skip
    return made


def clean(*, seen: bool = True, seed: int = 1) -> list[Headline]:
    """Four papers of two languages."""
    names = (("Times", "en"), ("Post", "en"), ("Zeitung", "de"), ("Blatt", "de"))
    return [head for name, language in names for head in paper(name, language, seen=seen, seed=seed)]


def sick(change: Callable[[Headline], Headline], *, seen: bool = True, language: str = "en") -> list[Headline]:
    """A clean set and a paper with a fault."""
    return [*clean(seen=seen), *map(change, paper("Sick", language, seen=seen))]


def moved(by: timedelta) -> Callable[[Headline], Headline]:
    """A clock that is off."""
    return lambda head: dataclasses.replace(head, published=head.published + by)


def dated(published: Callable[[datetime], datetime]) -> Callable[[Headline], Headline]:
    """Another date for each."""
    return lambda head: dataclasses.replace(head, published=published(head.published))


def with_twins(by: timedelta) -> list[Headline]:
    """A paper that prints an agency's headlines, with a clock that is off; two others print them right."""
    agency = paper("Agency", "en", seen=False)
    copies = [
        dataclasses.replace(head, feed="Paper", source="Paper", published=head.published + 3 * HOUR / 60)
        for head in agency
    ]
    off = [dataclasses.replace(head, feed="Sick", source="Sick", published=head.published + by) for head in agency]
    return [*agency, *copies, *off]


def built(head: Headline) -> Headline:
    """Dated to the poll that saw it; polls come once a day, with eight items each."""
    poll = head.published.replace(hour=22, minute=0, second=0)
    return dataclasses.replace(head, published=poll - timedelta(seconds=30), seen=poll)


def flat() -> list[Headline]:
    """Times spread over the whole day."""
    chance = random.Random(3)
    spread = paper("Sick", "en", seen=False)
    return [
        *clean(seen=False),
        *(dataclasses.replace(head, published=START + DAY * chance.uniform(0, 40)) for head in spread),
    ]


def silent() -> list[Headline]:
    """A paper that stops after half of the time."""
    return [head for head in sick(lambda head: head) if head.feed != "Sick" or head.published < START + 20 * DAY]


def hole() -> list[Headline]:
    """Nobody polled for four days."""
    return [head for head in clean() if not START + 20 * DAY < head.seen < START + 24 * DAY]


def swapped() -> list[Headline]:
    """A list over five months whose days and months were exchanged, so that none lies after a 12th."""
    chance = random.Random(2)
    moments = [
        datetime(
            2025, chance.randint(1, 5), chance.randint(1, 12), chance.randint(7, 20), chance.randint(0, 59), tzinfo=UTC
        )
        for _ in range(90)
    ]
    return [
        dataclasses.replace(head, published=moment)
        for head, moment in zip(paper("Sick", "en", seen=False), moments, strict=False)
    ]


FAULTS = {
    "clock 8 hours slow": ("offset", lambda: sick(moved(-8 * HOUR))),
    "clock 8 hours fast": ("offset", lambda: sick(moved(8 * HOUR))),
    "zone of India": ("offset", lambda: sick(moved(5.5 * HOUR))),
    "clock off, nobody saw it": ("offset", lambda: with_twins(-5 * HOUR)),
    "night in Germany": ("night", lambda: sick(moved(-8 * HOUR), seen=False, language="de")),
    "no rhythm of a day": ("flat", flat),
    "days without a time": ("bare dates", lambda: sick(dated(lambda at: at.replace(hour=23, minute=59, second=59)), seen=False)),
    "midnight": ("bare dates", lambda: sick(dated(lambda at: at.replace(hour=0, minute=0, second=0)))),
    "one stamp a day": ("day stamps", lambda: sick(dated(lambda at: at.replace(hour=6, minute=at.day, second=0)), seen=False)),
    "dated to the build": ("build", lambda: sick(built)),
    "dated to one moment": ("build", lambda: sick(dated(lambda _: START + 9 * HOUR), seen=False)),
    "next year": ("future", lambda: sick(dated(lambda at: at.replace(year=2026)), seen=False)),
    "no date at all, nobody saw it": ("placeholder", lambda: sick(lambda head: dataclasses.replace(head, published=datetime(1970, 1, 1, tzinfo=UTC)) if head.id == "7" else head, seen=False)),
    "no date at all": ("placeholder", lambda: sick(dated(lambda _: datetime(1970, 1, 1, tzinfo=UTC)))),
    "minutes cut off": ("whole hours", lambda: sick(dated(lambda at: at.replace(minute=0, second=0)), seen=False)),
    "day and month exchanged": ("swapped", lambda: [*swapped()]),
    "seen is the import": ("import time", lambda: sick(lambda head: dataclasses.replace(head, seen=NOW - DAY))),
    "stopped": ("silent", silent),
    "a stretch without polls": ("hole", hole),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_each_planted_fault_is_found_where_it_was_planted(fault):
    """In the sick paper, and no other is accused of anything."""
    kind, make = FAULTS[fault]
    findings = examine(make(), now=NOW).findings
    place = "all news" if kind == "hole" else "Sick"
    assert (kind, place) in {(each.kind, each.where) for each in findings}
    assert {each.where for each in findings} == {place}
    assert all(each.found and each.advice and "\n" not in str(each) for each in findings)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10**6), st.booleans())
def test_a_clean_set_is_accused_of_nothing(seed, seen):
    """Whatever chance makes of its times, seen or not, and in any order."""
    news = clean(seen=seen, seed=seed)
    random.Random(seed).shuffle(news)
    examined = examine(news, now=NOW)
    assert examined.findings == ()
    assert (examined.headlines, examined.feeds) == (len(news), 4)
    assert examined.assumed == (0 if seen else len(news))


def test_edits_are_no_fault():
    """An edit is seen long after its item was published; of each item the first words count."""
    later = [dataclasses.replace(head, title="edited", seen=head.seen + 9 * HOUR) for head in clean()]
    assert examine([*later, *clean()], now=NOW).findings == ()


def test_a_daily_letter_and_a_snapshot_a_day_are_no_fault():
    """One item a day at six o'clock; a front page that is saved once a day."""
    letter = [dataclasses.replace(head, feed="Letter", published=(START + n * DAY).replace(hour=6), seen=None)
              for n, head in enumerate(paper("Letter", "en", a_day=2)[:40])]  # fmt: skip
    saved = [
        dataclasses.replace(head, feed="Front", seen=head.published.replace(hour=6) + DAY)
        for head in paper("Front", "en")
    ]
    assert examine([*clean(), *letter, *saved], now=NOW).findings == ()


def test_polled_feeds_without_a_headline_and_those_that_re_date_are_named():
    """Both are known to the archive alone."""
    examined = examine(clean(), now=NOW, polled=["Times", "Never"], redating=["Post"])
    assert [(each.kind, each.where) for each in examined.findings] == [("silent", "Never"), ("re-dated", "Post")]


def test_a_first_fetch_is_no_import():
    """A polled feed may list the items of weeks; all were seen at once."""
    first = [dataclasses.replace(head, seen=START + 40 * DAY) for head in paper("Slow", "en", days=40, a_day=2)]
    assert [each.kind for each in examine([*clean(), *first], now=NOW).findings] == ["import time"]
    assert examine([*clean(), *first], now=NOW, polled=["Slow"]).findings == ()


def test_nothing_and_little_are_no_fault():
    """No headline, and one."""
    assert examine([], now=NOW).findings == examine(clean()[:1], now=NOW).findings == ()


@pytest.mark.parametrize("name", sorted(path.name for path in EPISODES.iterdir() if (path / "episode.toml").is_file()))
def test_the_news_of_the_episodes_are_accused_of_nothing(name):
    """They carry the times of real publications."""
    news = [head for path in load_episode(name).news for head in read_document(path).headlines]
    assert len(news) > 50
    assert examine(news, now=datetime(2026, 11, 30, tzinfo=UTC)).findings == ()


@pytest.mark.skipif(not (SHARED / "data" / "news").is_dir(), reason="the shared news are not beside the project")
@pytest.mark.parametrize("feed", ["source", ""], ids=["a feed for each source", "one feed"])
def test_real_headlines_are_accused_of_nothing(feed):
    """Two hundred sources in two languages."""
    with (SHARED / "data" / "news" / "headlines_2025_timed.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    news = [
        Headline(id=str(number), feed=row.get(feed, "all"), source=row["source"], title=row["title"], summary="", link="",
                 language=row["language"], **{name: datetime.fromisoformat(row[column]) if row[column] else None
                 for name, column in (("published", "published_utc"), ("seen", "first_seen_utc"))})
        for number, row in enumerate(rows)
    ]  # fmt: skip
    assert examine(news, now=datetime(2026, 11, 30, tzinfo=UTC)).findings == ()
