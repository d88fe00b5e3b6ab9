"""Reads headlines as rows: JSONL with an object in each line, CSV with the same names as columns.

Names: title; published and/or seen (ISO 8601 with a zone, or Unix seconds); optionally summary, link, language, feed,
source, id. Other names are passed over. A row that lacks something is lost, a file that is no such table is refused.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import IO, Any

from feeds import item_fields
from feeds.errors import FeedError
from feeds.headline import Headline
from feeds.history import stated_values
from feeds.history.sources import ASSUMED, Found, Lost

STATED = "seen as the file states"
MAX_LINE = 1024 * 1024  # bytes


def read_jsonl(file: IO[bytes], *, feed: str, name: str, lost: Callable[[Lost], object]) -> Iterator[Found]:
    """Yields the headlines of a JSONL file; empty lines are passed over.

    Args:
        file: The file, opened for bytes.
        feed: Name of the feed of rows that name none.
        name: The file's name in messages and keys.
        lost: Is called with each row that lacks something.

    Raises:
        FeedError: A line is no JSON object, too long or not UTF-8, or there are rows and not one is good.
    """
    yield from _headlines(_objects(file, name), feed, name, lost)


def read_csv(file: IO[bytes], *, feed: str, name: str, lost: Callable[[Lost], object]) -> Iterator[Found]:
    """Yields the headlines of a CSV file with a header; commas, semicolons or tabs stand between the columns.

    The arguments and errors are those of `read_jsonl`; a header without the columns that are needed is refused.
    """
    yield from _headlines(_records(file, name, lost), feed, name, lost)


def _headlines(
    rows: Iterator[tuple[int, Mapping[str, Any]]], feed: str, name: str, lost: Callable[[Lost], object]
) -> Iterator[Found]:
    good = 0
    first = ""
    bad = 0
    for line, row in rows:
        try:
            made = _headline(row, feed)
        except ValueError as wrong:
            bad += 1
            first = first or f"line {line}: {wrong}"
            lost(Lost(key=f"{name}:{line}", reason=str(wrong)))
            continue
        good += 1
        yield made
    if bad and not good:
        raise FeedError(name, f"not one good row of {bad}; the first: {first}")


def _headline(row: Mapping[str, Any], feed: str) -> Found:
    """Makes a headline of a row.

    Raises:
        ValueError: What the row lacks.
    """
    title = item_fields.plain(_text(row, "title"))
    if not title:
        raise ValueError("no title")
    published, seen = _moment(row, "published"), _moment(row, "seen")
    if published is None and seen is None:
        raise ValueError("neither published nor seen")
    link = item_fields.link(_text(row, "link"))
    headline = Headline(
        id=item_fields.identity(_text(row, "id") or link or title),
        feed=item_fields.plain(_text(row, "feed")) or feed,
        source=item_fields.plain(_text(row, "source")),
        title=title,
        summary=item_fields.plain(_text(row, "summary")),
        link=link,
        language=stated_values.language(_text(row, "language")),
        published=published,
        seen=seen,
    )
    return Found(feed=headline.feed, headline=headline, provenance="import", rule=STATED if seen else ASSUMED)


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()  # no half of a surrogate pair
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{key} is no text")  # noqa: TRY004 (a wrong value of a row, as the others)
    return str(value)


def _moment(row: Mapping[str, Any], key: str) -> datetime | None:
    try:
        return stated_values.moment(next((row[name] for name in _TIMES[key] if name in row), None))
    except ValueError as wrong:
        raise ValueError(f"{key} {wrong}") from None


_TIMES = {  # names of the columns of times, ours first
    "published": ("published", "published_utc", "published_at"),
    "seen": ("seen", "seen_utc", "seen_at", "first_seen", "first_seen_utc"),
}


_READ = {"title", "summary", "link", "id", "feed", "source", "language", *_TIMES["published"], *_TIMES["seen"]}


def _objects(file: IO[bytes], name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(_lines(file, name), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise FeedError(f"{name}:{number}", f"is no JSON: {line.strip()[:60]!r}; one object a line") from None
        if not isinstance(row, dict):
            raise FeedError(f"{name}:{number}", f"is no object: {line.strip()[:60]!r}; one object a line")
        yield number, row


def _records(file: IO[bytes], name: str, lost: Callable[[Lost], object]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    lines = _lines(file, name)
    header = next(lines, "")
    rows = csv.reader(lines, delimiter=max(",;\t", key=header.count), strict=True)
    columns = [each.strip().strip('"').lower() for each in header.strip().split(max(",;\t", key=header.count))]
    if "title" not in columns or not {*_TIMES["published"], *_TIMES["seen"]} & set(columns):
        raise FeedError(f"{name}:1", "has no columns title and published or seen; name them in the first line")
    twice = next((each for each in columns if each in _READ and columns.count(each) > 1), "")
    if twice:
        raise FeedError(f"{name}:1", f"has two columns {twice}; keep one")
    try:
        for row in rows:
            if not row:
                continue
            if len(row) == len(columns):
                yield rows.line_num + 1, dict(zip(columns, row, strict=True))
            else:
                reason = f"{len(row)} columns where the header has {len(columns)}"
                lost(Lost(key=f"{name}:{rows.line_num + 1}", reason=reason))
    except csv.Error as wrong:
        raise FeedError(f"{name}:{rows.line_num + 1}", f"is no CSV ({wrong})") from None


def _lines(file: IO[bytes], name: str) -> Iterator[str]:
    """Yields lines as text, however long the file is."""
    number = 0
    while raw := file.readline(MAX_LINE + 1):
        number += 1
        if len(raw) > MAX_LINE:
            raise FeedError(f"{name}:{number}", f"is longer than {MAX_LINE:,} bytes")
        try:
            yield raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise FeedError(f"{name}:{number}", "is not UTF-8; save the file as UTF-8") from None
