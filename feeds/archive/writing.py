"""Writes: documents come in, headlines and their revisions are kept, nothing is ever changed or dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from feeds.archive import seals
from feeds.archive.database import Database, microseconds
from feeds.archive.identity import item_keys, text_hash
from feeds.archive.story_links import Stories, Words, words_of
from feeds.collector import without_collector
from feeds.headline import Headline

ASSUMED_DELAY = timedelta(minutes=5)  # from published to known, where nobody saw the item
_CHUNK = 900  # keys looked up at once; the oldest builds of SQLite allow 999 variables
_DRIFT = 60_000_000  # microseconds by which `published` must move to count as re-dated
_KNOWN, _STORY = 2, 7  # columns of a revision


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


@dataclass(slots=True)
class _Batch:
    """What one transaction stores, before it is written."""

    items: dict[int, int]  # every item that is held or new, by each of its keys
    row: int  # the newest revision's number
    number: int  # the newest document's number
    total: Stored = field(default_factory=Stored)
    waiting: list[tuple[list[Any], Words]] = field(default_factory=list)  # revisions that are not in the file yet
    waiting_items: set[int] = field(default_factory=set)
    documents: list[tuple[Any, ...]] = field(default_factory=list)
    keys: list[tuple[int, int, int]] = field(default_factory=list)
    records: list[tuple[seals.Subject, int, Iterator[bytes]]] = field(default_factory=list)


class Writing:
    """Stores documents and their headlines.

    Args:
        database: The open file.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection
        self._sources: dict[str, int] = {}
        self._stories = Stories(self._story_rows)
        self._last_row = -1  # the newest row when this process last wrote
        database.on_rollback(self._forget)

    def record_many(self, batch: Iterable[tuple[Document, Sequence[Headline]]]) -> Stored:
        """Stores documents and their headlines in one transaction.

        A headline whose item is not held is new. One that is held with the same words at that moment is not stored
        again; with other words it is a new revision, known from its own moment. A document whose `key` is held is
        left out.

        Raises:
            ArchiveError: The disk is full or the file is damaged; nothing of the batch is stored then.
            ValueError: A headline has neither `seen` nor `published`.
        """
        with without_collector(), self._database.transaction() as connection:
            self._refresh()
            documents = [
                (document, feed, _keyed(headlines, feed))
                for document, headlines in self._not_held(batch)
                for feed in (self._feed_row(document.feed),)
            ]
            words = iter(words_of([headline.title for _, _, keyed in documents for headline, _ in keyed]))
            (row,) = connection.execute("SELECT ifnull(max(id), 0) FROM revisions").fetchone()
            (number,) = connection.execute("SELECT ifnull(max(id), 0) FROM documents").fetchone()
            made = _Batch(items=self._held_items(documents), row=row, number=number)
            for document, feed, keyed in documents:
                self._add(made, document, feed, [(*each, next(words)) for each in keyed])
            self._write_revisions(made)
            connection.executemany(f"INSERT INTO documents VALUES ({_marks(15)})", made.documents)
            # Sorted, so that neighbours in the tree are written together.
            connection.executemany("INSERT INTO keys(key, item, document) VALUES (?,?,?)", sorted(made.keys))
            seals.append_many(connection, made.records)
            self._last_row = made.row
        return made.total

    def _forget(self) -> None:
        self._stories.forget()
        self._sources.clear()
        self._last_row = -1

    def _refresh(self) -> None:
        """Drops the stories in memory where another process has stored some since."""
        (newest,) = self._connection.execute("SELECT ifnull(max(id), 0) FROM revisions").fetchone()
        if newest != self._last_row:
            self._stories.forget()

    def _story_rows(self, start: int, stop: int) -> Iterable[tuple[int, int, str]]:
        return self._connection.execute(
            "SELECT story, known, title FROM revisions WHERE known >= ? AND known < ?", (start, stop)
        )

    def _not_held(
        self, batch: Iterable[tuple[Document, Sequence[Headline]]]
    ) -> Iterator[tuple[Document, Sequence[Headline]]]:
        """Yields the documents whose key is not held; of two with one key the first."""
        met: set[str] = set()
        for document, headlines in batch:
            key = document.key
            if key is not None:
                if key in met or self._connection.execute("SELECT 1 FROM documents WHERE key = ?", (key,)).fetchone():
                    continue
                met.add(key)
            yield document, headlines

    def _add(
        self, made: _Batch, document: Document, feed: int, headlines: Sequence[tuple[Headline, list[int], Words]]
    ) -> None:
        """Adds one document to the batch."""
        made.number += 1
        items = made.items
        rows: list[seals.Row] = []
        repeats: list[int] = []
        keys: list[tuple[int, int]] = []
        sources: dict[int, str] = {}
        fresh: dict[int, int] = {}  # items of this document and when they were known
        new = revised = redated = 0
        for headline, its_keys, words in headlines:
            seen, published = _or_none(headline.seen), _or_none(headline.published)
            known = seen if seen is not None else microseconds(headline.known_at(ASSUMED_DELAY))
            digest, ident, same = text_hash(headline.title, headline.summary), headline.id, False
            item = _item_of(its_keys, items)
            if item is None:
                new += 1
                item = made.row + 1
            else:
                if fresh.get(item) == known:  # the same item twice at one moment: its first words count
                    continue
                if item in made.waiting_items:  # the next sighting is compared with the last
                    self._write_revisions(made)
                ident, moved, same, repeat = self._compare(item, known, digest, headline, made.number)
                redated += moved
                revised += not same
                repeats += repeat
            for key in its_keys:
                if key not in items:
                    items[key] = item
                    keys.append((key, item))
            if same:
                continue
            made.row += 1
            fresh[item] = known
            source = self._source_row(headline.source)
            sources[source] = headline.source
            row = [
                made.row, item, known, digest, seen, published, made.number, 0,
                ident, source, headline.language, headline.title, headline.summary, headline.link,
            ]  # fmt: skip
            rows.append(row)
            made.waiting.append((row, words))
            made.waiting_items.add(item)
        stored = Stored(new, revised, len(headlines) - new, redated)
        line = (
            made.number, feed, document.url, _or_none(document.at), document.hash, document.http_date, document.etag,
            document.provenance, document.rule, document.key, len(headlines), document.rejected, new, revised, redated,
        )  # fmt: skip
        keys.sort()
        made.total += stored
        made.documents.append(line)
        made.keys += [(key, item, made.number) for key, item in keys]
        record = seals.document_record(
            line, document.feed, sources.items(), rows, repeats, seals.keys_record(keys)
        )  # read when all rows have their stories
        made.records.append(("document", made.number, record))

    def _write_revisions(self, made: _Batch) -> None:
        """Gives the revisions that wait their stories, in the order in which they became known, and stores them."""
        for row, words in sorted(made.waiting, key=lambda each: each[0][_KNOWN]):
            found = self._stories.find(words, row[_KNOWN])
            row[_STORY] = row[0] if found is None else found
            self._stories.add(row[_STORY], row[_KNOWN], words)
        self._connection.executemany(f"INSERT INTO revisions VALUES ({_marks(14)})", [row for row, _ in made.waiting])
        made.waiting.clear()
        made.waiting_items.clear()

    def _held_items(
        self, documents: Iterable[tuple[Document, int, Sequence[tuple[Headline, list[int]]]]]
    ) -> dict[int, int]:
        """Returns the items that are held, by key."""
        wanted = [key for _, _, keyed in documents for _, its_keys in keyed for key in its_keys]
        held: dict[int, int] = {}
        for start in range(0, len(wanted), _CHUNK):
            chunk = wanted[start : start + _CHUNK]
            held.update(
                self._connection.execute(f"SELECT key, item FROM keys WHERE key IN ({_marks(len(chunk))})", chunk)
            )
        return held

    def _compare(
        self, item: int, known: int, digest: int, headline: Headline, document: int
    ) -> tuple[str, bool, bool, list[int]]:
        """Compares a sighting with what is held of its item.

        A row that this sighting makes superfluous, since it held the same words later, is noted as a repeat.

        Returns:
            The item's identity, whether its date alone has moved, whether its words at `known` are these, and the
            repeats that were noted.
        """
        before = self._connection.execute(
            "SELECT ident, hash, published FROM revisions WHERE item = ? AND known <= ? "
            "AND id NOT IN (SELECT revision FROM repeats) ORDER BY known DESC, id DESC LIMIT 1",
            (item, known),
        ).fetchone()
        if before is not None and before[1] == digest:
            return before[0], _moved(before[2], headline), True, []
        after = self._connection.execute(
            "SELECT ident, hash, published, id FROM revisions WHERE item = ? AND known > ? "
            "AND id NOT IN (SELECT revision FROM repeats) ORDER BY known, id LIMIT 1",
            (item, known),
        ).fetchone()
        repeats = [after[3]] if after is not None and after[1] == digest else []
        self._connection.executemany(
            "INSERT INTO repeats(revision, document) VALUES (?,?)", [(repeat, document) for repeat in repeats]
        )
        return (before or after)[0], False, False, repeats

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


def _keyed(headlines: Sequence[Headline], feed: int) -> list[tuple[Headline, list[int]]]:
    """Returns headlines with the keys of their items. A page's key that two headlines of a document share is no key."""
    keyed = [(headline, item_keys(headline, feed)) for headline in headlines]
    counts = Counter([its_keys[1] for _, its_keys in keyed if len(its_keys) > 1])
    if len(counts) < len(keyed):
        for _, its_keys in keyed:
            if len(its_keys) > 1 and counts[its_keys[1]] > 1:
                del its_keys[1]
    return keyed


def _item_of(keys: Iterable[int], items: Mapping[int, int]) -> int | None:
    for key in keys:
        if key in items:
            return items[key]
    return None


def _marks(count: int) -> str:
    return ",".join("?" * count)


def _or_none(at: datetime | None) -> int | None:
    return microseconds(at) if at is not None else None


def _moved(published: int | None, headline: Headline) -> bool:
    if published is None or headline.published is None:
        return False
    return abs(microseconds(headline.published) - published) > _DRIFT
