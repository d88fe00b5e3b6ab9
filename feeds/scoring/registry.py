"""The scorers there are. To add one, add it here: its name, version, function and training cut-off."""

from __future__ import annotations

from functools import cache

from feeds.errors import InputError, did_you_mean
from feeds.scoring import DEFAULT
from feeds.scoring.learned import scorer as learned
from feeds.scoring.score import Scorer


@cache
def scorers() -> dict[str, Scorer]:
    """All scorers by name, the default first."""
    return {each.name: each for each in (DEFAULT, learned())}


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
