"""The scorers there are. To add one, add it here: its name, version, function and training cut-off."""

from __future__ import annotations

from functools import cache

from feeds.errors import InputError, did_you_mean
from feeds.scoring.model import VINTAGES
from feeds.scoring.score import Scorer
from feeds.scoring.vintages import DEFAULT, NAME


@cache
def scorers() -> dict[str, Scorer]:
    """Returns all scorers by name, the default first."""
    return {each.name: each for each in (DEFAULT, *DEFAULT.vintages)}


def scorer_named(name: str) -> Scorer:
    """Returns a scorer; "" is the default.

    Args:
        name: Its name; "name version", as results carry it, is the scorer of that name as it is now.

    Raises:
        InputError: There is no such scorer.
    """
    plain = name.split(" ", 1)[0]
    if plain in {"", DEFAULT.name}:
        return DEFAULT
    if plain not in scorers():
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
