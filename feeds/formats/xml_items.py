"""Reads the items of RSS 0.9 to 2.0 and Atom 0.3 and 1.0 with the XML parser of the standard library, piece by piece.

A document that is no XML is cut into its items, and each is read alone: one broken item costs no other. Time and memory
grow with the size of a document and with nothing else. What it takes for no feed, `feeds.loose_reader` may read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree as ET

from feeds.errors import FeedError, NoFeedError
from feeds.formats import xml_text
from feeds.item_fields import Channel, Entry

BROKEN = "broken XML: items read one by one"
NO_ROOT = "neither RSS nor Atom"
CDF = "Channel Definition Format"
BASE64 = "titles in base64"
NO_FEED = "is no RSS, Atom or JSON feed; give a feed, not a page"
NOT_CLOSED = "broken markup within an item: its fields taken as they stand"
_PIECE = 1 << 18  # characters; the parser looks again at what a piece leaves unfinished, so small ones would be slow
_ROOTS = frozenset(("rss", "feed", "rdf"))
_ATOM = "http://www.w3.org/2005/Atom"
_PREFIXES = {
    "": _ATOM,
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "media": "http://search.yahoo.com/mrss/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
}
# How the names of these namespaces begin in this module; those of all other namespaces are not looked at.
_NAMESPACES = {
    **{space: f"{prefix}:" if prefix else "" for prefix, space in _PREFIXES.items()},
    **dict.fromkeys((
        "", "http://purl.org/atom/ns#", "http://purl.org/rss/1.0/", "http://my.netscape.com/rdf/simple/0.9/",
        "http://channel.netscape.com/rdf/simple/0.9/", "http://backend.userland.com/rss",
        "http://backend.userland.com/rss091", "http://backend.userland.com/rss092", "http://backend.userland.com/rss2",
        "http://blogs.law.harvard.edu/tech/rss", _PREFIXES["rdf"],
    ), ""),
    "http://search.yahoo.com/mrss": "media:",
}  # fmt: skip
_ITEMS = frozenset(
    f"{{{space}}}{name}" if space else name
    for space, prefix in _NAMESPACES.items()
    if not prefix
    for name in ("item", "entry")
)
_ROOT = re.compile(r"<(?:rss|feed)\b[^<>]*?\sxmlns=[\"']([^\"'<>]{1,200})[\"']", re.IGNORECASE)
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_ABOUT = f"{{{_PREFIXES['rdf']}}}about"
# The first kind that is there counts: when an item was published, else when it was changed.
_DATES = ("pubdate", "published", "issued", "dcterms:issued", "updated", "modified", "dc:date", "dcterms:modified")
_IS_DATE = frozenset(_DATES)
_SUMMARY = ("description", "summary", "content:encoded", "content", "itunes:summary", "media:description")
_TITLE = ("title", "dc:title", "media:title")
_IDENTITY = ("guid", "id")
_LANGUAGES = frozenset(("language", "dc:language"))
_PAGES = frozenset(("html", "text/html", "xhtml", "application/xhtml+xml"))
_QUERY = re.compile(r"&([A-Za-z0-9_]+);")
# Windows' characters at places where Unicode has control characters.
_WINDOWS = {code: bytes([code]).decode("cp1252", "replace") for code in range(0x80, 0xA0)}
Check = Callable[[], None]  # raises where reading has taken too long


def read(text: str, feed: str, check: Check) -> Channel:
    """Reads a document.

    Args:
        text: The document, decoded.
        feed: Its name, for messages.
        check: Called again and again; raises where reading has taken too long.

    Raises:
        NoFeedError: It is neither RSS nor Atom, has titles in base64 or dates in attributes, or is broken and no item
            can be found in it.
        FeedError: It is beyond a limit.
    """
    if xml_text.has_gap(text):
        raise FeedError(feed, f"has more than {xml_text.LONGEST:,} characters without the end of a tag; no feed has")
    root = _ROOT.search(text, 0, 20_000)
    core = root[1] if root is not None and root[1] not in _NAMESPACES else None
    try:
        return _whole(text, feed, core, check)
    except ET.ParseError as wrong:
        return _pieces(text, feed, core, check, wrong)


def _whole(text: str, feed: str, core: str | None, check: Check) -> Channel:
    """Reads XML; raises ParseError where it is none."""
    items = _ITEMS | {f"{{{core}}}{name}" for name in ("item", "entry")}
    entries: list[Entry] = []
    if len(text) <= _PIECE:
        root = ET.fromstring(text)  # noqa: S314 (no document declares entities here)
        entries = [_entry(element, core, feed) for element in root.iter() if element.tag in items]
    else:
        root = _in_pieces(text, feed, items, lambda element: entries.append(_entry(element, core, feed)), check)
    if _name(root.tag, core) not in _ROOTS and not entries:
        raise NoFeedError(feed, NO_FEED, NO_ROOT)
    top = [*root, *(inner for child in root if _name(child.tag, core) == "channel" for inner in child)]
    return Channel(
        title=next((words for child in top if _name(child.tag, core) == "title" and (words := _text(child))), ""),
        language=next(
            (code for child in top if _name(child.tag, core) in _LANGUAGES and (code := _text(child))),
            root.get(_LANG, ""),
        ),
        entries=entries,
    )


def _in_pieces(
    text: str, feed: str, items: frozenset[str], take: Callable[[ET.Element], None], check: Check
) -> ET.Element:
    """Hands on each item when it is whole and forgets what was in it; returns the root."""
    parser: Any = ET.XMLPullParser(("end",))
    last = 0  # piece in which an element ended
    for start in range(0, len(text), _PIECE):
        parser.feed(text[start : start + _PIECE])
        if start - last > 4 * _PIECE:
            raise FeedError(feed, f"has more than {4 * _PIECE:,} characters in which no element ends; no feed has")
        for number, (_, element) in enumerate(parser.read_events()):
            last = start
            if element.tag in items:
                take(element)
                element.clear()
            if number & 255 == 0:
                check()
    parser.close()
    root: ET.Element = element  # which ends last
    return root


@lru_cache(maxsize=4_096)
def _name(tag: str, core: str | None) -> str:
    """The name of an element in small letters, with our prefix; "" in a namespace that says nothing to us."""
    space, _, local = tag.rpartition("}")
    prefix = "" if space[1:] == core else _NAMESPACES.get(space[1:])
    return "" if prefix is None else prefix + local.lower()


def _entry(item: ET.Element, core: str | None, feed: str) -> Entry:
    found: dict[str, ET.Element] = {}
    dates: dict[str, list[str]] = {}
    link = ""
    for child in item:
        name = _name(child.tag, core)
        if name == "link":
            link = _link(child, link)
        elif name in _IS_DATE:
            if stated := _text(child):
                dates.setdefault(name, []).append(stated)
        elif name and name not in found:
            found[name] = child
    if item.attrib and "lastmod" in {name.lower() for name in item.attrib}:
        raise NoFeedError(feed, f"is in the {CDF}; give an RSS, Atom or JSON feed", CDF)
    title = found.get("title")
    if title is not None and title.attrib and _is_base64(title):
        raise NoFeedError(feed, f"has {BASE64}; give a feed with titles in plain text", BASE64)
    guid = found.get("guid")
    identity = _first(found, _IDENTITY) or item.get(_ABOUT, "")
    permanent = guid is None or guid.get("isPermaLink", "true").lower() == "true"
    source = found.get("source")
    return Entry(
        title=_first(found, _TITLE),
        summary=_first(found, _SUMMARY),
        link=link or (identity if permanent else ""),
        id=identity,
        source="" if source is None else _source(source, core),
        stated=next((dates[name] for name in _DATES if name in dates), []),
    )


def _is_base64(title: ET.Element) -> bool:
    """Says whether a title is packed: Atom 0.3 says so itself, Atom 1.0 by a type that is no text."""
    kind = title.get("type", "").lower()
    is_text = kind.startswith("text/") or kind.endswith(("+xml", "/xml"))
    return title.get("mode", "").lower() == "base64" or ("/" in kind and not is_text and not title.get("mode"))


def _first(found: dict[str, ET.Element], names: tuple[str, ...]) -> str:
    """The words of the first of these elements that has any."""
    for name in names:
        if name in found and (words := _text(found[name])):
            return words
    return ""


def _source(source: ET.Element, core: str | None) -> str:
    """The publisher: the text of RSS, the title within Atom's."""
    return next((_text(child) for child in source if _name(child.tag, core) == "title"), None) or _text(source)


def _link(element: ET.Element, before: str) -> str:
    """The address of the page that an item is about; the text of RSS, else the last fitting reference of Atom."""
    target = element.get("href")
    if target is None:
        text = _text(element)
        return before or (_QUERY.sub(r"&\1", text.replace("&amp;", "&")) if "&" in text else text)
    if (element.get("rel") or "alternate").lower() != "alternate":
        return before
    return target.strip() if (element.get("type") or "text/html").lower() in _PAGES else before


def _text(element: ET.Element) -> str:
    """The words of an element and of those within it; what was UTF-8 read as Latin-1 is put right."""
    text = (" ".join(element.itertext()) if len(element) else element.text or "").strip()
    if text.isascii():
        return text
    try:
        return text.encode("iso-8859-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return text.translate(_WINDOWS)


def _pieces(text: str, feed: str, core: str | None, check: Check, wrong: ET.ParseError) -> Channel:
    """Reads a broken document item by item."""
    text, remarks = xml_text.repaired(text, check)
    check()
    pieces = list(xml_text.cut(text, check))
    if not pieces:
        if xml_text.is_page(text):
            raise NoFeedError(feed, NO_FEED, NO_ROOT)
        reason = str(wrong).partition(":")[0]
        raise NoFeedError(
            feed,
            f"line {wrong.position[0]}: broken XML ({reason}) and no item before it; fix it",
            f"broken XML ({reason})",
        )
    head = text[: pieces[0].start]
    opening = xml_text.opening(head, text, _PREFIXES)
    entries = []
    for piece in pieces:
        check()
        inside = text[piece.start : piece.end]
        try:
            if len(inside) > _PIECE:  # nobody can stop the parser within it
                raise IndexError
            element = ET.fromstring(f"{opening}{inside}</items>")[0]  # noqa: S314 (no document type, so no entities)
        except (ET.ParseError, IndexError):
            element = xml_text.salvaged(inside, _PREFIXES)
            remarks[NOT_CLOSED] += piece.is_closed
        entries.append(_entry(element, core, feed))
    remarks[BROKEN] += 1
    fields = xml_text.salvaged(head, _PREFIXES)
    is_whole = pieces[-1].is_closed and xml_text.ends(text, pieces[-1].end)
    return Channel(
        title=next((_text(child) for child in fields if _name(child.tag, core) == "title"), ""),
        language=next((_text(child) for child in fields if _name(child.tag, core) in _LANGUAGES), ""),
        entries=entries,
        remarks=remarks,
        cut=0 if pieces[-1].is_closed else len(entries),
        broken=0 if is_whole else text.count("\n") + 1,
    )
