"""Scores made not long ago: headlines are repeated, and a repeated one is not read again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Final

from feeds.scoring.headline import read_headlines
from feeds.scoring.score import Score, ScoreInput

_REMEMBERED: Final = 4096  # scores after which those before the last so many are forgotten

_Key = str | ScoreInput  # a title alone, where there is nothing else: its hash is known


class _Memory:
    """Scores made not long ago with the lists of one day."""

    def __init__(self) -> None:
        self._young: dict[_Key, Score] = {}
        self._old: dict[_Key, Score] = {}

    def score(self, key: _Key) -> Score | None:
        known = self._young.get(key)
        return self._old.get(key) if known is None else known

    def keep(self, scores: dict[_Key, Score]) -> None:
        if len(self._young) >= _REMEMBERED:
            self._old, self._young = self._young, {}
        self._young.update(scores)


@lru_cache(maxsize=1)  # of another day's lists: another memory, so that no score is mistaken for one of theirs
def _memory_of(_as_of: date | None) -> _Memory:
    return _Memory()


def forget() -> None:
    """Forgets the scores of headlines scored before, so that they are made anew."""
    _memory_of.cache_clear()


def remembered(texts: Iterable[ScoreInput], as_of: date | None) -> list[Score]:
    """Returns the scores of headlines in their order; those not made before are made together."""
    memory = _memory_of(as_of)
    keys: list[_Key] = []
    new: dict[_Key, ScoreInput] = {}
    scores: dict[_Key, Score] = {}
    for told in texts:
        title, summary, language = told
        key: _Key = told if summary or language else title
        keys.append(key)
        if key not in new and key not in scores:
            known = memory.score(key)
            if known is None:
                new[key] = told
            else:
                scores[key] = known
    made = dict(zip(new, read_headlines(list(new.values()), as_of), strict=True))
    memory.keep(made)
    scores.update(made)
    return [scores[key] for key in keys]
