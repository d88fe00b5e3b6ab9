"""Loads a scorer of the user's own: `my_scorer.py:function`, or an entry point of the group `aftershock.scorers`.

    def sentiment(title: str) -> float | dict | Score: ...            # one headline
    def sentiment(titles: list[str]) -> list[float | dict | Score]: ...  # many, where its argument says so

A number is the sentiment, in [-1, 1]; a dict holds parts of a `Score`. Attributes of the function say more: `version`,
`trained_until` (a date, its text, or "unknown"; without, nothing is learned), `about`. The file runs with the user's
rights; a run keeps it, and whoever opens the run says whether it may run.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from feeds.errors import InputError
from feeds.scorers.answer import AnswerError, as_score
from feeds.scoring import UNKNOWN, Score, ScoreInput, Scorer, ScorerSource

GROUP: Final = "aftershock.scorers"


def is_file(name: str) -> bool:
    """Returns whether a name is that of a file of the user's: FILE.py:function."""
    return ".py:" in name


def load_file(name: str, _: Mapping[str, str]) -> Scorer:
    """Returns the scorer of `FILE.py:function`; its label carries a digest of the file's bytes.

    Raises:
        InputError: The file cannot be read or run, or has no such function.
    """
    path, _colon, wanted = name.rpartition(":")
    try:
        raw = Path(path).read_bytes()
        module = types.ModuleType(Path(path).stem)
        module.__file__ = path
        exec(compile(raw, path, "exec"), module.__dict__)  # noqa: S102 (the user named the file to be run)
    except OSError as wrong:
        raise InputError(f"--scorer {path}: cannot be read ({wrong.strerror}); give FILE.py:function") from wrong
    except (Exception, SystemExit) as wrong:
        raise InputError(f"--scorer {path}: does not run ({type(wrong).__name__}: {wrong})") from wrong
    found = getattr(module, wanted, None)
    if not callable(found):
        raise InputError(f"--scorer {path}: has no function {wanted!r}; give FILE.py:function")
    source = ScorerSource(kind="code", file=Path(path).name, raw=raw, settings={"function": wanted})
    scorer = made(f"{source.file}:{wanted}", found, hashlib.sha256(raw).hexdigest()[:12])
    return replace(scorer, found_by=f"{Path(path).resolve()}:{wanted}", source=lambda _: source)


def load_kept(path: Path, settings: Mapping[str, str]) -> Scorer:
    """Returns the scorer of the file that a run has kept."""
    return load_file(f"{path}:{settings['function']}", {})


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
        trained_until=day(getattr(function, "trained_until", None), f"--scorer {name}"),
        about=str(getattr(function, "about", "")) or (inspect.getdoc(function) or "").split("\n")[0],
    )  # fmt: skip


def _takes_several(function: Callable[..., Any]) -> bool:
    """Returns whether the first argument's annotation is a list or another sequence of texts."""
    parameters = list(inspect.signature(function).parameters.values())
    written = str(parameters[0].annotation) if parameters else ""
    return any(kind in written for kind in ("list", "List", "Sequence", "Iterable"))


def day(given: Any, whose: str) -> date | None:
    """Reads until when something was trained: a day, "unknown", or None for nothing learned.

    Raises:
        InputError: It is something else.
    """
    try:
        if given is None or isinstance(given, date):
            return given
        return UNKNOWN if given == "unknown" else date.fromisoformat(str(given))
    except ValueError as wrong:
        raise InputError(f"{whose}: trained_until must be a day, YYYY-MM-DD, or unknown; got {given!r}") from wrong


def _score(text: ScoreInput, answer: Any, name: str) -> Score:
    try:
        return as_score(text, answer)
    except AnswerError as wrong:
        raise InputError(f"--scorer {name}: answered {str(answer)[:80]!r} to {text.title[:60]!r}; {wrong}") from None
