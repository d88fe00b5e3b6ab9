"""The episode's news: documents read, scored once, and placed in time."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from backtests.episode import Episode
from feeds import rss
from feeds.errors import InputError
from feeds.headline import Headline
from feeds.rss import Reject
from feeds.scoring import DEFAULT, Scorer
from strategies.signals import NewsItem, place

if TYPE_CHECKING:
    from feeds.archive import Archive

LOOK_BACK = timedelta(days=30)  # before the window: what a rule may still remember at its first session
BASES = ("live", "backfill", "import", "assumed")


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Scored headlines in the order in which they became known, and what was lost on the way."""

    items: tuple[NewsItem, ...]
    rejects: tuple[Reject, ...]
    scorer: str  # "name version"
    basis: Mapping[str, int] = field(default_factory=dict)  # how many are live, backfill, import, assumed

    def counts(self) -> dict[str, object]:
        """Returns total, by_language, used (about AI and tradable in the table) and rejected."""
        languages = Counter(item.score.language for item in self.items)
        return {
            "total": len(self.items) + len(self.rejects),
            "by_language": dict(sorted(languages.items())),
            "used": sum(item.used for item in self.items),
            "rejected": len(self.rejects) + sum(item.score.language not in {"en", "de"} for item in self.items),
            "by_basis": {name: self.basis.get(name, 0) for name in BASES},
        }


def read_news(episode: Episode, *, scorer: Scorer = DEFAULT, lexicon_as_of: date | None = None) -> News:
    """Parses and scores the episode's news documents.

    Raises:
        InputError: A document that is no feed.
    """
    headlines: list[Headline] = []
    rejects: list[Reject] = []
    seen: set[str] = set()
    for path in episode.news:
        parsed = rss.read(path)
        rejects += parsed.rejects
        for headline in parsed.headlines:
            if headline.id in seen:
                rejects.append(Reject(feed=headline.feed, item=0, title=headline.title, reason="duplicate"))
            else:
                seen.add(headline.id)
                headlines.append(headline)
    basis = {"assumed": len(headlines)}
    return _scored(episode, headlines, tuple(rejects), basis, scorer, lexicon_as_of)


def read_archive(
    episode: Episode, archive: Archive, *, scorer: Scorer = DEFAULT, lexicon_as_of: date | None = None
) -> tuple[Episode, News]:
    """Reads and scores what an archive held during the episode's window, and in the 30 days before it.

    Of an item that was edited before it could be traded, only the words of that moment count.

    Returns:
        The episode with the archive instead of its own news among its sources, and the news.

    Raises:
        InputError: The archive holds nothing of that time.
    """
    table = episode.sessions
    since, until = table.opens[episode.window[0]] - LOOK_BACK, table.closes[episode.window[-1]]
    held = list(archive.history(since, until))
    if not held:
        raise InputError(
            f"{archive.path}: holds nothing known from {since:%Y-%m-%d} to {until:%Y-%m-%d}; "
            "fill it with `backtest feeds backfill` or `backtest feeds import`"
        )
    digest = hashlib.sha256()
    newest: dict[tuple[str, str, int | None], Headline] = {}
    basis: Counter[str] = Counter()
    for each in held:
        head = each.headline
        known_at = head.known_at(episode.assumed_delay)
        session = table.first_tradable(known_at, lead=episode.lead, latency=episode.latency)
        newest[head.feed, head.id, session] = head
        basis[each.provenance] += 1
        digest.update(f"{known_at.isoformat()}\0{head.feed}\0{head.id}\0{head.title}\0{head.summary}\n".encode())
    news_files = {path.name for path in episode.news}
    sources = {name: value for name, value in episode.sources.items() if name not in news_files}
    episode = replace(episode, news=(), sources={**sources, "archive": digest.hexdigest()})
    return episode, _scored(episode, list(newest.values()), (), basis, scorer, lexicon_as_of)


def _scored(
    episode: Episode,
    headlines: list[Headline],
    rejects: tuple[Reject, ...],
    basis: Mapping[str, int],
    scorer: Scorer,
    lexicon_as_of: date | None,
) -> News:
    scores = [scorer.score(each.title, each.summary, each.language, lexicon_as_of) for each in headlines]
    items = place(
        headlines,
        scores,
        episode.sessions,
        assumed_delay=episode.assumed_delay,
        lead=episode.lead,
        latency=episode.latency,
    )
    return News(items=items, rejects=rejects, scorer=f"{scorer.name} {scorer.version}", basis=basis)
