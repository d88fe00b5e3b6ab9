"""Asks how much of a score, and of a profit, hangs on names: the masked twin.

Companies, people, products and dates are replaced by roles (feeds/scorers/masking.py), the same scorer reads both
headlines, and every strategy runs on both readings. A model that has read what became of a name can remember it; of
"AIChipCo A" it remembers nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any, Final

from backtests.broker.terms import BrokerTerms
from backtests.engine.news import News
from backtests.episodes.episode import Episode
from backtests.evidence.twins.twin_runs import TwinReturns, twin_returns
from backtests.records.shape import Shape, flag, number, text, whole
from backtests.report.page.markup import folded, listing, table
from backtests.report.text.evidence_text import notes
from backtests.report.text.table import grid
from backtests.report.text.table import number as shown
from feeds.errors import InputError
from feeds.scorers.masking import Mask
from feeds.scoring import SPEAKS, Score, ScoreInput, Scorer
from strategies.rule import Rule

NAME: Final = "masked"
PARTS: Final = ("relevance", "sentiment", "displacement", "tone")
SHAPE: Shape = {
    "headlines": whole,
    "with_names": whole,
    "names": whole,
    "parts": [{"part": text, "changed_share": number, "mean_absolute_change": number, "sign_flips": whole}],
    "strategies": [{"strategy": text, "baseline": flag, "return_pct": number, "masked_return_pct": number}],
    "notes": [text],
}
_PARTS_HEAD: Final = ("part of their score", "changed", "mean change", "signs flipped")
_WHOM: Final = (
    "Which companies a headline names and which way they go is taken from the reading with names, so that a strategy "
    "that trades named companies (pairs) is tested in part only."
)
_HEAD: Final = ("strategy", "return %", "masked %", "hangs on names, points")


def masked_twin(
    episode: Episode,
    news: News,
    rules: Sequence[Rule],
    terms: BrokerTerms,
    scorer: Scorer,
    on_progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Reads the news with names masked, and runs every strategy that reads news on both readings.

    Args:
        episode: The episode.
        news: Its placed news, scored by `scorer`.
        rules: The rules.
        terms: The broker's.
        scorer: What reads the masked headlines; a file of scores cannot.
        on_progress: Called with 1 after each run.

    Returns:
        `evidence/masked.json`. Changes of scores are over the headlines that name something; a change counts from 0.05
        on, and a sign is flipped where it is opposed.

    Raises:
        InputError: The scores are those of a file.
    """
    if scorer.source is not None and scorer.source(()).kind == "scores":
        raise InputError(f"{scorer.name}: a file of scores cannot read masked headlines; give the scorer that made it")
    mask = Mask()
    masked = [mask.mask(item.headline.title, item.headline.summary) for item in news.items]
    texts = [
        ScoreInput(each.title, each.summary, item.score.language, "", item.known_at)
        for each, item in zip(masked, news.items, strict=True)
    ]
    named = [place for place, each in enumerate(masked) if each.names]
    read = scorer.scores([texts[place] for place in named], news.lexicon_as_of)
    scores = [item.score for item in news.items]
    for place, score in zip(named, read, strict=True):
        # whom a headline names, and which way it goes, no reader of roles can say: that stays as it was read
        scores[place] = dataclasses.replace(score, entities=news.items[place].score.entities)
    pairs = [(news.items[place].score, scores[place]) for place in named]
    runs = twin_returns(episode, news, scores, rules, terms, on_progress)
    return {
        "name": NAME, "episode": episode.name, "headlines": len(masked), "with_names": len(named),
        "names": len(mask.names), "parts": [_change(part, pairs) for part in PARTS],
        "strategies": [
            {"strategy": each.strategy, "baseline": each.is_baseline, "return_pct": each.return_pct,
             "masked_return_pct": each.twin_pct}
            for each in runs
        ],
        "notes": _notes(runs),
    }  # fmt: skip


def _change(part: str, pairs: Sequence[tuple[Score, Score]]) -> dict[str, Any]:
    """Returns how far a part of the score moved."""
    values = [(getattr(one, part), getattr(other, part)) for one, other in pairs]
    moves = [abs(one - other) for one, other in values]
    return {
        "part": part,
        "changed_share": fmean(move >= SPEAKS for move in moves) if moves else 0.0,
        "mean_absolute_change": fmean(moves) if moves else 0.0,
        "sign_flips": sum(min(one, other) <= -SPEAKS and max(one, other) >= SPEAKS for one, other in values),
    }


def _notes(runs: Sequence[TwinReturns]) -> list[str]:
    turned = [each.strategy for each in runs if each.return_pct > 0 >= each.twin_pct and not each.is_baseline]
    lost = [f"Gains with names and not without them: {', '.join(turned)}."] if turned else []
    return [
        *lost,
        "Few changed scores can move a profit far: `backtest resample` says how far chance moves it.",
        "A role is a fact too: that chip makers fell in a month a model may remember without any name.",
        _WHOM,
    ]


def masked_text(document: Mapping[str, Any]) -> str:
    """Prints what moved in scores and profits once names were masked."""
    about = f"{document['episode']}: {_about(document)}"
    lines = [about, *grid(_PARTS_HEAD, _parts(document)), "", *grid(_HEAD, _returns(document)), *notes(document)]
    return "\n".join(lines) + "\n"


def _about(document: Mapping[str, Any]) -> str:
    return (
        f"{document['with_names']:,} of {document['headlines']:,} headlines with their {document['names']:,} names and "
        "dates replaced by roles"
    )


def _parts(document: Mapping[str, Any]) -> list[tuple[str, ...]]:
    return [
        (each["part"], f"{each['changed_share']:.1%}", shown(each["mean_absolute_change"], 3, sign=False),
         str(each["sign_flips"]))
        for each in document["parts"]
    ]  # fmt: skip


def _returns(document: Mapping[str, Any]) -> list[tuple[str, ...]]:
    return [
        (("· " if each["baseline"] else "") + each["strategy"], shown(each["return_pct"]),
         shown(each["masked_return_pct"]), shown(each["return_pct"] - each["masked_return_pct"]))
        for each in document["strategies"]
    ]  # fmt: skip


def masked_section(document: Mapping[str, Any]) -> str:
    """Draws both tables, as a part of a run's page."""
    return "".join(
        [
            "<h3>With names masked</h3>",
            table(_PARTS_HEAD, _parts(document), _about(document)),
            table(_HEAD, _returns(document), "Returns with names and with roles in their place"),
            folded("What this does not show", listing(document["notes"])),
        ]
    )
