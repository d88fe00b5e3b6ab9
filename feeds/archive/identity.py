"""Finds an item again: identity that survives re-issued guids, tracking parameters and http/https twins."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b

from feeds.headline import Headline

# Parameters that say where a reader came from, not what he reads.
_TRACKING = re.compile(
    r"(?:utm_\w+|at_\w+|mc_[ce]id|[fgd]clid|gclsrc|msclkid|yclid|igshid|ref_?src|ref|cmp(?:id)?|cid|ns_\w+|wt[._]\w+|"
    r"ito|xtor|source|partner|feed(?:Name|Type)?|rss|smid|smtyp|guccounter|guce_\w+|taid|__twitter_impression|ftag|xor)",
    re.IGNORECASE,
)
_LINK = re.compile(
    r"https?://(?:[^/?#@]*@)?(?:www\.)?(?P<host>[^/?#]*)(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?",
    re.IGNORECASE,
)


def canonical_link(link: str) -> str:
    """Returns what identifies the page: no scheme, no "www.", no tracking, no fragment; "" for a site's front page."""
    found = _LINK.match(link)
    if found is None:
        return ""
    host, path, query = found.groups()
    path = path.rstrip("/")
    if query:
        kept = sorted([pair for pair in query.split("&") if pair and not _is_tracking(pair.partition("=")[0])])
        query = "?" + "&".join(kept) if kept else ""
    if not path and not query:
        return ""
    return f"{host.lower().removesuffix(':80').removesuffix(':443')}{path}{query or ''}"


@lru_cache(maxsize=4_096)  # the same few names come with every address
def _is_tracking(name: str) -> bool:
    return _TRACKING.fullmatch(name) is not None


def key_of(kind: str, feed: int, text: str) -> int:
    """Returns a signed 64-bit key; two of ten million keys are the same with a chance of 1 in 370,000."""
    digest = blake2b(f"{kind}\0{feed}\0{text}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def item_keys(headline: Headline, feed: int) -> list[int]:
    """Returns the keys under which an item is found again: its identity, then its page."""
    keys = [key_of("i", feed, headline.id)]
    page = canonical_link(headline.link)
    if page:
        keys.append(key_of("l", feed, page))
    elif headline.published is not None and not headline.link:
        # Without a link, the same words at the same moment are the same item under another guid.
        keys.append(key_of("t", feed, f"{headline.published.isoformat()}\0{headline.title}"))
    return keys


def text_hash(title: str, summary: str) -> int:
    """Returns a signed 64-bit hash of what a reader sees. Dates are no part of it: feeds re-date."""
    text = f"{title}\0{summary}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big", signed=True)
