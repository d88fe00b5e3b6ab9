"""The point-in-time archive: what was known when. The only room that knows SQL."""

from feeds.archive.archive import Archive, Document, Stored
from feeds.archive.errors import ArchiveError
from feeds.archive.location import default_path
from feeds.archive.reading import ArchivedHeadline, Snapshot
from feeds.archive.subscriptions import Fetch, Subscription

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
