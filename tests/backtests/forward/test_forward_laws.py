"""Laws of forward records: whatever the news, the calendar and the kills, the record is the replay."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from backtests import load_episode, replay
from backtests.engine.news import read_archive
from backtests.forward.grading import grade
from backtests.forward.record_checks import check_record
from backtests.forward.watch import watch
from backtests.user_strategies.selection import standard_rules
from feeds.archive import Archive
from feeds.headline import Headline
from tests.helpers.forward import Simulated, registered, small_universe, utc

TITLES = (
    "DeepSeek's cheap model needs a fraction of Nvidia's chips, AI stocks plunge",
    "Meta raises AI capital spending to build a giant data center",
    "Micron warns of weak demand for AI memory chips",
    "Microsoft cancels leases of data centers for AI",
    "OpenAI and Oracle sign a record deal for AI computing power",
    "Billigeres KI-Modell aus China: Sorge um Nvidia",
    "Nvidia",
    "City museum opens a new wing",
)
WINDOWS = (
    (date(2025, 3, 4), date(2025, 3, 17)),  # New York goes to summer time on the 9th
    (date(2025, 11, 19), date(2025, 12, 3)),  # Thanksgiving, then a half-day
    (date(2025, 6, 27), date(2025, 7, 11)),  # a half-day before the fourth of July
)
RULES = ("shock", "drift", "rebound", "headline-count")


@st.composite
def headlines(draw, first: date):
    """Two weeks of items: some late by days, some edited, short ones, two languages, at any second."""
    found = []
    for number in range(draw(st.integers(0, 25))):
        seen = utc(first) + timedelta(seconds=draw(st.integers(-86_400, 15 * 86_400)))
        late = timedelta(seconds=draw(st.sampled_from((0, 60, 3_600, 200_000))))
        head = Headline(
            id=f"i{number}", feed=f"http://feed/{number % 3}", source="wire", title=draw(st.sampled_from(TITLES)),
            summary="", link=f"http://feed/{number}", language=draw(st.sampled_from(("", "en"))),
            published=seen - late, seen=seen,
        )  # fmt: skip
        found.append(head)
        if draw(st.booleans()):
            edited = {
                "title": draw(st.sampled_from(TITLES)),
                "seen": seen + timedelta(seconds=draw(st.integers(1, 90_000))),
            }
            found.append(Headline(**{**{name: getattr(head, name) for name in Headline.__slots__}, **edited}))
    return found


@cache
def universe(window: int) -> Path:
    """The universe of a window, made once."""
    folder = Path(tempfile.mkdtemp(prefix="universe-"))
    return small_universe(folder / "small", *WINDOWS[window], seed=window)


def played(folder: Path, window: int, news, rules, kills=()):
    """Watches two weeks, killed on the way; returns the portfolios and the archive."""
    first, last = WINDOWS[window]
    archive = Archive(folder / "archive.db")
    simulated = Simulated(archive, news, utc(first))
    portfolios = [
        registered(folder / rule.name, rule, archive, simulated.now, universe=universe(window))
        for rule in standard_rules(rules, {"reactions": "include"} if "shock" in rules else {})
    ]
    until, mortal = utc(last, 20), Mortal(simulated, kills)
    while simulated.now < until:
        try:
            watch(portfolios, archive, mortal.world(), until=until)
        except KilledError:
            continue
    return portfolios, archive


class KilledError(BaseException):
    """kill -9."""


class Mortal:
    """A world in which the process is killed at given looks at the clock."""

    def __init__(self, simulated: Simulated, kills) -> None:
        self.simulated, self.kills, self.looks = simulated, set(kills), itertools.count()

    def clock(self):
        """The time, or the end."""
        if next(self.looks) in self.kills:
            raise KilledError
        return self.simulated.now

    def world(self):
        """What a watcher is given."""
        from dataclasses import replace

        return replace(self.simulated.world(), clock=self.clock)


def assert_is_the_replay(portfolios, archive, window: int) -> None:
    """Line for line the targets, and after grading the fills and the equity."""
    first, last = WINDOWS[window]
    episode = load_episode(universe(window), start=first, end=last)
    episode, news = read_archive(episode, archive, until=utc(last, 23))
    for portfolio in portfolios:
        whole = replay(episode, portfolio.rule(), news=news)
        lines = portfolio.chain().lines
        assert [line["session"] for line in lines] == [str(episode.sessions.sessions[row]) for row in episode.window]
        for line in lines:
            stands = {s: w for _, day, s, w in whole.tables["targets"].rows if day <= line["session"]}
            assert line["targets"] == {symbol: weight for symbol, weight in stands.items() if weight}
        graded, name = grade(portfolio, archive), f"{portfolio.name} (recorded)"
        for table in ("fills", "equity"):
            ours = [row[1:] for row in graded.tables[table].rows if row[0] == name]
            assert ours == [row[1:] for row in whole.tables[table].rows]


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_two_weeks_of_any_news_recorded_are_the_replay(data):
    """Revisions, late items, half-days and clock changes; the record verifies."""
    window = data.draw(st.integers(0, len(WINDOWS) - 1))
    news = data.draw(headlines(WINDOWS[window][0]))
    with tempfile.TemporaryDirectory() as place:
        portfolios, archive = played(Path(place), window, news, [data.draw(st.sampled_from(RULES))])
        with archive:
            assert_is_the_replay(portfolios, archive, window)
            assert check_record(portfolios[0], archive, rule=portfolios[0].rule()).wrong == ()


@settings(max_examples=8, deadline=None)
@given(st.sets(st.integers(0, 120), max_size=50), st.sampled_from((0.0, 0.3, 1.0)), st.sampled_from(RULES[:2]))
def test_killed_anywhere_and_resumed_the_record_is_the_same(kills, torn, rule):
    """Up to fifty kills, at any look at the clock; `torn` of the last line is cut off as a kill in writing would."""
    window, news = 1, seen_news()
    with tempfile.TemporaryDirectory() as place:
        portfolios, archive = played(Path(place), window, news, [rule], kills)
        with archive:
            if torn < 1:
                for portfolio in portfolios:
                    whole = portfolio.record.read_bytes()
                    start = whole.rindex(b"\n", 0, -1) + 1
                    portfolio.record.write_bytes(whole[: start + int(torn * (len(whole) - start))])
                simulated = Simulated(archive, (), utc(WINDOWS[window][1], 14, 16))
                watch(portfolios, archive, simulated.world(), once=True)
            assert_is_the_replay(portfolios, archive, window)
            for portfolio in portfolios:
                assert check_record(portfolio, archive, rule=portfolio.rule()).wrong == ()


def seen_news():
    """A headline every nine hours, each title in turn."""
    first = utc(WINDOWS[1][0])
    return [
        Headline(
            id=f"i{number}", feed="http://feed", source="wire", title=TITLES[number % len(TITLES)], summary="",
            link=f"http://feed/{number}", language="en", published=None, seen=first + timedelta(hours=9 * number),
        )
        for number in range(36)
    ]  # fmt: skip


def teardown_module():
    """Removes the universes."""
    for window in range(len(WINDOWS)):
        shutil.rmtree(universe(window).parent, ignore_errors=True)
