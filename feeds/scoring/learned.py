"""An extra scorer whose English tone is learned from labelled headlines; all other parts are the default's.

A multinomial logistic regression weighs words, pairs of words and what the rules' own tone says. Its weights are the
data file `learned_en.tsv`, which `python -m feeds.scoring.training` makes. A word that headlines write with a capital
is a name to it and stands as `·`, so that no company is good or bad news by itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from itertools import pairwise
from math import exp
from pathlib import Path

from feeds.errors import InputError
from feeds.scoring import LONGEST, SPEAKS, score, score_many
from feeds.scoring.clauses import bare
from feeds.scoring.explain import explain
from feeds.scoring.score import Score, ScoreInput, Scorer

NAME = "·"  # any word that is not among the learned ones
OWN = ("<bias>", "<tone>", "<good>", "<bad>")  # features that are no words; <…> cannot occur among words
_WEIGHTS = Path(__file__).parent / "data" / "learned_en.tsv"
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d[\d.,]*|[%?!]")
_SHOWN = 3  # words that are named as features


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Learned weights: by feature its pull to negative and to positive, neutral being 0 (natural logarithm of odds)."""

    weights: Mapping[str, tuple[float, float]]
    facts: Mapping[str, str]  # what the file says of its making

    @property
    def trained_until(self) -> date:
        """No data that it learned from is of a later day."""
        return date.fromisoformat(self.facts["until"])


def raw_words(title: str) -> list[str]:
    """The words of a title as they are written; every number is 0."""
    return ["0" if word[0].isdigit() else word.replace("’", "'") for word in _WORD.findall(title)]


def features(title: str, rules: float, known: Collection[str]) -> dict[str, float]:
    """Returns what is weighed of a title: its known words, its pairs of words, and the rules' tone in [−1, 1]."""
    words = [word if word in known else NAME for word in map(str.lower, raw_words(title))]
    found = dict.fromkeys((word for word in words if word != NAME), 1.0)
    found.update((f"{one} {two}", 1.0) for one, two in pairwise(words) if {one, two} != {NAME})
    found["<bias>"], found["<tone>"] = 1.0, rules
    if abs(rules) >= SPEAKS:
        found["<good>" if rules > 0 else "<bad>"] = 1.0
    return found


def shares(model: Model, weighed: Mapping[str, float]) -> tuple[float, float, float]:
    """Returns the probabilities of negative, neutral and positive (softmax of the summed weights)."""
    bad = good = 0.0
    for feature, value in weighed.items():
        pulls = model.weights.get(feature)
        if pulls:
            bad += value * pulls[0]
            good += value * pulls[1]
    top = max(bad, good, 0.0)
    parts = exp(bad - top), exp(-top), exp(good - top)
    whole = sum(parts)
    return parts[0] / whole, parts[1] / whole, parts[2] / whole


def learned_tone(title: str, rules: float, model: Model) -> tuple[float, tuple[str, ...]]:
    """Returns the tone in [−1, 1], 0 where neutral is likeliest, and the words that pulled most to its side.

    Args:
        title: An English headline.
        rules: What the rules say of its tone, in [−1, 1].
        model: The weights.
    """
    weighed = features(title, rules, model.weights)
    bad, neutral, good = shares(model, weighed)
    if neutral >= max(bad, good):
        return 0.0, ()
    value = good - bad
    side = 1 if value > 0 else -1
    words = [(-side * pull, name) for name, pull in _pulls(model, weighed) if name not in OWN]
    return value, tuple(name for pull, name in sorted(words)[:_SHOWN] if pull < 0)


def _pulls(model: Model, weighed: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    """How much each feature pulls to positive and away from negative."""
    for feature, value in weighed.items():
        if feature in model.weights:
            bad, good = model.weights[feature]
            yield feature, value * (good - bad)


def read_model(path: Path) -> Model:
    """Reads a file of weights: lines of comment, "# name: value" among them, then feature, negative, positive.

    Raises:
        InputError: It is no such file.
    """
    weights: dict[str, tuple[float, float]] = {}
    facts: dict[str, str] = {}
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("# "):
                name, colon, value = line[2:].partition(": ")
                facts.update({name: value} if colon else {})
            elif line:
                feature, bad, good = line.split("\t")
                weights[feature] = float(bad), float(good)
        model = Model(weights=weights, facts=facts)
        _ = model.trained_until
    except (OSError, ValueError, KeyError) as wrong:
        raise InputError(f"{path}: no weights ({wrong}); `python -m feeds.scoring.training` makes them") from wrong
    return model


@cache
def model() -> Model:
    """The weights that ship."""
    return read_model(_WEIGHTS)


def _score(title: str, summary: str, language: str, lexicon_as_of: date | None) -> Score:
    return _scores([ScoreInput(title, summary, language)], lexicon_as_of)[0]


def _scores(texts: Sequence[ScoreInput], lexicon_as_of: date | None) -> list[Score]:
    bases = score_many(texts, _late_enough(lexicon_as_of))
    return [_toned(told.title, base) for told, base in zip(texts, bases, strict=True)]


def _toned(title: str, base: Score) -> Score:
    """The default's score with the learned tone in place of its own."""
    if base.language != "en" or not title.strip():
        return base
    value, words = learned_tone(bare(title[:LONGEST]), base.tone, model())
    return replace(base, tone=value, features=(*base.features, *(f"learned:{word}" for word in words)))


def _late_enough(lexicon_as_of: date | None) -> date | None:
    """Refuses a day on which the model was not yet known: what it learned later cannot be left out."""
    until = model().trained_until
    if lexicon_as_of is not None and lexicon_as_of < until:
        raise InputError(
            f"--lexicon-as-of {lexicon_as_of}: scorer learned-tone knows data until {until} and cannot leave out a "
            "part of them; give a later day, or the default scorer"
        )
    return lexicon_as_of


def _explain(title: str, language: str, lexicon_as_of: date | None) -> list[str]:
    """The default's explanation, and what the model made of its tone."""
    lines = explain(title, language=language, lexicon_as_of=_late_enough(lexicon_as_of))
    base = score(title, language=language, lexicon_as_of=lexicon_as_of)
    if base.language != "en" or not title.strip():
        return lines
    title = bare(title[:LONGEST])
    weighed = features(title, base.tone, model().weights)
    value, _ = learned_tone(title, base.tone, model())
    bad, neutral, good = shares(model(), weighed)
    lines.append(f"learned tone {value:+.2f}: negative {bad:.2f}, neutral {neutral:.2f}, positive {good:.2f}")
    rules = sum(pull for name, pull in _pulls(model(), weighed) if name in OWN[1:])
    lines.append(f"  the rules' tone {base.tone:+.2f}: {rules:+.2f}")
    strong = sorted((each for each in _pulls(model(), weighed) if each[0] not in OWN), key=lambda each: -abs(each[1]))
    return [*lines, *(f"  {name}: {pull:+.2f}" for name, pull in strong[: 2 * _SHOWN])]


def scorer() -> Scorer:
    """The scorer with its training cut-off."""
    facts = model().facts
    return Scorer(
        name="learned-tone",
        version="2",
        score=_score,
        many=_scores,
        trained_until=model().trained_until,
        about=f"the default, but the English tone learned from {facts['headlines']} labelled headlines",
        explain=_explain,
    )
