"""Polls feeds: each that is due is fetched, parsed and stored; what one feed does never stops the others."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from feeds import rss
from feeds.archive import Archive, Document, Fetch, Stored, Subscription
from feeds.errors import FeedError, FetchError
from feeds.fetch import Answer, Fetcher

RULE = "seen by this archive"
GONE = "gone"
THROTTLED = "throttled"
_LONGEST = timedelta(days=1)  # between two polls of a feed that keeps failing
_LONGEST_WISH = timedelta(days=7)  # of a server that throttles
_JITTER = 1.1
_AT_THE_END = 0.2  # seconds that reading a document may take when everybody waits for the end
_HEADER = re.compile(r"[\x20-\x7e\xa0-\xff]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Says what became of one poll of one feed."""

    feed: Subscription
    fetch: Fetch
    stored: Stored


Progress = Callable[[Outcome], None]


async def pull_once(
    archive: Archive,
    fetcher: Fetcher,
    *,
    every: timedelta = timedelta(minutes=15),
    only_due: bool = False,
    progress: Progress = lambda _: None,
) -> list[Outcome]:
    """Polls the subscribed feeds once.

    Args:
        archive: Where everything goes. Nobody else may use the object meanwhile.
        fetcher: What reaches the network.
        every: The interval to the next poll of a healthy feed.
        only_due: Leaves out feeds whose time has not come. Feeds that asked for patience are always left out until
            then, feeds that are gone for good.
        progress: Called for each feed when it is done.
    """
    async with _Polling(archive, fetcher, every, progress) as polling:
        for feed in await polling.subscriptions():
            if not _is_gone(feed) and (_is_due(feed, every) or not (only_due or feed.last_outcome == THROTTLED)):
                polling.start(feed)
        return await polling.finish()


async def pull_forever(
    archive: Archive, fetcher: Fetcher, *, every: timedelta, progress: Progress = lambda _: None
) -> None:
    """Polls each feed when it is due, until cancelled; none waits for another."""
    async with _Polling(archive, fetcher, every, progress) as polling:
        while True:
            for feed in await polling.subscriptions():
                if not _is_gone(feed) and _is_due(feed, every):
                    polling.start(feed)
            await polling.wait(1.0)


class _Polling:
    """Runs the polls of an archive's feeds, each on its own; one thread owns the archive meanwhile."""

    def __init__(self, archive: Archive, fetcher: Fetcher, every: timedelta, progress: Progress) -> None:
        self._archive = archive
        self._fetcher = fetcher
        self._every = every
        self._progress = progress
        self._writer = ThreadPoolExecutor(1)  # SQLite's writes never block the loop
        self._tasks: dict[int, asyncio.Task[Outcome]] = {}  # by the feed's row
        self._seconds = rss.MAX_SECONDS  # that reading one document may take

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Ends what is under way; what has been fetched is stored first, unless it takes long to read."""
        self._seconds = _AT_THE_END
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._writer.shutdown(wait=True)

    async def subscriptions(self) -> list[Subscription]:
        """Returns the feeds of the archive."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, self._archive.subscriptions)

    def start(self, feed: Subscription) -> None:
        """Polls a feed, unless it is being polled."""
        if feed.row not in self._tasks:
            self._tasks[feed.row] = asyncio.create_task(self._poll(feed))

    async def finish(self) -> list[Outcome]:
        """Waits for all that was started."""
        done = list(await asyncio.gather(*self._tasks.values()))
        self._tasks.clear()
        return done

    async def wait(self, seconds: float) -> None:
        """Waits; forgets the feeds that are done, and raises what broke the archive."""
        await asyncio.sleep(seconds)
        for row, task in list(self._tasks.items()):
            if task.done():
                del self._tasks[row]
                task.result()

    async def _poll(self, feed: Subscription) -> Outcome:
        answer = await _ask(self._fetcher, feed)
        # Shielded: what has been fetched is stored even when polling is being stopped.
        outcome = await asyncio.shield(
            asyncio.get_running_loop().run_in_executor(
                self._writer, lambda: _keep(self._archive, feed, answer, self._every, lambda: self._seconds)
            )
        )
        self._progress(outcome)
        return outcome


def _is_due(feed: Subscription, every: timedelta) -> bool:
    """Says whether a feed is to be polled; a time that no rule of ours sets was set by a clock that was ahead."""
    wait = feed.next_at - datetime.now(UTC)
    longest = _LONGEST_WISH if feed.last_outcome == THROTTLED else max(every, _LONGEST) * _JITTER
    return not timedelta(0) < wait <= longest


async def _ask(fetcher: Fetcher, feed: Subscription) -> Answer | FetchError:
    validators = {"If-None-Match": _sendable(feed.etag), "If-Modified-Since": _sendable(feed.modified)}
    try:
        return await fetcher.get(feed.address, headers={name: value for name, value in validators.items() if value})
    except FetchError as wrong:
        return wrong
    except Exception as wrong:  # noqa: BLE001 (one broken feed never stops the others)
        return FetchError(feed.address, "fault", f"{type(wrong).__name__}: {wrong}")


def _keep(
    archive: Archive, feed: Subscription, answer: Answer | FetchError, every: timedelta, limit: Callable[[], float]
) -> Outcome:
    """Stores an answer and logs the attempt."""
    now = datetime.now(UTC)
    stored = Stored()
    changes: dict[str, Any] = {"failures": 0, "next_at": now + _spread(every)}
    status: int | None
    if isinstance(answer, FetchError):
        outcome, detail, status, size = answer.kind, answer.detail, answer.status, 0
        changes = _postponed(feed, every, now, answer.retry_after)
        if outcome == GONE and feed.moved_to:
            outcome = "client error"  # where it moved to has ended, perhaps not the feed
        if outcome == GONE:
            detail = f"{detail}: the feed has ended and is no longer polled; remove it, or add its new address"
        elif feed.moved_to:
            changes["moved_to"] = None  # perhaps the old address works again
    else:
        status, size = answer.status, len(answer.body)
        outcome, detail, stored, failed = _document(archive, feed, answer, limit)
        if failed:
            changes = _postponed(feed, every, now, None)
        elif answer.status == 200:
            changes |= {
                "etag": _sendable(answer.headers.get("etag")),
                "modified": _sendable(answer.headers.get("last-modified")),
                "document": hashlib.sha256(answer.body).hexdigest(),
            }
        if answer.moved_to and not failed:
            changes["moved_to"] = answer.moved_to
    took = round(answer.seconds * 1000)
    fetch = Fetch(at=now, outcome=outcome, status=status, detail=detail, bytes=size, milliseconds=took)
    archive.log_fetch(feed, fetch, changes)
    return Outcome(feed=feed, fetch=fetch, stored=stored)


def _document(
    archive: Archive, feed: Subscription, answer: Answer, limit: Callable[[], float]
) -> tuple[str, str, Stored, bool]:
    """Parses and stores a body; returns outcome, detail, what was stored, and whether it failed."""
    digest = hashlib.sha256(answer.body).hexdigest()
    if answer.status == 304 and feed.document is None:
        return "client error", "HTTP 304 (unchanged), though nothing was asked of an earlier document", Stored(), True
    if answer.status == 304 or digest == feed.document:
        return "unchanged", "", Stored(), False
    try:
        parsed = rss.parse(answer.body, feed=feed.entry.url, seen=answer.at, limit=limit)
    except FeedError as wrong:
        return "no feed", wrong.reason, Stored(), True
    stored = archive.record(
        Document(
            feed=feed.entry.url,
            url=answer.url,
            at=answer.at,
            hash=digest,
            provenance="live",
            rule=RULE,
            http_date=_sendable(answer.headers.get("date")) or "",
            etag=_sendable(answer.headers.get("etag")) or "",
            rejected=len(parsed.rejects),
        ),
        parsed.headlines,
    )
    return "ok", _said(parsed), stored, False


def _said(parsed: rss.Parsed) -> str:
    """What was wrong with a document, in a line; "" for nothing."""
    broken = [reject.reason for reject in parsed.rejects if reject.item == 0]
    lost = [f"{len(parsed.rejects)} items lost: {parsed.rejects[0].reason}"] if parsed.rejects else []
    return "; ".join([*(broken or lost), *(f"{count} × {reason}" for reason, count in parsed.remarks.items())])


def _is_gone(feed: Subscription) -> bool:
    """Says whether a feed has ended; who subscribes to it again wants to know once more."""
    return feed.last_outcome == GONE and feed.failures > 0


def _postponed(feed: Subscription, every: timedelta, now: datetime, wish: float | None) -> dict[str, Any]:
    """The next poll of a feed that failed: later with each failure, and never before the server wishes."""
    pause = min(every * 2 ** min(feed.failures, 10), max(every, _LONGEST))
    pause = max(_spread(pause), timedelta(seconds=wish or 0))
    return {"failures": feed.failures + 1, "next_at": now + pause}


def _spread(pause: timedelta) -> timedelta:
    """A tenth more or less, so that feeds do not all fall due in one moment."""
    return pause * random.uniform(2 - _JITTER, _JITTER)  # noqa: S311 (jitter)


def _sendable(header: str | None) -> str | None:
    """A header that can be sent back byte by byte, None for any other."""
    return header if header and len(header) < 500 and _HEADER.fullmatch(header) else None


def pull(
    archive: Archive, fetcher: Fetcher, *, every: timedelta | None = None, progress: Progress = lambda _: None
) -> list[Outcome]:
    """Polls once, or until interrupted where an interval is given; stores what was fetched until then.

    Raises:
        KeyboardInterrupt: The user stopped it.
        ArchiveError: The archive cannot be written.
    """

    async def work() -> list[Outcome]:
        async with fetcher:
            if every is None:
                return await pull_once(archive, fetcher, progress=progress)
            await pull_forever(archive, fetcher, every=every, progress=progress)
        return []

    with contextlib.closing(asyncio.Runner()) as runner:
        return runner.run(work())


class PatientGet:
    """Fetches one address after the other, for history: waits as long as a server wishes, up to a limit.

    Args:
        fetcher: What reaches the network.
        longest: Seconds it waits at most before it gives up; the next run goes on from there.
    """

    def __init__(self, fetcher: Fetcher, *, longest: float = 120.0) -> None:
        self._fetcher = fetcher
        self._longest = longest
        self._runner = asyncio.Runner()

    def __call__(self, url: str) -> bytes:
        """Returns the body of an address; errors as `answer`."""
        return self.answer(url).body

    def answer(self, url: str) -> Answer:
        """Returns what an address says.

        Raises:
            FetchError: No answer that is of use.
        """
        for _ in range(4):
            try:
                answer = self._runner.run(self._fetcher.get(url))
            except FetchError as wrong:
                wait = 5.0 if wrong.retry_after is None else wrong.retry_after
                if wrong.kind != "throttled" or wait > self._longest:
                    raise
                time.sleep(wait)
                continue
            if answer.status != 200:
                raise FetchError(url, "no document", f"HTTP {answer.status}", status=answer.status)
            return answer
        raise FetchError(url, "throttled", "four times in a row; run again later to go on from here")

    def close(self) -> None:
        """Ends the connection pool and the loop."""
        self._runner.close()
