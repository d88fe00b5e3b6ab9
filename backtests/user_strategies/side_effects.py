"""Sees what a strategy does outside of what it is given: files, code, network, other programs, the process's memory.

Python tells an audit hook of most such steps (PEP 578); `report_all` adds those that it keeps to itself. Neither
tells of what a compiled library does by itself.
"""

from __future__ import annotations

import base64
import hashlib
import importlib
import inspect
import os
import re
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from pathlib import Path
from types import FrameType
from typing import Any

_EVENTS = {
    "open": "opens",
    "import": "imports",
    "sqlite3.connect": "opens",
    "socket.connect": "connects to",
    "socket.sendto": "sends to",
    "socket.sendmsg": "sends to",
    "socket.bind": "listens at",
    "os.listdir": "lists",
    "os.scandir": "lists",
    "os.getxattr": "looks at",
    "os.listxattr": "looks at",
    "cpython.PyInterpreterState_New": "starts another interpreter",
    "compile": "makes code in the name of",
    "code.__new__": "makes code in the name of",
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
_BY_USER = {"os.listdir", "os.scandir", "compile", "code.__new__"}  # libraries may
_UNSEEN = {"readline", "_tkinter", "_dbm", "_gdbm"}  # modules of Python's own whose compiled code opens files
# What Python's hook is not told of, with the modules that have the function too: module, copies, functions.
_UNAUDITED = (
    ("posix", ("os",), "looks at", ("stat", "lstat", "access", "readlink", "statvfs", "pathconf")),
    ("posix", ("os",), "asks about processes:", ("umask", "nice", "getpriority", "sched_getaffinity")),
    ("resource", (), "asks about processes:", ("getrlimit", "prlimit")),
    ("_signal", ("signal",), "waits for signals:", (
        "signal", "sigwait", "sigwaitinfo", "sigtimedwait", "sigpending", "pthread_sigmask", "set_wakeup_fd")),
    ("_posixsubprocess", (), "starts", ("fork_exec",)),
)  # fmt: skip
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
_OTHER_PLACES = tuple(os.path.realpath(each) for each in _OTHERS)
_PYTHONS = tuple(os.path.realpath(each) for each in _PYTHON)
_LIBRARY = (str(Path(os.__file__).parent), os.path.realpath(Path(os.__file__).parent))
_PROGRAM = tuple(str(Path(__file__).resolve().parents[2] / each) for each in ("backtests", "strategies", "feeds"))

_notes: list[list[str]] = []  # of the watches that run now
_looking = False  # the hook reads the lists of installed files


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _notes and event in _EVENTS:
        what = reached(event, arguments)
        for notes in _notes if what is not None else ():
            notes.append(str(what))


def reached(event: str, arguments: tuple[Any, ...]) -> str | None:
    """Says what an audit event reaches outside; None where it does not."""
    if event not in _EVENTS or _looking or (event in _BY_USER and not _user_asks()):
        return None
    if event == "import" and arguments[0] in _UNSEEN:
        return f"{IMPORTS}{arguments[0]}, which reads files unseen"
    if event in {"open", "import"}:  # an import names the file of a compiled module, None for others
        return _opened(arguments[event == "import"])
    if event in {"compile", "code.__new__"}:
        file = arguments[1]
        file = os.fsdecode(file) if isinstance(file, bytes) else str(file)
        return f"{_EVENTS[event]} {file!r}" if _inside(os.path.realpath(file), (*_PYTHONS, *_PROGRAM)) else None
    if event.startswith("ctypes.") and _compiling():
        return None
    if event.startswith("ctypes.dl"):
        return _called(event, arguments)
    return f"{_EVENTS[event]} {_target(event, arguments)}".strip()


def _target(event: str, arguments: tuple[Any, ...]) -> str:
    """What is reached."""
    if event.startswith(("gc.", "os.fork", "mmap.", "ctypes.")) or not arguments:
        return ""
    return repr(arguments[1 if event in {"socket.connect", "socket.sendto", "socket.bind"} else 0])


def _opened(target: object) -> str | None:
    """What is opened; None for code of Python and of this program, and for files that came with a package."""
    if isinstance(target, bytes):
        target = os.fsdecode(target)
    if not isinstance(target, str):  # a number: a file that is open already
        return None
    full = os.path.realpath(target)
    written = re.sub(r"\.pyc\.\d+$", ".pyc", full)  # Python writes compiled code beside its place and renames it
    if Path(written).suffix in _CODE and _asked_by("<frozen importlib", "linecache.py", "tokenize.py"):
        return None if _inside(full, (*_PYTHONS, *_PROGRAM)) else f"{IMPORTS}{target!r}"
    excused = _inside(full, _OTHER_PLACES) or (
        _inside(full, _PYTHONS)
        and (
            _came_with_a_package(full)
            or (".dist-info" in full and _asked_by("importlib/metadata", "importlib\\metadata"))
        )
    )
    return None if excused else f"{_EVENTS['open']} {target!r}"


def _came_with_a_package(full: str) -> bool:
    """Whether a file is, to the byte, the one that an installed package brought along."""
    global _looking  # noqa: PLW0603 (what the hook itself opens is not the strategy's)
    _looking = True
    try:
        for place in _PYTHONS:
            if full.startswith(place + os.sep):
                digest = hashlib.sha256(Path(full).read_bytes()).digest()
                text = base64.urlsafe_b64encode(digest).decode().rstrip("=")
                if f"\n{full[len(place) + 1 :]},sha256={text}," in _records(place):
                    return True
    except OSError:
        return False
    finally:
        _looking = False
    return False


@cache
def _records(place: str) -> str:
    """The lists of files, with their hashes, of the packages installed in a place."""
    return "\n".join(each.read_text(encoding="utf-8") for each in sorted(Path(place).glob("*.dist-info/RECORD")))


def _asked_by(*files: str) -> bool:
    """Whether the step is one of these files', of Python's own."""
    return any(name in frame.f_code.co_filename for frame in _asking() if _is_python(frame) for name in files)


def _user_asks() -> bool:
    """Whether a step is neither that of an installed package, of the program nor of the import of a module."""
    frames = list(_asking())
    if not frames or any(frame.f_code.co_filename.startswith("<frozen importlib") for frame in frames):
        return False
    last = frames[-1]
    return not _is_python(last) and not _inside(str(Path(last.f_code.co_filename).absolute()), (*_PYTHONS, *_PROGRAM))


def _asking() -> Iterator[FrameType]:
    """The frames behind a step, from the inmost to the first that is not of Python's own library."""
    frame: FrameType | None = inspect.currentframe()
    while frame is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    while frame is not None:
        yield frame
        if not _is_python(frame):
            return
        frame = frame.f_back


def _is_python(frame: FrameType) -> bool:
    """Whether a frame is of Python's own library, packages apart."""
    file = frame.f_code.co_filename
    return file.startswith("<frozen ") or (file.startswith(_LIBRARY) and "site-packages" not in file)


def report_all(report: Callable[[str], None]) -> None:
    """Reports from now to the end of this process what it reaches for, what Python's hook is not told of included."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        what = reached(event, arguments)
        if what is not None:
            report(what)

    _report_unaudited(report)
    sys.addaudithook(hook)


def _report_unaudited(report: Callable[[str], None]) -> None:
    for module, copies, verb, names in _UNAUDITED:
        try:
            places = [importlib.import_module(each) for each in (module, *copies)]
        except ImportError:  # another system has no such module
            continue
        for name in (each for each in names if hasattr(places[0], each)):
            original = getattr(places[0], name)
            reporting = _reporting(original, verb, report)
            for place in places:
                if place is places[0] or getattr(place, name, None) is original:  # `signal` has some of its own
                    setattr(place, name, reporting)
    if hasattr(sys.modules.get("subprocess"), "_fork_exec"):  # under a name of its own there
        setattr(sys.modules["subprocess"], "_fork_exec", sys.modules["_posixsubprocess"].fork_exec)  # noqa: B010


def _reporting(original: Callable[..., Any], verb: str, report: Callable[[str], None]) -> Callable[..., Any]:
    @wraps(original)
    def asked(*arguments: Any, **named: Any) -> Any:
        if _user_asks():
            report(f"{verb} {arguments[0] if verb == 'looks at' and arguments else original.__name__!r}")
        return original(*arguments, **named)

    return asked


def _called(event: str, arguments: tuple[Any, ...]) -> str | None:
    """What is called through ctypes; None for the libraries of Python's own packages."""
    library = arguments[0] if event == "ctypes.dlopen" else getattr(arguments[0], "_name", None)
    if isinstance(library, str) and _inside(os.path.realpath(library), _PYTHONS):
        return None
    return f"{_EVENTS[event]} {library!r}"


def _compiling() -> bool:
    """Whether numba or its compiler asks: a rule may compile its own functions."""
    *_, last = _asking()
    place = os.path.realpath(last.f_code.co_filename)
    return _inside(place, tuple(f"{each}{os.sep}{name}" for each in _PYTHONS for name in ("numba", "llvmlite")))


def _inside(full: str, folders: tuple[str, ...]) -> bool:
    return any(full == each or full.startswith(each + os.sep) for each in folders)


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
