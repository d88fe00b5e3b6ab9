"""The point-in-time archive: what was known when. The only room that knows SQL."""

from feeds.archive.archive import Archive, Document, Stored
from feeds.archive.errors import ArchiveError
from feeds.archive.location import default_path
from feeds.archive.polling import Fetch, Subscription
from feeds.archive.reading import Held, Snapshot

__all__ = ["Archive", "ArchiveError", "Document", "Fetch", "Held", "Snapshot", "Stored", "Subscription", "default_path"]
