"""The episode's news: documents read, scored once, and placed in time."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from backtests.episodes.episode import Episode
from feeds import rss
from feeds.errors import InputError
from feeds.headline import Headline
from feeds.rss import Reject
from feeds.scoring import DEFAULT, Score, ScoreInput, Scorer
from strategies.signals import NewsItem, place

if TYPE_CHECKING:
    from feeds.archive import Archive, ArchivedHeadline
    from feeds.history.sources import Lost

LOOK_BACK = timedelta(days=30)  # before the window: what a rule may still remember at its first session
BASES = ("live", "backfill", "import", "assumed")


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Scored headlines in the order in which they became known, and what was lost on the way."""

    items: tuple[NewsItem, ...]
    rejects: tuple[Reject, ...]
    scorer: str  # "name version"
    basis: Mapping[str, int] = field(default_factory=dict)  # how many are live, backfill, import, assumed
    held: tuple[tuple[str, Headline], ...] = ()  # what an archive held: provenance and headline
    lexicon_as_of: date | None = None  # scored without words learned after that day
    remarks: Mapping[str, int] = field(default_factory=dict)  # how often what was assumed or put right, by reason
    trained_until: date | None = None  # the scorer's training cut-off, None where nothing is learned

    def counts(self) -> dict[str, object]:
        """Returns total, by_language, used (about AI and tradable in the table), rejected; remarks if there are any."""
        languages = Counter(item.score.language for item in self.items)
        return {
            "total": len(self.items) + len(self.rejects),
            "by_language": dict(sorted(languages.items())),
            "used": sum(item.used for item in self.items),
            "rejected": len(self.rejects) + sum(item.score.language not in {"en", "de"} for item in self.items),
            "by_basis": {name: self.basis.get(name, 0) for name in BASES},
            **({"remarks": dict(self.remarks)} if self.remarks else {}),
        }


def read_news(episode: Episode, *, scorer: Scorer = DEFAULT, lexicon_as_of: date | None = None) -> News:
    """Parses and scores the episode's news: feeds, and lists of headlines (JSONL) with the times they were seen.

    Of an item of a list that was edited before it could be traded, only the words of that moment count.

    Raises:
        InputError: A document that is no feed, or a list that is none.
    """
    headlines: list[Headline] = []
    rejects: list[Reject] = []
    remarks: Counter[str] = Counter()
    seen: set[str] = set()
    listed: list[Headline] = []
    for path in episode.news:
        if path.suffix == ".jsonl":
            listed += _listed(path, rejects)
            continue
        parsed = rss.read(path)
        rejects += parsed.rejects
        remarks.update(parsed.remarks)
        for headline in parsed.headlines:
            if headline.id in seen:
                rejects.append(Reject(feed=headline.feed, item=0, title=headline.title, reason="duplicate"))
            else:
                seen.add(headline.id)
                headlines.append(headline)
    basis = Counter({"assumed": len(headlines)})
    basis.update("import" if each.seen else "assumed" for each in listed)
    headlines += _newest(episode, listed)
    return replace(_scored(episode, headlines, tuple(rejects), basis, scorer, lexicon_as_of), remarks=remarks)


def _listed(path: Path, rejects: list[Reject]) -> list[Headline]:
    """Reads a list of headlines; a row that lacks something is lost and counted."""
    from feeds.history.headline_tables import read_jsonl

    def lost(what: Lost) -> None:
        rejects.append(Reject(feed=what.key, item=0, title="", reason=what.reason))

    with path.open("rb") as file:
        return [found.headline for found in read_jsonl(file, feed=path.name, name=str(path), lost=lost)]


def _newest(episode: Episode, headlines: Iterable[Headline]) -> list[Headline]:
    """Of the revisions that fall to one session the newest, in the order in which items became known."""
    newest: dict[tuple[str, str, int | None], Headline] = {}
    for head in sorted(headlines, key=lambda each: each.known_at(episode.assumed_delay)):
        known_at = head.known_at(episode.assumed_delay)
        session = episode.sessions.first_tradable(known_at, lead=episode.lead, latency=episode.latency)
        newest[head.feed, head.id, session] = head
    return list(newest.values())


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
    rows = [(each.provenance, each.headline) for each in held]
    scores = _archived(archive, held, scorer, lexicon_as_of)
    return from_held(episode, rows, scorer=scorer, lexicon_as_of=lexicon_as_of, scores=scores)


def from_held(
    episode: Episode,
    held: Sequence[tuple[str, Headline]],
    *,
    scorer: Scorer = DEFAULT,
    lexicon_as_of: date | None = None,
    scores: Mapping[Headline, Score] | None = None,
) -> tuple[Episode, News]:
    """Scores and places what an archive held: provenance and headline of each sighting, in order of time.

    `scores` are those that are made already.
    """
    digest = hashlib.sha256()
    basis: Counter[str] = Counter()
    for provenance, head in held:
        known_at = head.known_at(episode.assumed_delay)
        basis[provenance] += 1
        digest.update(f"{known_at.isoformat()}\0{head.feed}\0{head.id}\0{head.title}\0{head.summary}\n".encode())
    news_files = {path.name for path in episode.news}
    sources = {name: value for name, value in episode.sources.items() if name not in news_files}
    files = tuple((place, path) for place, path in episode.files if not place.startswith("news/"))
    episode = replace(episode, news=(), files=files, sources={**sources, "archive": digest.hexdigest()})
    news = _scored(episode, _newest(episode, (head for _, head in held)), (), basis, scorer, lexicon_as_of, scores)
    return episode, replace(news, held=tuple(held))


def _archived(
    archive: Archive, held: Sequence[ArchivedHeadline], scorer: Scorer, as_of: date | None
) -> dict[Headline, Score]:
    """The scores of an archive's headlines: stored ones of this very scorer, the others made and stored.

    An archive that cannot be written is scored all the same: what is stored only saves time.
    """
    stored = archive.scores([each.row for each in held], scorer.key, as_of)
    new = [each for each in held if each.row not in stored]
    scored = scorer.scores([_told(each.headline) for each in new], as_of)
    made = {each.row: score for each, score in zip(new, scored, strict=True)}
    if made:
        with suppress(InputError):
            archive.store_scores(made, scorer.key, as_of)
    scores = {**stored, **made}
    return {each.headline: scores[each.row] for each in held}


def _told(headline: Headline) -> ScoreInput:
    return ScoreInput(headline.title, headline.summary, headline.language)


def _scored(
    episode: Episode,
    headlines: list[Headline],
    rejects: tuple[Reject, ...],
    basis: Mapping[str, int],
    scorer: Scorer,
    lexicon_as_of: date | None,
    made: Mapping[Headline, Score] | None = None,
) -> News:
    if made is None:
        scores = scorer.scores([_told(each) for each in headlines], lexicon_as_of)
    else:
        scores = [made[each] for each in headlines]
    items = place(
        headlines,
        scores,
        episode.sessions,
        assumed_delay=episode.assumed_delay,
        lead=episode.lead,
        latency=episode.latency,
    )
    return News(
        items=items, rejects=rejects, scorer=scorer.label, basis=basis, lexicon_as_of=lexicon_as_of,
        trained_until=scorer.trained_until,
    )  # fmt: skip
