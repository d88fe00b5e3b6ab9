"""Files of every version that was released open, whole, and become files of today's version.

`tests/data/archives` holds one for each schema, written by the program of its day: version 1 at first with a unique
index of items, then without; version 2 with scores that call their features hits, then features.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta

import pytest

from feeds.archive import Archive, ArchiveError, Document
from feeds.archive.schema import MIGRATIONS
from feeds.headline import Headline
from tests.helpers.paths import DATA

T0 = datetime(2025, 1, 27, 12, 0, tzinfo=UTC)
FILES = sorted((DATA / "archives").glob("schema-*.sqlite"))
KNOWN = [  # minutes after noon at which each was known, feed, words, provenance
    (0, "https://a.example/rss", "Chipmaker shares fall after a cheaper model", "live"),
    (0, "https://a.example/rss", "Utility plans a reactor for data centres", "live"),
    (20, "https://b.example/rss", "Cloud company keeps its spending plans", "backfill"),
    (30, "https://a.example/rss", "Chipmaker shares fall 17 % after a cheaper model", "live"),
    (40, "https://b.example/rss", "Cloud company raises its spending plans", "backfill"),
    (185, "a file", "A claim that nobody saw", "assumed"),
]


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def older(request, tmp_path):
    """A copy of a stored file."""
    return shutil.copy(request.param, tmp_path / request.param.name)


def test_there_is_a_file_of_every_version_before_todays():
    """Whoever adds a migration stores a file of the version before it."""
    assert {int(path.stem.split("-")[1]) for path in FILES} == set(range(1, len(MIGRATIONS)))


def test_an_older_archive_holds_what_it_held(older):
    """Every revision, and when it was known."""
    with Archive(older) as archive:
        held = archive.history(None, T0 + timedelta(days=1))
        assert [
            ((each.known - T0) / timedelta(minutes=1), each.headline.feed, each.headline.title, each.provenance)
            for each in held
        ] == KNOWN
        assert [each.headline.title for each in archive.as_of(T0, search="reactor")] == [KNOWN[1][2]]
        assert archive.keys_done("wayback:") == {"wayback:1", "wayback:2"}


def test_an_older_archive_is_sealed_and_goes_on(older):
    """It is sound, grows, finds its items again, and from now on a change of old rows is found too."""
    with Archive(older) as archive:
        assert archive.verify() == []
        edited = Headline(
            id="2", feed="https://a.example/rss", source="A paper", title="Utility drops its reactor", summary="",
            link="https://a.example/2", language="en", published=None, seen=T0 + timedelta(hours=5),
        )  # fmt: skip
        document = Document(feed=edited.feed, url="u", at=edited.seen, hash="", provenance="live", rule="seen")
        assert archive.record(document, [edited]).revised == 1
        assert archive.verify() == []
        archive._connection.execute("DROP TRIGGER revisions_no_update")
        archive._connection.execute("UPDATE revisions SET seen = seen - 1, known = known - 1 WHERE id = 1")
        assert "document 1" in "\n".join(archive.verify())


@pytest.mark.parametrize(
    "older", [path for path in FILES if path.stem >= "schema-2"], ids=lambda path: path.stem, indirect=True
)
def test_stored_scores_of_older_versions_are_read(older):
    """Whatever their features were called."""
    with Archive(older) as archive:
        scores = archive.scores(range(1, 9), "a scorer 1")
        assert sorted(scores) == [1, 2, 3, 5, 6, 7]
        assert scores[1].features == ("disruption:cheaper model", "tone:fall")


def test_a_newer_archive_is_refused_in_one_line(tmp_path):
    """And left as it is."""
    path = tmp_path / "newer.sqlite"
    with Archive(path) as archive:
        archive._connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = path.read_bytes()
    with pytest.raises(ArchiveError, match=r"newer version \(schema 4\); update this program") as refused:
        Archive(path)
    assert "\n" not in str(refused.value)
    assert path.read_bytes() == before
