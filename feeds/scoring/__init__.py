"""Language, tone, AI-disruption sentiment and entities of a headline. Pure: a text in, a `Score` out."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from feeds.scoring.clauses import asks, bare, wishes
from feeds.scoring.disruption import read, sentiment
from feeds.scoring.entities import entities
from feeds.scoring.glance import ASKS, DISRUPTION, NAMES, PHRASE, REACTION, glance
from feeds.scoring.language import decide, votes
from feeds.scoring.matching import split
from feeds.scoring.phrases import LISTS
from feeds.scoring.reaction import reaction
from feeds.scoring.score import Entity, Score, Scorer
from feeds.scoring.tone import plain_vader, statement_tone

__all__ = ["DEFAULT", "Entity", "Score", "Scorer", "plain_vader", "score"]

SPEAKS = 0.05  # a smaller tone is none
LONGEST = 2_000  # characters looked at; a longer text is no headline


@lru_cache(maxsize=8192)
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
    title, summary = bare(title[:LONGEST]), summary[:LONGEST]
    row, told_row = split(title), split(summary)
    detected = decide(votes(row.pieces) + votes(told_row.pieces), f"{title} {summary}", language)
    if detected not in LISTS or not title.strip():
        return Score(language=detected, relevance=0.0, sentiment=0.0, tone=0.0)
    look = glance(detected, lexicon_as_of)
    words = row.words
    seen = look(words)
    asked = bool(seen & ASKS) and asks(words)
    tone_hits: tuple[str, ...] = ()
    tone_value = 0.0
    if not asked:
        tone_value, tone_hits = statement_tone(title, detected, lexicon_as_of, phrased=bool(seen & PHRASE))
        if tone_value > 0 and seen & ASKS and wishes(words):
            tone_value = 0.0
    reported = caused = False
    if seen & REACTION and not asked:
        reported, caused = reaction(title, lexicon_as_of)
    about = value = implied = 0.0
    rules: tuple[str, ...] = ()
    if seen & DISRUPTION:
        reading = read(title, lexicon_as_of)
        about = reading.relevance()
        value, implied, rules = sentiment(reading) if about else (0.0, 0.0, ())
    told = look(told_row.words) if summary else 0
    if told & DISRUPTION and not (about and rules):
        reading = read(summary, lexicon_as_of)
        titled = about
        about = about or reading.relevance() / 2
        if titled and not reported:  # newsletters touch on many things; beside a move a summary tells old causes again
            value, _, rules = sentiment(reading)
            value /= 2  # said only in the summary
    if abs(tone_value) < SPEAKS and not asked:
        tone_value = implied  # no word has a tone, but what happened has
    return Score(
        language=detected,
        relevance=about,
        sentiment=value,
        tone=tone_value,
        entities=entities(
            title if seen & NAMES else "", summary if told & NAMES else "", detected, tone_value, lexicon_as_of
        )
        if (seen | told) & NAMES
        else (),
        reaction=reported,
        cause=reported and (caused or bool(rules)),
        hits=tuple([f"disruption:{name}" for name in rules] + [f"tone:{word}" for word in tone_hits]),
    )


def _score(title: str, summary: str, language: str, lexicon_as_of: date | None) -> Score:
    return score(title, summary, language=language, lexicon_as_of=lexicon_as_of)


DEFAULT = Scorer(name="vader-disruption", version="3", score=_score, about="word lists and rules of our own on VADER")
