"""Defines the archive's file: where it lies, its tables, and how an older file becomes a newer one.

Times are integers: microseconds since 1970 in UTC. What was observed is never changed: `documents`, `revisions`,
`repeats`, `fetches`, `scores` and `seals` refuse UPDATE and DELETE by trigger. `feeds` holds subscriptions and the
state of polling, which change.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from feeds.archive.database import ArchiveError
from feeds.archive.seals import seal_older

APPLICATION = 0x41465453  # "AFTS": marks the file as ours

_VERSION_1 = """
CREATE TABLE feeds(
    id INTEGER PRIMARY KEY, url TEXT NOT NULL UNIQUE, name TEXT NOT NULL, category TEXT NOT NULL DEFAULT '',
    language TEXT NOT NULL DEFAULT '', subscribed INTEGER NOT NULL DEFAULT 1,
    moved_to TEXT, etag TEXT, modified TEXT, document TEXT, failures INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL DEFAULT 0);
CREATE TABLE sources(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE fetches(
    id INTEGER PRIMARY KEY, feed INTEGER NOT NULL REFERENCES feeds, at INTEGER NOT NULL, outcome TEXT NOT NULL,
    status INTEGER, detail TEXT NOT NULL, bytes INTEGER NOT NULL, milliseconds INTEGER NOT NULL);
CREATE INDEX fetches_of_feed ON fetches(feed, id);
CREATE TABLE documents(
    id INTEGER PRIMARY KEY, feed INTEGER NOT NULL REFERENCES feeds, url TEXT NOT NULL, at INTEGER, hash TEXT NOT NULL,
    http_date TEXT, etag TEXT, provenance TEXT NOT NULL, rule TEXT NOT NULL, key TEXT UNIQUE,
    items INTEGER NOT NULL, rejected INTEGER NOT NULL, new INTEGER NOT NULL, revised INTEGER NOT NULL,
    redated INTEGER NOT NULL);
CREATE INDEX documents_of_feed ON documents(feed, id);
-- `item` is the id of the item's first row here; `known` is the moment from which a replay may know the row.
CREATE TABLE revisions(
    id INTEGER PRIMARY KEY, item INTEGER NOT NULL, known INTEGER NOT NULL, hash INTEGER NOT NULL, seen INTEGER,
    published INTEGER, document INTEGER NOT NULL REFERENCES documents, story INTEGER NOT NULL,
    ident TEXT NOT NULL, source INTEGER NOT NULL REFERENCES sources, language TEXT NOT NULL,
    title TEXT NOT NULL, summary TEXT NOT NULL, link TEXT NOT NULL);
CREATE INDEX revisions_by_time ON revisions(known);
CREATE INDEX revisions_of_item ON revisions(item, known);
-- Rows that an earlier sighting of the same text, stored later, made superfluous.
CREATE TABLE repeats(revision INTEGER PRIMARY KEY);
-- 64-bit keys of an item: its identity and its link, so that a re-issued guid finds it again.
CREATE TABLE keys(key INTEGER PRIMARY KEY, item INTEGER NOT NULL);
CREATE VIRTUAL TABLE words USING fts5(
    title, summary, content='revisions', content_rowid='id', tokenize="unicode61 remove_diacritics 2");
"""
_VERSION_2 = """
-- What a scorer said of a revision, by the scorer's key and the day its words were known by ("" = all words).
CREATE TABLE scores(
    revision INTEGER NOT NULL REFERENCES revisions, scorer TEXT NOT NULL, lexicon TEXT NOT NULL, score TEXT NOT NULL,
    PRIMARY KEY(scorer, lexicon, revision)) WITHOUT ROWID;
CREATE TRIGGER scores_no_update BEFORE UPDATE ON scores
    BEGIN SELECT RAISE(ABORT, 'the archive is append-only'); END;
CREATE TRIGGER scores_no_delete BEFORE DELETE ON scores
    BEGIN SELECT RAISE(ABORT, 'the archive is append-only'); END;
"""
_VERSION_3 = """
-- Hashes that chain what is stored (see seals.py). `number` is the id of the document or fetch, or the scores' batch.
CREATE TABLE seals(id INTEGER PRIMARY KEY, subject TEXT NOT NULL, number INTEGER NOT NULL, hash BLOB NOT NULL);
CREATE TRIGGER seals_no_update BEFORE UPDATE ON seals
    BEGIN SELECT RAISE(ABORT, 'the archive is append-only'); END;
CREATE TRIGGER seals_no_delete BEFORE DELETE ON seals
    BEGIN SELECT RAISE(ABORT, 'the archive is append-only'); END;
-- The document that a row came with; 0 for what was stored before there were seals.
ALTER TABLE keys ADD COLUMN document INTEGER NOT NULL DEFAULT 0;
ALTER TABLE repeats ADD COLUMN document INTEGER NOT NULL DEFAULT 0;
ALTER TABLE scores ADD COLUMN batch INTEGER NOT NULL DEFAULT 0;
CREATE INDEX scores_of_batch ON scores(batch);
-- The first files of version 1 have a unique index here.
DROP INDEX IF EXISTS revisions_of_item;
CREATE INDEX revisions_of_item ON revisions(item, known);
"""
_APPEND_ONLY = ("documents", "revisions", "repeats", "fetches")
_FIRST_SEALED = 3  # the first version whose files have seals

# A newer schema is one more script; none is ever changed. tests/data/archives holds a file of each version.
MIGRATIONS = (_VERSION_1, _VERSION_2, _VERSION_3)


def default_path() -> Path:
    """Returns AFTERSHOCK_ARCHIVE, or `archive.sqlite` in the platform's folder for user data."""
    named = os.environ.get("AFTERSHOCK_ARCHIVE")
    if named:
        return Path(named)
    import platformdirs

    return platformdirs.user_data_path("aftershock", appauthor=False) / "archive.sqlite"


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Makes the tables of a new file, or brings an older file up to date, all or nothing.

    What an older file holds is sealed on the way.

    Raises:
        ArchiveError: The file is another program's, or of a newer version than this one.
    """
    version = _version(connection, path)
    if version == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()  # another process may have been quicker
        for number in range(version, len(MIGRATIONS)):
            for statement in _statements(MIGRATIONS[number]):
                _change(connection, statement, path, number)
        if version == 0:
            for table in _APPEND_ONLY:
                for verb in ("UPDATE", "DELETE"):
                    connection.execute(
                        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                        "BEGIN SELECT RAISE(ABORT, 'the archive is append-only'); END"
                    )
        elif version < _FIRST_SEALED:
            seal_older(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _change(connection: sqlite3.Connection, statement: str, path: Path, version: int) -> None:
    try:
        connection.execute(statement)
    except sqlite3.OperationalError as wrong:
        if any(words in str(wrong) for words in ("already exists", "no such", "duplicate column")):
            raise ArchiveError(
                f"{path}: its tables are not those of version {version} ({wrong}); restore a copy"
            ) from None
        raise


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """Returns the version of a file's tables, 0 where it has none; refuses a file that is not ours to open."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION and (application or version or tables):
        raise ArchiveError(f"{path}: is a database of another program; give another file")
    if version < 0:
        raise ArchiveError(f"{path}: no archive is of version {version}; restore a copy")
    if version > len(MIGRATIONS):
        raise ArchiveError(f"{path}: was written by a newer version (schema {version}); update this program")
    return int(version)


def deviations(connection: sqlite3.Connection) -> list[str]:
    """Returns how a file's tables, indexes and triggers differ from those of a new file, one line each."""
    fresh = sqlite3.connect(":memory:", isolation_level=None)
    try:
        prepare(fresh, Path(":memory:"))
        expected, found = _definitions(fresh), _definitions(connection)
    finally:
        fresh.close()
    lines = [f"{name}: is missing" for name in expected if name not in found]
    lines += [f"{name}: does not belong to an archive" for name in found if name not in expected]
    lines += [f"{name}: was changed" for name, sql in expected.items() if found.get(name, sql) != sql]
    return lines


def _definitions(connection: sqlite3.Connection) -> dict[str, str]:
    """Returns the statements that made tables, indexes and triggers; SQLite's own tables and its text index aside."""
    rows = connection.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
        "AND name NOT LIKE 'words\\_%' ESCAPE '\\' ORDER BY type, name"
    )
    return {f"{kind} {name}": " ".join(sql.split()) for kind, name, sql in rows}


def _statements(script: str) -> list[str]:
    """Splits a script into statements; `executescript` would commit each on its own."""
    found, current = [], ""
    for line in script.splitlines():
        current += line + "\n"
        if sqlite3.complete_statement(current):
            found.append(current)
            current = ""
    return found
