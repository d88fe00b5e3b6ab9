"""Fetches captures of a feed from the Internet Archive: its CDX index lists them, its replay gives the raw bytes.

The index is asked once, not for the http and https twins: it files both, and "www." and ports too, under one key.
It leaves out re-visits, captures whose bytes the Archive held already, so what is missing is only a feed that went
back to an older state. Reference: wayback-cdx-server/README.md of github.com/internetarchive/wayback.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import unquote_plus, urlencode

from feeds.errors import FetchError
from feeds.history.sources import Capture, Get, Lost, ignore

ENDPOINT = "https://web.archive.org/cdx/search/cdx"
REPLAY = "https://web.archive.org/web"
RULE = "capture time of the Internet Archive"
_LATER = "what came until now is kept; run it again later and it resumes there"
_FIELDS = ("timestamp", "original", "digest")
_ROWS = 1000  # of one page of the index
_MOMENT = re.compile(r"/(\d{14})id_/")
# The Archive answers too many requests with 429, then by refusing connections for some minutes.
_SILENT = {"network", "timeout"}
_PATIENCE = 3  # captures in a row that met silence


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    timestamp: str  # YYYYMMDDhhmmss
    original: str
    digest: str

    @property
    def key(self) -> str:
        return f"wayback:{self.timestamp}:{self.original}"

    @property
    def seen(self) -> datetime | None:
        try:
            return datetime.strptime(self.timestamp, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        except ValueError:
            return None


def captures(
    get: Get,
    url: str,
    start: date,
    end: date,
    *,
    feed: str = "",
    done: Container[str] = (),
    lost: Callable[[Lost], object] = ignore,
    endpoint: str = ENDPOINT,
    replay: str = REPLAY,
) -> Iterator[Capture]:
    """Yields the captures of a feed, oldest first; neighbours with the same bytes are one, the first.

    Args:
        get: Fetches an address.
        url: The feed's address.
        start: First day, in UTC.
        end: Last day, in UTC, itself included.
        feed: Name for `Capture.feed`; the address where it is "".
        done: Keys of captures that are stored already; they are not fetched again.
        lost: Is called with each capture that cannot be had; the others are still fetched.
        endpoint: The CDX server.
        replay: Where captures are served, without the last slash.

    Raises:
        FetchError: The index cannot be read, or the Archive wants us to come back later (kind "throttled").
        ValueError: `start` is after `end`.
    """
    if start > end:
        raise ValueError(f"start {start} is after end {end}")
    before = ""
    silence = 0
    for row in _index(get, url, start, end, endpoint):
        same, before = row.digest == before, row.digest
        if same or row.key in done:
            continue
        seen = row.seen
        if seen is None or not row.original.lower().startswith(("http://", "https://")):
            lost(Lost(key=row.key, reason="the index's row cannot be read"))
            continue
        try:
            body = get(f"{replay}/{row.timestamp}id_/{row.original}")
        except FetchError as wrong:
            silence = silence + 1 if wrong.kind in _SILENT else 0
            _stop_if_throttled(wrong, silence)
            lost(Lost(key=row.key, reason=f"{wrong.kind} {wrong.detail}".strip()))
            continue
        silence = 0
        yield Capture(
            feed=feed or url, url=row.original, seen=seen, body=body, provenance="backfill", rule=RULE, key=row.key
        )


def check_same_capture(asked: str, answered: str) -> None:
    """Refuses an answer that is another capture than the one asked for.

    The replay redirects to the nearest capture where it cannot serve one. The nearest may be a later one, and then its
    headlines would count as known before anybody could read them.

    Args:
        asked: The address that was asked for; one that is no replay is never refused.
        answered: The address that answered, after redirects.

    Raises:
        FetchError: Kind "another capture".
    """
    wanted = _MOMENT.search(asked)
    if wanted is None or asked == answered:
        return
    got = _MOMENT.search(answered)
    if got is None or got[1] != wanted[1]:
        raise FetchError(asked, "another capture", f"the answer came from {answered[:200]}")


def _stop_if_throttled(wrong: FetchError, silence: int) -> None:
    if wrong.kind == "throttled":
        raise FetchError(
            wrong.url, "throttled", f"the Internet Archive wants fewer requests; {_LATER}",
            status=wrong.status, retry_after=wrong.retry_after,
        ) from wrong  # fmt: skip
    if silence >= _PATIENCE:
        detail = f"the Internet Archive did not answer {silence} times in a row, as it does after too many requests"
        raise FetchError(wrong.url, "throttled", f"{detail}; {_LATER}") from wrong


def _index(get: Get, url: str, start: date, end: date, endpoint: str) -> Iterator[_Row]:
    """Pages through the index; the server sorts by address and time."""
    query = {
        "url": url,
        "from": f"{start:%Y%m%d}000000",
        "to": f"{end:%Y%m%d}235959",
        "output": "json",
        "fl": ",".join(_FIELDS),
        "filter": "statuscode:200",
        "collapse": "digest",  # our own look at neighbours stays: the server forgets the last row of a page
        "limit": str(_ROWS),
        "showResumeKey": "true",
    }
    asked: set[str] = set()
    resume = ""
    while True:
        address = f"{endpoint}?{urlencode(query | ({'resumeKey': resume} if resume else {}))}"
        try:
            page = get(address)
        except FetchError as wrong:
            _stop_if_throttled(wrong, 0)
            raise
        rows, resume = _page(page, address)
        yield from rows
        if not resume:
            return
        if resume in asked:
            raise FetchError(address, "bad answer", "the index gives the same resume key twice; try again later")
        asked.add(resume)


def _page(body: bytes, address: str) -> tuple[list[_Row], str]:
    """Reads a page of the index: its rows, and the key of the next page, "" on the last."""
    if not body.strip():
        return [], ""
    try:
        table = json.loads(body)
        if not table:
            return [], ""
        header = [str(name) for name in table[0]]
        columns = [header.index(name) for name in _FIELDS]
        resume = ""
        if len(table) >= 3 and table[-2] == [] and len(table[-1]) == 1:
            resume = unquote_plus(str(table[-1][0]))  # it comes percent-encoded
            table = table[:-2]
        rows = [[str(row[column]) for column in columns] for row in table[1:]]
    except (ValueError, TypeError, IndexError, KeyError, RecursionError):
        answered = " ".join(body[:300].decode("utf-8", "replace").split())[:120]
        raise FetchError(address, "bad answer", f"the index says {answered!r}; try again later") from None
    return [_Row(timestamp=row[0], original=row[1], digest=row[2]) for row in rows], resume
