"""Makes text of a feed document's bytes, repairs what is no XML, and cuts it into items. Pure, linear in time."""

from __future__ import annotations

import codecs
import html
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from html.entities import html5
from itertools import count
from typing import NamedTuple
from xml.etree import ElementTree as ET
from xml.sax.saxutils import quoteattr

AMPERSAND = "bare & or < in the markup: read as text"
HTML_ENTITY = "HTML entity in XML: read as its character"
CONTROL = "control character: left out"
NO_CHARACTER = "reference to a character that is none: left out"
BLANKS = "blanks before the XML declaration: left out"
LONGEST = 4 << 20  # characters without the end of a tag
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\x00\x00\x00", "utf-32-le"), (b"\x00\x00\x00<", "utf-32-be"), (b"<\x00", "utf-16-le"), (b"\x00<", "utf-16-be"),
    (b"\x4c\x6f\xa7\x94", "cp037"),  # <?xm in EBCDIC
)  # fmt: skip
_DECLARED = re.compile(r"\s*<\?xml\b[^<>]{0,200}?\bencoding\s*=\s*[\"']([A-Za-z][\w.:-]{0,40})[\"']")
# Python knows encodings that are none of documents, and some that are slow; these are those of documents.
_ENCODING = re.compile(r"utf|iso|cp\d|koi|big5|gb|euc|shift|mac|latin|ascii|hz|johab|tis|kz|ptcp|hp")
# A text that could say so in plain letters is in neither UTF-16 nor UTF-32.
_LIKE_UTF8 = frozenset("ascii iso8859-1 cp1252 utf-8 utf-16 utf-16-le utf-16-be utf-32 utf-32-le utf-32-be".split())
# Windows' characters for bytes that are no UTF-8: many feeds are a mixture.
_WINDOWS = {0xDC00 + byte: bytes([byte]).decode("cp1252", "replace") for byte in range(0x80, 0x100)}
_ENTITY = re.compile(r"<!ENTITY", re.IGNORECASE)
_DOCTYPE = re.compile(r"<!DOCTYPE", re.IGNORECASE)
_FAULT = re.compile(
    r"&(?:#(?P<hex>[xX][0-9a-fA-F]+);|#(?P<number>\d+);|(?P<name>[A-Za-z][A-Za-z0-9]{1,31});)?"
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]"
    r"|<(?![A-Za-z_/!?])"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_MARK = re.compile(r"<!\[CDATA\[|<!--|<(/?)(?:[\w.-]+:)?(?:item|entry)(?=[\s>/])", re.IGNORECASE)
_ITEM = re.compile(r"<(?:[\w.-]{1,60}:)?(?:item|entry)(?=[\s/>])", re.IGNORECASE)
_ROOT = re.compile(r"<([A-Za-z_][\w.:-]{0,60})")
_END = re.compile(r"</(?:[\w.-]+:)?(?:rss|feed|rdf|channel)\s*>", re.IGNORECASE)
_PAGE = re.compile(r"\s*(?!<)|\s*(?:<[?!](?!doctype)[^<>]*>\s*)*<(?:!doctype\s+)?html\b", re.IGNORECASE)
_FIELD = re.compile(
    r"<((?:[\w.-]{1,60}:)?(?:title|link|guid|id|pubdate|published|issued|updated|modified|date|description|summary"
    r"|encoded|content|source|language))((?:\s[^<>]*)?)>",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"""([A-Za-z][\w.-]{0,60})\s*=\s*["']([^"'<>]*)["']""")
_PREFIX = re.compile(r"</?([A-Za-z_][\w.-]{0,60}):")
_XMLNS = re.compile(r"""\sxmlns:([A-Za-z_][\w.-]{0,60})\s*=\s*["']([^"'<>&]{1,300})["']""")
_MOST = 50  # prefixes of a document, and fields of an item, that are looked at


class Piece(NamedTuple):
    """Says where an item stands in a document."""

    start: int
    end: int
    is_closed: bool


def decode(document: bytes) -> str:
    """Returns a document's text: by its mark, its declaration, or as UTF-8 with Windows' characters in between.

    Latin-1 is read likewise: it is often declared of what is UTF-8, and hardly ever without Windows' characters.
    """
    encoding = next((name for mark, name in _BOMS if document.startswith(mark)), "")
    if encoding and encoding != "cp037":
        return document.decode(encoding, "replace")
    declared = _DECLARED.match(document[:400].decode(encoding or "latin-1"))
    name = declared[1] if declared is not None else encoding
    try:
        known = codecs.lookup(name).name if name else "utf-8"
    except LookupError:
        known = "utf-8"
    if (
        known in {"utf-8", "ascii", "iso8859-1", "cp1252"}
        or not _ENCODING.match(known)
        or re.match("utf-(?:16|32)", known)
    ):
        try:
            return document.decode()
        except UnicodeDecodeError:
            return document.decode("utf-8", "surrogateescape").translate(_WINDOWS)
    return document.decode(known, "replace")


def declares_entities(text: str) -> bool:
    """Says whether a document declares entities anywhere; the words of an article, in CDATA, declare none."""
    if ("<!E" not in text and "<!e" not in text) or _ENTITY.search(text) is None:  # four times as quick as the pattern
        return False
    first, *others = text.split("<![CDATA[")
    outside = [first, *(other.partition("]]>")[2] for other in others)]
    return _DOCTYPE.search(text) is not None or any(_ENTITY.search(part) for part in outside)


def repaired(text: str, check: Callable[[], None]) -> tuple[str, Counter[str]]:
    """Returns text in which each character and reference is XML, and how often what was changed."""
    remarks: Counter[str] = Counter()
    faults = count()
    start = text.lstrip("\ufeff \t\r\n")
    remarks[BLANKS] += len(start) != len(text) and start.startswith("<?xml")

    def right(found: re.Match[str]) -> str:
        whole = found[0]
        if next(faults) & 1023 == 0:
            check()
        if whole in {"&", "<"}:
            remarks[AMPERSAND] += 1
            return "&amp;" if whole == "&" else "&lt;"
        if whole[0] != "&":
            remarks[CONTROL] += 1
            return " "
        name = found["name"]
        if name in {"amp", "lt", "gt", "quot", "apos"}:
            return whole
        if name:
            character = html5.get(f"{name};")
            remarks[HTML_ENTITY if character else AMPERSAND] += 1
            return html.escape(character or whole)
        digits = found["number"] or found["hex"][1:]
        code = int(digits[-9:], 10 if found["number"] else 16) if len(digits.lstrip("0")) < 8 else 0
        if code in {9, 10, 13} or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code < 0x110000:
            return whole
        remarks[NO_CHARACTER] += 1
        return " "

    first, *others = start.split("<![CDATA[")
    parts = [_FAULT.sub(right, first)]
    for number, other in enumerate(others):
        if number & 1023 == 0:
            check()
        inside, closed, outside = other.partition("]]>")
        parts += ["<![CDATA[", _CONTROL.sub(" ", inside), closed, _FAULT.sub(right, outside)]
    return "".join(parts), remarks


def cut(text: str, check: Callable[[], None]) -> Iterator[Piece]:
    """Finds the items of a document, broken ones too; what stands in CDATA and comments is none."""
    start = None
    at = 0
    last_comment = text.rfind("-->") + 3
    while (found := _MARK.search(text, at)) is not None:
        check()
        at = found.end()
        if found[0].startswith("<!"):
            # A comment that never ends hides nothing; CDATA that never ends is all the rest.
            at = text.find("]]>", at) if found[0] != "<!--" else max(at, text.find("-->", at, last_comment))
            if at < 0:
                break
        elif not found[1]:
            if start is not None:
                yield Piece(start, found.start(), is_closed=True)
            start = found.start()
        elif start is not None:
            at = text.find(">", at) + 1
            if at < 1:
                break
            yield Piece(start, at, is_closed=True)
            start = None
    if start is not None:
        yield Piece(start, len(text), is_closed=False)


def has_gap(text: str) -> bool:
    """Says whether a document has a stretch without the end of a tag that is longer than the parser may read alone."""
    at = 0
    while len(text) - at > LONGEST:
        at = text.rfind(">", at, at + LONGEST) + 1
        if at < 1:
            return True
    return False


def ends(text: str, after: int) -> bool:
    """Says whether the root element is closed after a place."""
    return _END.search(text, after) is not None


def has_items(text: str) -> bool:
    """Says whether any reader could find an item: a tag of that name, be it in capitals, CDATA or a comment."""
    return _ITEM.search(text) is not None


def closes_its_root(text: str) -> bool:
    """Says whether the first element of a document, whatever it is, is closed after the last item began."""
    first, *others = text.split("<!--")
    text = first + "".join([other.partition("-->")[2] for other in others])
    root = _ROOT.search(text)
    after = text[max((found.start() for found in _ITEM.finditer(text)), default=0) :]
    return root is not None and re.search(rf"</{re.escape(root[1])}\s*>", after, re.IGNORECASE) is not None


def is_page(text: str) -> bool:
    """Says whether a text is a web page, or no markup at all."""
    return _PAGE.match(text[:20_000]) is not None


def opening(head: str, text: str, known: Mapping[str, str]) -> str:
    """Returns an element's start that declares every prefix of a document, those that it forgot to declare too."""
    used = list(dict.fromkeys(_PREFIX.findall(text)))[:_MOST]
    prefixes = {**{prefix: f"urn:prefix:{prefix}" for prefix in used}, **known, **dict(_XMLNS.findall(head)[:_MOST])}
    spaces = "".join(
        f" xmlns:{prefix}={quoteattr(space)}"
        for prefix, space in prefixes.items()
        if prefix and not prefix.lower().startswith("xml")
    )
    return f"<items{spaces}>"


def salvaged(text: str, known: Mapping[str, str]) -> ET.Element:
    """Takes the fields of an item whose markup is broken, as they stand: the first of each name, up to its end."""
    item = ET.Element("item")
    lower = text.lower() if text.isascii() else "".join([each.lower() if each.isascii() else each for each in text])
    fields: set[str] = set()
    at = 0
    for found in _FIELD.finditer(text):
        name = found[1].lower()
        if name in fields or found.start() < at:
            continue
        if len(fields) > _MOST:  # each looks through the text for its end
            break
        fields.add(name)
        end = lower.find(f"</{name}", found.end())
        if end < 0:
            end = text.find("<", found.end())
        prefix, _, local = name.rpartition(":")
        space = known.get(prefix, prefix) if prefix else ""
        element = ET.SubElement(item, f"{{{space}}}{local}" if space else local, dict(_ATTRIBUTE.findall(found[2])))
        inside = text[found.end() : end if end >= 0 else len(text)]
        element.text = html.unescape(inside.replace("<![CDATA[", " ").replace("]]>", " "))
        at = end if end >= 0 else len(text)
    return item
