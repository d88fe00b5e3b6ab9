"""The ledger of trials: every run and sweep, one line of JSON each, appended and chained by hashes.

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
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from feeds.errors import InputError

GENESIS = "0" * 64
_LONGEST = 64 * 1024 * 1024  # bytes of a line; a longer one is none of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One configuration that was tried, and how it did.

    Attributes:
        key: SHA-256 of strategy, parameters, terms and data: the same configuration run again is no new trial.
        sharpe: Mean over deviation of the session returns, not annualised; None without variance.
        returns: Session returns as fractions; empty in a sweep, where only the Sharpe ratios are kept.
    """

    key: str
    strategy: str
    baseline: bool
    params: dict[str, Any]
    profit_usd: float
    sharpe: float | None
    returns: tuple[float, ...] = ()

    def document(self) -> dict[str, Any]:
        """As the ledger has it."""
        return {
            "key": self.key,
            "strategy": self.strategy,
            "baseline": self.baseline,
            "params": self.params,
            "profit_usd": self.profit_usd,
            "sharpe": self.sharpe,
            "returns": list(self.returns),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the ledger."""

    number: int
    at: str
    kind: str  # "run" or "sweep"
    episode: str
    start: str  # first and last session: trials over different windows are not one family
    end: str
    trials: tuple[Trial, ...]
    previous: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A ledger that was read: its entries, and what is wrong with it ("" when nothing is)."""

    entries: tuple[Entry, ...]
    broken: str = ""
    hashes: frozenset[str] = field(default_factory=frozenset)

    @property
    def head(self) -> str:
        """The last line's hash."""
        return self.entries[-1].hash if self.entries else GENESIS

    def family(self, episode: str, start: str, end: str) -> tuple[Trial, ...]:
        """The different configurations tried on an episode's window, in the order in which they came first."""
        found: dict[str, Trial] = {}
        for entry in self.entries:
            if (entry.episode, entry.start, entry.end) == (episode, start, end):
                for trial in entry.trials:
                    found.setdefault(trial.key, trial)
        return tuple(found.values())


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
    path: Path, *, kind: str, episode: str, start: str, end: str, trials: Sequence[Trial], at: datetime | None = None
) -> Entry:
    """Adds a line to the ledger and returns it; makes the file when there is none.

    Raises:
        InputError: The file cannot be written, or its last line is none of a ledger.
    """
    with _opened(path) as file:
        last = _last_line(file, path)
        body = {
            "number": last[0] + 1,
            "at": (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "kind": kind,
            "episode": episode,
            "start": start,
            "end": end,
            "trials": [trial.document() for trial in trials],
            "previous": last[1],
        }
        digest = hashlib.sha256(_canonical(body).encode()).hexdigest()
        file.write((_canonical({**body, "hash": digest}) + "\n").encode())
        file.flush()
        os.fsync(file.fileno())
    return _entry({**body, "hash": digest})


def check(path: Path) -> None:
    """Makes sure that the ledger can be written.

    Raises:
        InputError: It cannot, or its last line is none of a ledger.
    """
    with _opened(path) as file:
        _last_line(file, path)


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The ledger's file, open and locked."""
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
    """Reads a ledger and follows its hashes; stops at the first line that does not fit.

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
        return _entry({**body, "hash": digest})
    except (ValueError, KeyError, TypeError, AttributeError):
        return "is no entry of a ledger"


def _entry(body: dict[str, Any]) -> Entry:
    trials = tuple(
        Trial(
            key=row["key"],
            strategy=row["strategy"],
            baseline=row["baseline"],
            params=row["params"],
            profit_usd=row["profit_usd"],
            sharpe=row["sharpe"],
            returns=tuple(row["returns"]),
        )
        for row in body["trials"]
    )
    return Entry(**{**body, "trials": trials})
