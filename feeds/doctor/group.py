"""Holds headlines of one feed or source as its times: published, seen, known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property

from feeds.headline import Headline

ASSUMED_DELAY = timedelta(minutes=5)  # from published to known, where nobody saw an item


class Group:
    """Headlines of one feed or source, each item once, with its first words."""

    def __init__(self, where: str, items: Sequence[Headline], last: datetime, now: datetime) -> None:
        self.where = where
        self.items = items
        self.last = last  # when the set ends
        self.now = now

    @cached_property
    def published(self) -> list[datetime]:
        """When items say they were published, ascending."""
        return sorted(item.published for item in self.items if item.published is not None)

    @cached_property
    def unseen(self) -> list[datetime]:
        """The same of items whose claim alone dates them."""
        return sorted(item.published for item in self.items if item.published is not None and item.seen is None)

    @cached_property
    def lags(self) -> list[timedelta]:
        """From published to seen, ascending."""
        return sorted(item.seen - item.published for item in self.items if item.seen and item.published)

    @cached_property
    def known(self) -> list[datetime]:
        """When items were known, ascending."""
        return sorted(item.known_at(ASSUMED_DELAY) for item in self.items)


def times_of(item: Headline) -> list[datetime]:
    """Returns the moments that an item states: published, seen, as far as they are known."""
    return [moment for moment in (item.published, item.seen) if moment is not None]
