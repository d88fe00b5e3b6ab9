"""Sees what a decision does outside of what it is given: files, network, other programs, the heap.

Python tells an audit hook of every such step (PEP 578). It does not tell of what a compiled library does by itself.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

_EVENTS = {
    "open": "opens",
    "sqlite3.connect": "opens",
    "socket.connect": "connects to",
    "socket.getaddrinfo": "looks up",
    "subprocess.Popen": "starts",
    "os.system": "starts",
    "os.exec": "starts",
    "os.posix_spawn": "starts",
    "gc.get_objects": "searches the memory",
    "gc.get_referrers": "searches the memory",
    "gc.get_referents": "searches the memory",
}
_CODE = {".py", ".pyc", ".so", ".pyd", ".dll", ".dylib", ".pth"}
_PYTHON = {sys.prefix, sys.base_prefix, sys.exec_prefix, "/dev", "/usr/share/zoneinfo"}
_OURS = tuple(str(Path(each).resolve()) + os.sep for each in _PYTHON)

_notes: list[list[str]] = []  # of the watches that run now, the innermost last


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _notes or event not in _EVENTS:
        return
    what = "" if event.startswith("gc.") else _target(event, arguments)
    if what is not None:
        _notes[-1].append(f"{_EVENTS[event]} {what}".strip())


def _target(event: str, arguments: tuple[Any, ...]) -> str | None:
    """Names what is reached; None for code that Python loads, and for Python's own files."""
    target = arguments[1] if event == "socket.connect" and len(arguments) > 1 else arguments[0] if arguments else ""
    if event != "open":
        return repr(target)
    if isinstance(target, bytes):
        target = os.fsdecode(target)
    if not isinstance(target, str):  # a number: a file that is open already
        return None
    full = os.path.abspath(target)  # noqa: PTH100 (pathlib would ask the disk)
    return None if Path(full).suffix in _CODE or full.startswith(_OURS) else repr(target)


@cache
def _add_hook() -> None:
    """Adds the audit hook, once a process: it is there for good."""
    sys.addaudithook(_hook)


@contextmanager
def watched() -> Iterator[list[str]]:
    """Notes, in the list it gives, what the code inside reaches for, in order: "opens 'prices.csv'"."""
    _add_hook()
    notes: list[str] = []
    _notes.append(notes)
    try:
        yield notes
    finally:
        _notes.pop()
