"""Verification: whatever is changed, added or taken away behind the archive's back is found."""

from __future__ import annotations

import shutil
import sqlite3
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from feeds.archive import Archive, ArchiveError, Document, Fetch
from feeds.headline import Headline
from feeds.opml import FeedEntry
from feeds.scoring import Score

T0 = datetime(2025, 1, 27, 12, 0, tzinfo=UTC)
FEEDS = ("https://a.example/rss", "https://b.example/rss")
SEALED = ("documents", "revisions", "repeats", "fetches", "scores", "seals", "keys", "sources")


def headline(guid: str, title: str, minutes: int, feed: str = FEEDS[0], *, seen: bool = True) -> Headline:
    """A headline of a minute of that Monday."""
    moment = T0 + timedelta(minutes=minutes)
    return Headline(
        id=guid, feed=feed, source=f"Paper {feed[8]}", title=title, summary="Some words", language="en",
        link=f"https://a.example/{guid}", published=moment, seen=moment if seen else None,
    )  # fmt: skip


def record(archive: Archive, *headlines: Headline, key: str | None = None) -> None:
    """Stores headlines as one document."""
    feed = headlines[0].feed
    document = Document(feed=feed, url=feed, at=T0, hash="ab", provenance="live", rule="seen", key=key, etag='"x"')
    archive.record(document, headlines)


@pytest.fixture(scope="module")
def sound_file(tmp_path_factory) -> Path:
    """An archive with something in each of its tables."""
    path = tmp_path_factory.mktemp("sound") / "a.sqlite"
    with Archive(path) as archive:
        archive.subscribe([FeedEntry(url=FEEDS[0], name="Paper a")])
        record(archive, headline("1", "Chipmaker falls", 60), headline("2", "Utility plans a reactor", 60), key="k1")
        record(archive, headline("3", "Cloud company spends more", 70, FEEDS[1]))
        record(archive, headline("1", "Chipmaker slides", 0))
        record(archive, headline("1", "Chipmaker falls", 30), headline("4", "Nobody saw this", 10, seen=False))
        (feed,) = archive.subscriptions()
        for minute in (0, 5):
            fetch = Fetch(
                at=T0 + timedelta(minutes=minute), outcome="ok", status=200, detail="x", bytes=9, milliseconds=8
            )
            archive.log_fetch(feed, fetch, {"failures": 0})
        score = Score(language="en", relevance=0.5, sentiment=0.0, tone=0.0)
        archive.store_scores({1: score, 2: score}, "a scorer 1")
        list(archive.as_of(T0, search="reactor"))
        assert archive.verify() == []
        for table in SEALED:
            picked = " ".join(("SELECT count(*) FROM", table, last_row(table)))
            assert archive._connection.execute(picked).fetchone() > (0,)
    return path


def verified_after(sound_file: Path, tmp_path: Path, *statements: str) -> list[str]:
    """What `verify` says when somebody has changed the file with triggers switched off, and put them back."""
    path = tmp_path / "a.sqlite"
    shutil.copy(sound_file, path)
    connection = sqlite3.connect(path)
    triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    for _, sql in triggers:
        connection.execute(sql)
    connection.commit()
    connection.close()
    with Archive(path) as archive:
        return archive.verify()


def columns() -> list[tuple[str, str]]:
    """Every column of every table that holds what was observed, and the feeds' addresses."""
    connection = sqlite3.connect(":memory:")
    from feeds.archive.schema import prepare

    prepare(connection, Path(":memory:"))
    found = [(table, row[1]) for table in SEALED for row in connection.execute(f"PRAGMA table_info({table})")]
    return [*found, ("feeds", "url")]


@pytest.mark.parametrize(("table", "column"), columns())
def test_a_change_of_any_column_is_found(sound_file, tmp_path, table, column):
    """Numbers grow by one, texts by a letter; only the last row of the table is touched."""
    kinds = {"integer": f"{column} + 1", "blob": "zeroblob(32)", "text": f"{column} || 'x'", "null": "1"}
    cases = [f"WHEN '{kind}' THEN {grown}" for kind, grown in kinds.items()]
    change = ("UPDATE", table, "SET", column, f"= CASE typeof({column})", *cases, "END", last_row(table))
    assert verified_after(sound_file, tmp_path, " ".join(change))


def last_row(table: str) -> str:
    """The condition that picks a table's last row, or rows."""
    key = {"keys": "key", "repeats": "revision", "scores": "revision"}.get(table, "id")
    return " ".join(("WHERE", key, "= (SELECT", f"max({key})", "FROM", table + ")"))


@pytest.mark.parametrize("table", [*SEALED, "feeds"])
def test_a_row_taken_away_is_found(sound_file, tmp_path, table):
    """The last of each table. The last seal and its record together are another test."""
    assert verified_after(sound_file, tmp_path, " ".join(("DELETE FROM", table, last_row(table))))


@pytest.mark.parametrize(
    ("table", "values", "said"),
    [
        ("revisions", {"id": "99", "ident": "'new'"}, "added to a document later: 1"),
        ("documents", {"id": "99", "key": "'new'"}, "document 99 (Paper a): was added beside the chain"),
        ("fetches", {"id": "99"}, "was added beside the chain"),
        ("scores", {"scorer": "'another'", "batch": "0"}, "was added beside the chain"),
        ("scores", {"scorer": "'another'"}, "was changed after it was stored"),
        ("keys", {"key": "5", "document": "0"}, "was added beside the chain"),
        ("keys", {"key": "5"}, "was changed after it was stored"),
        ("repeats", {"revision": "3", "document": "0"}, "was added beside the chain"),
    ],
)
def test_a_row_that_was_slipped_in_is_found(sound_file, tmp_path, table, values, said):
    """A copy of a row with some values changed has no seal, or is not in its document's."""
    names = [name for of, name in columns() if of == table]
    picked = ", ".join(values.get(name, name) for name in names)
    first = last_row(table).replace("max", "min")
    added = ("INSERT INTO", table, "SELECT", picked, "FROM", table, first)
    assert said in "\n".join(verified_after(sound_file, tmp_path, " ".join(added)))


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE revisions SET title = 'Chipmaker soars' WHERE id = 1", "revision 1: its words are not those"),
        ("UPDATE revisions SET known = known - 86400000000", "is not what its times say"),
        ("UPDATE revisions SET known = known - 86e9, seen = seen - 86e9, published = published - 86e9",
         "document 1 (Paper a): was changed after it was stored"),
        ("UPDATE feeds SET url = 'https://c.example/' WHERE id = 1", "document 1 (Paper a): was changed"),
    ],
    ids=["a title", "times alone", "all times together", "a feed's address"],
)  # fmt: skip
def test_changes_are_named(sound_file, tmp_path, statement, said):
    """What was changed, as far as it can be told."""
    assert said in "\n".join(verified_after(sound_file, tmp_path, statement))


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE revisions SET known = 'soon' WHERE id = 1", "revisions: 1 values of known are none that"),
        ("UPDATE revisions SET known = 1e300", "values of known are none that"),
        ("UPDATE revisions SET seen = 1 << 60, known = 1 << 60 WHERE id = 1", "values of seen are none that"),
        ("UPDATE revisions SET title = x'ff' WHERE id = 1", "revisions: 1 values of title are none that"),
        ("UPDATE keys SET item = 'one'", "values of item are none that"),
        ("UPDATE seals SET hash = 'none' WHERE id = 1", "seals: 1 values of hash are none that"),
        ("DELETE FROM documents", "revisions without their document"),
        ("DELETE FROM sources", "was changed after it was stored"),
    ],
)
def test_values_that_no_archive_stores_are_named_and_end_no_reading_in_a_traceback(
    sound_file, tmp_path, statement, said
):
    """Verification names them; reading skips what has no time, or says in one line that the file was changed."""
    assert said in "\n".join(verified_after(sound_file, tmp_path, statement))
    with Archive(tmp_path / "a.sqlite") as archive, suppress(ArchiveError):
        assert list(archive.history(None, datetime(2200, 1, 1, tzinfo=UTC))) is not None


@pytest.mark.parametrize("version", [-1, 0, 1, 2])
def test_a_version_that_is_not_that_of_the_tables_is_refused_in_one_line(sound_file, tmp_path, version):
    """And the file is left as it is."""
    path = Path(shutil.copy(sound_file, tmp_path / "a.sqlite"))
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(ArchiveError, match="restore a copy"):
        Archive(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DROP TRIGGER revisions_no_update", "trigger revisions_no_update: is missing"),
        ("CREATE TRIGGER t AFTER INSERT ON keys BEGIN DELETE FROM keys; END", "trigger t: does not belong"),
        ("DROP INDEX revisions_by_time", "index revisions_by_time: is missing"),
        ("CREATE TABLE more(x)", "table more: does not belong"),
        ("ALTER TABLE documents ADD COLUMN more", "table documents: was changed"),
    ],
)
def test_another_schema_is_found(sound_file, tmp_path, statement, said):
    """Triggers, indexes, tables."""
    path = tmp_path / "a.sqlite"
    shutil.copy(sound_file, path)
    with Archive(path) as archive:
        archive._connection.execute(statement)
        assert said in "\n".join(archive.verify())


def test_an_end_that_was_cut_off_is_found_by_a_seal_noted_before(sound_file, tmp_path):
    """Without it nothing can tell a cut chain from a younger one."""
    with Archive(sound_file) as archive:
        noted = archive.seal()
        assert archive.verify(noted) == archive.verify(noted[:12].upper()) == []
    path = tmp_path / "a.sqlite"
    verified_after(sound_file, tmp_path, "DELETE FROM scores", "DELETE FROM seals WHERE subject = 'scores'")
    with Archive(path) as archive:
        assert archive.verify() == []
        assert f"seal {noted}: is not in the chain" in "\n".join(archive.verify(noted))


def test_many_findings_of_one_kind_are_counted(tmp_path):
    """Ten lines and a number."""
    with Archive(tmp_path / "a.sqlite") as archive:
        record(archive, *(headline(str(number), f"Title {number}", number) for number in range(30)))
        archive._connection.execute("DROP TRIGGER revisions_no_update")
        archive._connection.execute("UPDATE revisions SET summary = 'x'")
        found = archive.verify()
    assert sum("its words are not those" in line for line in found) == 10
    assert "… and 20 more: words" in found


def test_verification_takes_as_long_as_there_is_to_read(tmp_path):
    """Four times as many documents take less than eight times as long; comparing each with all would take sixteen."""

    def took(documents: int) -> float:
        with Archive(tmp_path / f"{documents}.sqlite") as archive:
            for start in range(0, documents, 1000):
                archive.record_many(
                    (Document(feed="f", url="f", at=T0, hash="", provenance="live", rule="seen", key=str(number)),
                     [headline(str(number), f"Title {number}", number)])
                    for number in range(start, start + 1000)
                )  # fmt: skip
            archive.index_words()
            started = time.process_time()
            assert archive.verify() == []
            return time.process_time() - started

    assert took(8000) < 8 * took(2000)
