"""Keeps what was known when, in one append-only SQLite file. The only room that knows SQL."""

from feeds.archive.archive import Archive
from feeds.archive.database import ArchiveError
from feeds.archive.reading import ArchivedHeadline, Snapshot
from feeds.archive.schema import default_path
from feeds.archive.subscriptions import Fetch, Subscription
from feeds.archive.writing import Document, Stored

__all__ = [
    "Archive",
    "ArchiveError",
    "ArchivedHeadline",
    "Document",
    "Fetch",
    "Snapshot",
    "Stored",
    "Subscription",
    "default_path",
]
