"""Asks what a flawless reader would have earned: labelled headlines are read as labelled, the others as they were.

It is no strategy, for nobody had that reading. But a strategy that gains where the flawless reading of the same
headlines loses gains by misreading: it has no edge.

A label says -1, 0 or +1, a scorer something between. So that signs alone differ, a sign that was read rightly keeps the
strength it was read with, and a corrected one gets the median strength of the signs that were read.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import copysign
from statistics import median
from typing import Any, Final

from backtests.broker.terms import BrokerTerms
from backtests.engine.news import News
from backtests.episodes.episode import Episode
from backtests.evidence.twins.twin_runs import TwinReturns, twin_returns
from backtests.records.shape import Shape, flag, number, text, whole
from backtests.report.page.markup import folded, listing, table
from backtests.report.text.evidence_text import notes
from backtests.report.text.table import grid, wrapped
from backtests.report.text.table import number as shown
from feeds.errors import InputError
from feeds.scorers.score_file import score_reader
from feeds.scoring import SPEAKS, Score, ScoreInput
from strategies.rule import Rule

NAME: Final = "flawless"
SHAPE: Shape = {
    "headlines": whole,
    "labelled": whole,
    "signs_corrected": whole,
    "strategies": [
        {"strategy": text, "baseline": flag, "return_pct": number, "flawless_return_pct": number, "says": text}
    ],
    "notes": [text],
}
MISREADING: Final = "gains by misreading: the flawless reading loses"
_STRONG: Final = ("relevance", "sentiment", "displacement", "tone")  # parts that have a strength
MARK: Final = "[flawless]"
_HEAD: Final = ("strategy", "return %", "what it says")


def flawless_twin(
    episode: Episode,
    news: News,
    rules: Sequence[Rule],
    terms: BrokerTerms,
    labels: str,
    on_progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Reads labelled headlines as labelled, and runs every strategy that reads news on both readings.

    Args:
        episode: The episode.
        news: Its placed news.
        rules: The rules.
        terms: The broker's.
        labels: A file of labelled headlines, found by their titles, or `labels`: those that ship.
        on_progress: Called with 1 after each run.

    Returns:
        `evidence/flawless.json`.

    Raises:
        InputError: The file cannot be read, or labels none of the headlines.
    """
    label_of = score_reader(labels)
    found = [label_of(ScoreInput(item.headline.title, "", item.score.language)) for item in news.items]
    count = sum(each is not None for each in found)
    if not count:
        raise InputError(f"--labels {labels}: labels none of the {len(found):,} headlines of {episode.name}")
    usual = {part: _median(getattr(item.score, part) for item in news.items if item.used) for part in _STRONG}
    scores = [
        item.score if each is None else _as_strong(each, item.score, usual)
        for item, each in zip(news.items, found, strict=True)
    ]
    corrected = sum(_sign(item.score) != _sign(each) for item, each in zip(news.items, scores, strict=True))
    runs = twin_returns(episode, news, scores, rules, terms, on_progress)
    return {
        "name": NAME, "episode": episode.name, "headlines": len(found), "labelled": count,
        "signs_corrected": corrected,
        "strategies": [
            {"strategy": each.strategy, "baseline": each.is_baseline, "return_pct": each.return_pct,
             "flawless_return_pct": each.twin_pct, "says": _says(each)}
            for each in runs
        ],
        "notes": [
            "A sign that was read rightly keeps the strength of its reading; a corrected one gets the usual strength.",
        ],
    }  # fmt: skip


def _median(values: Iterable[float]) -> float:
    """Returns the median size of what says something; 1 where nothing does."""
    return median([abs(value) for value in values if abs(value) >= SPEAKS] or [1.0])


def _as_strong(label: Score, read: Score, usual: Mapping[str, float]) -> Score:
    """Returns a label with the strength of the reading where both have one sign, else with the usual strength."""

    def sized(part: str) -> float:
        said, was = getattr(label, part), getattr(read, part)
        return float(was if said * was > 0 else copysign(usual[part], said) if said else 0.0)

    return dataclasses.replace(
        label, relevance=sized("relevance"), sentiment=sized("sentiment"), displacement=sized("displacement"),
        tone=sized("tone"),
    )  # fmt: skip


def _sign(score: Score) -> int:
    """Returns the sign of what moves a signal."""
    value = score.sentiment if score.relevance > 0 else 0.0
    return (value >= SPEAKS) - (value <= -SPEAKS)


def _says(each: TwinReturns) -> str:
    if each.return_pct > 0 > each.twin_pct:
        return MISREADING
    return "loses by misreading: the flawless reading gains" if each.return_pct < 0 < each.twin_pct else ""


def _rows(document: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Returns two rows for each strategy: as it was read, and the flawless reading, marked as such."""
    rows = []
    for each in document["strategies"]:
        name = ("· " if each["baseline"] else "") + each["strategy"]
        rows.append((name, shown(each["return_pct"]), each["says"]))
        rows.append((f"    {MARK} {each['strategy']}", shown(each["flawless_return_pct"]), ""))
    return rows


def _marked(document: Mapping[str, Any]) -> str:
    return (
        f"{MARK}: a flawless reading of {document['labelled']:,} of {document['headlines']:,} headlines, which nobody "
        f"had; not a strategy. It gives {document['signs_corrected']:,} headlines another sign."
    )


def flawless_text(document: Mapping[str, Any]) -> str:
    """Prints each strategy beside what a flawless reader would have earned with it."""
    rows = _rows(document)
    first, *lines = grid(_HEAD[:2], [row[:2] for row in rows])
    lines = [f"{line}  {says}".rstrip() for line, (_, _, says) in zip(lines, rows, strict=True)]
    head = f"{document['episode']}: what a flawless reader would have earned"
    return "\n".join([head, first, *lines, *wrapped(_marked(document)), *notes(document)]) + "\n"


def flawless_section(document: Mapping[str, Any]) -> str:
    """Draws the same rows, as a part of a run's page."""
    return "".join(
        [
            "<h3>A flawless reading</h3>",
            table(_HEAD, _rows(document), _marked(document)),
            folded("What this does not show", listing(document["notes"])),
        ]
    )
