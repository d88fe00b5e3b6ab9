"""Reads the items of a JSON Feed (jsonfeed.org, versions 1 and 1.1)."""

from __future__ import annotations

import json
from typing import Any

from feeds.errors import FeedError
from feeds.item_fields import Channel, Entry

MAX_LENGTH = 4 << 20  # characters: JSON cannot be read in pieces


def is_json(text: str) -> bool:
    """Says whether a document can be nothing but JSON."""
    return text[:1_000].lstrip("\ufeff \t\r\n").startswith("{")


def read(text: str, feed: str) -> Channel:
    """Reads a document.

    Raises:
        FeedError: It is no JSON, or no JSON Feed.
    """
    if len(text) > MAX_LENGTH:
        raise FeedError(feed, f"{len(text):,} characters are too many; a JSON Feed has at most {MAX_LENGTH:,}")
    try:
        # Numbers stay as they are written, however long; ends of lines within a text are no fault of it.
        found = json.loads(text.lstrip("\ufeff"), strict=False, parse_int=str, parse_float=str)
    except (ValueError, RecursionError) as wrong:
        raise FeedError(feed, f"broken JSON ({str(wrong)[:100]}); fix it") from None
    items = found.get("items")
    if "jsonfeed.org" not in _text(found, "version") or not isinstance(items, list):
        raise FeedError(feed, "is JSON, but no JSON Feed: it lacks the version https://jsonfeed.org/… or the items")
    return Channel(
        title=_text(found, "title"),
        language=_text(found, "language"),
        entries=[_entry(item if isinstance(item, dict) else {}) for item in items],
    )


def _entry(item: dict[str, Any]) -> Entry:
    stated = _text(item, "date_published") or _text(item, "date_modified")
    link = _text(item, "url") or _text(item, "external_url")
    return Entry(
        title=_text(item, "title"),
        summary=next(
            (words for name in ("summary", "content_text", "content_html") if (words := _text(item, name))), ""
        ),
        link=link,
        id=_text(item, "id") or link,
        source="",
        stated=[stated] if stated else [],
    )


def _text(found: dict[str, Any], name: str) -> str:
    """A text, or a number as it is written; "" for anything else."""
    value = found.get(name)
    return value if isinstance(value, str) else ""
