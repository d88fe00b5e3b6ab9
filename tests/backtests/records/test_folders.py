"""A folder is there whole or not at all, and nothing that is not ours is replaced."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time

import pytest

from backtests.records.folders import check_target, new_folder
from feeds.errors import InputError

FILES = 12
WRITER = f"""
import sys, time
from pathlib import Path
from backtests.records.folders import new_folder
print("begin", flush=True)
with new_folder(Path(sys.argv[1]), lambda folder: None, force=True) as half:
    for number in range({FILES}):
        (half / f"{{number}}.txt").write_text(sys.argv[2] * 10_000)
        time.sleep(0.004)
"""


def ours(folder):
    """Takes a folder with a card for one of ours."""
    if not (folder / "card").exists():
        raise InputError(f"{folder}: is not ours")


def is_whole(folder, text):
    """Says whether all files of a writer are there, with all of their text."""
    return sorted(path.read_text() for path in folder.iterdir()) == [text * 10_000] * FILES


def killed_writer(folder, text, after):
    """Starts a writer and kills it after some seconds."""
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(folder), text], stdout=subprocess.PIPE)
    writer.stdout.readline()
    time.sleep(after)
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_writer_that_is_killed_leaves_a_whole_folder_or_none(tmp_path):
    """Twelve kills at random moments, first without a folder and then while one is replaced."""
    chance, folder, seen = random.Random(1), tmp_path / "run", set()
    for _ in range(6):
        killed_writer(folder, "a", chance.uniform(0, 0.12))
        seen.add(folder.exists())
        assert not folder.exists() or is_whole(folder, "a")
    with new_folder(folder, lambda _: None, force=True) as half:
        for number in range(FILES):
            (half / f"{number}.txt").write_text("a" * 10_000)
    for _ in range(6):
        killed_writer(folder, "b", chance.uniform(0, 0.12))
        check_target(folder, lambda _: None, force=True)
        assert is_whole(folder, "a") or is_whole(folder, "b")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]  # what the killed ones left has gone
    assert False in seen


def test_what_a_killed_writer_was_replacing_gets_its_name_back(tmp_path):
    """Killed between the two renames."""
    (tmp_path / ".run.replaced-0123abcd").mkdir()
    (tmp_path / ".run.replaced-0123abcd" / "card").write_text("old")
    (tmp_path / ".run.half-0123abcd").mkdir()
    with pytest.raises(InputError, match="is not empty"):
        check_target(tmp_path / "run", ours)
    assert (tmp_path / "run" / "card").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_the_half_of_a_writer_at_work_is_left_alone(tmp_path):
    """Another one writes the same folder meanwhile: the first to end has it, the other is refused."""
    with pytest.raises(OSError, match="not empty"), new_folder(tmp_path / "run", ours) as slow:  # noqa: PT012
        (slow / "a").write_text("slow")
        with new_folder(tmp_path / "run", ours) as quick:
            (quick / "a").write_text("quick")
        assert (slow / "a").read_text() == "slow"
    assert (tmp_path / "run" / "a").read_text() == "quick"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_writer_that_fails_leaves_nothing(tmp_path):
    """Neither the folder nor its half."""
    with pytest.raises(ZeroDivisionError), new_folder(tmp_path / "run", ours):
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("force", [False, True])
def test_what_is_not_ours_is_not_replaced(tmp_path, force, monkeypatch):
    """A file, a folder with somebody's own file, the folder one is in; with and without `force`."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "equity.csv").write_text("my own")
    for name in ("mine", "mine/equity.csv", "mine/equity.csv/run"):
        with pytest.raises(InputError, match=name):
            check_target(tmp_path / name, ours, force=force)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="the folder you are in"):
        check_target(tmp_path, ours, force=force)
    assert (tmp_path / "mine" / "equity.csv").read_text() == "my own"


def test_one_of_ours_is_replaced_whole_with_force_only(tmp_path):
    """Nothing of the old one is left among the new."""
    for name in ("old", "new"):
        with new_folder(tmp_path / "run", ours, force=name == "new") as half:
            (half / "card").touch()
            (half / name).touch()
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["card", "new"]
    with pytest.raises(InputError, match="--force"), new_folder(tmp_path / "run", ours):
        pass
