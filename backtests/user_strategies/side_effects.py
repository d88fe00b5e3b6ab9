"""Sees what a strategy does outside of what it is given: files, code, network, other programs, the process's memory.

Python tells an audit hook of every such step (PEP 578). It does not tell of what a compiled library does by itself.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

_EVENTS = {
    "open": "opens",
    "import": "imports",
    "sqlite3.connect": "opens",
    "socket.connect": "connects to",
    "socket.sendto": "sends to",
    "socket.bind": "listens at",
    "socket.getaddrinfo": "looks up",
    "subprocess.Popen": "starts",
    "os.system": "starts",
    "os.exec": "starts",
    "os.spawn": "starts",
    "os.posix_spawn": "starts",
    "os.fork": "starts a copy of itself",
    "os.forkpty": "starts a copy of itself",
    "mmap.__new__": "maps memory",
    "ctypes.dlopen": "calls compiled code of",
    "ctypes.dlsym": "calls compiled code of",
    "ctypes.cdata": "reads memory at an address",
    "ctypes.string_at": "reads memory at an address",
    "ctypes.wstring_at": "reads memory at an address",
    "gc.get_objects": "searches the memory",
    "gc.get_referrers": "searches the memory",
    "gc.get_referents": "searches the memory",
}
IMPORTS = "imports "  # begins the note of code that is loaded from neither Python nor this program
_CODE = {".py", ".pyc", ".so", ".pyd", ".dll", ".dylib", ".pth"}
_PYTHON = {*map(sysconfig.get_path, ("stdlib", "platstdlib", "purelib", "platlib")), str(Path(os.__file__).parent)}
_ZIP = f"{Path(os.__file__).parents[1]}/python{sys.version_info.major}{sys.version_info.minor}.zip"
_OTHERS = (
    _ZIP,
    "/dev/null",
    "/dev/urandom",
    "/usr/share/zoneinfo",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/devices/system",
)
_PYTHONS = tuple(os.path.realpath(each) for each in (*_PYTHON, *_OTHERS))
_PROGRAM = tuple(str(Path(__file__).resolve().parents[2] / each) for each in ("backtests", "strategies", "feeds"))

_notes: list[list[str]] = []  # of the watches that run now, the innermost last


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _notes or event not in _EVENTS:
        return
    if event in {"open", "import"}:  # an import names the file of a compiled module, None for others
        what = _opened(arguments[event == "import"])
    elif event.startswith("ctypes.") and _compiling():
        return
    elif event.startswith("ctypes.dl"):
        what = _called(event, arguments)
    else:
        what = f"{_EVENTS[event]} {_target(event, arguments)}".strip()
    if what is not None:
        _notes[-1].append(what)


def _target(event: str, arguments: tuple[Any, ...]) -> str:
    """What is reached."""
    if event.startswith(("gc.", "os.fork", "mmap.", "ctypes.")) or not arguments:
        return ""
    return repr(arguments[1 if event in {"socket.connect", "socket.sendto", "socket.bind"} else 0])


def _opened(target: object) -> str | None:
    """What is opened; None for code and files of Python and code of this program, and for the strategy's own file."""
    if isinstance(target, bytes):
        target = os.fsdecode(target)
    if not isinstance(target, str):  # a number: a file that is open already
        return None
    full = os.path.realpath(target)
    written = re.sub(r"\.pyc\.\d+$", ".pyc", full)  # Python writes compiled code beside its place and renames it
    if Path(written).suffix not in _CODE:
        ours = _inside(full, _PYTHONS) and not _inside(full, _PROGRAM)
        return None if ours else f"{_EVENTS['open']} {target!r}"
    return None if _inside(full, (*_PYTHONS, *_PROGRAM)) or full in _own_files() else f"{IMPORTS}{target!r}"


def _called(event: str, arguments: tuple[Any, ...]) -> str | None:
    """What is called through ctypes; None for the libraries of Python's own packages."""
    library = arguments[0] if event == "ctypes.dlopen" else getattr(arguments[0], "_name", None)
    if isinstance(library, str) and _inside(os.path.realpath(library), _PYTHONS):
        return None
    return f"{_EVENTS[event]} {library!r}"


def _compiling() -> bool:
    """Whether numba or its compiler asks: a rule may compile its own functions."""
    here = inspect.currentframe()
    frame: FrameType | None = None if here is None or here.f_back is None else here.f_back.f_back  # the hook's caller
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in {"ctypes", "_ctypes"}:
        frame = frame.f_back
    place = "" if frame is None else os.path.realpath(frame.f_code.co_filename)
    return _inside(place, tuple(f"{each}{os.sep}{name}" for each in _PYTHONS for name in ("numba", "llvmlite")))


def _inside(full: str, folders: tuple[str, ...]) -> bool:
    return any(full == each or full.startswith(each + os.sep) for each in folders)


def _own_files() -> set[str]:
    """The files of the users' strategies that are loaded; a warning shows their lines."""
    modules = [module for name, module in list(sys.modules.items()) if name.startswith("own_")]
    return {os.path.realpath(module.__file__) for module in modules if module.__file__}


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
