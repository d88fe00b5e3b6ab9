"""Defines a headline: what a feed said, when it claims to have said it, and when it was known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """One revision of one feed item.

    `published` is the feed's claim, `seen` is when an archive first held this revision; both are
    aware and in UTC. An item with neither is rejected by the parser, so one of them is always there.
    """

    id: str  # identity across re-fetches: the same item gives the same id
    feed: str  # the feed's name, as the caller gave it
    source: str  # the publisher, "" when the feed does not say
    title: str  # plain text: no tags, no entities, single spaces
    summary: str  # plain text, "" when there is none
    link: str  # http(s) only, "" otherwise
    language: str  # the channel's claim, two lower-case letters, "" when it makes none
    published: datetime | None
    seen: datetime | None
    revision: int = 0  # 0 = first text of this item, 1 = first edit …

    def known_at(self, assumed_delay: timedelta) -> datetime:
        """Returns the moment (UTC) from which a replay may know this revision.

        `seen` where there is one; else the claim plus the stated delay.
        """
        if self.seen is not None:
            return self.seen
        if self.published is None:
            raise ValueError(f"headline {self.id} has neither `published` nor `seen`")
        return self.published + assumed_delay
