"""How right a scorer is: accuracy, macro-F1, confusion and errors on labelled headlines, plain VADER beside it.

The two halves of a file are kept apart: what is tuned is tuned on the development half, and the check half says
whether it carries over. Pure: rows in, figures out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt
from typing import Any

from feeds.scoring.directions import direction, target_tone
from feeds.scoring.labelled import Labelled
from feeds.scoring.score import Score, Scorer, sign
from feeds.scoring.tone import plain_vader

ABOUT_FROM = 0.5  # a headline is about AI from relevance 0.5 on
MISSED = "missed"  # a company that was not found
HALVES = ("development", "check")
SPLIT = "by the CRC-32 of the title"
SCORED = ("de", "en")

Asked = tuple[str, Any, Any, Any, str]  # axis, label, answer, VADER's answer, company


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One label and what the scorer and plain VADER said; `vader` is None where it has no say."""

    axis: str
    text: str
    label: Any
    said: Any
    vader: Any
    check: bool
    about: str = ""  # the company
    features: tuple[str, ...] = ()

    @property
    def wrong(self) -> bool:
        """Whether the scorer's answer is another than the label."""
        return bool(self.label != self.said)


def answers(rows: Iterable[Labelled], scorer: Scorer, *, lexicon_as_of: date | None = None) -> list[Answer]:
    """Scores labelled headlines and returns one answer per label, in order."""
    found = []
    for row in rows:
        scored = scorer.score(row.title, row.summary, row.declared, lexicon_as_of)
        found += [
            Answer(axis=axis, text=row.title, label=label, said=said, vader=vader, check=row.in_check_half,
                   about=about, features=scored.features)
            for axis, label, said, vader, about in _asked(row, scored, lexicon_as_of)
        ]  # fmt: skip
    return found


def _asked(row: Labelled, scored: Score, as_of: date | None) -> Iterable[Asked]:
    """What is asked of a row, one for each label."""
    vader = plain_vader(row.title)
    whole = (
        ("tone", row.tone, sign(scored.tone), sign(vader), ""),
        ("compute_demand", row.compute_demand, sign(scored.sentiment), sign(vader), ""),
        ("displacement", row.displacement, sign(scored.displacement), None, ""),
        ("relevance", row.relevance, scored.relevance >= ABOUT_FROM, None, ""),
        ("reaction", row.reaction, scored.reaction, None, ""),
        ("cause", row.cause, scored.cause, None, ""),
        ("language", _kind(row.language) if row.language else None, _kind(scored.language), None, ""),
        ("score", row.score, scored.tone, vader, ""),
    )
    yield from (asked for asked in whole if asked[1] is not None)
    yield from _asked_of_companies(row, scored, vader, as_of)


def _asked_of_companies(row: Labelled, scored: Score, vader: float, as_of: date | None) -> Iterable[Asked]:
    if row.score is not None and row.target:
        said = target_tone(row.title, row.target, scored.language, as_of)
        yield "score towards the company", row.score, said, vader, row.target
    directions = {each.symbol: each.direction for each in scored.entities}
    for symbol, label in (row.entities or {}).items():
        yield "entities", label, directions.get(symbol, MISSED), sign(vader), symbol
    opposite = {label for _, label in row.named} >= {-1, 1}
    for name, label in row.named:
        way = direction(row.title, name, scored.language, as_of)
        yield "direction", label, way, sign(vader), name
        if opposite:
            yield "direction where two differ", label, way, sign(vader), name


def _kind(language: str) -> str:
    return language if language in SCORED else "other"


def report(found: Sequence[Answer]) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
    """Returns the figures by axis, half ("development", "check", "all") and "scorer" or "vader"."""
    by_axis: dict[str, list[Answer]] = {}
    for answer in found:
        by_axis.setdefault(answer.axis, []).append(answer)
    return {axis: _halves(rows) for axis, rows in by_axis.items()}


def _halves(rows: Sequence[Answer]) -> dict[str, dict[str, dict[str, Any]]]:
    parts = {
        "development": [row for row in rows if not row.check],
        "check": [row for row in rows if row.check],
        "all": rows,
    }
    out = {}
    for half, part in parts.items():
        measure = correlation if rows[0].axis.startswith("score") else classes
        sides = {"scorer": measure([(row.label, row.said) for row in part])}
        if rows[0].vader is not None:
            sides["vader"] = measure([(row.label, row.vader) for row in part])
        out[half] = sides
    return out


def classes(pairs: Sequence[tuple[Any, Any]]) -> dict[str, Any]:
    """Figures of (label, answer) pairs: n, accuracy, macro_f1, f1 by class, confusion and, for signs, wrong signs.

    `macro_f1` is the plain mean over the classes that occur among labels or answers. `wrong_signs` counts +1 said of
    -1 and the reverse; `false_polar` is the share of the neutral that got a sign.
    """
    confusion = Counter(pairs)
    labels = sorted({label for label, _ in pairs}, key=str)
    said = sorted({answer for _, answer in pairs}, key=str)
    f1 = {str(each): _f1(confusion, each) for each in dict.fromkeys([*labels, *said]) if each != MISSED}
    figures: dict[str, Any] = {
        "n": len(pairs),
        "accuracy": _share(sum(count for (label, answer), count in confusion.items() if label == answer), len(pairs)),
        "macro_f1": _share(sum(f1.values()), len(f1)),
        "f1": f1,
        "confusion": {str(label): {str(each): confusion[label, each] for each in said} for label in labels},
    }
    if any(type(label) is int for label in labels):  # signs, not flags
        neutral = [answer for label, answer in pairs if label == 0]
        figures["wrong_signs"] = confusion[-1, 1] + confusion[1, -1]
        figures["false_polar"] = _share(sum(answer in {-1, 1} for answer in neutral), len(neutral))
    return figures


def _f1(confusion: Counter[tuple[Any, Any]], which: Any) -> float:
    hit = confusion[which, which]
    wrong = sum(count for (label, answer), count in confusion.items() if (label == which) != (answer == which))
    return 2 * hit / (2 * hit + wrong) if hit or wrong else 0.0


def correlation(pairs: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Pearson's r of (label, answer) pairs; None without variance."""
    n = len(pairs)
    if n < 2:
        return {"n": n, "r": None}
    means = [sum(pair[side] for pair in pairs) / n for side in (0, 1)]
    both = sum((label - means[0]) * (answer - means[1]) for label, answer in pairs)
    spread = [sum((pair[side] - means[side]) ** 2 for pair in pairs) for side in (0, 1)]
    return {"n": n, "r": both / sqrt(spread[0] * spread[1]) if all(spread) else None}


def _share(part: float, whole: int) -> float | None:
    return part / whole if whole else None


def text_report(figures: dict[str, dict[str, dict[str, dict[str, Any]]]], halves: Iterable[str]) -> str:
    """The figures as a page of text, plain VADER in the right-hand column."""
    lines = [f"{'':44}{'scorer':>26}{'plain VADER':>26}"]
    for axis, by_half in figures.items():
        lines.append(axis)
        for half in halves:
            sides = by_half[half]
            columns = "".join(f"{_brief(sides[name]):>26}" for name in ("scorer", "vader") if name in sides)
            lines.append(f"  {half:12} n {sides['scorer']['n']:6,}   {_measures(sides['scorer']):>18}{columns}")
        lines += _confusions(by_half, halves)
    return "\n".join(lines) + "\n"


def _measures(figures: dict[str, Any]) -> str:
    return "Pearson r" if "r" in figures else "accuracy, macro-F1"


def _brief(figures: dict[str, Any]) -> str:
    names = ("r",) if "r" in figures else ("accuracy", "macro_f1")
    return "  ".join("–" if figures[name] is None else f"{figures[name]:.3f}" for name in names)


def _confusions(by_half: dict[str, dict[str, dict[str, Any]]], halves: Iterable[str]) -> list[str]:
    lines = []
    for half in halves:
        figures = by_half[half]["scorer"]
        for label, said in figures.get("confusion", {}).items():
            row = "  ".join(f"{answer}: {count:,}" for answer, count in said.items())
            lines.append(f"    {half}, label {label:>5} -> {row}   F1 {figures['f1'].get(label, 0):.3f}")
        if "wrong_signs" in figures:
            share = figures["false_polar"]
            polar = "–" if share is None else f"{share:.1%}"
            lines.append(f"    {half}, wrong signs {figures['wrong_signs']}, neutral given a sign {polar}")
    return lines
