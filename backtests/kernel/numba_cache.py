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
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import FunctionType
from typing import Any

_OURS = ("strategies.", "backtests.kernel.")
_KEPT = 3  # folders of older sources that are left alone


def compiled(
    function: Callable[..., Any], name: str = "", *, keep: bool = False, inline: bool = False, **names: Any
) -> Any:
    """Compiles a function and, with it, our own functions that it calls.

    Args:
        function: Plain loops over floats and arrays.
        name: What makes it another function than its namesakes with other `names`, for the kept machine code.
        keep: Whether its machine code is kept on disk; that of its helpers is in it.
        inline: Whether it is compiled into its callers, not beside them.
        **names: What global names of the function stand for instead of what they are.
    """
    import numba

    if not isinstance(function, FunctionType):
        raise TypeError(f"{function!r} is no function written in Python")
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "inline": "always" if inline else "never"}
    own = {**{key: helper(value) for key, value in _called(function).items()}, **names}
    made = FunctionType(function.__code__, {**function.__globals__, **own}, function.__name__, function.__defaults__)
    made.__module__ = function.__module__
    made.__qualname__ = f"{function.__qualname__}{name}"
    if not keep:
        return numba.njit(made, **options)
    settings: Any = numba.config
    before = settings.CACHE_DIR
    settings.CACHE_DIR = str(code_folder())  # read when the function is made; others' functions keep theirs
    try:
        return numba.njit(made, cache=True, **options)
    finally:
        settings.CACHE_DIR = before


@cache
def helper(function: Callable[..., Any]) -> Any:
    """Compiles a function into whatever calls it: handing arrays over costs more than what a short loop does."""
    return compiled(function, inline=True)


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
