"""Makes machine code of the scorer's engines, with mypyc: the same scores in less time.

    python -m feeds.scoring.compiling

It takes half a minute, a C compiler and the extra `compiled`, and is done once; `feeds.scoring.compiled` says when what
was made is used. Without it everything works, only slower.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import Any

from feeds.errors import InputError
from feeds.scoring.compiled import MADE, MODULES, ROOM, folder

_SELF = "feeds.scoring.compiling"
_GROUP = "feeds.scoring.engines"  # the library that all compiled modules share
_NOT_OURS = ("MYPYPATH", "MYPY_CACHE_DIR")  # settings of the user's other work with mypy
_CANNOT = "scoring cannot be compiled, it needs a C compiler and the extra 'compiled'"
_LONGEST = 300  # characters of a compiler's complaint
_FLAGS = "" if sys.platform == "win32" else "-ffp-contract=off"  # a product and a sum stay two roundings, as in Python
if sys.platform == "linux":
    _FLAGS += " -fno-plt -fvisibility=hidden -g0"  # calls cost the processor less room


def compile_engines() -> Path:
    """Compiles the engines, unless that is done; what was made of other sources before goes.

    Returns:
        The folder with the machine code.

    Raises:
        InputError: mypyc or a C compiler is missing or fails, or the folder cannot be written to.
    """
    try:
        kept = folder()
        if not kept.is_dir():
            with tempfile.TemporaryDirectory(prefix="aftershock-") as work:
                _keep(_compiled_in(Path(work)), kept)
    except OSError as wrong:
        place = wrong.filename or MADE
        raise InputError(f"{place}: scoring cannot be compiled there: {wrong.strerror or wrong}") from wrong
    return kept


def _compiled_in(work: Path) -> Path:
    """Compiles a copy of the sources in a folder; returns where the libraries lie."""
    compiler = os.environ.get("CC") or sysconfig.get_config_var("CC")  # none where Python finds it by other means
    if compiler and shutil.which(compiler.split()[0]) is None:
        raise InputError(f"{_CANNOT}: there is no {compiler.split()[0]}")
    room = work / "feeds" / "scoring"
    room.mkdir(parents=True)
    for source in (*ROOM.glob("*.py"), *ROOM.parent.glob("*.py")):
        shutil.copy(source, room if source.parent == ROOM else room.parent)
    known = {name: value for name, value in os.environ.items() if name not in _NOT_OURS}
    known["CFLAGS"] = f"{known.get('CFLAGS', '')} {_FLAGS}".strip()
    known["PYTHONPATH"] = os.pathsep.join(filter(None, (str(work), *known.get("PYTHONPATH", "").split(os.pathsep))))
    done = subprocess.run(  # noqa: S603 (this very file)
        [sys.executable, "-c", f"from {_SELF} import build; build()"],
        cwd=work, env=known, capture_output=True, encoding="utf-8", errors="replace", check=False,
    )  # fmt: skip
    if done.returncode:
        said = [line for line in f"{done.stdout}\n{done.stderr}".splitlines() if line.strip()] or ["no word why"]
        why = next((line for line in said if "error:" in line), said[-1]).strip()[:_LONGEST]
        raise InputError(f"{_CANNOT}: {why}")
    return work / "lib" / "feeds" / "scoring"


def _keep(libraries: Path, kept: Path) -> None:
    """Puts libraries into a folder, whole or not at all, and removes those made of other sources for this Python."""
    kept.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".", dir=kept.parent) as fresh:
        whole = shutil.copytree(libraries, Path(fresh) / "whole")
        try:
            whole.rename(kept)
        except OSError:
            if not kept.is_dir():  # it is there where another process was sooner
                raise
    for old in kept.parent.glob(f"[!.]*{kept.suffix}"):
        if old != kept:
            shutil.rmtree(old, ignore_errors=True)


def build() -> None:
    """Compiles what lies in the working folder, in a process of its own: mypyc ends its process where it fails."""
    from mypyc.build import mypycify
    from setuptools import Distribution

    sources = [str(Path("feeds", "scoring", f"{name}.py")) for name in MODULES]
    extensions = mypycify(
        ["--config-file=", "--ignore-missing-imports", *sources],
        opt_level="2", debug_level="0", group_name=_GROUP, target_dir="c",
    )  # fmt: skip
    command: Any = Distribution({"name": "engines", "ext_modules": extensions}).get_command_obj("build_ext")
    command.build_lib, command.build_temp = "lib", "temp"
    command.ensure_finalized()
    command.run()


def main() -> int:
    """Compiles, and says what was made or what is missing."""
    started = time.monotonic()
    try:
        kept = compile_engines()
    except InputError as wrong:
        sys.stderr.write(f"aftershock: {wrong}\n")
        return 2
    size = sum(library.stat().st_size for library in kept.iterdir()) / 1e6
    sys.stdout.write(f"compiled {len(MODULES)} modules in {time.monotonic() - started:.0f} s: {kept} ({size:.1f} MB)\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
