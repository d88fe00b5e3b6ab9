"""Feed documents become headlines. The only room that knows feedparser; plain documents take a quicker way.

`parse` takes bytes and never fetches anything; one bad item is lost and counted, a document that is no feed raises.
"""

from __future__ import annotations

import calendar
import io
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import feedparser

from feeds import fast_xml, item_fields
from feeds.dates import moment
from feeds.errors import FeedError
from feeds.fast_xml import Channel, Entry
from feeds.headline import Headline

MAX_BYTES = 20 * 1024 * 1024
BREAKS_OFF = "the document breaks off at line"
_YEARS = range(1990, 2101)
_ENTITY = re.compile(rb"<!ENTITY", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """An item that was lost. `item` is its position from 1 on, 0 for the document itself."""

    feed: str
    item: int
    title: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What a document held. `language` is the channel's claim, two letters or ""."""

    headlines: tuple[Headline, ...]
    rejects: tuple[Reject, ...]
    language: str


def parse(document: bytes, *, feed: str, seen: datetime | None) -> Parsed:
    """Parses an RSS or Atom document.

    Args:
        document: The bytes as they came; encodings are found by feedparser.
        feed: Name for messages and for `Headline.feed`.
        seen: When an archive first held this document (aware), None where nobody knows.

    Raises:
        FeedError: The document is no feed, is too large, or declares XML entities.
        ValueError: `seen` has no time zone.
    """
    if seen is not None and seen.tzinfo is None:
        raise ValueError(f"seen {seen} has no time zone; give an aware datetime")
    if len(document) > MAX_BYTES:
        raise FeedError(feed, f"{len(document):,} bytes are too many; a feed has at most {MAX_BYTES:,}")
    seen = seen.astimezone(UTC) if seen else None
    channel = fast_xml.read(document)
    if channel is not None and channel.entries:
        return _parsed(channel, feed, seen)
    if _declares_entities(document):
        raise FeedError(feed, "declares XML entities, which can fill the memory; take the <!ENTITY> lines out")
    return _read_by_feedparser(document, feed, seen)


def _read_by_feedparser(document: bytes, feed: str, seen: datetime | None) -> Parsed:
    """The reader of record: whatever is not plain, and whatever is broken."""
    raw = feedparser.parse(io.BytesIO(document), resolve_relative_uris=False)
    if not raw.entries:
        _refuse_empty(raw, feed)
    channel = Channel(
        title=raw.feed.get("title", ""),
        language=raw.feed.get("language", ""),
        entries=[_entry(entry) for entry in raw.entries],
    )
    cut = len(raw.entries) if raw.bozo and _ends_within_item(document) else 0
    return _parsed(channel, feed, seen, cut=cut, broken=_line(raw) if raw.bozo else None)


def _parsed(channel: Channel, feed: str, seen: datetime | None, *, cut: int = 0, broken: int | None = None) -> Parsed:
    """Makes headlines of a channel's items. `cut` is the position of an item that breaks off, `broken` the line."""
    language = item_fields.language(channel.language)
    publisher = item_fields.plain(channel.title)
    headlines: list[Headline] = []
    rejects: list[Reject] = []
    for position, entry in enumerate(channel.entries, 1):
        made = "cut off" if position == cut else _headline(entry, publisher, feed, language, seen)
        if isinstance(made, str):
            rejects.append(Reject(feed=feed, item=position, title=item_fields.plain(entry.title)[:200], reason=made))
        elif headlines and headlines[-1].id == made.id:
            reason = "duplicate of an item before it"
            rejects.append(Reject(feed=feed, item=position, title=made.title[:200], reason=reason))
        else:
            headlines.append(made)
    headlines, twice = _first_of_each(headlines, feed)
    rejects += twice
    if broken is not None:
        rejects.append(Reject(feed=feed, item=0, title="", reason=f"{BREAKS_OFF} {broken}"))
    return Parsed(headlines=tuple(headlines), rejects=tuple(rejects), language=language)


def read(path: Path) -> Parsed:
    """Reads a feed document, or every .xml, .rss and .atom file of a folder in order of name.

    Stricter than `parse`: a file is whole, or it is refused. What a fetch cut short may still be worth keeping;
    a file that a replay stands on is not.

    Raises:
        FeedError: Nothing there, a file that is no feed, breaks off, or holds not a single good item.
    """
    paths = sorted(each for kind in ("*.xml", "*.rss", "*.atom") for each in path.glob(kind)) or [path]
    headlines: list[Headline] = []
    rejects: list[Reject] = []
    language = ""
    for each in paths:
        try:
            size = each.stat().st_size
            document = each.read_bytes() if size <= MAX_BYTES else b""
        except OSError as wrong:
            raise FeedError(str(each), f"cannot be read ({wrong.strerror}); give an RSS or Atom file") from None
        if size > MAX_BYTES:
            raise FeedError(str(each), f"{size:,} bytes are too many; a feed has at most {MAX_BYTES:,}")
        try:
            parsed = parse(document, feed=each.name, seen=None)
        except FeedError as wrong:
            raise FeedError(str(each), wrong.reason) from None
        _refuse_broken(parsed, str(each))
        headlines += parsed.headlines
        rejects += parsed.rejects
        language = language or parsed.language
    headlines, twice = _first_of_each(headlines, str(path.name))
    return Parsed(headlines=tuple(headlines), rejects=(*rejects, *twice), language=language)


def _refuse_broken(parsed: Parsed, name: str) -> None:
    for reject in parsed.rejects:
        if reject.item == 0:
            raise FeedError(name, f"{reject.reason}; mend it or fetch it again")
    if parsed.rejects and not parsed.headlines:
        first = parsed.rejects[0]
        raise FeedError(name, f"not one good item of {len(parsed.rejects)}; the first: {first.reason}")


def _declares_entities(document: bytes) -> bool:
    head = document[: 1 << 20]
    if b"\x00" in head[:64]:  # UTF-16 or UTF-32: the pattern hides behind zero bytes
        head = head.replace(b"\x00", b"")
    if b"<!e" not in head and b"<!E" not in head:  # four times as quick as the pattern
        return False
    return _ENTITY.search(head) is not None


def _ends_within_item(document: bytes) -> bool:
    """Says whether a document breaks off in its last item, whose words may be half."""
    return any(document.rfind(b"<" + tag) > document.rfind(b"</" + tag) for tag in (b"item", b"entry"))


def _line(raw: Any) -> int | None:
    """The line at which XML broke, None where it did not."""
    get = getattr(raw.get("bozo_exception"), "getLineNumber", None)
    return int(get()) if callable(get) else None


def _refuse_empty(raw: Any, feed: str) -> None:
    """An empty feed is fine, a document that is none is not."""
    line = _line(raw)
    if line is not None:
        raise FeedError(
            feed, f"line {line}: broken XML ({raw.bozo_exception.getMessage()}) and no item before it; mend it"
        )
    if not raw.get("version"):
        raise FeedError(feed, "is no RSS or Atom document; give a feed, not a page")


def _entry(entry: Any) -> Entry:
    """What feedparser found of an item."""
    clock = "published" if "published" in entry else "updated"
    stated = str(entry.get(clock) or "") if clock in entry else ""
    parsed = entry.get(f"{clock}_parsed") if f"{clock}_parsed" in entry else None
    source = entry.get("source") or {}
    return Entry(
        title=entry.get("title", ""),
        summary=entry.get("summary", ""),
        link=entry.get("link", ""),
        id=entry.get("id") or "",
        source=source.get("title", ""),
        stated=stated,
        published=moment(stated) or _of_feedparser(parsed),  # ours knows zones and languages that feedparser does not
    )


def _headline(entry: Entry, publisher: str, feed: str, language: str, seen: datetime | None) -> Headline | str:
    """Makes a headline of an entry, or says why not."""
    title = item_fields.plain(entry.title)
    if not title:
        return "no title"
    published = entry.published
    if published is not None and published.year not in _YEARS:
        return f"dated {published.year}"
    if published is None and seen is None:
        stated = entry.stated
        return f"date {stated[:40]!r} cannot be read" if stated else "no date, and nobody saw when it appeared"
    link = item_fields.link(entry.link)
    return Headline(
        id=item_fields.identity(entry.id or link or title),
        feed=feed,
        source=item_fields.plain(entry.source) or publisher,
        title=title,
        summary=item_fields.plain(entry.summary),
        link=link,
        language=language,
        published=published,
        seen=seen,
    )


def _of_feedparser(parsed: Any) -> datetime | None:
    """Feedparser's UTC tuple as an aware datetime; independent of the machine's zone."""
    if parsed is None:
        return None
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _first_of_each(headlines: list[Headline], feed: str) -> tuple[list[Headline], list[Reject]]:
    first: dict[str, Headline] = {}
    twice = []
    for position, each in enumerate(headlines, 1):
        if each.id in first:
            twice.append(
                Reject(feed=feed, item=position, title=each.title[:200], reason="duplicate of an item before it")
            )
        else:
            first[each.id] = each
    return list(first.values()), twice
