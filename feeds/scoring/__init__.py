"""Language, tone, AI-disruption sentiment and entities of a headline. Pure: a text in, a `Score` out."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import lru_cache
from itertools import islice

from feeds.scoring.headline import LONGEST, read_headlines
from feeds.scoring.score import SPEAKS, Entity, Score, Scorer, Told
from feeds.scoring.tone import plain_vader

__all__ = [
    "DEFAULT",
    "LONGEST",
    "SPEAKS",
    "Entity",
    "Score",
    "Scorer",
    "Told",
    "forget",
    "plain_vader",
    "score",
    "score_many",
]

_REMEMBERED = 4096  # scores after which those before the last so many are forgotten
_BLOCK = 2_000  # headlines that go through the engines together

_Key = str | Told  # a title alone, where there is nothing else: its hash is known


class _Memory:
    """Scores made not long ago with the lists of one day: headlines are repeated."""

    def __init__(self) -> None:
        self._young: dict[_Key, Score] = {}
        self._old: dict[_Key, Score] = {}

    def found(self, keys: Iterable[_Key]) -> dict[_Key, Score]:
        young, old = self._young.get, self._old.get
        return {key: known for key in keys if (known := young(key) or old(key)) is not None}

    def keep(self, scores: dict[_Key, Score]) -> None:
        if len(self._young) >= _REMEMBERED:
            self._old, self._young = self._young, {}
        self._young.update(scores)


@lru_cache(maxsize=1)  # of another day's lists: another memory, so that no score is mistaken for one of theirs
def _memory_of(_as_of: date | None) -> _Memory:
    return _Memory()


def score(title: str, summary: str = "", *, language: str = "", lexicon_as_of: date | None = None) -> Score:
    """Scores a headline.

    Args:
        title: Plain text; the first 2,000 characters count.
        summary: Plain text; adds to relevance and entities, to the sentiment where the title is about AI, not to tone.
        language: What the channel says it is written in, "" for nothing.
        lexicon_as_of: Leaves out words learned after that day.

    Returns:
        The score; of a text that is neither English nor German only the language, all else zero.
    """
    return _one(title, summary, language, lexicon_as_of)


def score_many(texts: Iterable[Told], lexicon_as_of: date | None = None) -> list[Score]:
    """Scores headlines, each as `score` does, in less time.

    Args:
        texts: Title, summary and declared language of each.
        lexicon_as_of: Leaves out words learned after that day.
    """
    rest = iter(texts)
    scores: list[Score] = []
    while block := list(islice(rest, _BLOCK)):
        with _without_collector():
            scores += _block(block, lexicon_as_of)
    return scores


@contextmanager
def _without_collector() -> Iterator[None]:
    """No search for reference cycles, of which scoring makes none, while a block's many small objects come and go."""
    paused = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if paused:
            gc.enable()


def forget() -> None:
    """Forgets the scores of headlines scored before, so that they are made anew."""
    _memory_of.cache_clear()


def _key(told: Told) -> _Key:
    return told if told[1] or told[2] else told[0]


def _one(title: str, summary: str, language: str, as_of: date | None) -> Score:
    return _block([Told(title, summary, language)], as_of)[0]


def _block(texts: list[Told], as_of: date | None) -> list[Score]:
    memory = _memory_of(as_of)
    keys = list(map(_key, texts))
    found = memory.found(keys)
    new = {key: told for key, told in zip(keys, texts, strict=True) if key not in found}
    made = dict(zip(new, read_headlines(list(new.values()), as_of), strict=True))
    memory.keep(made)
    found.update(made)
    return [found[key] for key in keys]


DEFAULT = Scorer(
    name="vader-disruption",
    version="4",
    score=_one,
    many=score_many,
    about="word lists and rules of our own on VADER",
)
