"""Turns scored headlines into signals per symbol and session.

    headline + score ─► NewsItem (known_at, first session, weight of its story)
    NewsItems ─► SignalBook: for each field a decaying sum per symbol and session

Row k of every table uses items whose first tradable session is k or earlier, never a later one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from feeds.headline import Headline
from feeds.scoring import Score, plain_vader
from feeds.scoring.novelty import same_story_weights
from strategies.sessions import Sessions

Floats = NDArray[np.float64]
Reactions = Literal["include", "with-cause", "exclude"]
Field = Literal["sentiment", "tone", "displacement", "vader", "count"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsItem:
    """Holds a scored headline with its place in time."""

    headline: Headline
    score: Score
    known_at: datetime
    session: int | None  # index of the first session that may act on it, None beyond the table
    weight: float  # (0, 1]: 1 for the first report of a story, less for repeats
    vader: float | None  # [-1, 1] plain VADER, None where it does not apply (not English)

    @property
    def used(self) -> bool:
        """Returns whether it can move a signal: about AI and placed in a session."""
        return self.score.relevance > 0 and self.session is not None

    def trades_as(self, reactions: Reactions) -> bool:
        """Returns whether a rule with this setting may act on the item."""
        if not self.score.reaction or reactions == "include":
            return True
        return reactions == "with-cause" and self.score.cause


def place(
    headlines: Sequence[Headline],
    scores: Sequence[Score],
    sessions: Sessions,
    *,
    assumed_delay: timedelta,
    lead: timedelta,
    latency: timedelta,
) -> tuple[NewsItem, ...]:
    """Dates each headline by when it was known and finds the first session that may act on it.

    Returns:
        Items in the order in which they became known (ties by id, so that the order of files does not matter).
    """
    dated = sorted(
        ((head.known_at(assumed_delay), head.id, head, score) for head, score in zip(headlines, scores, strict=True)),
        key=lambda row: row[:2],
    )
    weights = same_story_weights(
        [row[2].title for row in dated], [row[0] for row in dated], [topics(row[3]) for row in dated]
    )
    return tuple(
        NewsItem(
            headline=head,
            score=score,
            known_at=known_at,
            session=sessions.first_tradable(known_at, lead=lead, latency=latency),
            weight=weight,
            vader=plain_vader(head.title) if score.language == "en" and score.relevance > 0 else None,
        )
        for (known_at, _, head, score), weight in zip(dated, weights, strict=True)
    )


def topics(score: Score) -> frozenset[str]:
    """Joins each company with the direction of what is said for AI demand: three reports of one capex plan are one."""
    sign = "+" if score.sentiment > 0 else "-"
    return frozenset(f"{each.symbol}{sign}" for each in score.entities) if score.sentiment else frozenset()


def half_life_factor(half_life: float) -> float:
    """Returns the share of a signal left after one session: `0.5 ** (1 / half_life)`, half-life in sessions."""
    if not half_life > 0:
        raise ValueError(f"half_life {half_life} must be above 0 sessions")
    return float(0.5 ** (1 / half_life))


def _value(item: NewsItem, field: Field) -> float:
    if field == "count":
        return 1.0
    if field == "vader":
        return item.score.relevance * (item.vader or 0.0)
    score = item.score
    part = {"sentiment": score.sentiment, "tone": score.tone, "displacement": score.displacement}[field]
    return item.weight * score.relevance * part


def _named_value(item: NewsItem, symbol: str) -> float:
    for entity in item.score.entities:
        if entity.symbol == symbol:
            return item.weight * item.score.relevance * entity.salience * entity.direction
    return 0.0


class SignalBook:
    """Sums the news, decaying, per field and session, once per setting.

    The signal of a symbol is the AI-wide sum times the symbol's exposure.
    """

    def __init__(self, items: Sequence[NewsItem], first: int, last: int) -> None:
        """Covers the sessions with table indices `first` … `last` (both included)."""
        self._items = tuple(item for item in items if item.used)
        self._first = first
        self._length = last - first + 1
        self._tables: dict[tuple[str, float, str], Floats] = {}

    @property
    def items(self) -> tuple[NewsItem, ...]:
        """Returns the items that can move a signal, in the order in which they became known."""
        return self._items

    def table(self, field: Field, *, half_life: float | None, reactions: Reactions) -> Floats:
        """Returns the sum for each session, shape (sessions,).

        Args:
            field: `sentiment`, `tone`, `displacement`, `vader` (each weighted by relevance) or `count` (relevant
                headlines).
            half_life: Sessions after which half is left; None keeps nothing from session to session.
            reactions: Which headlines about a price move count.
        """
        key = (field, half_life or 0.0, reactions)
        if key not in self._tables:
            self._tables[key] = self._build(field, half_life, reactions)
        return self._tables[key]

    def named(self, symbols: Sequence[str], *, half_life: float | None, reactions: Reactions) -> Floats:
        """Returns the sums of the news that names each symbol, shape (sessions, symbols).

        An item adds story weight x relevance x salience x direction (+1 the company fares well, -1 badly).
        """
        key = (" ".join(("named", *symbols)), half_life or 0.0, reactions)
        if key not in self._tables:
            self._tables[key] = np.column_stack(
                [
                    self._decayed([(item, _named_value(item, symbol)) for item in self._items], half_life, reactions)
                    for symbol in symbols
                ]
            )
        return self._tables[key]

    def _build(self, field: Field, half_life: float | None, reactions: Reactions) -> Floats:
        return self._decayed([(item, _value(item, field)) for item in self._items], half_life, reactions)

    def _decayed(
        self, values: Sequence[tuple[NewsItem, float]], half_life: float | None, reactions: Reactions
    ) -> Floats:
        keep = half_life_factor(half_life) if half_life is not None else 0.0
        arrivals = [0.0] * self._length
        for item, value in values:
            row = (item.session or 0) - self._first
            if 0 <= row < self._length and item.trades_as(reactions):
                arrivals[row] += value
        sums = np.zeros(self._length)
        total = 0.0
        for row, arrived in enumerate(arrivals):  # one order of addition: the compiled engine must add alike
            total = total * keep + arrived
            sums[row] = total
        return sums
