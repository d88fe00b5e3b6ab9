"""Polling: every feed that is due is fetched, parsed and stored; what one feed does never stops the others."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from feeds import rss
from feeds.archive import Archive, Document, Fetch, Stored, Subscription
from feeds.errors import FeedError, FetchError
from feeds.fetch import Answer, Fetcher

RULE = "seen by this archive"
_LONGEST = timedelta(days=1)  # between two polls of a feed that keeps failing


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one feed in one round."""

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
            then.
        progress: Called for each feed when it is done.
    """
    writer = ThreadPoolExecutor(1)  # one thread owns the file: SQLite's writes never block the loop
    loop = asyncio.get_running_loop()
    try:
        now = datetime.now(UTC)
        everyone = await loop.run_in_executor(writer, archive.subscriptions)
        due = [feed for feed in everyone if feed.next_at <= now or not (only_due or feed.last_outcome == "throttled")]
        gate = asyncio.Semaphore(fetcher.limits.at_once)

        async def poll(feed: Subscription) -> Outcome:
            async with gate:
                started = time.monotonic()
                answer = await _ask(fetcher, feed)
                took = round((time.monotonic() - started) * 1000)
            # Shielded: what has been fetched is stored even when the round is being stopped.
            outcome = await asyncio.shield(
                loop.run_in_executor(writer, lambda: _keep(archive, feed, answer, every, took))
            )
            progress(outcome)
            return outcome

        return list(await asyncio.gather(*(poll(feed) for feed in due)))
    finally:
        writer.shutdown(wait=True)


async def pull_forever(
    archive: Archive, fetcher: Fetcher, *, every: timedelta, progress: Progress = lambda _: None
) -> None:
    """Polls each feed when it is due, until cancelled."""
    while True:
        await pull_once(archive, fetcher, every=every, only_due=True, progress=progress)
        soonest = min((feed.next_at for feed in archive.subscriptions()), default=datetime.now(UTC) + every)
        pause = (soonest - datetime.now(UTC)).total_seconds()
        await asyncio.sleep(min(max(pause, 1.0), every.total_seconds()))


async def _ask(fetcher: Fetcher, feed: Subscription) -> Answer | FetchError:
    headers = {}
    if feed.etag:
        headers["If-None-Match"] = feed.etag
    if feed.modified:
        headers["If-Modified-Since"] = feed.modified
    try:
        return await fetcher.get(feed.address, headers=headers)
    except FetchError as wrong:
        return wrong
    except Exception as wrong:  # noqa: BLE001 (one broken feed never stops the others)
        return FetchError(feed.address, "fault", f"{type(wrong).__name__}: {wrong}")


def _keep(archive: Archive, feed: Subscription, answer: Answer | FetchError, every: timedelta, took: int) -> Outcome:
    """Stores an answer and logs the attempt."""
    now = datetime.now(UTC)
    stored = Stored()
    changes: dict[str, Any] = {"failures": 0, "next_at": now + _spread(every)}
    status: int | None
    if isinstance(answer, FetchError):
        outcome, detail, status, size = answer.kind, answer.detail, answer.status, 0
        changes = _postponed(feed, every, now, answer.retry_after)
        if feed.moved_to:
            changes["moved_to"] = None  # perhaps the old address works again
    else:
        status, size = answer.status, len(answer.body)
        outcome, detail, stored, failed = _document(archive, feed, answer)
        if failed:
            changes = _postponed(feed, every, now, None)
        elif answer.status == 200:
            changes |= {
                "etag": _short(answer.headers.get("etag")),
                "modified": _short(answer.headers.get("last-modified")),
                "document": hashlib.sha256(answer.body).hexdigest(),
            }
        if answer.moved_to and not failed:
            changes["moved_to"] = answer.moved_to
    fetch = Fetch(at=now, outcome=outcome, status=status, detail=detail, bytes=size, milliseconds=took)
    archive.log_fetch(feed, fetch, changes)
    return Outcome(feed=feed, fetch=fetch, stored=stored)


def _document(archive: Archive, feed: Subscription, answer: Answer) -> tuple[str, str, Stored, bool]:
    """Parses and stores a body; returns outcome, detail, what was stored, and whether it failed."""
    digest = hashlib.sha256(answer.body).hexdigest()
    if answer.status == 304 or digest == feed.document:
        return "unchanged", "", Stored(), False
    try:
        parsed = rss.parse(answer.body, feed=feed.entry.url, seen=answer.at)
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
            http_date=_short(answer.headers.get("date")) or "",
            etag=_short(answer.headers.get("etag")) or "",
            rejected=len(parsed.rejects),
        ),
        parsed.headlines,
    )
    broken = [reject.reason for reject in parsed.rejects if reject.item == 0]
    lost = f"{len(parsed.rejects)} items lost: {parsed.rejects[0].reason}" if parsed.rejects else ""
    return "ok", broken[0] if broken else lost, stored, False


def _postponed(feed: Subscription, every: timedelta, now: datetime, wish: float | None) -> dict[str, Any]:
    """The next poll of a feed that failed: later with each failure, and never before the server wishes."""
    pause = min(every * 2 ** min(feed.failures, 10), _LONGEST)
    pause = max(_spread(pause), timedelta(seconds=wish or 0))
    return {"failures": feed.failures + 1, "next_at": now + pause}


def _spread(pause: timedelta) -> timedelta:
    """A tenth more or less, so that feeds do not all fall due in one moment."""
    return pause * random.uniform(0.9, 1.1)  # noqa: S311 (jitter)


def _short(header: str | None) -> str | None:
    return header if header and len(header) < 500 else None


def pull(
    archive: Archive, fetcher: Fetcher, *, every: timedelta | None = None, progress: Progress = lambda _: None
) -> list[Outcome]:
    """Polls once, or until interrupted where an interval is given; what was fetched until then is stored.

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
