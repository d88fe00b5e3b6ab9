"""Finds scorers by name: the default, its vintages, those of installed packages, and the kinds of `KINDS`.

To add a kind of scorer: a file that makes it, and its row in `KINDS`. `--scorer`, `replay`, sweeps, the files of a run
and what is made again of them take it from there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from feeds.errors import InputError, did_you_mean
from feeds.scorers import language_model, own_scorer, score_file
from feeds.scoring import Scorer
from feeds.scoring.heads.model import VINTAGES
from feeds.scoring.vintages import DEFAULT, NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Describes one kind of scorer that is made of something the user gives."""

    name: str  # of a kept file's kind
    is_one: Callable[[str], bool]  # does a name mean one of these?
    load: Callable[[str, Mapping[str, str]], Scorer]  # name, settings
    again: Callable[[Path, Mapping[str, str]], Scorer]  # from the file that a run kept, and its settings
    settings: frozenset[str] = frozenset()  # what may be set
    is_code: bool = False  # does its file run with the user's rights?


KINDS: Final = (  # the first that knows a name counts
    Kind(
        name="code", is_one=own_scorer.is_file, load=own_scorer.load_file, again=own_scorer.load_kept, is_code=True,
    ),
    Kind(
        name="answers", is_one=language_model.is_address, load=language_model.load_model,
        again=language_model.load_kept, settings=language_model.SETTINGS,
    ),
    Kind(
        name="scores", is_one=score_file.is_scores, load=score_file.load_scores, again=score_file.load_kept,
        settings=score_file.SETTINGS,
    ),
)  # fmt: skip


@cache
def scorers() -> dict[str, Scorer]:
    """Returns all scorers by name, the default first."""
    found = {name: own_scorer.made(name, each.load()) for name, each in own_scorer.entry_points().items()}
    return {each.name: each for each in (DEFAULT, *DEFAULT.vintages)} | found


def scorer_named(name: str, settings: Mapping[str, str] | None = None, *, trusted: bool = True) -> Scorer:
    """Returns a scorer; "" is the default.

    Args:
        name: Its name; "name version", as results carry it, is the scorer of that name as it is now. Or what one of
            `KINDS` is made of, like FILE.py:function; or the `found_by` of a scorer.
        settings: Of its kind.
        trusted: Whether the user gave the name; a file that a saved run names is not run.

    Raises:
        InputError: There is no such scorer or setting, or it is a file that the user did not give.
    """
    settings = settings or {}
    if name.startswith("{"):
        found = json.loads(name)
        name, settings = found["name"], found["settings"]
    kind = next((each for each in KINDS if each.is_one(name)), None)
    unknown = sorted(set(settings) - (kind.settings if kind else frozenset()))
    if unknown:
        raise InputError(f"--scorer {name or DEFAULT.name}: has no setting {unknown[0]!r}")
    if kind and not trusted:
        raise InputError(f"this run was scored by {name} and did not keep it; look at that file and give it: --scorer")
    if kind:
        return kind.load(name, settings)
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


def kept_scorer(path: Path, kind: str, settings: Mapping[str, str]) -> Scorer:
    """Makes a scorer again from the file that a run has kept of it. Code is run: whether it may has been asked.

    Raises:
        InputError: The file cannot be read, or is of no known kind.
    """
    found = {each.name: each for each in KINDS}
    if kind not in found:
        raise InputError(f"{path}: this version knows no scorer of the kind {kind!r}; it knows {', '.join(found)}")
    try:
        return found[kind].again(path, settings)
    except KeyError as missing:
        raise InputError(f"{path}: the run does not say the scorer's {missing}; restore its card") from None


def is_code(kind: str) -> bool:
    """Returns whether a kept file of this kind runs with the rights of whoever opens the run."""
    return any(each.is_code for each in KINDS if each.name == kind)


def vintage_named(day: str) -> Scorer:
    """Returns a vintage of the default scorer by its last day, or "all".

    Raises:
        InputError: There is no such vintage.
    """
    if day not in VINTAGES:
        raise InputError(f"--vintage {day}: there is none; give one of {', '.join(VINTAGES)}")
    return scorers()[f"{NAME}-{day}"]
