"""Makes a `Score` of what a scorer answered: a number, or any of a score's parts; checks every one of them.

Entities are written "NVDA:-1 AMD:+1:0.85": symbol, direction, and the salience where it is not 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, Final

from feeds.scoring import Entity, Score, ScoreInput
from feeds.scoring.text.language import detect

PARTS: Final = tuple(field.name for field in fields(Score))
_NEUTRAL: Final = {"relevance": 0.0, "sentiment": 0.0, "tone": 0.0}
_SIGNED: Final = ("sentiment", "displacement", "tone")
_FLAGS: Final = ("reaction", "cause")
_MOST: Final = 50  # entities or features of one headline
_ENTITY: Final = re.compile(r"([^\s:]{1,20}):([+-]?[01])(?::(\d(?:\.\d+)?(?:e-\d+)?))?")


class AnswerError(ValueError):
    """An answer that is no score: which part ("" for all of it), and what it should be."""

    def __init__(self, part: str, wanted: str) -> None:
        super().__init__(f"its {part} {wanted}" if part else wanted)
        self.part, self.wanted = part, wanted


def as_score(text: ScoreInput, answer: Any) -> Score:
    """Returns an answer as a score.

    Args:
        text: What was scored.
        answer: A `Score`; a number in [-1, 1], which is the sentiment; or a mapping of parts of a score. A part that is
            left out is neutral, the relevance 1 where there is a sentiment or displacement, the language detected.

    Raises:
        AnswerError: It is something else, or a part is out of its range.
    """
    if isinstance(answer, Score):
        parts: Mapping[str, Any] = {name: getattr(answer, name) for name in PARTS}
    elif isinstance(answer, int | float) and not isinstance(answer, bool):
        parts = {"sentiment": answer}
    elif isinstance(answer, Mapping) and set(answer) <= set(PARTS):
        parts = answer
    else:
        raise AnswerError("", f"give a number or a dict of {', '.join(PARTS)}")
    for name in (*_SIGNED, "relevance"):
        low = -1 if name in _SIGNED else 0
        value = parts.get(name, 0.0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not (low <= value <= 1):
            raise AnswerError(name, f"is out of range: {_short(value)} is no number from {low} to 1")
    for name in _FLAGS:
        if not isinstance(parts.get(name, False), bool):
            raise AnswerError(name, f"is {_short(parts[name])}; give true or false")
    language = parts.get("language") or detect(text.title, text.language)
    if not isinstance(language, str) or not re.fullmatch(r"[a-z]{2,8}", language):
        raise AnswerError("language", f"is {_short(language)}; give a code like en")
    says = any(parts.get(name) for name in ("sentiment", "displacement"))
    return Score(
        **{**_NEUTRAL, "relevance": 1.0 if says else 0.0} | dict(parts)
        | {"language": language, "entities": _entities(parts.get("entities", ())),
           "features": _features(parts.get("features", ()))},
    )  # fmt: skip


def entities_cell(entities: Iterable[Entity]) -> str:
    """Writes companies into a cell of a table."""
    return " ".join(
        f"{each.symbol}:{each.direction:+d}" + ("" if each.salience == 1 else f":{float(each.salience)!r}")
        for each in entities
    )


def _entities(given: Any) -> tuple[Entity, ...]:
    """Reads companies: a cell, a mapping of symbols to directions, or entities."""
    if isinstance(given, str):
        words = given.split()
    elif isinstance(given, Mapping):
        words = [f"{symbol}:{direction}" for symbol, direction in given.items()]
    elif isinstance(given, tuple) and all(isinstance(each, Entity) for each in given):
        return given
    else:
        raise AnswerError("entities", f'are {_short(given)}; write "NVDA:-1 AMD:+1"')
    found = [_ENTITY.fullmatch(word) for word in words]
    if len(words) > _MOST or not all(found):
        raise AnswerError("entities", f'are {_short(given)}; write "NVDA:-1 AMD:+1", at most {_MOST}')
    made = tuple(
        Entity(symbol=match[1], direction=int(match[2]), salience=float(match[3] or 1)) for match in found if match
    )
    if not all(0 <= each.salience <= 1 for each in made):
        raise AnswerError("entities", f"are {_short(given)}; a salience is a number from 0 to 1")
    return made


def _features(given: Any) -> tuple[str, ...]:
    found = given.split("; ") if isinstance(given, str) else given
    if not isinstance(found, list | tuple) or len(found) > _MOST or not all(isinstance(each, str) for each in found):
        raise AnswerError("features", f"are {_short(given)}; give texts, at most {_MOST}")
    return tuple(each for each in found if each)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
