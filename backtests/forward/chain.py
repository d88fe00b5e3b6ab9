"""Keeps a record that can only grow: lines of JSON, each with the hash of the line before.

    hash of a line = SHA-256 of the line's JSON without its hash, keys sorted; `prev` is in it
    prev of line 1 = SHA-256 of registration.json

A line is on the disk before `append` returns. What a killed writer left of a line is set aside into a file of its own,
and the next line says so. Whoever can write the file can also make a whole chain anew: only a head that was published
elsewhere proves against that.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backtests.records.folders import sync
from backtests.records.shape import read_text
from feeds.errors import InputError

Line = dict[str, Any]


def line_hash(line: Line) -> str:
    """Returns the hash of a line, as hex digits."""
    body = {name: value for name, value in line.items() if name != "hash"}
    return hashlib.sha256(_text(body).encode()).hexdigest()


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Holds a record's lines as far as each follows the one before."""

    first: str  # what the first line must name as the one before it
    lines: tuple[Line, ...]
    broken: tuple[str, ...] = ()  # what does not follow, one line each
    torn: bytes = b""  # what a killed writer left behind the last whole line

    @property
    def head(self) -> str:
        """Returns the hash of the last line; of the registration where there is none."""
        return str(self.lines[-1]["hash"]) if self.lines else self.first


def read_chain(path: Path, first: str) -> Chain:
    """Reads a record and follows its hashes; lines that do not follow are named and stand among the lines.

    Args:
        path: The file; a missing one is an empty record.
        first: Hash of the registration.

    Raises:
        InputError: The file cannot be read.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        data = b""
    except OSError as wrong:
        raise InputError(f"{path}: cannot be read ({wrong.strerror})") from None
    *whole, torn = data.split(b"\n")
    lines: list[Line] = []
    broken: list[str] = []
    before = first
    for number, text in enumerate(whole, 1):
        try:
            line = read_text(text.decode(), {})
            said = _wrong(line, number, before)
        except ValueError:
            broken.append(f"line {number}: is no line of a record")
            continue
        if said:
            broken.append(f"line {number}: {said}")
        before = str(line.get("hash"))
        lines.append(line)
    return Chain(first=first, lines=tuple(lines), broken=tuple(broken), torn=torn)


def _wrong(line: Line, number: int, before: str) -> str:
    if line.get("hash") != line_hash(line):
        return "was changed after it was written (its hash is another)"
    if line.get("n") != number or line.get("prev") != before:
        return "does not follow the line before; one was taken out, put in or moved"
    return ""


def append(path: Path, chain: Chain, line: Line) -> Chain:
    """Appends one line; it is on the disk when this returns, or it is not there at all.

    Raises:
        InputError: The record is broken, or the disk is full.
    """
    if chain.broken:
        raise InputError(f"{path}: {chain.broken[0]}; nothing is added to a broken record, see `forward verify`")
    if chain.torn:
        chain = _set_aside(path, chain)
        line = {**line, "torn": hashlib.sha256(chain.torn).hexdigest()}
    made = {**line, "n": len(chain.lines) + 1, "prev": chain.head}
    made["hash"] = line_hash(made)
    data = (_text(made) + "\n").encode()
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        size = os.fstat(file).st_size
        try:
            if os.write(file, data) != len(data):
                raise OSError(28, os.strerror(28))
            os.fsync(file)
        except OSError as wrong:
            os.ftruncate(file, size)
            raise InputError(f"{path}: cannot be written ({wrong.strerror}); nothing was added") from None
    finally:
        os.close(file)
    if not chain.lines:
        sync(path.parent)
    return Chain(first=chain.first, lines=(*chain.lines, made))


def _set_aside(path: Path, chain: Chain) -> Chain:
    """Moves what a killed writer left into a file of its own, and cuts the record to its last whole line."""
    digest = hashlib.sha256(chain.torn).hexdigest()
    aside = path.with_name(f"torn-{digest[:12]}.txt")
    aside.write_bytes(chain.torn)
    sync(aside)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - len(chain.torn))
        os.fsync(file.fileno())
    return chain


@contextmanager
def only_watcher(folder: Path) -> Iterator[None]:
    """Locks a folder against a second writer, until the block or the process ends.

    Raises:
        InputError: There is one.
    """
    file = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not _lock(file):
            raise InputError(f"{folder}: another `backtest watch` is at work on it; end that one first")
        yield
    finally:
        os.close(file)


def _lock(file: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
