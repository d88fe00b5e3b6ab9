"""Holds the archive's SQLite connection: transactions, and errors as one line that says what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from feeds.errors import InputError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class ArchiveError(InputError):
    """The archive cannot be opened, read or written."""


def microseconds(moment: datetime) -> int:
    """Returns microseconds since 1970 in UTC, exactly.

    Raises:
        ValueError: The moment has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone; give an aware datetime in UTC")
    return (moment - _EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    """Returns the aware datetime in UTC of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=value)


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


@contextmanager
def damaged_values(path: Path) -> Iterator[None]:
    """Turns what values raise that no archive stores (a title of bytes, a time beyond the calendar) into one line."""
    try:
        yield
    except (ArithmeticError, LookupError, TypeError, ValueError) as wrong:
        raise ArchiveError(
            f"{path}: holds a value that was not stored by this program ({wrong}); "
            "`backtest feeds verify` names it, restore a copy"
        ) from wrong


class Database:
    """An open archive file, shared by everything that reads and writes it.

    Args:
        connection: In autocommit mode; transactions are begun here.
        path: The file, for messages.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.connection = connection
        self.path = path
        self._on_rollback: list[Callable[[], object]] = []

    def on_rollback(self, forget: Callable[[], object]) -> None:
        """Registers what must drop its memory when a transaction is undone: rows it remembers may not be there."""
        self._on_rollback.append(forget)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Runs a block in one transaction, which is on the disk when the block has ended.

        Raises:
            ArchiveError: The disk is full, or the file is locked or damaged; nothing of the block is stored then.
        """
        with plain_errors(self.path):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                for forget in self._on_rollback:
                    forget()
                raise
