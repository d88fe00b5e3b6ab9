"""Compiles plain functions by numba and keeps their machine code.

A function's helpers are found in its globals and compiled with it, so that a rule's step is written once, in plain
Python, and imports nothing for this. numba notices a change in a function's own file, but none in a helper's file:
therefore the folder of the machine code is named by a hash of all sources and versions that go into it.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import FunctionType
from typing import Any

from feeds.collector import without_collector

_OURS = ("strategies.", "backtests.kernel.")
FIRST = "Compiling the engine for the first time, about 10 s; kept for later runs"
_KEPT = 3  # folders of older sources that are left alone


def compiled(
    function: Callable[..., Any], signature: str = "", *, name: str = "", inline: bool = False, **names: Any
) -> Any:
    """Compiles a function and, with it, our own functions that it calls.

    Args:
        function: Plain loops over floats and arrays.
        signature: What it takes and returns, as numba writes types: it is compiled for this alone, at once, and its
            machine code, that of its helpers in it, is kept on disk. Without, when it is called, and not kept.
        name: What makes it another function than its namesakes, for the kept machine code.
        inline: Whether it is compiled into its callers, not beside them.
        **names: What global names of the function stand for instead of what they are.
    """
    import numba

    if not isinstance(function, FunctionType):
        raise TypeError(f"{function!r} is no function written in Python")
    options: dict[str, Any] = {
        "nogil": True, "error_model": "numpy", "forceinline": inline,
        "no_cpython_wrapper": inline, "no_cfunc_wrapper": inline,
    }  # fmt: skip
    own = {**{key: helper(value) for key, value in _called(function).items()}, **names}
    made = FunctionType(function.__code__, {**function.__globals__, **own}, function.__name__, function.__defaults__)
    made.__module__ = function.__module__
    made.__qualname__ = f"{function.__qualname__}{name}"
    if not signature:
        return numba.njit(made, **options)
    settings: Any = numba.config
    before = settings.CACHE_DIR
    settings.CACHE_DIR = str(code_folder())  # read when the function is made; others' functions keep theirs
    try:
        with without_collector():  # numba makes objects by the million, and none of them can go before it is done
            return numba.njit(signature, cache=True, **options)(made)
    finally:
        settings.CACHE_DIR = before


@cache
def helper(function: Callable[..., Any]) -> Any:
    """Compiles a function into whatever calls it: handing arrays over costs more than what a short loop does."""
    from numba.core import types

    plain: Any = types.unliteral
    made = compiled(function, inline=True)
    template = made.get_call_template
    # A constant in a call is a type of its own, for which numba would compile it anew; the constant is put in later
    made.get_call_template = lambda args, kws: template(tuple(map(plain, args)), kws)
    return made


@contextmanager
def announced() -> Iterator[None]:
    """Says on stderr, in one line, that the engine is compiled, when numba begins to; nothing where it was kept."""
    from numba.core import event

    class Announcement(event.Listener):
        said = False

        def on_start(self, _event: Any) -> None:
            if not self.said:
                sys.stderr.write(f"{FIRST}\n")
                sys.stderr.flush()
            self.said = True

        def on_end(self, _event: Any) -> None:
            pass

    with event.install_listener("numba:compile", Announcement()):
        yield


def address(made: Any) -> int:
    """Returns where the machine code of a function lies that was compiled for one signature."""
    (result,) = made.overloads.values()
    return int(result.library.get_pointer_to_function(result.fndesc.llvm_func_name))


def called_at(signature: str) -> Any:
    """Returns what calls, in a compiled function, another one of a signature by its address, the first argument.

    A loop around a function that it knows by its address is compiled once for all of them.
    """
    from numba import core, extending

    untyped: Any = core
    cgutils, types = untyped.cgutils, untyped.types
    takes, gives = untyped.sigutils.normalize_signature(signature)

    @extending.intrinsic
    def call(_context: Any, _place: Any, *_arguments: Any) -> Any:
        def build(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
            kind = context.call_conv.get_function_type(gives, takes)
            there = builder.inttoptr(values[0], kind.as_pointer())
            arguments = cgutils.unpack_tuple(builder, values[1])
            status, result = context.call_conv.call_function(builder, there, gives, takes, arguments)
            with cgutils.if_unlikely(builder, status.is_error):
                context.call_conv.return_status_propagate(builder, status)
            return result

        return gives(types.intp, types.StarArgTuple(takes)), build

    return call


def _called(function: FunctionType) -> dict[str, FunctionType]:
    """Finds, among the globals that a function names, this project's functions and those of its own file."""
    found = {name: function.__globals__.get(name) for name in function.__code__.co_names}
    return {
        name: value
        for name, value in found.items()
        if isinstance(value, FunctionType) and (value.__module__ or "").startswith((*_OURS, function.__module__))
    }


@cache
def code_folder() -> Path:
    """Returns a folder that can be written to for this version of the sources; old ones are removed.

    AFTERSHOCK_CACHE names its parent; without, the platform's folder for caches; where that cannot be written to, a
    new folder that lasts as long as the process.
    """
    import platformdirs

    named = os.environ.get("AFTERSHOCK_CACHE")
    parent = Path(named) if named else platformdirs.user_cache_path("aftershock", appauthor=False)
    folder = parent / "kernel" / _sources()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        _tidy(folder)
    except OSError:
        own = tempfile.mkdtemp(prefix="aftershock-kernel-")
        atexit.register(shutil.rmtree, own, ignore_errors=True)
        return Path(own)
    return folder


def _sources() -> str:
    """Hashes everything that the machine code is made of."""
    import strategies

    digest = hashlib.sha256(f"{sys.version}\0{version('numba')}\0{version('numpy')}\0".encode())
    for folder in (Path(__file__).parent, Path(strategies.__path__[0])):
        for path in sorted(folder.rglob("*.py")):
            digest.update(f"{path}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _tidy(folder: Path) -> None:
    """Removes all but the newest folders of other sources."""
    others = [each for each in folder.parent.iterdir() if each.is_dir() and each != folder]
    for each in sorted(others, key=lambda path: path.stat().st_mtime)[:-_KEPT]:
        shutil.rmtree(each, ignore_errors=True)
