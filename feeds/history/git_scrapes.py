"""Reads a git repository that scrapes feeds: each commit that changes a document is a sighting of it.

The repository is a stranger's: nothing in its configuration may run. Hooks, file-system monitors, external diffs, text
conversions, signature checks, transports and fetching of missing objects are switched off, and no variable of the
environment that steers git reaches it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, cast

from feeds.errors import FeedError
from feeds.history.sources import MAX_BYTES, Capture, Lost, ignore

RULE = "time of the commit"
_PATHS = (":(icase)*.xml", ":(icase)*.rss", ":(icase)*.atom")
_YEARS = range(1990, 2101)
_COMMIT = re.compile(rb"\n?([0-9a-f]{40,64}) (-?\d{1,20})\n?")
_SAFE = (
    "core.hooksPath=" + os.devnull,
    "core.fsmonitor=false",
    "core.attributesFile=" + os.devnull,
    "log.showSignature=false",
    "protocol.allow=never",
    "safe.directory=*",  # its owner does not matter where nothing of it runs
)
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    commit: str
    seconds: int  # of the committer's clock, since 1970
    blob: str
    path: str


def is_repository(path: Path) -> bool:
    """Says whether a folder is a git repository, bare or with a working tree."""
    return (path / ".git").exists() or all((path / part).exists() for part in ("HEAD", "objects", "refs"))


def commits(
    repository: Path, *, done: Container[str] = (), lost: Callable[[Lost], object] = ignore
) -> Iterator[Capture]:
    """Yields the .xml, .rss and .atom files of a repository as the commits up to HEAD changed them, parents first.

    `seen` is the committer's time, not the author's: a rebased commit was held when it was written, at the latest.
    A file that a commit deletes is no sighting. The feed's name is the path without its ending.

    Args:
        repository: The working tree or the bare repository.
        done: Keys of captures that are stored already; their bytes are not read again.
        lost: Is called with documents that are too large, damaged, missing (a partial clone) or of an impossible time.

    Raises:
        FeedError: There is no git, no repository, or git fails; the message is git's own.
    """
    git = shutil.which("git")
    if git is None:
        raise FeedError(str(repository), "is read by git, which is not installed; install git")
    if not is_repository(repository):
        raise FeedError(str(repository), "is no git repository; give its top folder")
    with contextlib.ExitStack() as stack:
        runner = _Git(git, repository, stack)
        blobs = _Blobs(runner)
        for change in runner.changes():
            key = f"git:{change.commit}:{change.path}"
            if key in done:
                continue
            seen = _moment(change.seconds)
            body = "the commit's time is impossible" if seen is None else blobs.body(change.blob)
            if isinstance(body, str):
                lost(Lost(key=key, reason=body))
                continue
            yield Capture(
                feed=PurePosixPath(change.path).with_suffix("").as_posix(),
                url=change.path,
                seen=seen,
                body=body,
                provenance="import",
                rule=RULE,
                key=key,
            )


class _Git:
    """Starts git processes in a repository; they end with the stack."""

    def __init__(self, git: str, repository: Path, stack: contextlib.ExitStack) -> None:
        self._start = [git, "--no-pager", "--no-replace-objects"]
        for setting in _SAFE:
            self._start += ["-c", setting]
        self._repository = repository.resolve()
        self._stack = stack
        kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("GIT_")}
        self._environment = kept | {
            "LC_ALL": "C",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_CEILING_DIRECTORIES": str(self._repository.parent),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
        }

    def start(self, *arguments: str, errors: IO[bytes] | None = None) -> subprocess.Popen[bytes]:
        """Starts git with pipes; it is killed where it has not ended when the stack does."""
        process = subprocess.Popen(  # noqa: S603 (a list of our own words; no shell)
            [*self._start, *arguments],
            cwd=self._repository,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors or subprocess.DEVNULL,
        )
        self._stack.callback(_end, process)
        return process

    def changes(self) -> Iterator[_Change]:
        """Yields what each commit added or changed."""
        errors = self._stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 (the stack closes it)
        log = self.start(
            "log", "--reverse", "--date-order", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff",
            "--no-textconv", "--no-show-signature", "--no-notes", "--no-color", "--format=tformat:%H %ct", "HEAD", "--",
            *_PATHS, errors=errors,
        )  # fmt: skip
        commit, seconds = "", 0
        tokens = _tokens(_out(log))
        for token in tokens:
            found = _COMMIT.fullmatch(token)
            if found is not None:
                commit, seconds = found[1].decode(), int(found[2])
            elif token.lstrip(b"\n").startswith(b":"):
                _, mode, _, blob, status = token.lstrip(b"\n").decode("ascii", "replace").split(" ")
                path = next(tokens, b"").decode("utf-8", "backslashreplace")
                if status != "D" and mode.startswith("100"):  # no links, no submodules
                    yield _Change(commit=commit, seconds=seconds, blob=blob, path=path)
        if log.wait() != 0:
            errors.seek(0)
            message = errors.read(2000).decode("utf-8", "replace").strip().partition("\n")[0]
            if "bad revision 'HEAD'" not in message:  # a repository without a commit is an empty history
                raise FeedError(str(self._repository), f"git says: {message[:200]}")


class _Blobs:
    """Asks two git processes for sizes and bytes; a size first, so that no giant is read."""

    def __init__(self, git: _Git) -> None:
        self._git = git
        self._sizes: subprocess.Popen[bytes] | None = None
        self._bodies: subprocess.Popen[bytes] | None = None

    def body(self, blob: str) -> bytes | str:
        """Returns the bytes of a blob, or why they cannot be had."""
        self._sizes = self._sizes or self._git.start("cat-file", "--batch-check")
        answer = _ask(self._sizes, blob)
        if answer[1:2] != [b"blob"]:
            if not answer:  # git died over it, as it does in a partial clone
                self._sizes = None
            return "not in this clone"
        size = int(answer[2])
        if size > MAX_BYTES:
            return f"{size:,} bytes are too many; a feed has at most {MAX_BYTES:,}"
        self._bodies = self._bodies or self._git.start("cat-file", "--batch")
        known = _ask(self._bodies, blob) == answer
        body = _out(self._bodies).read(size + 1)[:-1] if known else b""
        if not known or len(body) != size:
            self._bodies = None
            return "damaged; look with git fsck"
        return body


def _ask(process: subprocess.Popen[bytes], blob: str) -> list[bytes]:
    """Returns the words of the answer: id, kind, size; none where git has died."""
    try:
        _in(process).write(blob.encode("ascii") + b"\n")
        _in(process).flush()
    except OSError:
        return []
    return _out(process).readline().split()


def _in(process: subprocess.Popen[bytes]) -> IO[bytes]:
    return cast("IO[bytes]", process.stdin)  # started with pipes


def _out(process: subprocess.Popen[bytes]) -> IO[bytes]:
    return cast("IO[bytes]", process.stdout)


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):  # it may have ended
        _in(process).close()
    if process.poll() is None:
        process.kill()
    process.wait()
    _out(process).close()


def _moment(seconds: int) -> datetime | None:
    try:
        made = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return made if made.year in _YEARS else None


def _tokens(stream: IO[bytes]) -> Iterator[bytes]:
    """Yields what stands between zero bytes."""
    rest = b""
    while piece := stream.read(_PIECE):
        *whole, rest = (rest + piece).split(b"\0")
        yield from whole
    if rest:
        yield rest
