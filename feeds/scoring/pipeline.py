"""Scores headlines, step by step.

1  language      language.py              what is neither English nor German is rejected
2  words         words.py, clauses.py     agencies' and outlets' marks go; words; clauses
3  classes       rules.py, phrases.py     lists of words, rules over them, phrases (matching.py, lists.py, data/)
4  tone          tone.py, german.py       vaderSentiment's analyzer with our words
5  features      features.py              words, pairs, letters, roles of names, classes, rules
6  heads         model.py                 weights of one vintage: sentiment, displacement, tone, reaction, …
7  companies     entities.py, directions.py
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from math import exp
from typing import Final, NamedTuple

from feeds.scoring.clauses import bare
from feeds.scoring.entities import entities
from feeds.scoring.features import Parts, take_apart
from feeds.scoring.language import detect
from feeds.scoring.model import APART, FLAGS, SIGNED, Model, signed
from feeds.scoring.score import Score, ScoreInput, sign

LONGEST: Final = 2_000  # characters looked at; a longer text is no headline
_TOGETHER: Final = 256  # texts whose features are weighed at once
_SCORED: Final = frozenset(("en", "de"))
_SHOWN: Final = 3  # features that are named of each head
SPOKEN: Final = {"sentiment": "disruption"}  # what features call a head, where not by its name
_Pulled = dict[str, Sequence[str]]  # the features that made each head


class _Text(NamedTuple):
    title: str
    summary: str
    language: str
    parts: Parts | None  # None: not scored


def score_texts(texts: Sequence[ScoreInput], model: Model, as_of: date | None) -> list[Score]:
    """Returns the scores of headlines by a vintage of the model; see `feeds.scoring.score`."""
    scores: list[Score] = []
    for start in range(0, len(texts), _TOGETHER):
        block = [_read(text, as_of) for text in texts[start : start + _TOGETHER]]
        parts = [text.parts for text in block if text.parts]
        odds = iter(model.weigh(parts).tolist() if parts else ())
        scores += [
            _score(text, text.parts, next(odds), model, as_of) if text.parts else _rejected(text) for text in block
        ]
    return scores


def _read(text: ScoreInput, as_of: date | None) -> _Text:
    """Steps 1 to 5."""
    title, summary = bare(text.title[:LONGEST]), text.summary[:LONGEST]
    language = detect(f"{title} {summary}" if summary else title, text.language)
    known = language in _SCORED and bool(title.strip())
    return _Text(title, summary, language, take_apart(title, language, as_of) if known else None)


def _rejected(text: _Text) -> Score:
    return Score(language=text.language, relevance=0.0, sentiment=0.0, tone=0.0)


def _score(text: _Text, parts: Parts, values: list[float], model: Model, as_of: date | None) -> Score:
    """Steps 6 and 7."""
    signs = {head: signed(values[2 * place : 2 * place + 2], APART[head]) for place, head in enumerate(SIGNED)}
    relevance, reaction, cause = (_probability(value) for value in values[-len(FLAGS) :])
    about = relevance if relevance >= 0.5 else 0.0
    pulled: _Pulled = {
        head: model.strongest(parts, head, "+" if value > 0 else "-", _SHOWN)
        for head, value in signs.items()
        if value and about
    }
    if not about:  # the heads learned from news of AI: of other news the analyzer speaks
        signs = {**dict.fromkeys(SIGNED, 0.0), "tone": parts.tone}
        pulled = {"tone": parts.tone_words}
    else:
        signs, pulled = _denied(parts, signs, pulled)
    if about and text.summary and not signs["sentiment"] and reaction < 0.5:
        signs["sentiment"] = _summary(text, model, as_of)
    return Score(
        language=text.language,
        relevance=about,
        sentiment=signs["sentiment"],
        displacement=signs["displacement"],
        tone=signs["tone"],
        entities=entities(text.title, text.summary, text.language, signs["tone"], as_of),
        reaction=reaction >= 0.5,
        cause=reaction >= 0.5 and cause >= 0.5,
        features=tuple(f"{SPOKEN.get(head, head)}:{name}" for head, names in pulled.items() for name in names),
    )


def _denied(parts: Parts, signs: dict[str, float], pulled: _Pulled) -> tuple[dict[str, float], _Pulled]:
    """Lets rules and phrases of several words prevail over a head that says the opposite.

    They are written for denials and reversals ("fears overblown", "will not hurt"), of which the labels hold few. Over
    five folds they are right as often as the head where the two are opposed.
    """
    if signs["sentiment"] * parts.rules < 0 and sign(parts.rules):
        rules = [name for name in parts.features if name.startswith("rule ")]
        signs, pulled = {**signs, "sentiment": parts.rules}, {**pulled, "sentiment": rules}
    if signs["tone"] * parts.tone < 0 and sign(parts.tone) and parts.phrased:
        signs, pulled = {**signs, "tone": parts.tone}, {**pulled, "tone": parts.tone_words}
    return signs, pulled


def _summary(text: _Text, model: Model, as_of: date | None) -> float:
    """Returns half the sentiment of a summary, whose title is about AI and says nothing itself."""
    (odds,) = model.weigh([take_apart(text.summary, text.language, as_of)])
    return signed(odds.tolist()[:2], APART["sentiment"]) / 2


def _probability(odds: float) -> float:
    """Returns the probability of a log odds, [0, 1], rounded to four digits."""
    return round(1 / (1 + exp(-max(-40.0, min(40.0, odds)))), 4)
