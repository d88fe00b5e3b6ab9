"""The episode's news: documents read, scored once, and placed in time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date

from backtests.episode import Episode
from feeds import rss
from feeds.headline import Headline
from feeds.rss import Reject
from feeds.scoring import DEFAULT, Scorer
from strategies.signals import NewsItem, place


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Scored headlines in the order in which they became known, and what was lost on the way."""

    items: tuple[NewsItem, ...]
    rejects: tuple[Reject, ...]
    scorer: str  # "name version"

    def counts(self) -> dict[str, object]:
        """Returns total, by_language, used (about AI and tradable in the table) and rejected."""
        languages = Counter(item.score.language for item in self.items)
        return {
            "total": len(self.items) + len(self.rejects),
            "by_language": dict(sorted(languages.items())),
            "used": sum(item.used for item in self.items),
            "rejected": len(self.rejects) + sum(item.score.language not in {"en", "de"} for item in self.items),
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
    scores = [scorer.score(each.title, each.summary, each.language, lexicon_as_of) for each in headlines]
    items = place(
        headlines,
        scores,
        episode.sessions,
        assumed_delay=episode.assumed_delay,
        lead=episode.lead,
        latency=episode.latency,
    )
    return News(items=items, rejects=tuple(rejects), scorer=f"{scorer.name} {scorer.version}")
