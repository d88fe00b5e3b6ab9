"""Reading feeds: `parse` beside feedparser alone, in turns, on made-up snapshots and on real ones where they are there.

A feed is polled every quarter of an hour and has a few new items each time, so most items come again: that is how an
archive meets them, and the caches of dates and identities are part of it.
"""

from __future__ import annotations

import io
import random
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import feedparser
from baseline import compare

from feeds import rss

SHARED = Path(__file__).parents[3] / "shared" / "data" / "feeds" / "real"
SEEN = datetime(2025, 1, 27, 14, tzinfo=UTC)


def made(snapshots: int, items: int = 40, new: int = 3) -> list[bytes]:
    """Snapshots of one feed: title, link, guid, summary with a picture, date, author, category."""
    random.seed(1)
    words = [f"word{n}" for n in range(2_000)]
    every = []
    for number in range(items + snapshots * new):
        title, summary = (" ".join(random.choices(words, k=count)) for count in (10, 30))
        when = format_datetime(SEEN - timedelta(days=30) + timedelta(minutes=5 * number))
        every.append(
            f"<item><title>{title}</title><link>https://paper.example/{number}?ref=rss</link>"
            f"<guid isPermaLink='false'>{number}</guid><pubDate>{when}</pubDate><category>Technology</category>"
            f'<description><![CDATA[<p><img src="https://paper.example/{number}.jpg" alt=""/>{summary}</p>]]></description>'
            f"<dc:creator>A. Author</dc:creator></item>"
        )
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/">'
    return [
        f"{head}<channel><title>Paper</title><language>en</language>{''.join(reversed(every[k * new : k * new + items]))}"
        "</channel></rss>".encode()
        for k in range(snapshots)
    ]


def measure(name: str, documents: list[bytes]) -> float:
    """Prints and returns the ratio over all documents, each read by both, one after the other."""
    ours = theirs = 0.0
    items = 0
    for document in documents:
        started = time.perf_counter()
        items += len(rss.parse(document, feed="f", seen=SEEN).headlines)
        between = time.perf_counter()
        feedparser.parse(io.BytesIO(document))
        theirs += time.perf_counter() - between
        ours += between - started
    print(
        f"{name:44} {ours / items * 1e6:6.1f} µs an item, feedparser {theirs / items * 1e6:6.1f}: "
        f"{theirs / ours:5.1f} x  (target: at least 15)"
    )
    return theirs / ours


def main() -> None:
    """Measures and prints."""
    ratios = {"made-up snapshots, times feedparser": measure("parsing made-up snapshots of a feed", made(60))}
    if not SHARED.is_dir():
        print("real snapshots: not beside the project")
        compare("parse", higher=ratios)
    real = [path.read_bytes() for path in sorted(SHARED.rglob("*")) if path.is_file()]
    ratios["real documents, times feedparser"] = measure(f"parsing {len(real)} real ones", real)
    compare("parse", higher=ratios)


if __name__ == "__main__":
    main()
