"""Selects the news of a new episode: what was known in its window; says what is left out, and why.

A feed document of which everything is kept is copied as it is; what is kept of another is written as JSONL.
"""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from backtests.engine.news import LISTS, news_span, read_document
from feeds.errors import InputError
from feeds.headline import Headline
from strategies.sessions import calendar_sessions

Span = tuple[datetime, datetime]  # from when to when a headline is known, both included


def calendar_span(start: date, end: date) -> Span:
    """Returns from when to when headlines of a window are known, by the exchange's calendar; `start` may be any day.

    Raises:
        InputError: The window has no session.
    """
    table = calendar_sessions(start - timedelta(days=10), end + timedelta(days=10))
    return news_span(table, table.window(start, end))


def write_news(
    folder: Path, paths: Sequence[Path], headlines: Iterable[Mapping[str, Any]], span: Span, delay: timedelta
) -> list[str]:
    """Writes what was known in the span as news files of an episode's folder.

    Args:
        folder: The episode's.
        paths: RSS or Atom documents, JSONL and CSV lists of headlines.
        headlines: Rows of an archive, of the span already; written as news.jsonl.
        span: From when until when.
        delay: From published to known, where an item was not seen by an archive.

    Returns:
        Notes: how many items are kept, how many are left out, and why.

    Raises:
        InputError: A file that cannot be read, or nothing to keep.
    """
    known = f"known from {span[0]:%Y-%m-%d %H:%M} to {span[1]:%Y-%m-%d %H:%M} UTC"
    left_out: Counter[str] = Counter()
    total = 0
    seen: set[tuple[str, ...]] = set()
    names: set[str] = set()
    for path in paths:
        is_feed = path.suffix.lower() not in LISTS
        parsed = read_document(path)
        total += len(parsed.headlines) + len(parsed.rejects)
        left_out.update(reject.reason for reject in parsed.rejects)
        kept = []
        for head in parsed.headlines:
            known_at = head.known_at(delay)
            # a feed's item has one text; of a list, a row of the same item with other words or another time is an edit
            identity = (head.id,) if is_feed else (head.id, head.title, head.summary, known_at.isoformat())
            reason = _reason_to_leave(known_at, span, known=identity in seen)
            if reason:
                left_out[reason] += 1
            else:
                seen.add(identity)
                kept.append(head)
        whole = len(kept) == len(parsed.headlines) and not parsed.rejects
        if kept and whole and is_feed and path.suffix.lower() != ".json":  # news*.xml and news*.jsonl are read back
            shutil.copyfile(path, folder / _file_name(path, ".xml", names))
        elif kept:
            _write_rows(folder / _file_name(path, ".jsonl", names), map(_row, kept))
    rows = list(headlines)
    if rows:
        _write_rows(folder / _file_name(Path("news.jsonl"), ".jsonl", names), rows)
    kept_count = total - left_out.total()
    if not rows and not kept_count:
        why = (
            f"{total} items read, none kept{_reasons(left_out)}"
            if total
            else "give --news FILE|FOLDER, or --from-archive"
        )
        raise InputError(f"no news: {why}")
    if not total:
        return [f"news: {len(rows)} headlines of the archive, {known}"]
    return [f"news: {kept_count:,} of {total:,} items kept, {known}{_reasons(left_out)}"]


def _reason_to_leave(known_at: datetime, span: Span, *, known: bool) -> str:
    """Says why a headline is left out, "" where it is kept."""
    if known_at < span[0]:
        return "known before"
    if known_at > span[1]:
        return "known after"
    return "duplicate" if known else ""


def _reasons(left_out: Counter[str]) -> str:
    return (
        "; left out: " + ", ".join(f"{count:,} {reason}" for reason, count in left_out.most_common())
        if left_out
        else ""
    )


def _file_name(path: Path, suffix: str, names: set[str]) -> str:
    """Returns a name that begins with "news", has characters that can be packed, and is not taken."""
    stem = re.sub(r"[^\w.-]", "-", path.name.removesuffix(path.suffix), flags=re.ASCII)
    stem = stem if stem.startswith("news") else f"news.{stem}"
    numbered = (f"{stem}{f'.{number}' if number > 1 else ''}{suffix}" for number in range(1, len(names) + 2))
    name = next(each for each in numbered if each.lower() not in names)
    names.add(name.lower())
    return name


def _row(head: Headline) -> dict[str, str]:
    """Returns a headline as a row that `feeds.history.headline_tables` reads back."""
    times = {name: moment.isoformat() for name in ("published", "seen") if (moment := getattr(head, name)) is not None}
    words = {name: getattr(head, name) for name in ("id", "feed", "source", "language", "title", "summary", "link")}
    return times | {name: word for name, word in words.items() if word}


def _write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8", newline="\n")
