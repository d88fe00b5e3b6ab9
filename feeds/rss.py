"""Turns feed documents into headlines: RSS, Atom and JSON Feed, whole or broken; with feedparser's help, odd ones too.

`parse` takes bytes and never fetches anything; one bad item is lost and counted, a document that is no feed raises.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from feeds import dates, item_fields, loose_reader
from feeds.errors import FeedError, NoFeedError
from feeds.formats import json_feed, xml_items, xml_text
from feeds.headline import Headline
from feeds.item_fields import Channel, Entry

MAX_BYTES = 20 * 1024 * 1024
MAX_SECONDS = 2.0  # of the processor's time, for one document
_FILE_SECONDS = 60.0  # for one's own file, which no other feed waits for
BREAKS_OFF = "the document breaks off at line"
DUPLICATE: Final = "duplicate of an item before it"
_YEARS = range(1990, 2101)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """Names an item that was lost. `item` is its position from 1 on, 0 for the document itself."""

    feed: str
    item: int
    title: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """Holds what was in a document. `language` is the channel's claim, two letters or ""."""

    headlines: tuple[Headline, ...]
    rejects: tuple[Reject, ...]
    language: str
    remarks: Mapping[str, int] = field(default_factory=dict)  # how often what was assumed or put right, by reason


def parse(document: bytes, *, feed: str, seen: datetime | None, limit: Callable[[], float] | None = None) -> Parsed:
    """Parses an RSS, Atom or JSON Feed document.

    Args:
        document: The bytes as they came; they say themselves how they are encoded.
        feed: Name for messages and for `Headline.feed`.
        seen: When an archive first held this document (aware), None where nobody knows.
        limit: Asked again and again how many seconds of the processor's time reading may take; 2 without.

    Raises:
        FeedError: The document is no feed, is too large, takes too long, or declares XML entities.
        ValueError: `seen` has no time zone.
    """
    if seen is not None and seen.tzinfo is None:
        raise ValueError(f"seen {seen} has no time zone; give an aware datetime")
    if len(document) > MAX_BYTES:
        raise FeedError(feed, f"{len(document):,} bytes are too many; a feed has at most {MAX_BYTES:,}")
    limit = limit or (lambda: MAX_SECONDS)
    check = _Clock(feed, limit)
    try:
        return _parsed(_read(document, feed, check, limit), feed, seen.astimezone(UTC) if seen else None, check)
    except FeedError:
        raise
    except Exception as wrong:  # the one place where a stranger's document may break a reader
        raise FeedError(feed, f"cannot be read ({type(wrong).__name__}: {str(wrong)[:100]}); fix it") from wrong


class _Clock:
    """Raises where a document takes more of the processor's time than any feed needs.

    Half of it passes on the clock on the wall, which costs nothing to ask and is never slower; then the processor's
    own counts, so that a busy machine refuses no document.
    """

    def __init__(self, feed: str, limit: Callable[[], float]) -> None:
        self._feed = feed
        self._limit = limit
        self._start = time.monotonic()
        self._spent: float | None = None

    def __call__(self) -> None:
        half = self._limit() / 2
        if time.monotonic() - self._start < half:
            return
        spent = time.thread_time()
        if self._spent is None:
            self._spent = spent
        if spent - self._spent > half:
            raise FeedError(self._feed, f"takes more than {2 * half:g} s to read; a feed takes a tenth of that")


def _read(document: bytes, feed: str, check: _Clock, limit: Callable[[], float]) -> Channel:
    """Reads with our own reader, with feedparser where that finds no feed, or no item where there may be some."""
    text = xml_text.decode(document)
    if json_feed.is_json(text):
        return json_feed.read(text, feed)
    if xml_text.declares_entities(text):
        raise FeedError(feed, "declares XML entities, which can fill the memory; take the <!ENTITY> lines out")
    try:
        channel = xml_items.read(text, feed, check)
        refused = None
    except NoFeedError as wrong:
        channel = Channel(title="", language="", entries=[])
        refused = wrong
    if not channel.entries and xml_text.has_items(text):
        loose = loose_reader.read(text, feed, refused.kind if refused else "items of no form of ours", limit)
        if loose is not None:
            return loose
    if refused:
        raise refused
    return channel


def _parsed(channel: Channel, feed: str, seen: datetime | None, check: _Clock) -> Parsed:
    """Makes headlines of a channel's items."""
    language = item_fields.language(channel.language)
    publisher = item_fields.plain(channel.title)
    remarks = Counter(channel.remarks)
    made: list[tuple[int, Headline]] = []
    rejects: list[Reject] = []
    for position, entry in enumerate(channel.entries, 1):
        if position & 31 == 0:
            check()
        try:
            found = "cut off" if position == channel.cut else _headline(entry, publisher, feed, language, seen, remarks)
            title = item_fields.plain(entry.title)[:200] if isinstance(found, str) else ""
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as wrong:
            found, title = f"cannot be read ({type(wrong).__name__})", ""
        if isinstance(found, str):
            rejects.append(Reject(feed=feed, item=position, title=title, reason=found))
        else:
            made.append((position, found))
    headlines: dict[str, Headline] = {}
    for position, headline in _identified(made):
        if headline.id in headlines:
            rejects.append(Reject(feed=feed, item=position, title=headline.title[:200], reason=DUPLICATE))
        else:
            headlines[headline.id] = headline
    rejects.sort(key=lambda reject: reject.item)
    if channel.broken:
        rejects.append(Reject(feed=feed, item=0, title="", reason=f"{BREAKS_OFF} {channel.broken}"))
    return Parsed(
        headlines=tuple(headlines.values()),
        rejects=tuple(rejects),
        language=language,
        remarks={reason: count for reason, count in sorted(remarks.items()) if count},
    )


def _headline(
    entry: Entry, publisher: str, feed: str, language: str, seen: datetime | None, remarks: Counter[str]
) -> Headline | str:
    """Makes a headline of an entry, or says why not."""
    title = item_fields.plain(entry.title)
    if not title:
        return "no title"
    published = None
    if entry.stated:
        reading = dates.latest(entry.stated)
        published = reading.moment
        if reading.remark:
            remarks[reading.remark] += 1
    if published is not None and published.year not in _YEARS:
        return f"dated {published.year}"
    if published is None and seen is None:
        stated = item_fields.plain("".join(entry.stated[:1]))
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


def _identified(headlines: list[tuple[int, Headline]]) -> Iterator[tuple[int, Headline]]:
    """Gives items that share a guid the identity of their link, those that share it too that of their title."""
    if len({headline.id for _, headline in headlines}) == len(headlines):
        yield from headlines
        return
    sharing: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    titles: defaultdict[str, set[str]] = defaultdict(set)
    pages = [item_fields.identity(headline.link) if headline.link else "" for _, headline in headlines]
    for (_, headline), page in zip(headlines, pages, strict=True):
        sharing[headline.id].add((headline.title, page))
        titles[page].add(headline.title)
    for (position, headline), page in zip(headlines, pages, strict=True):
        if len(sharing[headline.id]) == 1:
            yield position, headline
        else:
            own = page if page and len(titles[page]) == 1 else item_fields.identity(headline.title)
            yield position, replace(headline, id=own)


def read(path: Path) -> Parsed:
    """Reads a feed document, or every .xml, .rss and .atom file of a folder in order of name.

    Stricter than `parse`: a file is whole, or it is refused. What a fetch cut short may still be worth keeping;
    a file that a replay stands on is not.

    Raises:
        FeedError: Nothing there, a file that is no feed, breaks off, or holds not a single good item.
    """
    paths = sorted(each for kind in ("*.xml", "*.rss", "*.atom") for each in path.glob(kind)) or [path]
    headlines: dict[str, Headline] = {}
    rejects: list[Reject] = []
    remarks: Counter[str] = Counter()
    language = ""
    for each in paths:
        try:
            size = each.stat().st_size
            document = each.read_bytes() if size <= MAX_BYTES else b""
        except OSError as wrong:
            raise FeedError(str(each), f"cannot be read ({wrong.strerror}); give an RSS, Atom or JSON feed") from None
        if size > MAX_BYTES:
            raise FeedError(str(each), f"{size:,} bytes are too many; a feed has at most {MAX_BYTES:,}")
        try:
            parsed = parse(document, feed=each.name, seen=None, limit=lambda: _FILE_SECONDS)
        except FeedError as wrong:
            raise FeedError(str(each), wrong.reason) from None
        _refuse_broken(parsed, str(each))
        rejects += parsed.rejects
        remarks.update(parsed.remarks)
        language = language or parsed.language
        for position, headline in enumerate(parsed.headlines, 1):
            if headlines.setdefault(headline.id, headline) is not headline:
                rejects.append(Reject(feed=path.name, item=position, title=headline.title[:200], reason=DUPLICATE))
    return Parsed(headlines=tuple(headlines.values()), rejects=tuple(rejects), language=language, remarks=remarks)


def _refuse_broken(parsed: Parsed, name: str) -> None:
    for reject in parsed.rejects:
        if reject.item == 0:
            raise FeedError(name, f"{reject.reason}; fix it or fetch it again")
    if parsed.rejects and not parsed.headlines:
        first = parsed.rejects[0]
        raise FeedError(name, f"not one good item of {len(parsed.rejects)}; the first: {first.reason}")
