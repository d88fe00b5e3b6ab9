"""Killed at any moment, by two writers at once: what was acknowledged is there, whole, and once."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from feeds.archive import Archive, ArchivedHeadline
from feeds.archive.schema import MIGRATIONS
from feeds.opml import FeedEntry
from tests.helpers.feed_servers import Server as CaptureServer
from tests.helpers.feed_servers import asks
from tests.helpers.misbehaving_server import Server, rss
from tests.helpers.paths import DATA, ROOT

# Imports once and forks: each child works until it is killed at a random moment. What was acknowledged is written down.
SCRIPT = """
import os, random, shutil, signal, sys, time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from feeds.archive import Archive, Document
from feeds.errors import FetchError
from feeds.fetch import Fetcher, Limits
from feeds.headline import Headline
from feeds.history import backfill
from feeds.history.backfill import import_paths
from feeds.pull import PatientGet, pull

kind, path, acknowledged, rounds, writers, place = sys.argv[1:7]
random.seed(7)
try:
    PatientGet(Fetcher(Limits(tries=1), allow_private=True))("http://127.0.0.1:1/")  # imports all that it needs, before the forks
except FetchError:
    pass
T0 = datetime(2025, 1, 27, tzinfo=UTC)
out = os.open(acknowledged, os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def say(text):
    os.write(out, f"{text}\\n".encode())


def record(archive, start):
    for number in range(start, start + 10_000):
        seen = T0 + timedelta(minutes=number)
        headlines = [
            Headline(id=f"{number}-{n}", feed="f", source="s", title=f"Title {n} of document {number}", summary="words",
                     link=f"https://a.example/{number}/{n}", language="en", published=None, seen=seen)
            for n in range(5)
        ]
        key = f"k{number}"
        document = Document(feed="f", url="f", at=seen, hash="", provenance="live", rule="r", key=key)
        archive.record(document, headlines)
        say(key)


def import_(archive, start):
    for number in range(start, start + 50):
        file = Path(place) / f"20250127T{number // 60 % 24:02}{number % 60:02}00Z_f.xml"
        import_paths(archive, file, lost=print)
        say(f"{number}")


def poll(archive, start):
    while True:
        limits = Limits(host_gap=0, tries=1, total=1, read=1)
        done = pull(archive, Fetcher(limits, allow_private=True), progress=lambda each: say(each.feed.entry.name))


def fill(archive, start):
    held, first, last = archive.record_many, datetime(2025, 1, 21, tzinfo=UTC), datetime(2025, 1, 21, tzinfo=UTC)

    def record_many(batch):
        done = held(batch)
        for document, _ in batch:
            say(document.key)
        return done

    archive.record_many = record_many
    backfill.Fetcher = lambda **options: Fetcher(Limits(host_gap=0), **options)
    for query in (None, "chips"):
        work, what = (backfill.backfill_gdelt, query) if query else (backfill.backfill_feed, "https://paper.example/rss")
        endpoint = f"{place}/gdelt" if query else place
        work(archive, what, first, last, endpoint=endpoint, allow_private=True, lost=lambda *_: None)


def migrate(archive, start):
    say("open")


work = {"record": record, "import": import_, "pull": poll, "fill": fill, "migrate": migrate}[kind]
patience = 1.0
for each in range(int(rounds)):
    children = []
    if kind == "migrate":
        path = shutil.copy(place, f"{sys.argv[2]}.{each}")  # each round an older file
    for writer in range(int(writers)):
        pid = os.fork()
        if pid == 0:
            random.seed(each * 10 + writer)
            with Archive(Path(path)) as archive:
                work(archive, each * 6 if int(writers) == 1 else each // 2 * 50)  # overlaps: the same again
            os._exit(0)
        children.append(pid)
    before = os.path.getsize(acknowledged)
    time.sleep(random.uniform(0.002, 0.04) * patience)
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    # A slow machine gets more time, so that some kills fall before the first document and some after.
    patience = max(1.0, patience * 0.9) if os.path.getsize(acknowledged) > before else min(40.0, patience * 1.2)
"""


def torture(kind: str, tmp_path: Path, rounds: int, writers: int, place: object = "") -> list[str]:
    """Runs the script; returns what was acknowledged."""
    acknowledged = tmp_path / "acknowledged"
    acknowledged.touch()
    command = [
        sys.executable,
        "-c",
        SCRIPT,
        kind,
        tmp_path / "a.sqlite",
        acknowledged,
        str(rounds),
        str(writers),
        place,
    ]
    subprocess.run(command, check=True, cwd=ROOT)
    return acknowledged.read_text().split()


def sound(archive: Archive) -> list[ArchivedHeadline]:
    """Everything held, after the checks that every archive must pass."""
    assert archive.verify() == []
    held = list(archive.history(None, datetime.max.replace(tzinfo=UTC)))
    assert len({(each.headline.feed, each.headline.id) for each in held}) == len(held)
    return held


@pytest.mark.parametrize(("rounds", "writers"), [(200, 1), (60, 2)], ids=["200 kills", "two writers"])
def test_a_kill_loses_nothing_that_was_acknowledged_and_doubles_nothing(tmp_path, rounds, writers):
    """SIGKILL at random moments; afterwards the file is sound and holds every acknowledged document once, whole."""
    Archive(tmp_path / "a.sqlite").close()
    said = set(torture("record", tmp_path, rounds, writers))
    with Archive(tmp_path / "a.sqlite") as archive:
        keys = archive.keys_done("k")
        assert said <= keys
        assert said
        assert len(sound(archive)) == 5 * len(keys)


@pytest.mark.parametrize(("rounds", "writers"), [(200, 1), (40, 2)], ids=["200 kills", "two at once"])
def test_a_kill_during_an_import(tmp_path, rounds, writers):
    """Snapshots from files."""
    for number in range(1440):
        document = rss(f"Title of snapshot {number} about chips", prefix=str(number))
        (tmp_path / f"20250127T{number // 60:02}{number % 60:02}00Z_f.xml").write_bytes(document)
    said = set(torture("import", tmp_path, rounds, writers, tmp_path))
    with Archive(tmp_path / "a.sqlite") as archive:
        titles = {each.headline.title for each in sound(archive)}
        assert {f"Title of snapshot {number} about chips" for number in said} <= titles
        assert said


@pytest.mark.parametrize(("rounds", "writers"), [(200, 1), (40, 2)], ids=["200 kills", "two pullers"])
def test_a_kill_during_a_pull(tmp_path, rounds, writers):
    """Feeds of a real server, whose items change with every request."""
    with Server() as server, Archive(tmp_path / "a.sqlite") as archive:
        archive.subscribe([FeedEntry(url=f"{server.url}/changing/{n}", name=f"feed-{n}") for n in range(6)])
        said = torture("pull", tmp_path, rounds, writers)
        held = sound(archive)
        health = {row["name"]: row for row in archive.health()}
        for name, row in health.items():
            assert said.count(name) <= row["good"]  # each fetch that was reported is logged,
            assert row["good"] <= row["new"]  # and brought its item
        assert len(held) == sum(row["new"] for row in health.values()) <= sum(server.counts.values())
        assert said


def _capture_server(path: str):
    """Says what the Internet Archive's index, its captures, and GDELT say: 60 captures, and an article an hour."""
    parts = urlsplit(path)
    if parts.path == "/cdx/search/cdx":
        rows = [[f"2025012112{n:02}00", "https://paper.example/rss", f"D{n}"] for n in range(60)]
        return 200, {}, json.dumps([["timestamp", "original", "digest"], *rows]).encode()
    if parts.path.startswith("/web/"):
        stamp = parts.path.split("/")[2][:14]
        return 200, {}, rss(f"What the paper wrote at {stamp}", prefix=stamp)
    start = asks(path)["startdatetime"]
    row = {"url": f"https://x.example/{start}", "title": f"Chips at {start}", "language": "English",
           "seendate": f"{start[:8]}T{start[8:12]}00Z", "domain": "x.example", "sourcecountry": "US"}  # fmt: skip
    return 200, {}, json.dumps({"articles": [row]}).encode()


def test_a_kill_during_a_back_fill(tmp_path):
    """Captures and GDELT: what was acknowledged is there, and the next try goes on where the last one ended."""
    Archive(tmp_path / "a.sqlite").close()
    with CaptureServer(_capture_server).running() as server:
        said = set(torture("fill", tmp_path, 30, 1, server.address))
        asked = [path for path in server.asked if path.startswith("/web/")]
    with Archive(tmp_path / "a.sqlite") as archive:
        done = archive.keys_done("wayback:") | archive.keys_done("gdelt:")
        held = sound(archive)
    assert said <= done
    assert len(said) > 20
    assert len(held) == len({each.headline.link for each in held}) >= len(done)
    assert len(asked) <= 60 + 30  # a kill costs one capture at most, none is fetched again once it is stored


def test_a_kill_during_the_migration_of_an_older_file(tmp_path):
    """It is the older file still, or today's; whichever, the next one to open it finds what it held."""
    older = DATA / "archives" / "schema-1-first.sqlite"
    with Archive(shutil.copy(older, tmp_path / "whole.sqlite")) as archive:
        expected = [each.headline for each in archive.history(None, datetime.max.replace(tzinfo=UTC))]
    said = torture("migrate", tmp_path, 60, 1, older)
    versions = set()
    files = sorted(tmp_path.glob("a.sqlite.*[0-9]"))
    for path in files:
        raw = sqlite3.connect(path)
        versions |= set(*raw.execute("PRAGMA user_version"))
        raw.close()
        with Archive(path) as archive:
            assert archive.verify() == []
            assert [each.headline for each in archive.history(None, datetime.max.replace(tzinfo=UTC))] == expected
    assert len(files) == 60 > len(said)  # some were killed before they had done
    assert versions <= {1, len(MIGRATIONS)}
