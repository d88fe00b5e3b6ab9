"""Stores history in the archive: what the sources hand over is parsed, stored, and never fetched twice."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from feeds import item_fields, rss
from feeds.archive import Archive, Document, Stored
from feeds.errors import FeedError, InputError
from feeds.fetch import Fetcher
from feeds.headline import Headline
from feeds.history import gdelt, git_scrapes, wayback
from feeds.history.snapshot_files import read_paths
from feeds.history.sources import Capture, Found, Lost
from feeds.pull import PatientGet

ReportLoss = Callable[[str, str], object]  # is called with the place where something was lost, and the reason

_BATCH = 2_000  # headlines of captures stored in one transaction
_ROWS = 20_000  # rows of lists; those of one feed among them become one document
_SETTLED = timedelta(hours=6)  # GDELT adds to its newest batches for some hours
_DONE = ("wayback:", "git:", "file:")


@dataclass(slots=True)
class Report:
    """What an import brought."""

    documents: int = 0
    lost: int = 0
    stored: Stored = field(default_factory=Stored)

    def __str__(self) -> str:
        lost = f", {self.lost} lost" if self.lost else ""
        return (
            f"{self.documents:,} documents, {self.stored.new:,} headlines new, {self.stored.revised:,} revised, "
            f"{self.stored.known:,} known{lost}"
        )


class _Writer:
    """Collects documents and stores them some thousand headlines at a time."""

    def __init__(self, archive: Archive, report_loss: ReportLoss) -> None:
        self.report = Report()
        self._archive = archive
        self._report_loss = report_loss
        self._batch: list[tuple[Document, Sequence[Headline]]] = []
        self._size = 0

    def lost(self, what: Lost) -> None:
        self.report.lost += 1
        self._report_loss(what.key, what.reason)

    def add(self, document: Document, headlines: Sequence[Headline]) -> None:
        self._batch.append((document, headlines))
        self._size += len(headlines)

    def capture(self, capture: Capture) -> None:
        try:
            parsed = rss.parse(capture.body, feed=capture.feed, seen=capture.seen)
        except FeedError as wrong:
            self.lost(Lost(key=capture.url, reason=wrong.reason))
            parsed = rss.Parsed(headlines=(), rejects=(), language="")  # kept as done: it will not become a feed
        document = Document(
            feed=capture.feed,
            url=capture.url,
            at=capture.seen,
            hash=hashlib.sha256(capture.body).hexdigest(),
            provenance=capture.provenance,
            rule=capture.rule,
            key=capture.key,
            rejected=len(parsed.rejects),
        )
        for reject in parsed.rejects:
            self.lost(Lost(key=f"{capture.url}, item {reject.item}", reason=reject.reason))
        self.add(document, parsed.headlines)
        if self._size >= _BATCH:
            self.flush()

    def flush(self) -> None:
        self.report.stored += self._archive.record_many(self._batch)
        self.report.documents += len(self._batch)
        self._batch, self._size = [], 0


def import_paths(archive: Archive, path: Path, *, lost: ReportLoss) -> Report:
    """Imports a file, a folder of snapshots, or a git repository that scrapes feeds; what is held is skipped.

    Raises:
        InputError: Nothing there, or a file that is none of the kinds; what came before the broken line is stored, and
            is not stored twice when the corrected file is imported again.
    """
    writer = _Writer(archive, lost)
    done = {key for prefix in _DONE for key in archive.keys_done(prefix)}
    try:
        if path.is_dir() and git_scrapes.is_repository(path):
            for capture in git_scrapes.commits(path, done=done, lost=writer.lost):
                writer.capture(capture)
        else:
            _files(writer, path, done)
    finally:
        writer.flush()
    return writer.report


def _files(writer: _Writer, path: Path, done: set[str]) -> None:
    rows: list[Found] = []
    try:
        for each in read_paths([path], lost=writer.lost):
            if isinstance(each, Capture):
                if each.key not in done:
                    writer.capture(each)
                continue
            rows.append(each)
            if len(rows) >= _ROWS:
                _add_rows(writer, rows, path.name)
                writer.flush()
                rows = []
    finally:  # what came before a broken line is stored
        _add_rows(writer, rows, path.name)


def _add_rows(writer: _Writer, rows: Iterable[Found], name: str) -> None:
    """Adds rows of lists, a document for each feed; without a key, since rows are found again by their identity."""
    of_feed: dict[tuple[str, str], list[Found]] = defaultdict(list)
    for row in rows:
        of_feed[row.feed, row.rule].append(row)
    for (feed, rule), found in of_feed.items():
        document = Document(
            feed=feed,
            url=name,
            at=max((row.headline.seen for row in found if row.headline.seen is not None), default=None),
            hash="",
            provenance=found[0].provenance,
            rule=rule,
        )
        writer.add(document, _distinct([row.headline for row in found]))


def _distinct(headlines: Sequence[Headline]) -> list[Headline]:
    """Returns headlines with identities of their own: of one moment, other words under the same link are no edit."""
    titles: dict[tuple[str, datetime | None, datetime | None], set[str]] = defaultdict(set)
    for each in headlines:
        titles[each.id, each.seen, each.published].add(each.title)
    return [
        replace(each, id=item_fields.identity(f"{each.id} {each.title}"))
        if len(titles[each.id, each.seen, each.published]) > 1
        else each
        for each in headlines
    ]


def backfill_feed(
    archive: Archive,
    url: str,
    start: datetime,
    end: datetime,
    *,
    endpoint: str | None = None,
    allow_private: bool = False,
    lost: ReportLoss,
) -> Report:
    """Stores the captures of a feed in the Internet Archive, oldest first, each in a transaction of its own.

    Args:
        archive: Where they go; captures that it holds are not fetched again.
        url: The feed's address.
        start: First day (UTC).
        end: Last day (UTC), itself included.
        endpoint: The server of the index and of the captures, where it is not the Internet Archive's.
        allow_private: Whether private addresses may be reached.
        lost: Is called with what could not be had, and why.

    Raises:
        InputError: No answer of use; what came until then is stored.
    """
    writer = _Writer(archive, lost)
    servers = {} if endpoint is None else {"endpoint": f"{endpoint}/cdx/search/cdx", "replay": f"{endpoint}/web"}
    get = _SameCapture(Fetcher(allow_private=allow_private))
    try:
        done = archive.keys_done("wayback:")
        for capture in wayback.captures(get, url, start.date(), end.date(), done=done, lost=writer.lost, **servers):
            writer.capture(capture)
            writer.flush()  # an hour of fetching is not lost to an interruption
    finally:
        get.close()
    return writer.report


class _SameCapture(PatientGet):
    """Refuses an answer that comes from another capture than the one asked for."""

    def __call__(self, url: str) -> bytes:
        answer = self.answer(url)
        wayback.check_same_capture(url, answer.url)
        return answer.body


def backfill_gdelt(
    archive: Archive,
    query: str,
    start: datetime,
    end: datetime,
    *,
    endpoint: str | None = None,
    allow_private: bool = False,
    lost: ReportLoss,
) -> Report:
    """Stores the articles that GDELT found, slice by slice, oldest first; finished slices are not asked for again.

    Raises:
        InputError: GDELT refuses the query, or gives no answer of use; finished slices are stored.
    """
    if not query.strip():
        raise InputError("--gdelt: the query is empty; give words like 'deepseek OR nvidia'")
    writer = _Writer(archive, lost)
    feed = f"gdelt:{query}"
    buffer: list[Headline] = []

    def finished(key: str) -> None:
        document = Document(
            feed=feed,
            url=gdelt.ENDPOINT,
            at=datetime.now(UTC),
            hash="",
            provenance="backfill",
            rule=gdelt.RULE,
            key=key,
        )
        writer.add(document, buffer.copy())
        writer.flush()
        buffer.clear()

    get = PatientGet(Fetcher(allow_private=allow_private))
    try:
        found = gdelt.articles(
            get, query, start, end, feed=feed, done=archive.keys_done("gdelt:"), finished=finished,
            settled=datetime.now(UTC) - _SETTLED, lost=writer.lost,
            pause=0.0 if endpoint else gdelt.PAUSE, endpoint=endpoint or gdelt.ENDPOINT,
        )  # fmt: skip
        for each in found:
            buffer.append(each.headline)  # noqa: PERF401 (`finished` empties the buffer between two of them)
    finally:
        get.close()
    if buffer:  # of slices that GDELT may still add to
        document = Document(
            feed=feed, url=gdelt.ENDPOINT, at=datetime.now(UTC), hash="", provenance="backfill", rule=gdelt.RULE
        )
        writer.add(document, buffer)
        writer.flush()
    return writer.report
