"""Writing: documents come in, headlines and their revisions are kept, nothing is ever changed or dropped."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from feeds.archive.errors import ArchiveError, plain_errors
from feeds.archive.identity import item_keys, text_hash
from feeds.archive.reading import microseconds
from feeds.archive.schema import prepare
from feeds.archive.scores import Scores
from feeds.archive.story_links import Stories, Words, words_of
from feeds.headline import Headline

ASSUMED_DELAY = timedelta(minutes=5)  # from published to known, where nobody saw the item
_CHUNK = 500  # keys looked up at once; SQLite allows 250,000 variables, older builds 999
_DRIFT = 60_000_000  # microseconds by which `published` must move to count as re-dated


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Where headlines come from: one fetch, capture or file."""

    feed: str  # the feed's address, or the name it was given
    url: str
    at: datetime | None  # when it was fetched or captured; None where nobody knows
    hash: str  # SHA-256 of the bytes, "" where there are none
    provenance: str  # "live", "backfill" or "import"
    rule: str  # from when its headlines count as known, in words
    key: str | None = None  # identity of a capture, so that it is never stored twice
    http_date: str = ""
    etag: str = ""
    rejected: int = 0  # items that were lost


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a document's headlines; `redated` counts those that came again with another date."""

    new: int = 0
    revised: int = 0
    known: int = 0
    redated: int = 0

    def __add__(self, other: Stored) -> Stored:
        return Stored(
            self.new + other.new, self.revised + other.revised, self.known + other.known, self.redated + other.redated
        )


class Archive(Scores):
    """An archive in one SQLite file; use it as a context manager.

    Several processes may write to one file; each call of `record` is one transaction, which is on the disk when the
    call returns.

    Args:
        path: The file; folders are made.
        create: Whether a missing file is made; False refuses instead.

    Raises:
        ArchiveError: The file is no archive, or cannot be opened.
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        if not create and not path.is_file():
            raise ArchiveError(
                f"{path}: there is no archive; make one with `backtest feeds pull`, or name it: --archive"
            )
        with plain_errors(path):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as wrong:
                raise ArchiveError(
                    f"{path.parent}: cannot be made ({wrong.strerror}); give another --archive"
                ) from None
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
        super().__init__(connection, path)
        self._stories = Stories(self._story_rows)
        self._last_row = -1  # the newest row when this process last wrote

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; what was recorded stays."""
        self._connection.close()

    def _undone(self) -> None:
        self._stories.forget()
        self._last_row = -1

    def record(self, document: Document, headlines: Sequence[Headline]) -> Stored:
        """Stores one document and its headlines in one transaction; see `record_many`."""
        return self.record_many([(document, headlines)])

    def record_many(self, batch: Iterable[tuple[Document, Sequence[Headline]]]) -> Stored:
        """Stores documents and their headlines in one transaction.

        A headline whose item is not held is new. One that is held with the same words at that moment is not stored
        again; with other words it is a new revision, known from its own moment. A document whose `key` is held is
        left out.

        Raises:
            ArchiveError: The disk is full or the file is damaged; nothing of the batch is stored then.
            ValueError: A headline has neither `seen` nor `published`.
        """
        total = Stored()
        with self._transaction() as connection:
            self._refresh()
            for document, headlines in batch:
                if (
                    document.key is not None
                    and connection.execute("SELECT 1 FROM documents WHERE key = ?", (document.key,)).fetchone()
                ):
                    continue
                total += self._record(connection, document, headlines)
            (self._last_row,) = connection.execute("SELECT ifnull(max(id), 0) FROM revisions").fetchone()
        return total

    def _refresh(self) -> None:
        """Another process may have stored stories since."""
        (newest,) = self._connection.execute("SELECT ifnull(max(id), 0) FROM revisions").fetchone()
        if newest != self._last_row:
            self._stories.forget()

    def _story_rows(self, start: int, stop: int) -> Iterable[tuple[int, int, str]]:
        return self._connection.execute(
            "SELECT story, known, title FROM revisions WHERE known >= ? AND known < ?", (start, stop)
        )

    def _record(self, connection: sqlite3.Connection, document: Document, headlines: Sequence[Headline]) -> Stored:
        feed = self._feed_row(document.feed)
        keyed = [(headline, item_keys(headline, feed)) for headline in headlines]
        items = self._held_items(keyed)
        held = set(items)
        (row,) = connection.execute("SELECT ifnull(max(id), 0) FROM revisions").fetchone()
        (number,) = connection.execute("SELECT ifnull(max(id), 0) + 1 FROM documents").fetchone()
        rows: list[tuple[object, ...]] = []
        fresh: dict[int, int] = {}  # items of this document and when they were known
        new = revised = redated = 0
        told = words_of([headline.title for headline in headlines])
        for (headline, its_keys), words in zip(keyed, told, strict=True):
            known, digest, ident, same = _known(headline), text_hash(headline), headline.id, False
            item = next((items[key] for key in its_keys if key in items), None)
            if item is None:
                new += 1
                item = row + 1
            else:
                if item in fresh:
                    if fresh[item] == known:  # the same item twice at one moment: its first words count
                        continue
                    _insert(connection, rows)  # a list of sightings: the next is compared with the last
                ident, moved, same = self._compare(item, known, digest, headline)
                redated += moved
                revised += not same
            for key in its_keys:
                items.setdefault(key, item)
            if same:
                continue
            row += 1
            fresh[item] = known
            rows.append(
                (row, item, known, digest, _or_none(headline.seen), _or_none(headline.published), number,
                 self._story(row, known, words), ident, self._source_row(headline.source), headline.language,
                 headline.title, headline.summary, headline.link)
            )  # fmt: skip
        _insert(connection, rows)
        connection.execute(
            "INSERT INTO documents VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (number, feed, document.url, _or_none(document.at), document.hash, document.http_date, document.etag,
             document.provenance, document.rule, document.key, len(headlines), document.rejected, new, revised,
             redated),
        )  # fmt: skip
        # Sorted, so that neighbours in the tree are written together.
        keys = sorted([pair for pair in items.items() if pair[0] not in held])
        connection.executemany("INSERT OR IGNORE INTO keys VALUES (?,?)", keys)
        return Stored(new, revised, len(headlines) - new, redated)

    def _story(self, row: int, known: int, words: Words) -> int:
        """Returns the story of a row: an earlier row's, or its own number."""
        found = self._stories.find(words, known)
        story = found if found is not None else row
        self._stories.add(story, known, words)
        return story

    def _held_items(self, keyed: Sequence[tuple[Headline, list[int]]]) -> dict[int, int]:
        """Returns the items that are held, by key. A key that two headlines of a document share is no key."""
        counts = Counter([its_keys[1] for _, its_keys in keyed if len(its_keys) > 1])
        if len(counts) < len(keyed):
            for _, its_keys in keyed:
                if len(its_keys) > 1 and counts[its_keys[1]] > 1:
                    del its_keys[1]
        wanted = [key for _, its_keys in keyed for key in its_keys]
        held: dict[int, int] = {}
        for start in range(0, len(wanted), _CHUNK):
            chunk = wanted[start : start + _CHUNK]
            marks = ",".join("?" * len(chunk))
            held.update(self._connection.execute(f"SELECT key, item FROM keys WHERE key IN ({marks})", chunk))
        return held

    def _compare(self, item: int, known: int, digest: int, headline: Headline) -> tuple[str, bool, bool]:
        """Returns a held item's identity, whether its date alone has moved, and whether its words at `known` are these.

        A row that this sighting makes superfluous, since it held the same words later, is noted as a repeat.
        """
        connection = self._connection
        before = connection.execute(
            "SELECT ident, hash, published FROM revisions WHERE item = ? AND known <= ? "
            "AND id NOT IN (SELECT revision FROM repeats) ORDER BY known DESC, id DESC LIMIT 1",
            (item, known),
        ).fetchone()
        if before is not None and before[1] == digest:
            return before[0], _moved(before[2], headline), True
        after = connection.execute(
            "SELECT ident, hash, published, id FROM revisions WHERE item = ? AND known > ? "
            "AND id NOT IN (SELECT revision FROM repeats) ORDER BY known, id LIMIT 1",
            (item, known),
        ).fetchone()
        if after is not None and after[1] == digest:
            connection.execute("INSERT INTO repeats VALUES (?)", (after[3],))
        either = before or after
        return either[0], False, False

    def _feed_row(self, url: str) -> int:
        found = self._connection.execute("SELECT id FROM feeds WHERE url = ?", (url,)).fetchone()
        if found is None:
            return int(
                self._connection.execute(
                    "INSERT INTO feeds(url, name, subscribed) VALUES (?, ?, 0)", (url, url)
                ).lastrowid
                or 0
            )
        return int(found[0])

    def _source_row(self, name: str) -> int:
        found = self._sources.get(name)
        if found is None:
            self._connection.execute("INSERT OR IGNORE INTO sources(name) VALUES (?)", (name,))
            (found,) = self._connection.execute("SELECT id FROM sources WHERE name = ?", (name,)).fetchone()
            self._sources[name] = int(found)
        return int(found)


def _insert(connection: sqlite3.Connection, rows: list[tuple[object, ...]]) -> None:
    """Stores rows of revisions and empties the list."""
    connection.executemany("INSERT INTO revisions VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)", rows)
    rows.clear()


def _or_none(at: datetime | None) -> int | None:
    return microseconds(at) if at is not None else None


def _known(headline: Headline) -> int:
    return microseconds(headline.known_at(ASSUMED_DELAY))


def _moved(published: int | None, headline: Headline) -> bool:
    if published is None or headline.published is None:
        return False
    return abs(microseconds(headline.published) - published) > _DRIFT
