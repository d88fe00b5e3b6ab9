"""Defines what history hands over: documents and when somebody held them, headlines of sources that are no feeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from feeds.headline import Headline

MAX_BYTES = 20 * 1024 * 1024  # of one document; the same as the parser's own limit
ASSUMED = "published + stated delay"  # the rule where nobody knows when a document was held


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """One feed document as an archive held it."""

    feed: str  # the feed's address, or the name it was given
    url: str  # where this document stood: an address, or a path inside what was imported
    seen: datetime | None  # when the archive held it, in UTC; None where nobody knows
    body: bytes
    provenance: str  # "backfill" or "import"
    rule: str  # from when its headlines count as known, in words
    key: str  # identity of this capture, the same in each run


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One headline of a source that is no feed document."""

    feed: str
    headline: Headline
    provenance: str  # "backfill" or "import"
    rule: str  # from when it counts as known, in words


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """Something that could not be had. It is not done: the next run tries again."""

    key: str  # of the capture or slice; "file:line" where a row of a file is lost
    reason: str


# Fetches an address and returns the body, or raises `feeds.errors.FetchError`: kind "throttled" where the server asks
# to come back later, after the retries and waits that the Get itself is willing to make. A Get that follows redirects
# calls `feeds.history.wayback.check_same_capture` with the address it ended at.
Get: TypeAlias = Callable[[str], bytes]


def ignore(_: object) -> None:
    """Takes a report and does nothing."""
