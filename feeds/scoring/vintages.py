"""Offers the default scorer and its vintages: the same pipeline with weights learned from headlines until a day.

A replay reads each headline with the newest vintage that was over before its day (`Scorer.before`), so that it can be
proved not to have learned from it. Outside a replay the newest of all counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from feeds.errors import InputError
from feeds.scoring.heads.model import VINTAGES, model
from feeds.scoring.pipeline import score_texts
from feeds.scoring.score import Score, ScoreInput, Scorer

NAME: Final = "disruption"
VERSION: Final = "5"
NEWEST: Final = "all"
LAST_DAY: Final = date(2026, 8, 20)  # of the newest headline that the newest vintage learned from


def _scorer(vintage: str) -> Scorer:
    """Returns the scorer of one vintage; its weights are read when it first scores."""
    until = LAST_DAY if vintage == NEWEST else date.fromisoformat(vintage)
    words_until = None if vintage == NEWEST else until  # words learned later are no features of an older vintage

    def many(texts: Sequence[ScoreInput], as_of: date | None) -> list[Score]:
        if as_of is not None and as_of < until:
            raise InputError(
                f"--lexicon-as-of {as_of}: {NAME}-{vintage} learned from headlines until {until} and cannot forget "
                "them; give a later day or an earlier --vintage"
            )
        return score_texts(texts, model(vintage), words_until)

    def one(title: str, summary: str, language: str, as_of: date | None) -> Score:
        return many([ScoreInput(title, summary, language)], as_of)[0]

    def explained(title: str, language: str, as_of: date | None) -> list[str]:
        from feeds.scoring.explain import explain

        one("", "", language, as_of)  # refuses a day before the weights
        return explain(title, vintage, language=language, lexicon_as_of=words_until)

    return Scorer(
        name=f"{NAME}-{vintage}", version=VERSION, score=one, many=many, explain=explained, trained_until=until,
        about=f"the default as of {until}: learned from headlines until that day",
    )  # fmt: skip


_VINTAGES: Final = tuple(_scorer(vintage) for vintage in VINTAGES)


def _chosen(as_of: date | None) -> Scorer:
    """Returns the newest vintage, or the newest that was over on a day.

    Raises:
        InputError: None was.
    """
    if as_of is None:
        return _VINTAGES[-1]
    over = [each for each in _VINTAGES if each.trained_until is not None and each.trained_until <= as_of]
    if not over:
        raise InputError(f"--lexicon-as-of {as_of}: the first vintage is {VINTAGES[0]}; give that day or a later one")
    return over[-1]


def _explained(title: str, language: str, as_of: date | None) -> list[str]:
    explain = _chosen(as_of).explain
    return explain(title, language, as_of) if explain else []


DEFAULT: Final = Scorer(
    name=NAME,
    version=VERSION,
    score=lambda title, summary, language, as_of: _chosen(as_of).score(title, summary, language, as_of),
    many=lambda texts, as_of: _chosen(as_of).scores(texts, as_of),
    explain=_explained,
    trained_until=LAST_DAY,
    about="rules and word lists as features of a logistic regression; a replay takes the vintage before each headline",
    vintages=_VINTAGES,
)
