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
import tempfile
import time
from pathlib import Path
from typing import Any

from feeds.errors import InputError
from feeds.scoring.compiled import MADE, MODULES, ROOM, folder

_SELF = "feeds.scoring.compiling"
_GROUP = "feeds.scoring.engines"  # the library that all compiled modules share
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
    kept = folder()
    if kept.is_dir():
        return kept
    with tempfile.TemporaryDirectory(prefix="aftershock-") as name:
        work = Path(name)
        room = work / "feeds" / "scoring"
        room.mkdir(parents=True)
        for source in (*ROOM.glob("*.py"), *ROOM.parent.glob("*.py")):
            shutil.copy(source, room if source.parent == ROOM else room.parent)
        done = subprocess.run(  # noqa: S603 (this very file)
            [sys.executable, "-c", f"from {_SELF} import build; build()"],
            cwd=work,
            env={**os.environ, "CFLAGS": f"{os.environ.get('CFLAGS', '')} {_FLAGS}".strip(), "PYTHONPATH": str(work)},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip() or "mypyc said nothing").splitlines()
            raise InputError(f"scoring cannot be compiled, it needs a C compiler and the extra 'compiled': {said[-1]}")
        try:
            _keep(work / "lib" / "feeds" / "scoring", kept)
        except OSError as wrong:
            raise InputError(f"{MADE}: what was compiled cannot be kept there: {wrong.strerror}") from wrong
    return kept


def _keep(libraries: Path, kept: Path) -> None:
    """Puts libraries into a folder, whole or not at all, and removes those made of other sources for this Python."""
    kept.parent.mkdir(exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".", dir=kept.parent))
    fresh.chmod(0o755)
    for library in libraries.iterdir():
        shutil.copy(library, fresh)
    for old in kept.parent.glob(f"[!.]*{kept.suffix}"):
        if old != kept and old.is_dir():
            shutil.rmtree(old, ignore_errors=True)
    if kept.is_dir():  # another process was sooner
        shutil.rmtree(fresh)
    else:
        fresh.rename(kept)


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
        print(f"aftershock: {wrong}", file=sys.stderr)  # noqa: T201 (a command)
        return 2
    size = sum(library.stat().st_size for library in kept.iterdir()) / 1e6
    print(f"compiled {len(MODULES)} modules in {time.monotonic() - started:.0f} s: {kept} ({size:.1f} MB)")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
