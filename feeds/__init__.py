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

from typing import TYPE_CHECKING

from feeds.public_names import on_first_use

if TYPE_CHECKING:
    from feeds.archive import Archive
    from feeds.headline import Headline
    from feeds.rss import parse
    from feeds.scoring import Score, Scorer, score

__all__ = ["Archive", "Headline", "Score", "Scorer", "parse", "score"]

_MODULES = {
    "Archive": "feeds.archive",
    "Headline": "feeds.headline",
    "Score": "feeds.scoring",
    "Scorer": "feeds.scoring",
    "parse": "feeds.rss",
    "score": "feeds.scoring",
}

__getattr__, __dir__ = on_first_use(__name__, _MODULES)
