"""Opens an archive and gives its parts one face: writing, reading, subscriptions, scores, verification."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from feeds.archive.database import ArchiveError, Database, plain_errors
from feeds.archive.reading import Reading, Snapshot
from feeds.archive.schema import prepare
from feeds.archive.scores import Scores
from feeds.archive.seals import last_seal
from feeds.archive.subscriptions import Fetch, Subscription, Subscriptions
from feeds.archive.verification import verify
from feeds.archive.writing import Document, Stored, Writing
from feeds.headline import Headline
from feeds.opml import FeedEntry

if TYPE_CHECKING:
    from feeds.scoring.score import Score


class Archive:
    """An archive in one SQLite file; use it as a context manager.

    Several processes may write to one file; each call of `record` is one transaction, which is on the disk when the
    call returns. A file of an older version is brought up to date when it is opened.

    Args:
        path: The file; folders are made.
        create: Whether a missing file is made; False refuses instead.

    Raises:
        ArchiveError: The file is no archive, is of a newer version, or cannot be opened.
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        if not create and not path.is_file():
            raise ArchiveError(
                f"{path}: there is no archive; make one with `backtest feeds pull`, or name it: --archive"
            )
        self.path = path
        self._connection = _open(path)
        database = Database(self._connection, path)
        self._database = database
        self._reading = Reading(database)
        self._writing = Writing(database)
        self._subscriptions = Subscriptions(database)
        self._scores = Scores(database)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; what was recorded stays."""
        self._connection.close()

    def record(self, document: Document, headlines: Sequence[Headline]) -> Stored:
        """Stores one document and its headlines in one transaction; see `record_many`."""
        return self.record_many([(document, headlines)])

    def record_many(self, batch: Iterable[tuple[Document, Sequence[Headline]]]) -> Stored:
        """Stores documents and their headlines in one transaction; see `Writing.record_many`."""
        return self._writing.record_many(batch)

    def as_of(self, at: datetime, *, since: datetime | None = None, search: str | None = None) -> Snapshot:
        """Returns exactly what was held at a moment; see `Reading.as_of`."""
        return self._reading.as_of(at, since=since, search=search)

    def history(self, since: datetime | None, until: datetime, *, search: str | None = None) -> Snapshot:
        """Returns every revision that became known after `since` and by `until`, those edited later too."""
        return self._reading.history(since, until, search=search)

    def index_words(self) -> None:
        """Brings the full-text index up to date with the revisions."""
        self._reading.index_words()

    def counts(self) -> dict[str, int]:
        """Returns how many feeds, documents, headlines and revisions are held."""
        return self._reading.counts()

    def keys_done(self, prefix: str = "") -> set[str]:
        """Returns the keys of the captures that are stored, those that begin with a prefix."""
        return self._reading.keys_done(prefix)

    def verify(self, noted: str | None = None) -> list[str]:
        """Checks the whole file; returns what is wrong, one line each, nothing where it is sound.

        Args:
            noted: A seal that was noted earlier and must be part of the chain.
        """
        return verify(self._database, noted)

    def seal(self) -> str:
        """Returns the newest seal as hex digits: a hash of everything stored so far; "" where nothing is."""
        return last_seal(self._connection).hex()

    def subscribe(self, entries: Iterable[FeedEntry]) -> int:
        """Adds feeds, or takes removed ones up again; returns how many were not subscribed before."""
        return self._subscriptions.subscribe(entries)

    def unsubscribe(self, url: str) -> None:
        """Stops polling a feed, by address or name; what it brought stays."""
        self._subscriptions.unsubscribe(url)

    def subscriptions(self) -> list[Subscription]:
        """Returns the feeds that are polled, in the order in which they were added."""
        return self._subscriptions.all()

    def is_new(self) -> bool:
        """Says whether no feed was ever subscribed or stored here."""
        return self._subscriptions.is_new()

    def log_fetch(self, feed: Subscription, fetch: Fetch, changes: Mapping[str, Any]) -> None:
        """Logs an attempt and changes what is remembered of the feed; see `Subscriptions.log_fetch`."""
        self._subscriptions.log_fetch(feed, fetch, changes)

    def health(self) -> list[dict[str, Any]]:
        """Returns one row per feed that is polled or has brought something: attempts, last outcome, items, drift."""
        return self._subscriptions.health()

    def scores(self, rows: Sequence[int], scorer: str, lexicon_as_of: date | None = None) -> dict[int, Score]:
        """Returns the stored scores of revisions, by row; see `Scores.read`."""
        return self._scores.read(rows, scorer, lexicon_as_of)

    def store_scores(self, scores: Mapping[int, Score], scorer: str, lexicon_as_of: date | None = None) -> int:
        """Stores scores by row in one transaction; returns how many were new. What is stored stays as it is."""
        return self._scores.store(scores, scorer, lexicon_as_of)


def _open(path: Path) -> sqlite3.Connection:
    with plain_errors(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as wrong:
            raise ArchiveError(f"{path.parent}: cannot be made ({wrong.strerror}); give another --archive") from None
        connection = sqlite3.connect(path, isolation_level=None, timeout=60, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")  # what was acknowledged survives a power cut too
            connection.execute("PRAGMA cache_size = -65536")  # 64 MiB
            connection.execute("PRAGMA wal_autocheckpoint = 8000")  # pages of 4 KiB: fewer, longer checkpoints
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute("PRAGMA recursive_triggers = ON")  # REPLACE counts as DELETE
            prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection
