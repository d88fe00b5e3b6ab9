"""Fields of a feed item become plain values: text without markup, links that lead to the web, an identity. Pure."""

from __future__ import annotations

import hashlib
import html
import re
from functools import lru_cache

MAX_TEXT = 20_000  # characters kept of a title or summary; a feed that says more is not a headline
_SHORT = 1_000  # characters of a text worth remembering
_TAG = re.compile(r"</?[A-Za-z!?][^<>]{0,2000}>")  # "a < b" is none
_DROPPED = re.compile(r"<(script|style)\b[^<>]{0,2000}>.{0,20000}?</\1\s*>", re.IGNORECASE | re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # Unicode's categories Cc and Cs


def plain(value: str) -> str:
    """Returns plain text: no tags, no entities, no control characters, single spaces."""
    if not value:
        return ""
    return _plain(value) if len(value) < _SHORT else _plain.__wrapped__(str(value)[: MAX_TEXT * 2])


@lru_cache(maxsize=8_192)  # the same items come again with every fetch
def _plain(text: str) -> str:
    if "<" in text or "&" in text:
        text = _unmarked(text)
    if not text.isprintable():
        text = _CONTROL.sub(" ", text)
    return " ".join(text.split())[:MAX_TEXT]


def _unmarked(text: str) -> str:
    for _ in range(2):  # feeds escape once too often
        if "<" in text:
            if "</s" in text or "</S" in text:
                text = _DROPPED.sub(" ", text)
            text = _TAG.sub(" ", text)
        if "&" not in text:
            break
        text = html.unescape(text)
    return text


def link(value: str) -> str:
    """Returns an http or https address, "" for anything else."""
    address = str(value).strip()
    return address if address[:8].lower().startswith(("http://", "https://")) and " " not in address else ""


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
