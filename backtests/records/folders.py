"""Writes files and folders whole: beside their place first, onto the disk, renamed last; replaces only what is ours.

    runs/.mine.half-4f1c2a/      a run that is being written, locked by its writer
    runs/mine/                   the run, from one moment to the next
    runs/.mine.replaced-4f1c2a/  a run that --force is replacing, until the new one has its name

A writer that is killed leaves its half behind without the lock; the next writer of the same folder removes it, and
gives a run that was being replaced its name back.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from feeds.errors import InputError

_HALF, _REPLACED = "half", "replaced"


def is_half(folder: Path) -> bool:
    """Says whether a folder is one that was still being written."""
    name = folder.resolve().name
    return name.startswith(".") and (f".{_HALF}-" in name or f".{_REPLACED}-" in name)


def check_inside(folder: Path) -> None:
    """Makes sure that all of a folder of somebody else lies in it, as plain files and folders.

    Raises:
        InputError: A link leads out of it, or something in it is no file (a pipe would be waited for without end).
    """
    root = folder.resolve()
    try:
        for place, folders, files in os.walk(root):
            for name in (*folders, *files):
                path = Path(place) / name
                if path.is_symlink() and not path.resolve().is_relative_to(root):
                    raise InputError(f"{folder}: {path.relative_to(root)} is a link out of the folder; remove it")
                mode = path.stat().st_mode
                if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                    raise InputError(f"{folder}: {path.relative_to(root)} is no plain file; remove it")
    except (OSError, RuntimeError) as wrong:  # a link in a circle
        raise InputError(f"{folder}: cannot be read ({wrong})") from None


def check_target(folder: Path, ours: Callable[[Path], None], *, force: bool = False) -> None:
    """Makes sure that a new folder may be written at a place, before the work for it is done.

    Args:
        folder: It is missing or empty; with `force` it may be one of ours.
        ours: Raises InputError where a folder holds anything else.
        force: Whether one of ours is replaced.

    Raises:
        InputError: It is a file, holds something, or cannot be written.
    """
    _clear_halves(folder)
    if folder.resolve() == Path.cwd():
        raise InputError(f"{folder}: is the folder you are in; name a new one")
    try:
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder}: is a file; choose another with -o")
        held = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
        above = next(each for each in folder.resolve().parents if each.exists())
    except OSError as wrong:
        raise InputError(f"{folder}: cannot be written ({wrong.strerror}); choose another with -o") from None
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise InputError(f"{folder}: cannot be written ({above} takes no new folder); choose another with -o")
    if held and force:
        ours(folder)
    elif held:
        more = f" and {len(held) - 1} more" if len(held) > 1 else ""
        raise InputError(
            f"{folder}: is not empty (it holds {held[0]}{more}); choose another with -o, or --force to replace a run"
        )


@contextmanager
def new_folder(folder: Path, ours: Callable[[Path], None], *, force: bool = False) -> Iterator[Path]:
    """Yields an empty folder to write into, which gets its name when all of it is on the disk.

    Raises:
        InputError: As `check_target`, or another writer was quicker.
    """
    check_target(folder, ours, force=force)
    final = folder.resolve()
    final.parent.mkdir(parents=True, exist_ok=True)
    half, lock = _new_half(final)
    try:
        yield half
        _sync_all(half)
        old = half.with_name(half.name.replace(f".{_HALF}-", f".{_REPLACED}-"))
        if force and final.exists():
            final.rename(old)
        elif sys.platform == "win32" and final.exists():
            final.rmdir()
        try:
            half.rename(final)
        except OSError:
            if old.exists():
                old.rename(final)
            raise
        sync(final.parent)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(half, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def write_file(path: Path, data: bytes) -> None:
    """Writes a file whole: a reader finds the old one or the new one."""
    half = path.with_name(f".{path.name}.{_HALF}")
    half.write_bytes(data)
    sync(half)
    half.replace(path)


def _new_half(final: Path) -> tuple[Path, int | None]:
    """Makes a folder for the half, and locks it where folders can be locked."""
    while True:
        half = final.with_name(f".{final.name}.{_HALF}-{secrets.token_hex(4)}")
        half.mkdir()
        if sys.platform == "win32":
            return half, None
        lock = _locked(half)
        if lock is not None and half.exists():  # else another writer took it for left behind
            return half, lock


def _locked(folder: Path) -> int | None:
    """Locks a folder until its number is closed or its process ends; None where another has it."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        found = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(found)
        return None
    return found


def _clear_halves(folder: Path) -> None:
    """Removes what killed writers of a folder left, and gives one that was being replaced its name back."""
    final = folder.resolve()
    ours = re.compile(rf"\.{re.escape(final.name)}\.({_HALF}|{_REPLACED})-[0-9a-f]{{8}}")
    beside = final.parent.iterdir() if final.parent.is_dir() else ()
    left = [(found[1], path) for path in beside if (found := ours.fullmatch(path.name)) and not path.is_symlink()]
    for half in (path for kind, path in left if kind == _HALF):
        lock = _locked(half)
        if lock is None:
            return  # a writer is at work, and will see to the rest
        shutil.rmtree(half, ignore_errors=True)
        os.close(lock)
    for old in (path for kind, path in left if kind == _REPLACED):
        if final.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.rename(final)


def _sync_all(folder: Path) -> None:
    for place, _, files in os.walk(folder):
        for name in files:
            sync(Path(place) / name)
        sync(Path(place))


def sync(path: Path) -> None:
    """Makes sure that a file, or where it can be done a folder, is on the disk."""
    if path.is_dir() and sys.platform == "win32":
        return
    found = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(found)
    finally:
        os.close(found)
