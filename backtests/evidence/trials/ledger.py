"""Keeps the ledger of trials: every run and sweep, one line of JSON each, appended and chained by hashes.

    {"number": 3, "at": "2026-11-24T09:00:00Z", "kind": "run", "episode": …, "trials": […], "previous": …, "hash": …}

`hash` is SHA-256 over the line without it, and `previous` the hash of the line before, so that a line cannot be
changed or taken out without breaking all that follow. What a chain cannot show is lines cut off its end; a run's
`evidence/trials.json` keeps the head of its time, which `backtest trials verify RUN…` looks for.

Writers lock the file, so that several may append at once; a line is written and synced as a whole. What a killed
writer left behind without an end of line was never a trial, and the next writer removes it.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, TypeVar

from backtests.evidence.trials.entries import GENESIS, Chain, Entry, Past, Sample, Trial, entry_of
from backtests.evidence.trials.index import Index
from feeds.errors import InputError

T = TypeVar("T")
_LONGEST = 64 * 1024 * 1024  # bytes of a line; a longer one is none of ours


def default_path() -> Path:
    """Returns AFTERSHOCK_TRIALS, or `trials.jsonl` in the platform's folder for user data."""
    named = os.environ.get("AFTERSHOCK_TRIALS")
    if named:
        return Path(named)
    import platformdirs

    return platformdirs.user_data_path("aftershock", appauthor=False) / "trials.jsonl"


def trial_key(*parts: Any) -> str:
    """Returns the SHA-256 of what makes a configuration."""
    return hashlib.sha256(_canonical(parts).encode()).hexdigest()


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def append(
    path: Path, *, kind: str, sample: Sample, trials: Sequence[Trial], at: datetime | None = None, sweep: str = ""
) -> Entry:
    """Adds a line to the ledger and to the index beside it, and returns it; makes the file when there is none.

    Raises:
        InputError: The file cannot be written, or its last line is none of a ledger.
    """
    with opened(path) as file, Index(path) as index:
        index.look(file)
        number, previous = _last_line(file, path)
        body = {
            "number": number + 1,
            "at": (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "kind": kind,
            **sample.document(),
            "trials": [trial.document() for trial in trials],
            "previous": previous,
            **({"sweep": sweep} if sweep else {}),
        }
        digest = hashlib.sha256(_canonical(body).encode()).hexdigest()
        file.write((_canonical({**body, "hash": digest}) + "\n").encode())
        file.flush()
        os.fsync(file.fileno())
        entry = entry_of({**body, "hash": digest})
        index.add(entry, file)
    return entry


def check(path: Path) -> None:
    """Makes sure that the ledger can be written.

    Raises:
        InputError: It cannot, or its last line is none of a ledger.
    """
    with opened(path) as file:
        _last_line(file, path)


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Opens the ledger's file and locks it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file, _locked(file):
            yield file
    except OSError as wrong:
        raise InputError(
            f"{path}: the ledger of trials cannot be written ({wrong.strerror}); name another with --trials FILE, or "
            "leave this run out of it with --trials off"
        ) from None


def _last_line(file: IO[bytes], path: Path) -> tuple[int, str]:
    """Number and hash of the last whole line; cuts off what a killed writer left behind it."""
    size = start = file.seek(0, os.SEEK_END)
    tail = b""
    while start > 0 and tail.count(b"\n") < 2 and size - start < _LONGEST:
        step = min(65_536, start)
        start -= step
        file.seek(start)
        tail = file.read(step) + tail
    whole, end, torn = tail.rpartition(b"\n")
    if torn and not end and not torn.startswith(b'{"at":'):
        raise InputError(f"{path}: is no ledger of trials; name another file with --trials")
    number, digest = _parsed(whole.rpartition(b"\n")[2], path) if end else (0, GENESIS)
    if torn:
        file.truncate(size - len(torn))
    return number, digest


def _parsed(line: bytes, path: Path) -> tuple[int, str]:
    try:
        last = json.loads(line)
        return int(last["number"]), str(last["hash"])
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path}: its last line is none of a ledger; `backtest trials verify` says where") from None


@contextmanager
def _locked(file: IO[bytes]) -> Iterator[None]:
    """Waits for the file to be ours alone."""
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        try:
            yield
        finally:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
        return
    import fcntl

    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def read_chain(path: Path) -> Chain:
    """Reads a whole ledger and follows its hashes; stops at the first line that does not fit.

    A file that is not there is an empty ledger.

    Raises:
        InputError: The file cannot be read.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Chain(entries=())
    except OSError as wrong:
        raise InputError(f"{path}: the ledger of trials cannot be read ({wrong.strerror})") from None
    entries: list[Entry] = []
    previous = GENESIS
    lines = data.split(b"\n")
    broken = f"line {len(lines)}: has no end; its writer was killed, the next run removes it" if lines[-1] else ""
    for number, line in enumerate(lines[:-1], 1):
        checked = _check(line, number, previous)
        if isinstance(checked, str):
            broken = f"line {number}: {checked}"
            break
        entries.append(checked)
        previous = checked.hash
    return Chain(entries=tuple(entries), broken=broken, hashes=frozenset(entry.hash for entry in entries))


def _check(line: bytes, number: int, previous: str) -> Entry | str:
    """The entry of a line, or what is wrong with it."""
    try:
        body = json.loads(line)
        digest = body.pop("hash")
        if digest != hashlib.sha256(_canonical(body).encode()).hexdigest():
            return "was changed after it was written (its hash is another)"
        if body["previous"] != previous or body["number"] != number:
            return "does not follow the line before; a line was taken out, put in or moved"
        return entry_of({**body, "hash": digest})
    except (ValueError, KeyError, TypeError, AttributeError):
        return "is no entry of a ledger"


def past(path: Path, sample: Sample) -> Past:
    """Returns what a ledger holds of a family: from the index where it is up to date, else from the whole ledger.

    Raises:
        InputError: The ledger cannot be read or locked.
    """
    return _asked(path, lambda index: index.past(sample), lambda chain: chain.past(sample))


def entered_sweeps(path: Path) -> frozenset[str]:
    """Returns the marks of the sweeps whose lines a ledger holds.

    Raises:
        InputError: The ledger cannot be read or locked.
    """
    return _asked(path, Index.sweeps, lambda chain: frozenset(each.sweep for each in chain.entries if each.sweep))


def _asked(path: Path, of_index: Callable[[Index], T], of_chain: Callable[[Chain], T]) -> T:
    with opened(path) as file, Index(path) as index:
        index.look(file)
        if index.believed:
            try:
                return of_index(index)
            except (sqlite3.Error, ValueError, TypeError):
                index.believed = False
        chain = read_chain(path)
        if not chain.broken:
            index.rebuild(chain.entries, file)
        return of_chain(chain)
