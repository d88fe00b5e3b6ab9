"""Checks a whole archive: the file, its tables and triggers, every hash, every time, every record against its seal."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from feeds.archive.database import Database, damaged_values, microseconds, moment, plain_errors
from feeds.archive.identity import text_hash
from feeds.archive.schema import deviations
from feeds.archive.seals import Row, Stored, StoredRecords, sealed
from feeds.archive.writing import ASSUMED_DELAY

_NAMED = 10  # of the lines of one kind
_DELAY = ASSUMED_DELAY // timedelta(microseconds=1)
_NOTHING_OLDER = b"[]"  # the record of what was stored before there were seals, where there is nothing of it
_TABLES = ("feeds", "documents", "revisions", "keys", "repeats", "fetches", "sources", "scores", "seals")
_TIMES = ("at", "known", "seen", "published")
_FIRST = microseconds(datetime.min.replace(tzinfo=UTC))
_LAST = microseconds(datetime.max.replace(tzinfo=UTC))
_UNINDEXED = "SELECT count(*) FROM revisions WHERE id > (SELECT ifnull(max(id), 0) FROM words_docsize)"
_CHECKS = {
    "revisions without their document": (
        "SELECT count(*) FROM revisions WHERE document NOT IN (SELECT id FROM documents)"
    ),
    "revisions that were added to a document later": (
        "SELECT count(*) FROM (SELECT document, lag(document) OVER (ORDER BY id) AS before FROM revisions) "
        "WHERE document < before"
    ),
    "revisions of an item that is not held": (
        "SELECT count(*) FROM revisions WHERE item NOT IN (SELECT id FROM revisions WHERE id = item)"
    ),
    "revisions that no key finds": (
        "SELECT count(*) FROM revisions WHERE id = item AND item NOT IN (SELECT item FROM keys)"
    ),
    "keys without an item": "SELECT count(*) FROM keys WHERE item NOT IN (SELECT id FROM revisions)",
    "keys or repeats without their document": (
        "SELECT count(*) FROM (SELECT document FROM keys UNION ALL SELECT document FROM repeats) "
        "WHERE document <> 0 AND document NOT IN (SELECT id FROM documents)"
    ),
    "documents whose counts do not match their revisions": (
        "SELECT count(*) FROM documents d LEFT JOIN "
        "(SELECT document, count(*) AS held FROM revisions GROUP BY document) r ON r.document = d.id "
        "WHERE d.new + d.revised <> ifnull(r.held, 0)"
    ),
    "revisions without a text index": (
        "SELECT (SELECT count(*) FROM revisions WHERE id <= (SELECT ifnull(max(id), 0) FROM words_docsize)) "
        "- (SELECT count(*) FROM words_docsize)"
    ),
    "revisions with the same words as the one before": (
        "SELECT count(*) FROM (SELECT hash, lag(hash) OVER (PARTITION BY item ORDER BY known, id) AS last "
        "FROM revisions WHERE id NOT IN (SELECT revision FROM repeats)) WHERE hash = last"
    ),
}


def verify(database: Database, noted: str | None = None) -> list[str]:
    """Returns what is wrong with an archive, one line each; nothing where it is sound.

    Args:
        database: The open file.
        noted: A seal (hex digits, or their beginning) that was noted earlier and must be part of the chain.

    Raises:
        ArchiveError: The file cannot be read at all.
    """
    connection = database.connection
    with plain_errors(database.path), damaged_values(database.path):
        connection.execute("BEGIN")  # one state of the file, whatever others store meanwhile
        try:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
            found += deviations(connection)
            for what, sql in _CHECKS.items():
                (count,) = connection.execute(sql).fetchone()
                if count:
                    found.append(f"{what}: {count}")
            strange = _strange_values(connection)
            found += strange or _chain(connection, noted)  # of what it cannot hold no record can be made
        finally:
            connection.execute("COMMIT")
        # Only an index of all revisions can be compared with them.
        rank = "" if connection.execute(_UNINDEXED).fetchone()[0] else ", 1"
        column = ", rank" if rank else ""
        try:
            connection.execute(f"INSERT INTO words(words{column}) VALUES ('integrity-check'{rank})")
        except sqlite3.DatabaseError as wrong:
            found.append(f"full-text index: {wrong}")
    return found


def _strange_values(connection: sqlite3.Connection) -> list[str]:
    """Counts values of another type than their column's, and times that no calendar has; in one pass over a table."""
    found = []
    for table in _TABLES:
        columns = [(row[1], row[2].lower()) for row in connection.execute(f"PRAGMA table_info({table})") if row[2]]
        wrong = [
            f"typeof({column}) NOT IN ('null', '{kind}')"
            + (f" OR {column} NOT BETWEEN {_FIRST} AND {_LAST}" if column in _TIMES else "")
            for column, kind in columns
        ]
        sums = ", ".join(f"ifnull(sum({each}), 0)" for each in wrong)
        counts = connection.execute(f"SELECT {sums} FROM {table}").fetchone()
        found += [
            f"{table}: {count} values of {column} are none that this program stores"
            for (column, _), count in zip(columns, counts, strict=True)
            if count
        ]
    return found


class _Findings:
    """Collects lines by kind; of many lines of one kind the first ten are kept."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._counts: Counter[str] = Counter()

    def say(self, kind: str, line: str) -> None:
        """Adds a line."""
        self._counts[kind] += 1
        if self._counts[kind] <= _NAMED:
            self._lines.append(line)

    def lines(self) -> list[str]:
        """Returns the lines, and how many more there are of each kind."""
        more = [f"… and {count - _NAMED} more: {kind}" for kind, count in self._counts.items() if count > _NAMED]
        return self._lines + more

    def look(self, row: Row) -> None:
        """Checks a revision by itself: the hash of its words, and when it was known."""
        number, known, digest, seen, published = row[0], *row[2:6]
        if text_hash(row[11], row[12]) != digest:
            self.say("words", f"revision {number}: its words are not those that were stored")
        if known != (seen if seen is not None else (published or 0) + _DELAY):
            self.say("times", f"revision {number}: known at {moment(known)}, which is not what its times say")


class _Series:
    """The records of one subject, as the file holds them now, in their order."""

    def __init__(self, records: Iterator[Stored], findings: _Findings) -> None:
        self._records = records
        self._findings = findings
        self._next = next(records, None)

    def check(self, number: int, before: bytes, digest: bytes) -> bool:
        """Compares a record with its seal; returns False where the record is missing."""
        self.beside_the_chain(number)
        record = self._next
        if record is None or record.number != number:
            return False
        if sealed(before, record.subject, number, record.record) != digest:
            self._findings.say("changed records", f"{record.label}: was changed after it was stored")
        self._next = next(self._records, None)
        return True

    def beside_the_chain(self, number: int | None = None) -> None:
        """Names records before a number, or all that are left: no seal covers them."""
        while self._next is not None and (number is None or self._next.number < number):
            if self._next.subject != "older" or b"".join(self._next.record) != _NOTHING_OLDER:
                self._findings.say("records without a seal", f"{self._next.label}: was added beside the chain")
            self._next = next(self._records, None)


def _chain(connection: sqlite3.Connection, noted: str | None) -> list[str]:
    """Returns what differs between the records and their seals, and within the revisions."""
    findings = _Findings()
    stored = StoredRecords(connection, findings.look)
    series = {
        "older": _Series(iter([stored.older()]), findings),
        "document": _Series(stored.documents(), findings),
        "fetch": _Series(stored.fetches(), findings),
        "scores": _Series(stored.scores(), findings),
    }
    before, last, met = b"", 0, noted is None
    for place, subject, number, digest in connection.execute("SELECT id, subject, number, hash FROM seals ORDER BY id"):
        if place != last + 1:
            findings.say("missing seals", f"seal {last + 1}: is missing")
        if subject not in series or not series[subject].check(number, before, digest):
            findings.say("missing records", f"{subject} {number}: is missing")
        before, last = digest, place
        met = met or digest.hex().startswith(str(noted).lower())
    for each in series.values():
        each.beside_the_chain()
    if not met:
        findings.say("noted", f"seal {noted}: is not in the chain; the archive was replaced, cut or made anew")
    return findings.lines()
