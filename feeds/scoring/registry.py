"""Finds scorers by name: the default, its vintages, those of installed packages, files of the user's own."""

from __future__ import annotations

from functools import cache

from feeds.errors import InputError, did_you_mean
from feeds.scoring.model import VINTAGES
from feeds.scoring.own_scorer import entry_points, is_file, load_file, made
from feeds.scoring.score import Scorer
from feeds.scoring.vintages import DEFAULT, NAME


@cache
def scorers() -> dict[str, Scorer]:
    """Returns all scorers by name, the default first."""
    found = {name: made(name, each.load()) for name, each in entry_points().items()}
    return {each.name: each for each in (DEFAULT, *DEFAULT.vintages)} | found


def scorer_named(name: str, *, trusted: bool = True) -> Scorer:
    """Returns a scorer; "" is the default.

    Args:
        name: Its name; "name version", as results carry it, is the scorer of that name as it is now. FILE.py:function
            is one of the user's own.
        trusted: Whether the user gave the name; a file that a saved run names is not run.

    Raises:
        InputError: There is no such scorer, or it is a file that the user did not give.
    """
    if is_file(name):
        if not trusted:
            raise InputError(f"this run was scored by {name}; look at that file and give --scorer FILE.py:function")
        return load_file(name)
    plain = name.split(" ", 1)[0]
    if plain in {"", DEFAULT.name}:
        return DEFAULT
    if plain not in scorers():
        if not trusted:
            raise InputError(
                f"this run was scored by {name!r}, which this version no longer has; take the version that made it, or "
                f"run its episode anew: `backtest diff` says what the scorer {DEFAULT.name} changed"
            )
        raise InputError(f"no scorer {name!r}; {did_you_mean(name, scorers())}")
    return scorers()[plain]


def vintage_named(day: str) -> Scorer:
    """Returns a vintage of the default scorer by its last day, or "all".

    Raises:
        InputError: There is no such vintage.
    """
    if day not in VINTAGES:
        raise InputError(f"--vintage {day}: there is none; give one of {', '.join(VINTAGES)}")
    return scorers()[f"{NAME}-{day}"]
