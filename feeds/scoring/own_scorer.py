"""Loads a scorer of the user's own: `my_scorer.py:function`, or an entry point of the group `aftershock.scorers`.

    def sentiment(title: str) -> float | dict | Score: ...            # one headline
    def sentiment(titles: list[str]) -> list[float | dict | Score]: ...  # many, where its argument says so

A number is the sentiment, in [-1, 1]; a dict holds parts of a `Score`. Attributes of the function say more: `version`,
`trained_until` (a date or its text; without, nothing is learned), `about`. The file runs with the user's rights, so
that a saved run never loads one by itself.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import inspect
import math
import types
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from feeds.errors import InputError
from feeds.scoring.language import detect
from feeds.scoring.score import Score, ScoreInput, Scorer

GROUP: Final = "aftershock.scorers"
_PARTS: Final = frozenset(field.name for field in fields(Score)) - {"entities"}
_SIGNED: Final = ("sentiment", "displacement", "tone")


def is_file(name: str) -> bool:
    """Returns whether a name is that of a file of the user's: FILE.py:function."""
    return ".py:" in name


def load_file(name: str) -> Scorer:
    """Returns the scorer of `FILE.py:function`; its label carries a digest of the file's bytes.

    Raises:
        InputError: The file cannot be read or run, or has no such function.
    """
    path, _, wanted = name.rpartition(":")
    try:
        raw = Path(path).read_bytes()
        module = types.ModuleType(Path(path).stem)
        module.__file__ = path
        exec(compile(raw, path, "exec"), module.__dict__)  # noqa: S102 (the user named the file to be run)
    except OSError as wrong:
        raise InputError(f"--scorer {path}: cannot be read ({wrong.strerror}); give FILE.py:function") from wrong
    except Exception as wrong:
        raise InputError(f"--scorer {path}: does not run ({type(wrong).__name__}: {wrong})") from wrong
    found = getattr(module, wanted, None)
    if not callable(found):
        raise InputError(f"--scorer {path}: has no function {wanted!r}; give FILE.py:function")
    return made(name, found, hashlib.sha256(raw).hexdigest()[:12])


def entry_points() -> dict[str, importlib.metadata.EntryPoint]:
    """Returns the scorers that installed packages offer, by name; none is loaded yet."""
    return {each.name: each for each in importlib.metadata.entry_points(group=GROUP)}


def made(name: str, function: Callable[..., Any], digest: str = "") -> Scorer:
    """Returns a scorer that asks a function.

    Args:
        name: What results carry.
        function: Takes a title, or a list of them; see the module.
        digest: Of the code behind it; part of the version, so that other code is another scorer.
    """
    several = _takes_several(function)

    def many(texts: Sequence[ScoreInput], _: date | None) -> list[Score]:
        titles = [text.title for text in texts]
        answers = list(function(titles)) if several else [function(title) for title in titles]
        if len(answers) != len(titles):
            raise InputError(f"--scorer {name}: gave {len(answers)} answers to {len(titles)} headlines")
        return [_score(text, answer, name) for text, answer in zip(texts, answers, strict=True)]

    def one(title: str, summary: str, language: str, as_of: date | None) -> Score:
        return many([ScoreInput(title, summary, language)], as_of)[0]

    version = "-".join(filter(None, (str(getattr(function, "version", "1")).replace(" ", "_"), digest)))
    return Scorer(
        name=name, version=version, score=one, many=many,
        trained_until=_day(getattr(function, "trained_until", None), name),
        about=str(getattr(function, "about", "")) or (inspect.getdoc(function) or "").split("\n")[0],
    )  # fmt: skip


def _takes_several(function: Callable[..., Any]) -> bool:
    """Returns whether the first argument's annotation is a list or another sequence of texts."""
    parameters = list(inspect.signature(function).parameters.values())
    written = str(parameters[0].annotation) if parameters else ""
    return any(kind in written for kind in ("list", "List", "Sequence", "Iterable"))


def _day(given: Any, name: str) -> date | None:
    try:
        return given if given is None or isinstance(given, date) else date.fromisoformat(str(given))
    except ValueError as wrong:
        raise InputError(f"--scorer {name}: trained_until must be a day, YYYY-MM-DD, got {given!r}") from wrong


def _score(text: ScoreInput, answer: Any, name: str) -> Score:
    """Returns an answer as a score; what it leaves out is neutral, and about AI where it says something of it."""
    if isinstance(answer, Score):
        return answer
    parts = {"sentiment": answer} if isinstance(answer, int | float) else answer
    if not isinstance(parts, dict) or not _PARTS.issuperset(parts):
        raise InputError(
            f"--scorer {name}: answered {answer!r} to {text.title[:60]!r}; give a number or a dict of "
            f"{', '.join(sorted(_PARTS))}"
        )
    neutral = Score(
        language=text.language or detect(text.title), relevance=1.0 if parts.get("sentiment") else 0.0,
        sentiment=0.0, tone=0.0,
    )  # fmt: skip
    scored = replace(neutral, **parts)
    values = [*(getattr(scored, part) for part in _SIGNED), 2 * scored.relevance - 1]
    if not all(isinstance(value, int | float) and math.isfinite(value) and -1 <= value <= 1 for value in values):
        raise InputError(f"--scorer {name}: answered {answer!r} to {text.title[:60]!r}; its parts are out of range")
    return scored
