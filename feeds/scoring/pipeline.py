"""Scores headlines, step by step.

1  language      text/language.py              what is neither English nor German is rejected
2  words         text/words.py, clauses.py     agencies' and outlets' marks go; words; clauses
3  classes       features/rules.py, phrases.py lists of words, rules over them, phrases (text/matching.py, data/)
4  tone          features/tone.py, german.py   vaderSentiment's analyzer with our words
5  features      features/parts.py             words, pairs, letters, roles of names, classes, rules
6  heads         heads/model.py, spelling.py   weights of one vintage: sentiment, displacement, tone, reaction, …
7  companies     companies/entities.py, directions.py
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from math import exp
from typing import Final, NamedTuple

from feeds.collector import without_collector
from feeds.scoring.companies.entities import entities
from feeds.scoring.features.parts import Parts, take_all_apart, take_apart
from feeds.scoring.heads.model import APART, FLAGS, SIGNED, Model, signed
from feeds.scoring.score import Score, ScoreInput, sign
from feeds.scoring.text.clauses import bare
from feeds.scoring.text.language import detect

LONGEST: Final = 2_000  # characters looked at; a longer text is no headline
_TOGETHER: Final = 512  # texts that go through each step together
_SCORED: Final = frozenset(("en", "de"))
_SHOWN: Final = 3  # features that are named of each head
SPOKEN: Final = {"sentiment": "disruption"}  # what features call a head, where not by its name
_NEUTRAL: Final = dict.fromkeys(SIGNED, 0.0)
_Pulled = dict[str, Sequence[str]]  # the features that made each head


class _Text(NamedTuple):
    title: str
    summary: str
    language: str


def score_texts(texts: Sequence[ScoreInput], model: Model, as_of: date | None) -> list[Score]:
    """Returns the scores of headlines by a vintage of the model; see `feeds.scoring.score`."""
    scores: list[Score] = []
    for start in range(0, len(texts), _TOGETHER):
        with without_collector():
            scores += _score_block(texts[start : start + _TOGETHER], model, as_of)
    return scores


def _score_block(texts: Sequence[ScoreInput], model: Model, as_of: date | None) -> list[Score]:
    block = [_read(text) for text in texts]
    known = {place: text for place, text in enumerate(block) if text.language in _SCORED and text.title.strip()}
    parts = take_all_apart([text.title for text in known.values()], [text.language for text in known.values()], as_of)
    odds = model.weigh(parts).tolist() if parts else []
    scored = [_score(*each, model, as_of) for each in zip(known.values(), parts, odds, strict=True)]
    found = dict(zip(known, scored, strict=True))
    return [found[place] if place in found else _rejected(text) for place, text in enumerate(block)]


def _read(text: ScoreInput) -> _Text:
    """Step 1."""
    title, summary = bare(text.title[:LONGEST]), text.summary[:LONGEST]
    return _Text(title, summary, detect(f"{title} {summary}" if summary else title, text.language))


def _rejected(text: _Text) -> Score:
    return Score(language=text.language, relevance=0.0, sentiment=0.0, tone=0.0)


def _score(text: _Text, parts: Parts, values: list[float], model: Model, as_of: date | None) -> Score:
    """Steps 6 and 7."""
    about, reaction, cause = [_likely(value) for value in values[-len(FLAGS) :]]
    signs, pulled = _NEUTRAL, _Pulled()
    if not about:  # the heads learned from news of AI: of other news the analyzer speaks
        tone, features = parts.tone, [f"tone:{word}" for word in parts.tone_words]
    else:
        signs = {head: signed(values[2 * place : 2 * place + 2], APART[head]) for place, head in enumerate(SIGNED)}
        pulled = {
            head: model.strongest(parts, head, "+" if value > 0 else "-", _SHOWN)
            for head, value in signs.items()
            if value
        }
        signs, pulled = _denied(parts, signs, pulled)
        tone = signs["tone"]
        features = [f"{SPOKEN.get(head, head)}:{name}" for head, names in pulled.items() for name in names]
    if about and text.summary and not signs["sentiment"] and not reaction:
        signs["sentiment"] = _summary(text, model, as_of)
    return Score(
        language=text.language,
        relevance=about,
        sentiment=signs["sentiment"],
        displacement=signs["displacement"],
        tone=tone,
        entities=entities(text.title, text.summary, text.language, tone, as_of),
        reaction=reaction > 0,
        cause=reaction > 0 and cause > 0,
        features=tuple(features),
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


def _likely(odds: float) -> float:
    """Returns the probability of a log odds, rounded to four digits, from one half on; else 0."""
    probability = round(1 / (1 + exp(-min(40.0, odds))), 4) if odds > -1 else 0.0
    return probability if probability >= 0.5 else 0.0
