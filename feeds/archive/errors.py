"""What can go wrong with an archive, in one line each."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from feeds.errors import InputError


class ArchiveError(InputError):
    """The archive cannot be opened, read or written."""


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """Turns SQLite's errors into one line that says what to do."""
    try:
        yield
    except sqlite3.DatabaseError as wrong:
        text = str(wrong)
        if "full" in text or "disk I/O" in text:
            raise ArchiveError(
                f"{path}: the disk is full ({text}); free some space and run again, what was stored is kept"
            ) from wrong
        if "locked" in text or "busy" in text:
            raise ArchiveError(f"{path}: another process keeps it locked; wait for it to end and run again") from wrong
        if "readonly" in text or "unable to open" in text:
            raise ArchiveError(f"{path}: cannot be opened for writing ({text}); check folder and rights") from wrong
        if "not a database" in text or "malformed" in text:
            raise ArchiveError(f"{path}: is no archive, or is damaged ({text}); restore a copy") from wrong
        raise ArchiveError(f"{path}: {text}") from wrong
