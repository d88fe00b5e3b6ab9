"""Reads news: feed documents in, point-in-time headlines and their scores out.

    Headline   one revision of one feed item: what it said, when it claims to have said it, when it was known
    parse      bytes of an RSS, Atom or JSON Feed -> headlines, what was lost, what had to be assumed
    score      title and summary -> Score, by the default scorer
    Score      language, relevance, sentiment, tone, companies of one headline
    Scorer     scores headlines under a name and version; `feeds.scoring` has those that ship
    Archive    one SQLite file that holds what was known when; polled by `feeds.pull`, filled by `feeds.history`

Nothing here knows a price, an order or a strategy. Names are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from feeds.archive import Archive
    from feeds.headline import Headline
    from feeds.rss import parse
    from feeds.scoring import Score, Scorer, score

__all__ = ["Archive", "Headline", "Score", "Scorer", "parse", "score"]

_HOMES = {
    "Archive": "feeds.archive",
    "Headline": "feeds.headline",
    "Score": "feeds.scoring",
    "Scorer": "feeds.scoring",
    "parse": "feeds.rss",
    "score": "feeds.scoring",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
