"""Storing, importing, verifying and asking, as ratios to SQLite's own insert in the same run.

Run with the number of headlines (1,000,000 without). Made-up words with the frequencies of a language: real titles
have eight to twelve words, summaries about twenty. The million lie in ten years, as a catalogue of forty feeds brings
them in some years; the week then holds about two thousand. The plain insert puts the same rows into a table of the
same columns and indexes, in transactions of the same size, without a look at what is held.
"""

from __future__ import annotations

import json
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from baseline import compare

from feeds.archive import Archive, Document
from feeds.headline import Headline
from feeds.history.backfill import import_paths

BATCH = 5_000
FEEDS = 40
IMPORTED = 100_000  # rows of the file whose feeds alternate, at most
WORDS = [f"word{n}" for n in range(30_000)]
WEIGHTS = [1 / (n + 3) for n in range(30_000)]
START = datetime(2016, 1, 1, tzinfo=UTC)
STEP = timedelta(days=3650) / 1_000_000


def made(count: int) -> Iterator[list[Headline]]:
    """Batches of headlines in order of time."""
    random.seed(1)
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
                published=START + number * STEP,
                seen=START + number * STEP,
            )
            for number in range(first, first + size)
        ]


def timed(work: Callable[[], object]) -> float:
    """Seconds that a call took."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def plain_insert(folder: Path, count: int) -> float:
    """Rows a second of SQLite's insert alone, on the disk after each batch."""
    connection = sqlite3.connect(folder / "plain.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE revisions(id INTEGER PRIMARY KEY, item, known, hash, seen, published, document, story, ident, "
        "source, language, title, summary, link)"
    )
    connection.execute("CREATE INDEX by_time ON revisions(known)")
    connection.execute("CREATE INDEX of_item ON revisions(item, known)")
    took = 0.0
    for first, batch in enumerate(made(count)):
        rows = [
            (None, n, n, n, n, n, first, n, each.id, 1, each.language, each.title, each.summary, each.link)
            for n, each in enumerate(batch, first * BATCH)
        ]

        def insert(rows: list[tuple[object, ...]] = rows) -> None:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO revisions VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)", rows)
            connection.execute("COMMIT")

        took += timed(insert)
    connection.close()
    return count / took


def imported(folder: Path, count: int) -> float:
    """Rows a second of a JSONL file whose feeds alternate, from the file to the archive."""
    path = folder / "rows.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for batch in made(count):
            for number, each in enumerate(batch):
                row = {"title": each.title, "summary": each.summary, "link": each.link, "language": "en",
                       "feed": f"feed {number % FEEDS}", "source": f"Paper {number % FEEDS}",
                       "published": str(each.published), "seen": str(each.seen)}  # fmt: skip
                file.write(json.dumps(row) + "\n")
    with Archive(folder / "imported.sqlite") as archive:
        return count / timed(lambda: import_paths(archive, path, lost=print))


def main() -> None:
    """Prints figures of one run."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as name, Archive(Path(name) / "a.sqlite") as archive:
        folder = Path(name)
        few = min(count, IMPORTED)
        plain = plain_insert(folder, few)
        print(f"SQLite's plain insert            {plain:10,.0f} rows/s")
        import_rate = imported(folder, few)
        print(
            f"import of rows, feeds alternating{import_rate:10,.0f} rows/s  {import_rate / plain:.3f} of the plain insert  (target: 15,000)"
        )
        stored = 0.0
        again = 0.0
        for number, batch in enumerate(made(count)):
            document = Document(feed=f"https://{number % FEEDS}.example/", url="u", at=batch[0].seen, hash="",
                                provenance="live", rule="seen")  # fmt: skip
            stored += timed(lambda document=document, batch=batch: archive.record(document, batch))
            if number % 20 == 0:
                again += timed(lambda document=document, batch=batch: archive.record(document, batch))
        repeated = sum(min(BATCH, count - first) for first in range(0, count, BATCH * 20))
        rate = count / stored
        print(f"storing {count:9,} new headlines  {rate:10,.0f} rows/s  {rate / plain:.3f} of the plain insert")
        print(f"storing {repeated:9,} known ones      {repeated / again:10,.0f} rows/s")
        took = timed(archive.index_words)
        print(f"full-text index of them, once    {count / took:10,.0f} rows/s")
        found: list[str] = []
        took = timed(lambda: found.extend(archive.verify()))
        verify_rate = count / took
        print(
            f"verify: {took:.1f} s, {len(found)} findings    {verify_rate:10,.0f} rows/s  {verify_rate / plain:.3f} of the plain insert  (target: a million in minutes)"
        )
        until = START + STEP * count * 0.9
        asked, read = [], []
        for _ in range(15):
            asked.append(timed(lambda: archive.as_of(until, since=until - timedelta(days=7))))
            snapshot = archive.as_of(until, since=until - timedelta(days=7))
            read.append(asked[-1] + timed(lambda snapshot=snapshot: list(snapshot)))
        print(
            f"as_of, 7 days ({len(snapshot):,} headlines)   {statistics.median(asked) * 1e3:9.2f} ms  (target: at most 5)"
        )
        print(f"as_of and reading them as objects{statistics.median(read) * 1e3:9.2f} ms")
        compare(
            "archive",
            higher={"import to plain insert": import_rate / plain, "verify to plain insert": verify_rate / plain},
        )


if __name__ == "__main__":
    main()
