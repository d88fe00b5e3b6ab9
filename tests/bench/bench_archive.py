"""Storing and asking: headlines a second into the archive, and a week out of a million headlines.

Run with the number of headlines (1,000,000 without). Made-up words with the frequencies of a language: real titles
have eight to twelve words, summaries about twenty. The million lie in ten years, as a catalogue of forty feeds brings
them in some years; the week then holds about two thousand.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from feeds.archive import Archive, Document
from feeds.headline import Headline

BATCH = 5_000
WORDS = [f"word{n}" for n in range(30_000)]
WEIGHTS = [1 / (n + 3) for n in range(30_000)]
START = datetime(2016, 1, 1, tzinfo=UTC)


def made(count: int) -> Iterator[list[Headline]]:
    """Batches of headlines in order of time."""
    random.seed(1)
    step = timedelta(days=3650) / 1_000_000
    for first in range(0, count, BATCH):
        size = min(BATCH, count - first)
        words = iter(random.choices(WORDS, WEIGHTS, k=size * 30))
        yield [
            Headline(
                id=f"{number:016x}",
                feed="f",
                source="Source",
                title=" ".join(next(words) for _ in range(10)),
                summary=" ".join(next(words) for _ in range(20)),
                link=f"https://www.news.example/{number}?utm_source=rss",
                language="en",
                published=START + number * step,
                seen=START + number * step,
            )
            for number in range(first, first + size)
        ]


def main() -> None:
    """Prints figures of one run."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder, Archive(Path(folder) / "a.sqlite") as archive:
        stored = 0.0
        again = 0.0
        for number, batch in enumerate(made(count)):
            document = Document(feed=f"https://{number % 40}.example/", url="u", at=batch[0].seen, hash="",
                                provenance="live", rule="seen")  # fmt: skip
            started = time.perf_counter()
            archive.record(document, batch)
            stored += time.perf_counter() - started
            if number % 20 == 0:
                started = time.perf_counter()
                archive.record(document, batch)
                again += time.perf_counter() - started
        repeated = sum(min(BATCH, count - first) for first in range(0, count, BATCH * 20))
        print(f"storing {count:,} new headlines   {count / stored:9,.0f} headlines/s  (target: at least 20,000)")
        print(f"storing {repeated:,} known ones again {repeated / again:9,.0f} headlines/s")
        started = time.perf_counter()
        archive.index_words()
        print(f"full-text index of them, once    {count / (time.perf_counter() - started):9,.0f} headlines/s")
        until = START + timedelta(days=3650) * (count / 1_000_000) * 0.9
        asked, read = [], []
        for _ in range(15):
            started = time.perf_counter()
            snapshot = archive.as_of(until, since=until - timedelta(days=7))
            asked.append(time.perf_counter() - started)
            list(snapshot)
            read.append(time.perf_counter() - started)
        print(
            f"as_of, 7 days ({len(snapshot):,} headlines)      {statistics.median(asked) * 1e3:9.2f} ms  (target: at most 5)"
        )
        print(f"as_of and reading them as objects{statistics.median(read) * 1e3:9.2f} ms")


if __name__ == "__main__":
    main()
