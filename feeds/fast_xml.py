"""The quick way to read a feed: RSS 2.0 and Atom 1.0 without surprises, through the XML parser of the standard library.

feedparser is the reader of record. `read` gives exactly what feedparser would, or None where it is not sure: another
encoding than UTF-8, a document type, an element or attribute that could mean something to feedparser, markup that its
sanitizer might change. The reader of record is asked then. Equality is proved over real and odd documents and over
made-up ones (tests/test_wellformed.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from xml.etree import ElementTree as ET

from feeds.dates import moment

MAX_BYTES = 4 << 20  # a tree of more would take a tenth of a gigabyte
_ATOM = "{http://www.w3.org/2005/Atom}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_SY = "{http://purl.org/rss/1.0/modules/syndication/}"
_CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
_MEDIA = ("{http://search.yahoo.com/mrss/}", "{http://search.yahoo.com/mrss}")
# Elements that feedparser knows and that change nothing of what is kept, as long as they hold no elements.
_IDLE = frozenset(
    ("author", "category", "comments", "enclosure", f"{_DC}creator", "{http://purl.org/rss/1.0/modules/slash/}comments",
     "{http://wellformedweb.org/CommentAPI/}commentRss", "{http://wellformedweb.org/commentAPI/}commentRss",
     *(space + name for space in _MEDIA for name in ("thumbnail", "credit")))
)  # fmt: skip
_DATE = f"{_DC}date"
_KEPT = frozenset(("title", "description", "link", "pubDate", _CONTENT, _DATE))
_KEPT_ATOM = frozenset(_ATOM + name for name in "title summary content id published updated".split())
# A picture's words count as the summary of an item that has none so far.
_IDLE_BESIDE_WORDS = _IDLE | {space + "description" for space in _MEDIA}
_HOLDERS = frozenset(space + "content" for space in _MEDIA)  # may hold idle elements
_CHANNEL = frozenset(
    "description pubDate lastBuildDate ttl generator copyright managingEditor webMaster docs category link".split()
) | {
    f"{_ATOM}link",
    f"{_DC}publisher",
    f"{_SY}updatePeriod",
    f"{_SY}updateFrequency",
}
_FEED = frozenset(_ATOM + name for name in "id link updated subtitle logo icon generator rights category".split())
_IDLE_ATOM = _IDLE | {f"{_ATOM}category", f"{_ATOM}rights"}
_PERSON = frozenset(_ATOM + name for name in "name uri email".split())
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_PAGES = frozenset("html text/html xhtml application/xhtml+xml".split())
_LINK = frozenset("href rel type title hreflang length".split())
_KINDS = {"text": False, "text/plain": False, "html": True, "text/html": True}  # type of an Atom text: is it HTML
_ROOT = re.compile(rb"<(?:rss|feed)\b([^<>]*)>")
_DECLARATION = re.compile(
    rb"""<\?xml version=["']1\.[01]["'](?: encoding=["']([\w-]+)["'])?(?: standalone=["']\w+["'])?\s?\?>\s*"""
)
_XMLNS = re.compile(rb"""\sxmlns(?::([\w-]+))?=["']([^"']*)["']""")
# The names by which feedparser itself calls these namespaces: a document that gives them to others confuses it.
_TAKEN = {
    b"": (b"http://www.w3.org/2005/Atom",),
    b"dc": (b"http://purl.org/dc/elements/1.1/",),
    b"content": (b"http://purl.org/rss/1.0/modules/content/",),
    b"media": (b"http://search.yahoo.com/mrss/", b"http://search.yahoo.com/mrss"),
    b"slash": (b"http://purl.org/rss/1.0/modules/slash/",),
    b"wfw": (b"http://wellformedweb.org/CommentAPI/", b"http://wellformedweb.org/commentAPI/"),
    b"sy": (b"http://purl.org/rss/1.0/modules/syndication/",),
}
# Text that feedparser's sanitizer gives back with the same words: plain tags, plain attributes, plain entities.
_SIMPLE = re.compile(
    r"(?:[^<&]++"
    r"|</?(?:a|abbr|b|blockquote|br|cite|code|dd|div|dl|dt|em|figcaption|figure|h[1-6]|hr|i|img|li|ol|p|pre|q|s|small|span"
    r"|strong|sub|sup|table|tbody|td|th|thead|tr|u|ul)"
    r"""(?:\s[a-z][a-z-]*="[^<>"\x00-\x08\x0b-\x1f\x7f-\x9f]*")*+\s?/?>"""
    r"|&(?:#\d{1,5}|#x[0-9a-f]{1,4}|(?-i:amp|lt|gt|quot|apos|nbsp|[lr]squo|[lrb]dquo|[nm]dash|hellip|euro|[aouAOU]uml|szlig));"
    r"|&(?=\s)|&(?!lt|gt)[a-z][a-z0-9]?(?=[\s,).']))*+",
    re.IGNORECASE,
)
_TAG = re.compile(r"<[^<>]*>")
_LONG = 4_000  # characters of markup; later cuts would meet other places in it
_REFERENCE = re.compile(r"&#?\w+;")
_QUERY = re.compile(r"&([A-Za-z0-9_]+);")
_EXTRA_SLASH = re.compile(r"[A-Za-z][A-Za-z0-9+-.]*:///")
_LATIN = re.compile(r"[\x80-\x9f]")


class Entry(NamedTuple):
    """One item, its words as feedparser gives them."""

    title: str
    summary: str
    link: str
    id: str
    source: str
    stated: str  # when it was published, else updated; "" where it does not say
    published: datetime | None  # the same as a moment (UTC), None where it cannot be read


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """What a document says of itself, and its items."""

    title: str
    language: str
    entries: list[Entry]


class _UnsureError(Exception):
    """The reader of record has to be asked."""


def read(document: bytes) -> Channel | None:
    """Reads a document, or returns None where only feedparser knows."""
    if len(document) > MAX_BYTES or not _is_plain(document):
        return None
    try:
        root = ET.fromstring(document)  # noqa: S314 (no document type, so there are no entities to expand)
        if root.tag == "rss":
            return _rss(root)
        if root.tag == f"{_ATOM}feed":
            return _atom(root)
    except (ET.ParseError, _UnsureError):
        return None
    return None


def _is_plain(document: bytes) -> bool:
    """Whether a document is in UTF-8, begins with its root element and declares only namespaces that we know, there."""
    declaration = _DECLARATION.match(document)
    start = declaration.end() if declaration else 0
    if declaration and (declaration[1] or b"utf-8").lower() != b"utf-8":
        return False
    root = _ROOT.match(document, start)
    if (
        root is None
        or b"<!DOCTYPE" in document
        or b"<!ENTITY" in document
        or document.count(b"?>") != bool(declaration)
    ):
        return False
    spaces = _XMLNS.findall(root[1])
    if document.count(b"xmlns") != len(spaces):
        return False
    return all(space in _TAKEN.get(prefix, (space,)) for prefix, space in spaces)


def _rss(root: ET.Element) -> Channel:
    if root.attrib != {"version": "2.0"} or len(root) != 1 or root[0].tag != "channel" or root[0].attrib:
        raise _UnsureError
    title, language = None, ""
    entries = []
    for child in root[0]:
        tag = child.tag
        if tag == "item":
            entries.append(_item(child))
        elif tag == "title" and title is None:
            title = _words(_text(child), html=False)
        elif tag in {"language", f"{_DC}language"}:
            language = _checked(_text(child))  # the last one counts
        elif tag == "image":
            _check_image(child)
        elif tag not in _CHANNEL or len(child) or (child.attrib and tag not in {f"{_ATOM}link", "category"}):
            raise _UnsureError
    return Channel(title=title or "", language=language, entries=entries)


def _check_image(image: ET.Element) -> None:
    """A channel's picture has a title and a link of its own, which are nobody else's."""
    if image.attrib or any(
        len(child) or child.attrib or child.tag not in {"url", "title", "link", "width", "height", "description"}
        for child in image
    ):
        raise _UnsureError


def _item(item: ET.Element) -> Entry:
    if item.attrib:
        raise _UnsureError
    found: dict[str, str] = {}
    permanent = True
    for child in item:
        tag = child.tag
        if tag in _KEPT:
            if tag in found or len(child) or child.attrib:  # which of two counts is feedparser's secret
                raise _UnsureError
            found[tag] = (child.text or "").strip()
        elif tag in _IDLE:
            if len(child):
                raise _UnsureError
        elif tag == "guid" and tag not in found:
            permanent = _permanent(child)
            found[tag] = _text(child, attributes=True)
        elif tag == "source" and tag not in found:
            found[tag] = _checked(_text(child, attributes=True))
        else:
            _check_idle(child, _IDLE_BESIDE_WORDS if "description" in found else _IDLE)
    get = found.get
    guid = get("guid", "")
    if guid:
        guid = _url(guid) if permanent else _checked(guid)
    link = get("link")
    stated, published = _when(get("pubDate", get(_DATE, "")))
    return Entry(
        _words(get("title", ""), html=False),
        _words(get("description", get(_CONTENT, "")), html=True),
        (guid if permanent else "") if link is None else _address(link),
        guid,
        get("source", ""),
        stated,
        published,
    )


def _check_idle(child: ET.Element, idle: frozenset[str]) -> None:
    if child.tag in _HOLDERS:
        if any(len(inner) or inner.tag not in idle for inner in child):
            raise _UnsureError
    elif child.tag not in idle or len(child):
        raise _UnsureError


def _when(stated: str) -> tuple[str, datetime | None]:
    """What an item states as its date, and the moment; a date in another form than ours is feedparser's to read."""
    if not stated:
        return "", None
    published = moment(stated if stated.isascii() else _checked(stated))
    if published is None:
        raise _UnsureError
    return stated, published


def _permanent(guid: ET.Element) -> bool:
    if not guid.attrib:
        return True
    if guid.attrib.keys() != {"isPermaLink"}:
        raise _UnsureError
    return guid.attrib["isPermaLink"] == "true"


def _atom(root: ET.Element) -> Channel:
    if not root.attrib.keys() <= {_LANG}:
        raise _UnsureError
    title = None
    entries = []
    for child in root:
        tag = child.tag
        if tag == f"{_ATOM}entry":
            entries.append(_entry(child))
        elif tag == f"{_ATOM}title" and title is None:
            title = _atom_words(child)
        elif tag == f"{_ATOM}author":
            _check_person(child)
        elif tag not in _FEED or len(child):
            raise _UnsureError
    return Channel(title=title or "", language=_checked(root.get(_LANG, "")), entries=entries)


def _entry(entry: ET.Element) -> Entry:
    if not entry.attrib.keys() <= {_LANG}:
        raise _UnsureError
    found: dict[str, ET.Element] = {}
    link = None
    for child in entry:
        tag = child.tag
        if tag == f"{_ATOM}link":
            link = _alternate(child) or link
        elif tag in _KEPT_ATOM:
            if tag in found or len(child):
                raise _UnsureError
            found[tag] = child
        elif tag == f"{_ATOM}author":
            _check_person(child)
        else:
            _check_idle(child, _IDLE_ATOM)
    if f"{_ATOM}id" not in found or f"{_ATOM}title" not in found:
        raise _UnsureError
    identity = _url(_text(found[f"{_ATOM}id"]))
    words = found.get(f"{_ATOM}summary", found.get(f"{_ATOM}content"))
    date = found.get(f"{_ATOM}published", found.get(f"{_ATOM}updated"))
    stated, published = _when("" if date is None else _text(date))
    return Entry(
        title=_atom_words(found[f"{_ATOM}title"]),
        summary="" if words is None else _atom_words(words),
        link=identity if link is None else link,
        id=identity,
        source="",
        stated=stated,
        published=published,
    )


def _alternate(link: ET.Element) -> str | None:
    """The address of the page that an entry is about, None for any other link."""
    if len(link) or not link.attrib.keys() <= _LINK or not link.get("href"):
        raise _UnsureError
    kind = link.get("type", "text/html").lower()
    if link.get("rel", "alternate").lower() != "alternate" or kind not in _PAGES:
        return None
    return _url(link.attrib["href"])


def _check_person(person: ET.Element) -> None:
    if person.attrib or any(child.tag not in _PERSON or len(child) or child.attrib for child in person):
        raise _UnsureError


def _atom_words(element: ET.Element) -> str:
    kind = element.get("type", "text").lower()
    if len(element) or not element.attrib.keys() <= {"type", _LANG} or kind not in _KINDS:
        raise _UnsureError
    value = (element.text or "").strip()
    return _words(value, html=True) if _KINDS[kind] else _checked(value)


def _text(element: ET.Element, *, attributes: bool = False) -> str:
    if len(element) or (element.attrib and not attributes):
        raise _UnsureError
    return (element.text or "").strip()


def _checked(value: str) -> str:
    """Text that feedparser hands on as it is: neither taken for UTF-8 read as Latin-1, nor with Windows' characters."""
    if not value.isascii():
        if _LATIN.search(value):
            raise _UnsureError
        try:
            value.encode("iso-8859-1").decode("utf-8")
        except (UnicodeEncodeError, UnicodeDecodeError):
            return value
        raise _UnsureError
    return value


def _words(value: str, *, html: bool) -> str:
    """A title, or a text that is HTML by default, which the sanitizer leaves as it is but for its own spelling."""
    if "<" not in value and "&" not in value:
        return value if value.isascii() else _checked(value)
    if len(value) > _LONG or not _kept_as_it_is(value, html):
        raise _UnsureError
    return value


@lru_cache(maxsize=4_096)  # the same items come again with every fetch
def _kept_as_it_is(value: str, html: bool) -> bool:
    if not value.isascii():
        _checked(_TAG.sub(" ", value) if html else value)  # the sanitizer may drop attributes
    marked = html or "</" in value or _REFERENCE.search(value)
    return not marked or _SIMPLE.fullmatch(value) is not None


def _url(value: str) -> str:
    """An identity that is an address."""
    if ":///" in value and _EXTRA_SLASH.match(value):
        raise _UnsureError
    return value if value.isascii() else _checked(value)


def _address(value: str) -> str:
    """A link, whose query feedparser mends."""
    _url(value)
    return _QUERY.sub(r"&\1", value.replace("&amp;", "&")) if "&" in value else value
