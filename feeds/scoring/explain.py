"""Shows which features made a headline's score: the strongest of each head, with what they add. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from feeds.scoring.clauses import bare
from feeds.scoring.features import Parts, take_apart
from feeds.scoring.model import FLAGS, SIGNED, Model, model
from feeds.scoring.pipeline import LONGEST, SPOKEN, score_texts
from feeds.scoring.score import ScoreInput

_SHOWN: Final = 5  # features of each head


def explain(title: str, vintage: str = "all", *, language: str = "", lexicon_as_of: date | None = None) -> list[str]:
    """Returns lines that say how a headline came to its score.

    Args:
        title: The headline.
        vintage: Whose weights.
        language: What the channel says it is written in, "" for nothing.
        lexicon_as_of: Leaves out words learned after that day.
    """
    weights = model(vintage)
    (scored,) = score_texts([ScoreInput(title, "", language)], weights, lexicon_as_of)
    lines = [f"language {scored.language}" + (f" (declared {language})" if language else "")]
    if scored.language not in {"en", "de"}:
        return [*lines, "rejected: only English and German are scored"]
    parts = take_apart(bare(title[:LONGEST]), scored.language, lexicon_as_of)
    values = {"sentiment": scored.sentiment, "displacement": scored.displacement, "tone": scored.tone}
    for head in SIGNED:
        lines.append(f"{SPOKEN.get(head, head)} {values[head]:+.2f}: log odds of + over -")
        lines += _strongest(weights, parts, f"{head} +", f"{head} -")
    for head, said in zip(FLAGS, (f"{scored.relevance:.2f}", *_yes(scored.reaction, scored.cause)), strict=True):
        lines.append(f"{head} {said}: log odds of yes")
        lines += _strongest(weights, parts, head)
    lines.append(f"analyzer's tone {parts.tone:+.2f}: {', '.join(parts.tone_words) or 'no word with a valence'}")
    for each in scored.entities:
        way = {1: "up", -1: "down", 0: "unsaid"}[each.direction]
        lines.append(f"company {each.symbol}: {way}, salience {each.salience:.2f}")
    return lines


def _yes(*flags: bool) -> Iterator[str]:
    return ("yes" if flag else "no" for flag in flags)


def _strongest(weights: Model, parts: Parts, column: str, *against: str) -> Iterator[str]:
    pulls = weights.pulls(parts, column, *against)
    rest = sum(pull for pull, _ in pulls[_SHOWN:])
    yield from (f"  {pull:+.2f}  {name}" for pull, name in pulls[:_SHOWN])
    yield f"  {rest:+.2f}  {max(0, len(pulls) - _SHOWN)} others"
