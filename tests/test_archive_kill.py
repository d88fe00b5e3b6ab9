"""Killed at any moment, by two writers at once: what was acknowledged is there, whole, and once."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from feeds.archive import Archive

# Imports once and forks: each child stores documents until it is killed at a random moment.
SCRIPT = """
import os, random, signal, sys, time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from feeds.archive import Archive, Document
from feeds.headline import Headline

path, acknowledged, rounds, writers, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), 7
random.seed(seed)
T0 = datetime(2025, 1, 27, tzinfo=UTC)

def child(start):
    out = os.open(acknowledged, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    with Archive(path) as archive:
        for number in range(start, start + 10_000):
            seen = T0 + timedelta(minutes=number)
            headlines = [
                Headline(id=f"{number}-{n}", feed="f", source="s", title=f"Title {n} of document {number}",
                         summary="some words", link=f"https://a.example/{number}/{n}", language="en", published=None, seen=seen)
                for n in range(5)
            ]
            archive.record(Document(feed="f", url="f", at=seen, hash="", provenance="live", rule="r", key=f"k{number}"), headlines)
            os.write(out, f"k{number}\\n".encode())

for each in range(rounds):
    children = []
    for writer in range(writers):
        pid = os.fork()
        if pid == 0:
            random.seed(each * 10 + writer)
            child((each // 2) * 50 if writers > 1 else each * 10)  # overlaps: the same documents again
        children.append(pid)
    time.sleep(random.uniform(0.002, 0.03))
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
"""


@pytest.mark.parametrize(("rounds", "writers"), [(200, 1), (60, 2)], ids=["200 kills", "two writers"])
def test_a_kill_loses_nothing_that_was_acknowledged_and_doubles_nothing(tmp_path, rounds, writers):
    """SIGKILL at random moments; afterwards the file is sound and holds every acknowledged document once."""
    path, acknowledged = tmp_path / "a.sqlite", tmp_path / "acknowledged"
    Archive(path).close()
    subprocess.run(
        [sys.executable, "-c", SCRIPT, path, acknowledged, str(rounds), str(writers)],
        check=True, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    said = set(acknowledged.read_text().split())
    with Archive(path) as archive:
        assert archive.verify() == []
        keys = archive.keys_done("k")
        assert said <= keys
        assert len(said) > rounds / 4
        held = archive.history(None, datetime.max.replace(tzinfo=UTC))
        assert len({each.headline.id for each in held}) == len(held) == 5 * len(keys)
