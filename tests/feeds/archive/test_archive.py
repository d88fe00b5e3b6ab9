"""The archive: what was known when, whatever is fetched, edited, re-issued or killed."""

from __future__ import annotations

import dataclasses
import sqlite3
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feeds import rss
from feeds.archive import Archive, ArchiveError, Document
from feeds.archive.identity import canonical_link
from feeds.archive.story_links import words_of
from feeds.headline import Headline
from tests.helpers.paths import SHARED

T0 = datetime(2025, 1, 27, 12, 0, tzinfo=UTC)
LAB = SHARED / "data" / "feeds" / "real" / "lab-feeds"


def at(minutes: float) -> datetime:
    """A moment of that Monday."""
    return T0 + timedelta(minutes=minutes)


def headline(guid: str = "g", title: str = "A title", minutes: float = 0, **changes) -> Headline:
    """A headline seen at a minute."""
    made = Headline(
        id=guid, feed="f", source="S", title=title, summary="", link="", language="en", published=None, seen=at(minutes)
    )
    return dataclasses.replace(made, **changes)


def record(archive: Archive, *headlines: Headline, feed: str = "https://feed.example/rss", key: str | None = None):
    """Stores headlines as one document."""
    document = Document(
        feed=feed, url=feed, at=headlines[0].seen if headlines else T0, hash="", provenance="live", rule="seen", key=key
    )
    return archive.record(document, headlines)


@pytest.fixture
def archive(tmp_path):
    """An empty archive."""
    with Archive(tmp_path / "a.sqlite") as opened:
        yield opened


def titles(archive: Archive, minutes: float, **options) -> list[str]:
    """What was known at a minute."""
    return [held.headline.title for held in archive.as_of(at(minutes), **options)]


def test_an_edit_is_a_new_revision_and_the_old_one_stays(archive):
    """Each is known from its own moment; identity stays, the revision's number grows."""
    record(archive, headline(title="Nvidia falls", minutes=0))
    record(archive, headline(title="Nvidia falls 17 %", minutes=30))
    assert titles(archive, -1) == []
    assert titles(archive, 29) == ["Nvidia falls"]
    assert titles(archive, 30) == ["Nvidia falls 17 %"]
    (first, second) = archive.history(None, at(60))
    assert (first.headline.id, first.headline.revision, second.headline.revision) == (second.headline.id, 0, 1)


def test_what_comes_again_unchanged_is_stored_once_with_its_first_seen(archive):
    """However often it is fetched, and however its date moves."""
    for minute in range(5):
        record(archive, headline(minutes=minute, published=at(minute)))
    (held,) = archive.as_of(at(60))
    assert held.known == at(0)
    assert held.headline.published == at(0)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"id": "1", "link": "https://a.example/x"}, {"id": "2", "link": "https://a.example/x"}),
        ({"id": "1", "link": "https://a.example/x"}, {"id": "2", "link": "http://www.a.example/x/?utm_source=rss#top"}),
        (
            {"id": "1", "link": "https://a.example/x?id=7&at_medium=RSS"},
            {"id": "2", "link": "https://a.example/x?id=7"},
        ),
        ({"id": "1", "link": "https://a.example/x"}, {"id": "1", "link": "https://a.example/renamed"}),
        ({"id": "1", "published": T0}, {"id": "2", "published": T0}),
    ],
    ids=["re-issued guid", "tracking and twin", "tracking among others", "renamed page", "no link, same moment"],
)
def test_identity_survives(archive, first, second):
    """The same item under another guid or address."""
    record(archive, headline(minutes=0, **first))
    record(archive, headline(minutes=1, **second))
    assert len(archive.history(None, at(60))) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"link": "https://a.example/x?id=7"}, {"link": "https://a.example/x?id=8"}),
        ({"link": "https://a.example/"}, {"link": "https://a.example/"}),
        ({"link": "https://a.example/x"}, {"link": "https://b.example/x"}),
        ({"published": T0}, {"published": at(1)}),
    ],
    ids=["other number", "front page", "other site", "other moment"],
)
def test_different_items_stay_apart(archive, first, second):
    """Rubrics like "Market report" come every day."""
    record(archive, headline(guid="1", minutes=0, **first))
    record(archive, headline(guid="2", minutes=1, **second))
    assert len(archive.as_of(at(60))) == 2


def test_a_link_that_all_items_of_a_document_share_is_no_identity(archive):
    """Some feeds link every item to the same page."""
    items = [headline(guid=str(n), title=f"Title number {n}", link="https://a.example/all") for n in range(3)]
    record(archive, *items)
    record(archive, *(dataclasses.replace(each, seen=at(5)) for each in items))
    assert len(archive.as_of(at(60))) == 3


def test_a_list_may_hold_several_sightings_of_one_item(archive):
    """As an export does; of two at one moment the first counts."""
    record(archive, headline(title="a", minutes=0), headline(title="b", minutes=0), headline(title="b", minutes=9))
    assert (titles(archive, 0), titles(archive, 9)) == (["a"], ["b"])


def test_feeds_do_not_share_identities(archive):
    """Two feeds may use the guid 1."""
    record(archive, headline(guid="1"), feed="https://a.example/rss")
    record(archive, headline(guid="1"), feed="https://b.example/rss")
    assert len(archive.as_of(at(1))) == 2


def test_syndicated_near_copies_are_linked_not_dropped(archive):
    """One story; another day's is another story, and so is a headline with the same company."""
    agency = "Chipmaker shares slide after cheaper model from China surprises the market"
    record(archive, headline("1", agency + " - Agency", 0), feed="https://a.example/rss")
    record(archive, headline("2", agency.replace("slide", "fall"), 20), feed="https://b.example/rss")
    record(archive, headline("3", "Chipmaker opens a new plant in Saxony with public money", 30))
    record(archive, headline("4", agency, 3 * 1440))
    first, copy, other, later = (held.story for held in archive.as_of(at(5000)))
    assert first == copy
    assert len({first, other, later}) == 3


def test_a_capture_from_before_is_known_from_before(archive):
    """A back-fill stored later makes the live sighting a repeat, and never shows later words earlier."""
    record(archive, headline(title="New words", minutes=60))
    record(archive, headline(title="Old words", minutes=0))
    record(archive, headline(title="New words", minutes=30))
    assert [titles(archive, minute) for minute in (0, 29, 30, 90)] == [
        ["Old words"], ["Old words"], ["New words"], ["New words"]
    ]  # fmt: skip
    assert archive.as_of(at(90))[0].known == at(30)
    assert archive.verify() == []


def test_what_nobody_saw_is_assumed_and_says_so(archive):
    """Known five minutes after it claims to be published."""
    record(archive, headline(seen=None, published=at(0)))
    assert titles(archive, 4.99) == []
    (held,) = archive.as_of(at(5))
    assert (held.provenance, held.headline.seen, held.known) == ("assumed", None, at(5))


def test_a_capture_is_stored_once(archive):
    """By its key."""
    record(archive, headline(), key="wayback:1")
    record(archive, headline(guid="other"), key="wayback:1")
    assert len(archive.as_of(at(1))) == 1
    assert archive.keys_done("wayback:") == {"wayback:1"}


def test_search_finds_words_and_phrases_and_never_runs_what_is_searched(archive):
    """Umlauts and case do not matter; operators are words."""
    record(archive, headline("1", "Börsen im Sog des KI-Schocks"), headline("2", "Reactor to power data centre"))
    assert titles(archive, 1, search="borsen") == ["Börsen im Sog des KI-Schocks"]
    assert titles(archive, 1, search='"data centre" REACTOR') == ["Reactor to power data centre"]
    assert titles(archive, 1, search="reactor NOT power") == []
    assert titles(archive, 1, search="power*") == ["Reactor to power data centre"]
    for wrong in ('"', "***", ""):
        with pytest.raises(ArchiveError):
            archive.as_of(at(1), search=wrong)


def test_nothing_can_be_changed_or_deleted(archive):
    """Not even by a slip of our own."""
    record(archive, headline())
    for sql in ("UPDATE revisions SET title = 'x'", "DELETE FROM revisions", "DELETE FROM documents",
                "REPLACE INTO revisions SELECT * FROM revisions"):  # fmt: skip
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            archive._connection.execute(sql)


SIGHTING = st.tuples(
    st.integers(0, 3),  # feed and item
    st.integers(0, 4),
    st.integers(0, 3),  # words
    st.integers(0, 50),  # minute
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(SIGHTING, max_size=30))
def test_as_of_is_what_a_plain_model_says(tmp_path_factory, history):
    """Fetches in order of time: of each item the words of its last sighting by then, and since when."""
    with Archive(tmp_path_factory.mktemp("a") / "a.sqlite") as archive:
        history = sorted(history, key=lambda row: row[3])
        for feed, item, words, minute in history:
            record(archive, headline(str(item), f"words {words}", minute), feed=f"https://{feed}.example/")
        for minute in range(-1, 52, 7):
            expected: dict[tuple[int, int], tuple[str, int]] = {}
            for feed, item, words, when in history:
                if when <= minute and expected.get((feed, item), ("", 0))[0] != f"words {words}":
                    expected[feed, item] = (f"words {words}", when)
            held = archive.as_of(at(minute))
            assert sorted((each.headline.title, each.known) for each in held) == sorted(
                (words, at(when)) for words, when in expected.values()
            )
        assert archive.verify() == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(SIGHTING, max_size=30), st.integers(1, 5))
def test_as_of_never_holds_the_future_and_only_grows(tmp_path_factory, history, size):
    """In any order of storing, back-fills included; several sightings in one document."""
    with Archive(tmp_path_factory.mktemp("a") / "a.sqlite") as archive:
        for start in range(0, len(history), size):
            for feed, item, words, minute in history[start : start + size]:
                record(archive, headline(str(item), f"words {words}", minute), feed=f"https://{feed}.example/")
        said = {
            (f"https://{feed}.example/", str(item), f"words {words}", at(minute))
            for feed, item, words, minute in history
        }
        snapshots = [list(archive.as_of(at(minute))) for minute in range(-1, 52, 7)]
        for minute, snapshot in zip(range(-1, 52, 7), snapshots, strict=True):
            for held in snapshot:
                assert held.known <= at(minute)
                assert (held.headline.feed, held.headline.id, held.headline.title, held.known) in said
        for earlier, later in pairwise(snapshots):
            assert {(each.headline.feed, each.headline.id) for each in earlier} <= {
                (each.headline.feed, each.headline.id) for each in later
            }
        assert archive.verify() == []


def test_a_full_disk_is_said_and_loses_nothing(archive):
    """SQLite's own limit on pages stands in for the disk's."""
    record(archive, headline())
    (pages,) = archive._connection.execute("PRAGMA page_count").fetchone()
    archive._connection.execute(f"PRAGMA max_page_count = {pages + 3}")

    def fill() -> None:
        for number in count():
            record(archive, *(headline(f"{number}-{n}", f"title {n} " + "x" * 500, number) for n in range(50)))

    with pytest.raises(ArchiveError, match="disk is full"):
        fill()
    archive._connection.execute("PRAGMA max_page_count = 1000000")
    assert archive.verify() == []
    held = len(archive.history(None, at(1e6)))
    record(archive, headline("after", "After the disk has space again", 9999))
    assert len(archive.history(None, at(1e6))) == held + 1


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.write_bytes(b"no database at all, but long enough to look like something"), "no archive"),
        (lambda path: sqlite3.connect(path).execute("CREATE TABLE t(x)"), "another program"),
        (lambda path: Archive(path)._connection.execute("PRAGMA user_version = 99"), "newer version"),
        (lambda path: path.mkdir(), "cannot be opened"),
    ],
    ids=["no database", "another program's", "newer", "a folder"],
)
def test_what_is_no_archive_is_refused_in_one_line(tmp_path, make, words):
    """And is not touched."""
    path = tmp_path / "x.sqlite"
    make(path)
    with pytest.raises(ArchiveError, match=words):
        Archive(path)


def test_a_missing_archive_is_not_made_by_reading(tmp_path):
    """A typing mistake is not an empty archive."""
    with pytest.raises(ArchiveError, match="there is no archive"):
        Archive(tmp_path / "typo.sqlite", create=False)
    assert list(tmp_path.iterdir()) == []


def test_verify_finds_damage(archive):
    """Each kind by its name."""
    record(archive, headline())
    archive.index_words()
    archive._connection.execute("DROP TRIGGER revisions_no_delete")
    archive._connection.execute("DELETE FROM revisions")
    found = "\n".join(archive.verify())
    for what in ("keys without an item", "counts do not match", "text index"):
        assert what in found


def test_canonical_links():
    """What names the page, and nothing else."""
    assert canonical_link("HTTPS://WWW.A.example:443/x/?b=2&utm_medium=rss&a=1#f") == "a.example/x?a=1&b=2"
    assert canonical_link("https://a.example") == canonical_link("https://a.example/?utm_source=x") == ""
    assert canonical_link("mailto:x@a.example") == ""


def test_titles_with_few_words_are_no_stories():
    """They would link everything."""
    assert words_of(["Market report"])[0][1] == ()
    assert len(words_of(["Market report about chips and turbines"])[0][1]) == 5


@pytest.mark.skipif(not LAB.is_dir(), reason="the shared snapshots are not beside the project")
def test_a_feed_that_stamps_its_items_anew_yields_each_once_with_its_first_seen(archive):
    """The real series; its empty snapshot loses nothing."""
    first: dict[str, datetime] = {}
    for path in sorted(LAB.glob("*_openai_research.xml")):
        seen = datetime.strptime(path.name[:18], "%Y-%m-%dT%H%M%SZ").replace(tzinfo=UTC)
        parsed = rss.parse(path.read_bytes(), feed="lab", seen=seen)
        for each in parsed.headlines:
            first.setdefault(each.link, seen)
        document = Document(feed="lab", url="lab", at=seen, hash="", provenance="import", rule="seen", key=path.name)
        archive.record(document, parsed.headlines)
    held = {each.headline.link: each.known for each in archive.history(None, T0 + timedelta(days=9))}
    assert held == first
    assert len(held) > 160
    assert archive.health()[0]["redates"] is True
