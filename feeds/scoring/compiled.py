"""Where machine code made from this package's own sources is found, and when it is used.

`feeds.scoring.compiling` makes it. It lies in a folder named by a digest of the sources it was made from, and is taken
only where they are still the same: an edited source is read as it stands. Scores are the same either way.
"""

from __future__ import annotations

import os
import sys
from hashlib import sha256
from pathlib import Path

ROOM = Path(__file__).parent
MADE = ROOM / "_compiled"
SWITCH = "AFTERSHOCK_COMPILED"  # an environment variable: 0 leaves machine code alone
MODULES = (  # those in which a headline's time is spent
    "begins", "clauses", "directions", "disruption", "edges", "entities", "german", "glance", "headline", "language",
    "matching", "memory", "phrases", "reaction", "rows", "rules", "shortcuts", "tone", "vader", "vader_turns",
)  # fmt: skip


def digest(room: Path = ROOM) -> str:
    """Returns sixteen hex digits of the sources that are compiled, and of how."""
    made_of = sha256()
    for name in (*MODULES, "compiling", "score"):  # score: its classes are built in
        made_of.update(name.encode() + b"\0" + (room / f"{name}.py").read_bytes())
    return made_of.hexdigest()[:16]


def _used() -> bool:
    """Lets the modules of this package be found as machine code, where it is there and made from these sources."""
    if os.environ.get(SWITCH) == "0" or not MADE.is_dir():
        return False
    folder = MADE / digest()
    if not any(folder.glob(f"glance.{sys.implementation.cache_tag}*")):
        return False
    sys.modules[__package__].__path__.insert(0, str(folder))
    return True


COMPILED = _used()
"""Whether headlines are scored by machine code."""
