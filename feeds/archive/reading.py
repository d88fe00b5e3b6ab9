"""Reads what was known at a moment, what became known in a span, and what holds certain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, overload

from feeds.archive.database import ArchiveError, Database, damaged_values, microseconds, moment, plain_errors
from feeds.headline import Headline

_CHUNK = 500
_REPEATS = "(SELECT revision FROM repeats)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedHeadline:
    """One revision as the archive holds it."""

    headline: Headline
    known: datetime  # from when a replay may know it
    provenance: str  # "live", "backfill", "import", or "assumed" where nobody saw it
    rule: str  # how `known` was found, in words
    story: int  # the same for near-copies within a day of each other
    row: int  # the revision's number in this file


class Snapshot(Sequence[ArchivedHeadline]):
    """Revisions in the order in which they became known; read from the file when asked for, some hundred at a time.

    What a snapshot holds was fixed when it was taken: rows that are stored later are not in it.
    """

    def __init__(self, rows: list[int], reading: Reading) -> None:
        self._rows = rows
        self._reading = reading

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> ArchivedHeadline: ...
    @overload
    def __getitem__(self, index: slice) -> Snapshot: ...
    def __getitem__(self, index: int | slice) -> ArchivedHeadline | Snapshot:
        if isinstance(index, slice):
            return Snapshot(self._rows[index], self._reading)
        return self._reading.read([self._rows[index]])[0]

    def __iter__(self) -> Iterator[ArchivedHeadline]:
        for start in range(0, len(self._rows), _CHUNK):
            yield from self._reading.read(self._rows[start : start + _CHUNK])


class Reading:
    """Answers questions about headlines.

    Args:
        database: The open file.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection
        self._source_names: dict[int, str] = {}
        self._documents: dict[int, tuple[str, str, str]] = {}

    def as_of(self, at: datetime, *, since: datetime | None = None, search: str | None = None) -> Snapshot:
        """Returns exactly what was held at a moment: of each item the newest revision known by then, edits included.

        Args:
            at: The moment, aware; a revision known at it is held.
            since: Leaves out what was known at this moment or before, unchanged since.
            search: Words that title or summary must hold, all of them; "a phrase" in quotes.

        Raises:
            ArchiveError: The search cannot be read.
        """
        newer = (
            "SELECT 1 FROM revisions n WHERE n.item = r.item AND n.known >= r.known AND n.known <= ?2 "
            f"AND (n.known > r.known OR n.id > r.id) AND n.id NOT IN {_REPEATS}"
        )
        return self._select(f"AND NOT EXISTS ({newer}) ", since, at, search)

    def history(self, since: datetime | None, until: datetime, *, search: str | None = None) -> Snapshot:
        """Returns every revision that became known after `since` and by `until`, those edited later too."""
        return self._select("", since, until, search)

    def _select(self, further: str, since: datetime | None, until: datetime, search: str | None) -> Snapshot:
        sql = f"SELECT r.id FROM revisions r WHERE r.known > ?1 AND r.known <= ?2 AND r.id NOT IN {_REPEATS} {further}"
        values: list[object] = [microseconds(since) if since is not None else -(1 << 62), microseconds(until)]
        with plain_errors(self._database.path):
            if search is not None:
                self.index_words()
                sql += "AND r.id IN (SELECT rowid FROM words WHERE words MATCH ?3) "
                values.append(_match(search))
            rows = self._connection.execute(sql + "ORDER BY r.known, r.id", values).fetchall()
        return Snapshot([row for (row,) in rows], self)

    def index_words(self) -> None:
        """Brings the full-text index up to date with the revisions."""
        (last,) = self._connection.execute("SELECT ifnull(max(id), 0) FROM words_docsize").fetchone()
        (newest,) = self._connection.execute("SELECT ifnull(max(id), 0) FROM revisions").fetchone()
        if last < newest:
            with self._database.transaction() as connection:
                (last,) = connection.execute("SELECT ifnull(max(id), 0) FROM words_docsize").fetchone()
                connection.execute(
                    "INSERT INTO words(rowid, title, summary) SELECT id, title, summary FROM revisions WHERE id > ? "
                    "ORDER BY id",
                    (last,),
                )

    def read(self, rows: Sequence[int]) -> list[ArchivedHeadline]:
        """Reads revisions by their numbers, in the order given.

        Raises:
            ArchiveError: The file cannot be read, or was changed by another program.
        """
        marks = ",".join("?" * len(rows))
        earlier = (
            "SELECT count(*) FROM revisions b WHERE b.item = r.item AND b.known <= r.known "
            f"AND (b.known < r.known OR b.id < r.id) AND b.id NOT IN {_REPEATS}"
        )
        with plain_errors(self._database.path), damaged_values(self._database.path):
            found = {
                row[0]: row
                for row in self._connection.execute(
                    "SELECT r.id, r.known, r.seen, r.published, r.document, r.story, r.ident, r.source, r.language, "
                    f"r.title, r.summary, r.link, ({earlier}) FROM revisions r WHERE r.id IN ({marks})",
                    rows,
                )
            }
            return [self._archived(found[row]) for row in rows]

    def _archived(self, row: tuple[Any, ...]) -> ArchivedHeadline:
        number, known, seen, published, document, story, ident, source, language, title, summary, link, revision = row
        feed, provenance, rule = self._document(document)
        return ArchivedHeadline(
            headline=Headline(
                id=_text(ident),
                feed=feed,
                source=self._source(source),
                title=_text(title),
                summary=_text(summary),
                link=_text(link),
                language=_text(language),
                published=moment(published) if published is not None else None,
                seen=moment(seen) if seen is not None else None,
                revision=revision,
            ),
            known=moment(known),
            provenance=provenance if seen is not None else "assumed",
            rule=rule,
            story=story,
            row=number,
        )

    def _document(self, number: int) -> tuple[str, str, str]:
        found = self._documents.get(number)
        if found is None:
            if len(self._documents) > 50_000:
                self._documents.clear()
            found = self._connection.execute(
                "SELECT f.url, d.provenance, d.rule FROM documents d JOIN feeds f ON f.id = d.feed WHERE d.id = ?",
                (number,),
            ).fetchone()
            if found is None:
                raise LookupError(f"document {number} is missing")
            self._documents[number] = found
        return found

    def _source(self, number: int) -> str:
        name = self._source_names.get(number)
        if name is None:
            row = self._connection.execute("SELECT name FROM sources WHERE id = ?", (number,)).fetchone()
            if row is None:
                raise LookupError(f"source {number} is missing")
            name = self._source_names[number] = str(row[0])
        return name

    def counts(self) -> dict[str, int]:
        """Returns how many feeds, documents, headlines and revisions are held."""
        counts = {
            table: int(self._connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
            for table in ("feeds", "documents", "revisions")
        }
        (items,) = self._connection.execute("SELECT count(*) FROM revisions WHERE id = item").fetchone()
        return {**counts, "headlines": int(items)}

    def keys_done(self, prefix: str = "") -> set[str]:
        """Returns the keys of the captures that are stored, those that begin with a prefix."""
        rows = self._connection.execute(
            "SELECT key FROM documents WHERE key >= ? AND key < ?", (prefix, prefix + "\U0010ffff")
        )
        return {key for (key,) in rows}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text that is {type(value).__name__}")
    return value


def _match(search: str) -> str:
    """Makes an FTS5 query of words and "phrases"; everything else in it is text, never syntax."""
    parts = search.split('"')
    if len(parts) % 2 == 0:
        raise ArchiveError(f"--search {search!r}: a quotation mark is missing")
    terms = [part.strip() for part in parts[1::2]]
    terms += [word for part in parts[::2] for word in part.split()]
    quoted = ['"' + term + '"' for term in terms if any(char.isalnum() for char in term)]
    if not quoted:
        raise ArchiveError(f"--search {search!r}: holds no word; give some")
    return " ".join(quoted)
