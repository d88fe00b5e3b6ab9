"""Reads and writes lists of feeds as OPML, the format that readers exchange; holds the catalogue that ships."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from xml.etree import ElementTree as ET
from xml.sax.saxutils import quoteattr

from feeds.errors import FeedError
from feeds.formats import xml_text

MAX_BYTES = 5 * 1024 * 1024
_FORBIDDEN = re.compile(r"<!(ENTITY|DOCTYPE)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """One feed of a list."""

    url: str
    name: str
    category: str = ""
    language: str = ""  # two lower-case letters, "" when the list does not say


def check_url(url: str) -> str:
    """Returns an address without blanks around it.

    Raises:
        FeedError: It is no http(s) address.
    """
    url = url.strip()
    if not re.fullmatch(r"https?://[^\s/?#]+\S*", url, re.IGNORECASE):
        raise FeedError(url or "the address", "is no feed address; give http://… or https://…")
    return url


def read_opml(document: bytes, *, name: str) -> list[FeedEntry]:
    """Reads the feeds of an OPML document; nested outlines give the category.

    Raises:
        FeedError: It is no OPML, is too large, declares entities, or names no feed.
    """
    if len(document) > MAX_BYTES:
        raise FeedError(name, f"{len(document):,} bytes are too many for a list of feeds; at most {MAX_BYTES:,}")
    text = xml_text.decode(document)  # by our own rules: what hides behind an encoding is seen
    if _FORBIDDEN.search(text):
        raise FeedError(name, "declares a document type or entities; a list of feeds needs none, take them out")
    try:
        root = ET.fromstring(text)  # noqa: S314 (entities were refused above)
    except (ET.ParseError, ValueError, LookupError) as wrong:
        raise FeedError(name, f"is no OPML ({wrong}); export it again") from None
    found: dict[str, FeedEntry] = {}
    if root.tag.lower() == "opml":
        _collect(root.find("body"), "", found, 0)
    if not found:
        raise FeedError(name, "names no feed; an OPML list has <outline xmlUrl=…> entries")
    return list(found.values())


def _collect(node: ET.Element | None, category: str, found: dict[str, FeedEntry], depth: int) -> None:
    if node is None or depth > 20:
        return
    for outline in node.findall("outline"):
        attributes = {key.lower(): value for key, value in outline.attrib.items()}
        url = attributes.get("xmlurl", "").strip()
        text = attributes.get("text") or attributes.get("title") or url
        if re.match(r"https?://", url, re.IGNORECASE):
            own = attributes.get("category", "").strip("/") or category
            language = attributes.get("language", "")[:2].lower()
            found.setdefault(url, FeedEntry(url=url, name=text, category=own, language=language))
        _collect(outline, category if url else text, found, depth + 1)


def write_opml(entries: Iterable[FeedEntry]) -> str:
    """Returns an OPML 2.0 document, grouped by category."""
    groups: dict[str, list[FeedEntry]] = {}
    for entry in entries:
        groups.setdefault(entry.category, []).append(entry)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<opml version="2.0">',
        "  <head><title>Feeds</title></head>",
        "  <body>",
    ]
    for category, members in groups.items():
        indent = "    "
        if category:
            lines.append(f"    <outline text={_attribute(category)}>")
            indent = "      "
        for entry in members:
            language = f" language={_attribute(entry.language)}" if entry.language else ""
            lines.append(
                f'{indent}<outline type="rss" text={_attribute(entry.name)}{language} xmlUrl={_attribute(entry.url)}/>'
            )
        if category:
            lines.append("    </outline>")
    return "\n".join([*lines, "  </body>", "</opml>", ""])


def _attribute(text: str) -> str:
    return quoteattr(_CONTROL.sub(" ", text))


def catalogue() -> list[FeedEntry]:
    """Returns the feeds that ship: business, technology, AI and energy, in English and German."""
    return read_opml(files("feeds").joinpath("catalogue.opml").read_bytes(), name="catalogue.opml")
