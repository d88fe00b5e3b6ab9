"""Makes plain values of a feed item's fields: text without markup, links that lead to the web, an identity. Pure."""

from __future__ import annotations

import hashlib
import html
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

MAX_TEXT = 20_000  # characters kept of a title or summary; a feed that says more is not a headline
_SHORT = 1_000  # characters of a text worth remembering
_TAG = re.compile(r"</?[A-Za-z!?][^<>]{0,2000}>")  # "a < b" is none
_DROPPED = re.compile(r"<(?:(script|style)\b[^<>]{0,2000}>|!--)", re.IGNORECASE)
# Controls (Unicode's Cc and Cs), ends of lines, marks of direction, invisible tags: what a terminal or page could obey.
_DIRECTIONS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_CONTROL = re.compile(
    rf"[\x00-\x1f\x7f-\x9f\u2028\u2029{_DIRECTIONS}\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_DIRECTION = re.compile(f"[{_DIRECTIONS}\ufeff]")


class Entry(NamedTuple):
    """Holds one item as its document gives it."""

    title: str
    summary: str
    link: str
    id: str
    source: str
    stated: list[str]  # when it was published, else updated; more than one where it says so several times


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Holds what a document says of itself, and its items."""

    title: str
    language: str
    entries: list[Entry]
    remarks: Counter[str] = field(default_factory=Counter)  # how often what had to be put right
    cut: int = 0  # position of an item that breaks off, 0 for none
    broken: int = 0  # line at which the document breaks off, 0 for none


def plain(value: str) -> str:
    """Returns plain text: no tags, no entities, no control characters or marks of direction, single spaces."""
    if not value:
        return ""
    return _plain(value) if len(value) < _SHORT else _plain.__wrapped__(str(value)[: MAX_TEXT * 2])


def printable(value: str) -> str:
    """Returns text that a terminal shows and does not obey: control characters and marks of direction as \\u001b."""
    return value if value.isprintable() else _CONTROL.sub(_escaped, value)


def _escaped(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join([f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2)])


@lru_cache(maxsize=8_192)  # the same items come again with every fetch
def _plain(text: str) -> str:
    if "<" in text or "&" in text:
        text = _unmarked(text)
    if not text.isprintable():
        text = _CONTROL.sub(" ", _DIRECTION.sub("", text))
    return " ".join(text.split())[:MAX_TEXT]


def _unmarked(text: str) -> str:
    for _ in range(2):  # feeds escape once too often
        if "<" in text:
            text = _TAG.sub(" ", _without_scripts(text))
        if "&" not in text:
            break
        text = html.unescape(text)
    return text


def _without_scripts(text: str) -> str:
    """Drops scripts, styles and comments that are closed; in one pass, whatever is open."""
    if "<!" not in text and "</s" not in text and "</S" not in text:
        return text
    kept: list[str] = []
    at = 0
    open_ended: set[str] = set()
    lower = ""
    for found in _DROPPED.finditer(text):
        end = f"</{found[1].lower()}" if found[1] else "-->"
        if found.start() < at or end in open_ended:
            continue
        lower = lower or text.lower()
        if len(lower) != len(text):  # a letter that grows: places would not agree
            lower = text
        close = lower.find(end, found.end())
        if close < 0:
            open_ended.add(end)
            continue
        kept.append(text[at : found.start()])
        at = lower.find(">", close) + 1 or len(text)
    return " ".join([*kept, text[at:]]) if kept or at else text


def link(value: str) -> str:
    """Returns an http or https address, "" for anything else."""
    address = str(value).strip()
    is_address = address[:8].lower().startswith(("http://", "https://")) and " " not in address
    return address if is_address and (address.isprintable() or not _CONTROL.search(address)) else ""


def language(value: str) -> str:
    """Returns the two letters of a language, "" where it states none."""
    code = str(value).strip().lower()[:2]
    return code if len(code) == 2 and code.isascii() and code.isalpha() else ""


def identity(value: str) -> str:
    """Returns sixteen hex digits of the item's own identity; http and https twins are one."""
    text = str(value).strip()
    text = text[6:] if text.startswith("https://") else text[5:] if text.startswith("http://") else text
    return _digest(text) if len(text) < _SHORT else _digest.__wrapped__(text)


@lru_cache(maxsize=8_192)  # the same
def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
