"""Where machine code made from this package's own sources is found, and when it is used.

`feeds.scoring.compiling` makes it. It lies in a folder named by a digest of the sources it was made from and by the
Python it was made for, and is taken only where both are the same: an edited source is read as it stands. Scores are the
same either way.
"""

from __future__ import annotations

import os
import sys
from hashlib import sha256
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

ROOM = Path(__file__).parent
MADE = ROOM / "_compiled"
SWITCH = "AFTERSHOCK_COMPILED"  # an environment variable: 0 leaves machine code alone
MODULES = (  # those in which a headline's time is spent
    "begins", "clauses", "directions", "disruption", "edges", "entities", "german", "glance", "headline", "language",
    "matching", "memory", "phrases", "reaction", "rows", "rules", "shortcuts", "tone", "vader", "vader_turns",
)  # fmt: skip


def digest() -> str:
    """Returns sixteen hex digits of all sources that compiled ones are made of or rely on, and of how they are made."""
    made_of = sha256()
    for source in sorted((*ROOM.glob("*.py"), *ROOM.parent.glob("*.py"))):
        made_of.update(source.name.encode() + b"\0" + source.read_bytes())
    return made_of.hexdigest()[:16]


def folder(made: Path = MADE) -> Path:
    """Returns where machine code of these sources for this Python lies, if it was made."""
    return made / f"{digest()}{EXTENSION_SUFFIXES[0].rpartition('.')[0]}"


def _used() -> bool:
    """Lets the modules of this package be found as machine code, where it is there and made from these sources."""
    if os.environ.get(SWITCH) == "0" or not MADE.is_dir():
        return False
    if not (found := folder()).is_dir():
        return False
    path = sys.modules[__package__].__path__
    path.insert(0, str(found))
    try:
        import_module(f"{__package__}.engines__mypyc")  # what all of them share
    except ImportError:  # damaged, or made where the system is a newer one: the sources do as well
        path.remove(str(found))
        return False
    return True


COMPILED = _used()
"""Whether headlines are scored by machine code."""
