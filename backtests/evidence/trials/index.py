"""Keeps an index beside the ledger, so that a run need not read and hash all that was ever tried.

`trials.jsonl.index` is an SQLite file that can be made again from the ledger at any time. It is believed only while
the ledger has the very size and time of change that it had when the index was last brought up to date, under the
ledger's lock; anything else (an edit, another version's line, a killed writer) has the whole ledger read, followed
and indexed anew. A ledger that is broken is never indexed. `backtest trials verify` reads the ledger, not this.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Self

from backtests.evidence.trials.entries import GENESIS, Entry, Past, Sample, Trial

_VERSION = 1
_TICK = 0.012  # seconds: a change within one tick of the file system's clock would have the same time
_TABLES = """
CREATE TABLE state (size INTEGER, changed INTEGER, entries INTEGER, head TEXT);
CREATE TABLE samples (id INTEGER PRIMARY KEY, document TEXT UNIQUE);
CREATE TABLE entries (number INTEGER PRIMARY KEY, sample INTEGER, sweep TEXT);
CREATE TABLE trials (entry INTEGER, key TEXT, strategy TEXT, baseline INTEGER, profit REAL, sharpe REAL, returns BLOB,
                     alike TEXT);
CREATE INDEX of_entry ON trials (entry);
"""
_EMPTY = "BEGIN; DELETE FROM state; DELETE FROM samples; DELETE FROM entries; DELETE FROM trials; COMMIT;"
_OF_ENTRY = """
SELECT key, strategy, baseline, profit, sharpe, returns FROM trials WHERE entry = ? AND alike = '' ORDER BY rowid
"""
_COPIES = """
SELECT sharpe, count(*) FROM (
  SELECT key, min(sharpe) AS sharpe FROM trials
  WHERE alike <> '' AND NOT baseline AND sharpe IS NOT NULL AND entry IN (SELECT number FROM family)
    AND key NOT IN (SELECT key FROM trials WHERE alike = '' AND entry IN (SELECT number FROM family))
  GROUP BY key)
GROUP BY sharpe ORDER BY sharpe
"""


class Index:
    """The index of one ledger, open; nothing is raised when it cannot be kept, it is then not believed."""

    def __init__(self, ledger: Path) -> None:
        """Takes the path of the ledger."""
        self.path = ledger.with_name(ledger.name + ".index")
        self._database: sqlite3.Connection | None = None
        self.believed = False

    def __enter__(self) -> Self:
        """Opens it, and makes an empty one where there is none that can be read."""
        try:
            self._database = self._opened()
        except (sqlite3.Error, OSError):
            self._remove()
            try:
                self._database = self._opened()
            except (sqlite3.Error, OSError):
                self._database = None
        return self

    def __exit__(self, *_: object) -> None:
        """Closes it."""
        if self._database is not None:
            self._database.close()

    def _opened(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.path, isolation_level=None)
        try:
            database.execute("PRAGMA synchronous = OFF")
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if version not in {0, _VERSION}:
                raise sqlite3.DatabaseError("another version's")
            if not database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                database.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {_VERSION}; COMMIT;")
        except sqlite3.Error:
            database.close()
            raise
        return database

    def _remove(self) -> None:
        for path in (self.path, self.path.with_name(self.path.name + "-journal")):
            path.unlink(missing_ok=True)

    def look(self, ledger: IO[bytes]) -> None:
        """Finds out whether the index is that of the ledger as it is; the ledger must be locked."""
        found = os.fstat(ledger.fileno())
        self.believed = self._state()[:2] == (found.st_size, found.st_mtime_ns) or not found.st_size
        if self.believed and not found.st_size:
            self._clear()

    def _state(self) -> tuple[int, int, int, str]:
        try:
            row = self._database and self._database.execute("SELECT * FROM state").fetchone()
        except sqlite3.Error:
            row = None
        return row or (-1, -1, 0, GENESIS)

    def _clear(self) -> None:
        try:
            if self._database is not None:
                self._database.executescript(_EMPTY)
        except sqlite3.Error:
            self.believed = False

    def add(self, entry: Entry, ledger: IO[bytes]) -> None:
        """Adds a line that was just written; leaves the index behind where it was not up to date before."""
        if self.believed:
            self._write([entry], ledger)

    def rebuild(self, entries: Iterable[Entry], ledger: IO[bytes]) -> None:
        """Makes the index of a whole ledger that was followed and found intact; the ledger must be locked."""
        self.believed = True
        self._clear()
        self._write(entries, ledger)

    def _write(self, entries: Iterable[Entry], ledger: IO[bytes]) -> None:
        database = self._database
        if database is None:
            return
        found = os.fstat(ledger.fileno())
        time.sleep(max(0.0, min(_TICK, found.st_mtime_ns / 1e9 + _TICK - time.time())))
        try:
            database.execute("BEGIN")
            _, _, count, head = self._state()
            for entry in entries:
                self._insert(database, entry)
                count, head = count + 1, entry.hash
            database.execute("DELETE FROM state")
            database.execute("INSERT INTO state VALUES (?, ?, ?, ?)", (found.st_size, found.st_mtime_ns, count, head))
            database.execute("COMMIT")
        except sqlite3.Error:
            self.believed = False

    @staticmethod
    def _insert(database: sqlite3.Connection, entry: Entry) -> None:
        text = json.dumps(entry.sample.document(), sort_keys=True)
        database.execute("INSERT OR IGNORE INTO samples (document) VALUES (?)", (text,))
        (place,) = database.execute("SELECT id FROM samples WHERE document = ?", (text,)).fetchone()
        database.execute("INSERT INTO entries VALUES (?, ?, ?)", (entry.number, place, entry.sweep))
        database.executemany(
            "INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (entry.number, each.key, each.strategy, each.baseline, each.profit_usd, each.sharpe,
                 array("d", each.returns).tobytes(), each.like)
                for each in entry.trials
            ),
        )  # fmt: skip

    def past(self, sample: Sample) -> Past:
        """Returns what was tried on a sample and on those related to it; parameters are left out.

        Raises:
            sqlite3.Error: The index cannot be read.
        """
        database = self._database
        if database is None:
            raise sqlite3.OperationalError("no index")
        samples = {}
        for place, text in database.execute("SELECT id, document FROM samples"):
            row = json.loads(text)
            each = Sample(**{**row, "data": tuple(row["data"]), "gaps": tuple(row["gaps"])})
            if each.related(sample):
                samples[place] = each
        family = [
            (number, samples[place])
            for number, place in database.execute("SELECT number, sample FROM entries ORDER BY number")
            if place in samples
        ]
        database.execute("CREATE TEMP TABLE family (number INTEGER PRIMARY KEY)")
        database.executemany("INSERT INTO family VALUES (?)", [(number,) for number, _ in family])
        copies = tuple(database.execute(_COPIES))
        database.execute("DROP TABLE family")
        found: dict[str, tuple[Sample, Trial]] = {}
        for number, own in family:
            for key, strategy, baseline, profit, sharpe, returns in database.execute(_OF_ENTRY, (number,)):
                if key not in found:
                    trial = Trial(
                        key=key, strategy=strategy, baseline=bool(baseline), params={}, profit_usd=profit,
                        sharpe=sharpe, returns=tuple(array("d", returns)),
                    )  # fmt: skip
                    found[key] = own, trial
        _, _, entries, head = self._state()
        return Past(
            entries=entries,
            head=head,
            broken="",
            runs=len(family),
            trials=tuple(found.values()),
            copies=copies,
        )

    def sweeps(self) -> frozenset[str]:
        """Returns the marks of the sweeps' lines.

        Raises:
            sqlite3.Error: The index cannot be read.
        """
        if self._database is None:
            raise sqlite3.OperationalError("no index")
        return frozenset(mark for (mark,) in self._database.execute("SELECT sweep FROM entries WHERE sweep <> ''"))
