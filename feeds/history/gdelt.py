"""Fetches lists of articles from GDELT's DOC 2.0 API, in slices of time that stay under its cap of 250 rows.

GDELT files what it reads in batches of 15 minutes and dates an article with the start of its batch (`seendate`). The
article was known when the batch was complete, so `seen` is `seendate` + 15 minutes, never earlier. What a publisher
claims as the time of publication is not in the list.
Reference: blog.gdeltproject.org/gdelt-doc-2-0-api-debuts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from feeds.errors import FeedError, FetchError
from feeds.history import stated_values
from feeds.history.gdelt_response import BATCH, ROWS, Article, read
from feeds.history.sources import Found, Get, Lost, ignore

ENDPOINT = "https://api.gdeltproject.org/api/v2/doc/doc"
RULE = "GDELT seendate + 15 minutes"
PAUSE = 5.0  # seconds between two requests; GDELT's own limit
_TRIES = 4
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, order=True)
class Slice:
    """A part of the window: `start` counts, `end` does not; both stand on a batch's start."""

    start: datetime
    end: datetime

    def halves(self) -> tuple[Slice, Slice]:
        """Returns two slices that cover this one exactly; it must be longer than one batch."""
        middle = self.start + (self.end - self.start) // BATCH // 2 * BATCH
        return Slice(self.start, middle), Slice(middle, self.end)


def slices(start: datetime, end: datetime, step: timedelta) -> Iterator[Slice]:
    """Yields slices that cover the window exactly once, oldest first.

    The window is widened to whole batches. Slices begin at multiples of `step` since 1970, so that two windows that
    overlap share slices, and with them what is done.
    """
    epoch = datetime.fromtimestamp(0, UTC)
    here = epoch + (start - epoch) // BATCH * BATCH
    last = epoch - (epoch - end) // BATCH * BATCH
    while here < last:
        after = min(last, epoch + ((here - epoch) // step + 1) * step)
        yield Slice(here, after)
        here = after


def articles(
    get: Get,
    query: str,
    start: datetime,
    end: datetime,
    *,
    feed: str = "",
    done: Container[str] = (),
    finished: Callable[[str], object] = ignore,
    settled: datetime | None = None,
    lost: Callable[[Lost], object] = ignore,
    step: timedelta = timedelta(days=1),
    pause: float = PAUSE,
    wait: Callable[[float], object] = time.sleep,
    endpoint: str = ENDPOINT,
) -> Iterator[Found]:
    """Yields the articles that GDELT saw in a window, oldest first.

    Args:
        get: Fetches an address.
        query: In GDELT's language; a plain `a OR b` gets the parentheses that GDELT wants.
        start: Begin of the window (aware), by `seendate`; widened to a whole batch of 15 minutes.
        end: End of the window (aware), itself not included; widened likewise.
        feed: Name for `Found.feed`; "gdelt:" and the query where it is "".
        done: Keys of slices that are finished; they are not asked for again.
        finished: Is called with a slice's key after the last of its articles was taken, and with those of
            slices that had to be halved. Whoever keeps these keys after the articles loses nothing when interrupted.
        settled: Slices that end later than this (aware) are read but not finished, since GDELT still adds to them.
        lost: Is called with rows that cannot be read, and of batches with more articles than GDELT lists.
        step: Length of the slices to begin with, a multiple of 15 minutes.
        pause: Seconds between two requests.
        wait: Waits for so many seconds.
        endpoint: The API.

    Raises:
        FeedError: GDELT refuses the query; the message is its own first line.
        FetchError: No answer of use, or GDELT wants us to come back later (kind "throttled").
        ValueError: A time has no zone, `start` is not before `end`, or `step` is no multiple of 15 minutes.
    """
    if start.tzinfo is None or end.tzinfo is None or start >= end:
        raise ValueError(f"a window from {start} to {end} is none; give two aware datetimes, the earlier first")
    if step < BATCH or step % BATCH:
        raise ValueError(f"step {step} is no multiple of 15 minutes")
    name = feed or f"gdelt:{query}"
    ask = _Asker(get, query, name, endpoint, pause, wait)
    todo = sorted(slices(start, end, step), reverse=True)
    while todo:
        part = todo.pop()
        key = slice_key(query, part)
        if key in done:
            continue
        long = part.end - part.start > BATCH
        if long and f"{key}:full" in done:
            todo += reversed(part.halves())
            continue
        rows, wrong, whole = ask(part)
        if long and not whole:
            finished(f"{key}:full")
            todo += reversed(part.halves())
            continue
        for reason in wrong:
            lost(Lost(key=key, reason=reason))
        if not whole:
            lost(Lost(key=key, reason=f"cut: more than {ROWS} articles in 15 minutes; narrow the query"))
        yield from (_found(row, name) for row in rows)
        if settled is None or part.end <= settled:
            finished(key)


def slice_key(query: str, part: Slice) -> str:
    """Returns what stands for a slice of a query's answers."""
    return f"gdelt:{stated_values.digest(query)[:16]}:{part.start:%Y%m%d%H%M}-{part.end:%Y%m%d%H%M}"


class _Asker:
    """Asks for one slice after the other, with a pause between."""

    def __init__(
        self, get: Get, query: str, feed: str, endpoint: str, pause: float, wait: Callable[[float], object]
    ) -> None:
        self._get = get
        self._query = f"({query})" if " OR " in query and not set("(:") & set(query) else query
        self._feed = feed
        self._endpoint = endpoint
        self._pause = pause
        self._wait = wait
        self._asked = False
        self._at_least = BATCH  # learnt from "Timespan is too short."

    def __call__(self, part: Slice) -> tuple[list[Article], list[str], bool]:
        """Returns the articles of a slice, reasons of lost rows, and whether the answer is whole."""
        for number in range(1, _TRIES + 1):
            body = self._fetch(part)
            try:
                answer = read(body)
            except ValueError as wrong:
                answered = str(wrong)
            else:
                rows = [row for row in answer.articles if part.start <= row.seendate < part.end]
                # Rows come oldest first, so that rows beyond the end prove that all before it are there.
                times = [row.seendate for row in answer.articles]
                whole = answer.rows < ROWS or (times == sorted(times) and bool(times) and times[-1] >= part.end)
                return sorted(rows, key=lambda row: row.seendate), list(answer.lost), whole
            if "timespan is too short" in answered.lower() and self._at_least < _HOUR:
                self._at_least = _HOUR
            elif "limit requests" not in answered.lower():
                break
            elif number < _TRIES:  # an answer of status 200, so that `get` could not know
                self._wait(self._pause * 2**number)
        if "limit requests" in answered.lower():
            detail = f"GDELT says {answered!r}; what came until now is kept; run it again later and it resumes there"
            raise FetchError(self._endpoint, "throttled", detail, retry_after=60.0)
        if not answered or answered.startswith("<"):
            raise FetchError(self._endpoint, "bad answer", f"GDELT says {answered!r}; try again later")
        raise FeedError(self._feed, f"GDELT says {answered!r}")

    def _fetch(self, part: Slice) -> bytes:
        if self._asked:
            self._wait(self._pause)
        self._asked = True
        # The end is asked for too: whether GDELT counts it is not written down, and its rows are sorted out above.
        end = max(part.end, part.start + self._at_least)
        parameters = {
            "query": self._query,
            "mode": "artlist",
            "format": "json",
            "maxrecords": str(ROWS),
            "startdatetime": f"{part.start:%Y%m%d%H%M%S}",
            "enddatetime": f"{end:%Y%m%d%H%M%S}",
            "sort": "dateasc",
        }
        return self._get(f"{self._endpoint}?{urlencode(parameters)}")


def _found(row: Article, feed: str) -> Found:
    return Found(feed=feed, headline=row.headline(feed), provenance="backfill", rule=RULE)
