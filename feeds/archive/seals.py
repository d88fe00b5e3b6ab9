"""Chains what is stored: each seal is a hash of one record and of the seal before, so that a later change shows.

    seal n = SHA-256(seal n-1, subject, number, the record's rows)

A record is a document with its headlines, the keys of new items and the repeats it found; an attempt to fetch; or a
batch of scores. What a file held before it had seals is one record of its own, and each of its documents another.
Whoever can write to the file can also make the whole chain anew: only a seal that was noted elsewhere proves against
that.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Any, Literal

import numpy as np

Row = Sequence[Any]  # integers, texts and None, as SQLite holds them
Subject = Literal["older", "document", "fetch", "scores"]

_INT64 = np.dtype("<i8")
_encode: Callable[[Row], str] = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode


def keys_record(keys: Iterable[tuple[int, int]]) -> bytes:
    """Returns the part of a record that new keys make: pairs of key and item, in order of the keys."""
    return np.array(list(keys), dtype=_INT64).tobytes()


def document_record(
    document: Row, url: str | None, sources: Iterable[tuple[int, str]], revisions: list[Row],
    repeats: Iterable[int], keys: bytes,
) -> Iterator[bytes]:  # fmt: skip
    """Yields a document's record: its row and feed's address, its sources' names, repeats, revisions, keys."""
    yield _encode([*document, url, sorted(sources), sorted(repeats)]).encode()
    yield _encode(revisions).encode()
    yield keys


def rows_record(rows: Iterable[Row]) -> Iterator[bytes]:
    """Yields the bytes of a record that is plain rows."""
    for row in rows:
        yield _encode(row).encode() + b"\n"


def sealed(before: bytes, subject: Subject, number: int, record: Iterable[bytes]) -> bytes:
    """Returns the seal that follows another one; 32 bytes."""
    digest = hashlib.sha256(before + f"{subject} {number}\n".encode())
    for part in record:
        digest.update(part)
    return digest.digest()


def last_seal(connection: sqlite3.Connection) -> bytes:
    """Returns the newest seal; no bytes where there is none."""
    found = connection.execute("SELECT hash FROM seals ORDER BY id DESC LIMIT 1").fetchone()
    return bytes(found[0]) if found else b""


def append(connection: sqlite3.Connection, subject: Subject, number: int, record: Iterable[bytes]) -> None:
    """Seals one record; in the transaction that stores it."""
    append_many(connection, [(subject, number, record)])


def append_many(connection: sqlite3.Connection, records: Iterable[tuple[Subject, int, Iterable[bytes]]]) -> None:
    """Seals records in their order; in the transaction that stores them."""
    before = last_seal(connection)
    rows = []
    for subject, number, record in records:
        before = sealed(before, subject, number, record)
        rows.append((subject, number, before))
    connection.executemany("INSERT INTO seals(subject, number, hash) VALUES (?,?,?)", rows)


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as the file holds it now."""

    subject: Subject
    number: int
    label: str  # what a reader knows it by
    record: Iterable[bytes]  # to be read before the next one is asked for


class StoredRecords:
    """Reads a file's records again, each kind in the order in which it was stored, in one pass over each table.

    Args:
        connection: In a transaction, so that nothing changes meanwhile.
        look: Is given each revision's row as it passes by.
    """

    def __init__(self, connection: sqlite3.Connection, look: Callable[[Row], object] | None = None) -> None:
        self._connection = connection
        self._look = look
        self._names = dict(connection.execute("SELECT id, name FROM sources"))
        keys = np.array(connection.execute("SELECT document, key, item FROM keys").fetchall(), dtype=_INT64)
        keys = keys.reshape(-1, 3)
        keys = keys[np.lexsort((keys[:, 1], keys[:, 0]))]
        numbers, starts, counts = np.unique(keys[:, 0], return_index=True, return_counts=True)
        self._keys = keys
        self._spans = {
            number: (start, start + count)
            for number, start, count in zip(numbers.tolist(), starts.tolist(), counts.tolist(), strict=True)
        }
        self._repeats: dict[int, list[int]] = defaultdict(list)
        for document, revision in connection.execute("SELECT document, revision FROM repeats"):
            self._repeats[document].append(revision)
        self._revisions = connection.cursor().execute("SELECT * FROM revisions ORDER BY id")
        self._next: Row | None = next(self._revisions, None)

    def older(self) -> Stored:
        """Returns what a file of an earlier version held besides documents and fetches: keys, repeats, scores."""
        scores = self._connection.execute(
            "SELECT scorer, lexicon, revision, score FROM scores WHERE batch = 0 ORDER BY scorer, lexicon, revision"
        )
        parts = chain([self._keys_of(0), _encode(sorted(self._repeats[0])).encode()], rows_record(scores))
        return Stored("older", 0, "what was stored before the file was sealed", parts)

    def documents(self) -> Iterator[Stored]:
        """Yields the documents, oldest first."""
        rows = self._connection.cursor().execute(
            "SELECT d.*, f.url, f.name FROM documents d LEFT JOIN feeds f ON f.id = d.feed ORDER BY d.id"
        )
        for *document, url, name in rows:
            number = document[0]
            revisions = list(self._of_document(number))
            sources = {(row[9], self._names.get(row[9], "")) for row in revisions}
            record = document_record(
                document, url, sources, revisions, self._repeats.get(number, ()), self._keys_of(number)
            )
            yield Stored("document", number, f"document {number} ({name or url or 'of no feed'})", record)

    def fetches(self) -> Iterator[Stored]:
        """Yields the attempts to fetch, oldest first."""
        rows = self._connection.cursor().execute(
            "SELECT t.*, f.url FROM fetches t LEFT JOIN feeds f ON f.id = t.feed ORDER BY t.id"
        )
        for row in rows:
            yield Stored("fetch", row[0], f"fetch {row[0]} ({row[-1]})", rows_record([row]))

    def scores(self) -> Iterator[Stored]:
        """Yields the batches of scores, oldest first."""
        rows = self._connection.cursor().execute(
            "SELECT batch, scorer, lexicon, revision, score FROM scores WHERE batch > 0 "
            "ORDER BY batch, scorer, lexicon, revision"
        )
        for batch, group in groupby(rows, key=lambda row: int(row[0])):
            yield Stored("scores", batch, f"scores stored as batch {batch}", rows_record(row[1:] for row in group))

    def _of_document(self, number: int) -> Iterator[Row]:
        """Yields a document's revisions: rows are stored document by document."""
        while self._next is not None and self._next[6] <= number:
            row, self._next = self._next, next(self._revisions, None)
            if self._look is not None:
                self._look(row)
            if row[6] == number:
                yield row

    def _keys_of(self, document: int) -> bytes:
        start, end = self._spans.get(document, (0, 0))
        return self._keys[start:end, 1:].tobytes()


def seal_older(connection: sqlite3.Connection) -> None:
    """Seals everything that a file of an earlier version holds; in the transaction that changes its tables."""
    stored = StoredRecords(connection)
    records = chain([stored.older()], stored.documents(), stored.fetches())
    append_many(connection, ((each.subject, each.number, each.record) for each in records))
