"""Keeps subscriptions and what became of fetching them: which feeds there are, when each is due, how healthy it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from feeds.archive import seals
from feeds.archive.database import ArchiveError, Database, microseconds, moment
from feeds.errors import did_you_mean
from feeds.opml import FeedEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A feed that is polled, and what the last answer left to remember."""

    row: int
    entry: FeedEntry
    moved_to: str | None  # where a permanent redirect led
    etag: str | None
    modified: str | None  # the server's Last-Modified, as it was sent
    document: str | None  # SHA-256 of the last document
    failures: int  # in a row
    next_at: datetime  # not to be polled before
    last_outcome: str | None  # of the last fetch, None where there was none

    @property
    def address(self) -> str:
        """Where to fetch it."""
        return self.moved_to or self.entry.url


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """One attempt to fetch a feed, as it is logged."""

    at: datetime
    outcome: str  # "ok", "unchanged", or what went wrong: "timeout", "throttled", "too large" …
    status: int | None  # of HTTP, None where no answer came
    detail: str
    bytes: int  # after unpacking
    milliseconds: int


class Subscriptions:
    """Keeps the part of the archive that changes: subscriptions and the state of polling.

    Args:
        database: The open file.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection

    def subscribe(self, entries: Iterable[FeedEntry]) -> int:
        """Adds feeds, or takes removed ones up again; returns how many were not subscribed before.

        What failed earlier is forgotten: a feed that had ended is polled again.
        """
        added = 0
        with self._database.transaction() as connection:
            for entry in entries:
                row = connection.execute("SELECT subscribed FROM feeds WHERE url = ?", (entry.url,)).fetchone()
                added += row is None or not row[0]
                connection.execute(
                    "INSERT INTO feeds(url, name, category, language) VALUES (?,?,?,?) ON CONFLICT(url) DO UPDATE SET "
                    "name = excluded.name, category = excluded.category, language = excluded.language, subscribed = 1, "
                    "failures = 0",
                    (entry.url, entry.name, entry.category, entry.language),
                )
        return added

    def unsubscribe(self, url: str) -> None:
        """Stops polling a feed, by address or name; what it brought stays.

        Raises:
            ArchiveError: There is no such feed.
        """
        with self._database.transaction() as connection:
            found = connection.execute(
                "UPDATE feeds SET subscribed = 0 WHERE subscribed AND (url = ?1 OR name = ?1)", (url,)
            )
            if found.rowcount == 0:
                known = [each.entry.url for each in self.all()]
                raise ArchiveError(f"{url}: is not subscribed; {did_you_mean(url, known)}")

    def all(self) -> list[Subscription]:
        """Returns the feeds that are polled, in the order in which they were added."""
        rows = self._connection.execute(
            "SELECT id, url, name, category, language, moved_to, etag, modified, document, failures, next_at, "
            "(SELECT outcome FROM fetches t WHERE t.feed = f.id ORDER BY t.id DESC LIMIT 1) "
            "FROM feeds f WHERE subscribed ORDER BY id"
        )
        return [
            Subscription(
                row=row[0],
                entry=FeedEntry(url=row[1], name=row[2], category=row[3], language=row[4]),
                moved_to=row[5],
                etag=row[6],
                modified=row[7],
                document=row[8],
                failures=row[9],
                next_at=moment(row[10]),
                last_outcome=row[11],
            )
            for row in rows
        ]

    def is_new(self) -> bool:
        """Says whether no feed was ever subscribed or stored here."""
        return self._connection.execute("SELECT 1 FROM feeds LIMIT 1").fetchone() is None

    def log_fetch(self, feed: Subscription, fetch: Fetch, changes: Mapping[str, Any]) -> None:
        """Logs an attempt and changes what is remembered of the feed, in one transaction.

        Args:
            feed: The feed.
            fetch: What happened.
            changes: New values of moved_to, etag, modified, document, failures, next_at.
        """
        allowed = {"moved_to", "etag", "modified", "document", "failures", "next_at"}
        names = [name for name in changes if name in allowed]
        values = [microseconds(changes[n]) if isinstance(changes[n], datetime) else changes[n] for n in names]
        with self._database.transaction() as connection:
            (number,) = connection.execute("SELECT ifnull(max(id), 0) + 1 FROM fetches").fetchone()
            (url,) = connection.execute("SELECT url FROM feeds WHERE id = ?", (feed.row,)).fetchone()
            row = (
                number, feed.row, microseconds(fetch.at), fetch.outcome, fetch.status, fetch.detail[:300], fetch.bytes,
                fetch.milliseconds,
            )  # fmt: skip
            connection.execute("INSERT INTO fetches VALUES (?,?,?,?,?,?,?,?)", row)
            seals.append(connection, "fetch", number, seals.rows_record([(*row, url)]))
            if names:
                assignments = ", ".join(f"{name} = ?" for name in names)
                connection.execute(f"UPDATE feeds SET {assignments} WHERE id = ?", (*values, feed.row))

    def health(self) -> list[dict[str, Any]]:
        """Returns one row per feed that is polled or has brought something: attempts, last outcome, items, drift."""
        rows = self._connection.execute(
            """
            SELECT f.url, f.name, f.subscribed, f.failures, f.next_at, f.moved_to, l.at, l.outcome, l.status, l.detail,
                (SELECT count(*) FROM fetches t WHERE t.feed = f.id),
                (SELECT count(*) FROM fetches t WHERE t.feed = f.id AND t.outcome IN ('ok', 'unchanged')),
                (SELECT count(*) FROM documents d WHERE d.feed = f.id),
                (SELECT ifnull(sum(d.new), 0) FROM documents d WHERE d.feed = f.id),
                (SELECT ifnull(sum(d.revised), 0) FROM documents d WHERE d.feed = f.id),
                (SELECT ifnull(sum(d.rejected), 0) FROM documents d WHERE d.feed = f.id),
                (SELECT ifnull(sum(d.redated), 0) FROM documents d WHERE d.feed = f.id),
                (SELECT ifnull(sum(d.items - d.new), 0) FROM documents d WHERE d.feed = f.id),
                (SELECT ifnull(sum(t.bytes), 0) FROM fetches t WHERE t.feed = f.id)
            FROM feeds f LEFT JOIN fetches l ON l.id = (SELECT max(id) FROM fetches t WHERE t.feed = f.id)
            ORDER BY f.id
            """
        )
        return [_health(row) for row in rows if row[2] or row[12]]


def _health(row: tuple[Any, ...]) -> dict[str, Any]:
    known_again, redated = row[17], row[16]
    return {
        "url": row[0],
        "name": row[1],
        "subscribed": bool(row[2]),
        "failures": row[3],
        "next": moment(row[4]).isoformat() if row[4] else None,
        "moved_to": row[5],
        "last": moment(row[6]).isoformat() if row[6] is not None else None,
        "outcome": row[7],
        "status": row[8],
        "detail": row[9],
        "fetches": row[10],
        "good": row[11],
        "documents": row[12],
        "new": row[13],
        "revised": row[14],
        "rejected": row[15],
        "redated": redated,
        # One in a hundred of the items that came again with the same words had another date: the feed stamps items
        # anew at each fetch, and its dates say nothing.
        "redates": bool(known_again and redated * 100 > known_again),
        "bytes": row[18],
    }
