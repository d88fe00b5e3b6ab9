"""Reads the episode's news, scores it once, and places it in time."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backtests.engine.news_language import by_vintage, is_open, score_as_stated, score_headlines, score_input
from backtests.episodes.episode import Episode
from feeds import rss
from feeds.collector import without_collector
from feeds.errors import InputError
from feeds.headline import Headline
from feeds.rss import Parsed, Reject
from feeds.scoring import DEFAULT, Score, ScoreInput, Scorer, ScorerSource
from strategies.sessions import Sessions
from strategies.signals import NewsItem, place

if TYPE_CHECKING:
    from feeds.archive import Archive, ArchivedHeadline
    from feeds.history.sources import Lost

LOOK_BACK = timedelta(days=30)  # before the window: what a rule may still remember at its first session
LISTS = {".jsonl", ".csv"}  # lists of headlines, with the times at which they were seen or published
_EVER, _NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
BASES = ("live", "backfill", "import", "assumed")


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Holds scored headlines in the order in which they became known, and what was lost on the way."""

    items: tuple[NewsItem, ...]
    rejects: tuple[Reject, ...]
    scorer: str  # "name version"; of one with vintages the one that scored all, or the name of them all
    basis: Mapping[str, int] = field(default_factory=dict)  # how many are live, backfill, import, assumed
    archived: tuple[tuple[str, Headline], ...] = ()  # what an archive has: provenance and headline
    lexicon_as_of: date | None = None  # scored without words learned after that day
    remarks: Mapping[str, int] = field(default_factory=dict)  # how often what was assumed or put right, by reason
    trained_until: date | None = None  # the (last) training cut-off, None where nothing is learned
    vintages: Mapping[str, int] = field(default_factory=dict)  # where several scored: how many headlines, by cut-off
    before_first: int = 0  # of these so early that no vintage was over: scored by the first, which learned later
    source: ScorerSource | None = None  # the file behind the scores, which a run keeps
    notes: tuple[str, ...] = ()  # what a result says of the scorer
    span: tuple[datetime, datetime] | None = None  # from when to when a headline can act in the window; None: always

    def counts(self) -> dict[str, object]:
        """Counts headlines: total, by_language, used (about AI and known in time to act), rejected, remarks."""
        first, last = self.span or (_EVER, _NEVER)
        languages = Counter(item.score.language for item in self.items)
        return {
            "total": len(self.items) + len(self.rejects),
            "by_language": dict(sorted(languages.items())),
            "used": sum(item.used and first <= item.known_at <= last for item in self.items),
            "rejected": len(self.rejects) + sum(item.score.language not in {"en", "de"} for item in self.items),
            "by_basis": {name: self.basis.get(name, 0) for name in BASES},
            **({"remarks": dict(self.remarks)} if self.remarks else {}),
        }


def read_news(
    episode: Episode,
    *,
    scorer: Scorer = DEFAULT,
    lexicon_as_of: date | None = None,
    until: datetime | None = None,
) -> News:
    """Parses and scores the episode's news: feeds, and lists of headlines (JSONL, CSV) with the times they were seen.

    Of an item of a list that was edited before it could be traded, only the words of that moment count. Of a scorer
    with vintages each headline is scored by the newest that was over before the first session, or before its own day.
    With `until` what was known later is as if it were not there.

    Raises:
        InputError: A document that is no feed, or a list that is none.
    """
    headlines: list[Headline] = []
    rejects: list[Reject] = []
    remarks: Counter[str] = Counter()
    seen: set[str] = set()
    listed: list[Headline] = []
    for path in episode.news:
        parsed = read_document(path)
        if until is not None:
            known = (each for each in parsed.headlines if each.known_at(episode.assumed_delay) <= until)
            parsed = replace(parsed, headlines=tuple(known))
        rejects += parsed.rejects
        remarks.update(parsed.remarks)
        if path.suffix.lower() in LISTS:
            listed += parsed.headlines
            continue
        for headline in parsed.headlines:
            if headline.id in seen:
                rejects.append(Reject(feed=headline.feed, item=0, title=headline.title, reason="duplicate"))
            else:
                seen.add(headline.id)
                headlines.append(headline)
    basis = Counter({"assumed": len(headlines)})
    basis.update("import" if each.seen else "assumed" for each in listed)
    scored = score_headlines([*headlines, *listed], scorer, lexicon_as_of, episode.assumed_delay, start=episode.start)
    headlines += _newest(episode, listed)
    news = _placed(episode, [scored[each] for each in headlines], scorer, lexicon_as_of, scored)
    remarks.update(news.remarks)
    return replace(news, rejects=tuple(rejects), basis=basis, remarks=remarks)


def read_document(path: Path) -> Parsed:
    """Reads a feed document or a list of headlines (JSONL, CSV); a row that lacks something is lost and counted.

    Raises:
        InputError: It is neither.
    """
    if path.suffix.lower() not in LISTS:
        return rss.read(path)
    from feeds.history.headline_tables import read_csv, read_jsonl

    rejects: list[Reject] = []

    def lost(what: Lost) -> None:
        rejects.append(Reject(feed=what.key, item=0, title="", reason=what.reason))

    read = read_csv if path.suffix.lower() == ".csv" else read_jsonl
    try:
        with path.open("rb") as file:
            found = tuple(each.headline for each in read(file, feed=path.name, name=str(path), lost=lost))
    except OSError as wrong:
        raise InputError(f"{path}: cannot be read ({wrong.strerror}); give a list of headlines") from None
    return Parsed(headlines=found, rejects=tuple(rejects), language="")


def _newest(episode: Episode, headlines: Iterable[Headline]) -> list[Headline]:
    """Of the revisions that fall to one session the newest, in the order in which items became known."""
    newest: dict[tuple[str, str, int | None], Headline] = {}
    for head in sorted(headlines, key=lambda each: each.known_at(episode.assumed_delay)):
        known_at = head.known_at(episode.assumed_delay)
        session = episode.sessions.first_tradable(known_at, lead=episode.lead, latency=episode.latency)
        # without a time of sighting nothing says that one text replaced another: texts of one link are then items each
        newest[head.feed, head.id if head.seen else f"{head.id} {head.title}", session] = head
    return list(newest.values())


def news_span(table: Sessions, window: range) -> tuple[datetime, datetime]:
    """Returns from when to when a headline must be known to act in a window (rows of the table), both included.

    From 30 days before its first open, which is what a rule may still remember, to its last close.
    """
    return table.opens[window[0]] - LOOK_BACK, table.closes[window[-1]]


def read_archive(
    episode: Episode,
    archive: Archive,
    *,
    scorer: Scorer = DEFAULT,
    lexicon_as_of: date | None = None,
    until: datetime | None = None,
) -> tuple[Episode, News]:
    """Reads and scores what an archive has during the episode's window, and in the 30 days before it.

    Of an item that was edited before it could be traded, only the words of that moment count. With `until` what was
    known later is as if it were not there; then there may be nothing.

    Returns:
        The episode with the archive instead of its own news among its sources, and the news.

    Raises:
        InputError: The archive holds nothing of that time.
    """
    since, last = news_span(episode.sessions, episode.window)
    with without_collector():
        archived = list(archive.history(since, min(last, until or last)))
        if not archived and until is None:
            raise InputError(
                f"{archive.path}: holds nothing known from {since:%Y-%m-%d} to {last:%Y-%m-%d}; "
                "fill it with `backtest feeds backfill` or `backtest feeds import`"
            )
        rows = [(each.provenance, each.headline) for each in archived]
        scores = _archived_scores(episode, archive, archived, scorer, lexicon_as_of) if scorer.stored else None
        return from_archived(episode, rows, scorer=scorer, lexicon_as_of=lexicon_as_of, scores=scores)


def from_archived(
    episode: Episode,
    archived: Sequence[tuple[str, Headline]],
    *,
    scorer: Scorer = DEFAULT,
    lexicon_as_of: date | None = None,
    scores: Mapping[Headline, Score] | None = None,
) -> tuple[Episode, News]:
    """Scores and places what an archive has: provenance and headline of each sighting, in order of time.

    `scores` are those that are made already, of headlines whose language is not open.
    """
    digest = hashlib.sha256()
    basis: Counter[str] = Counter()
    for provenance, head in archived:
        known_at = head.known_at(episode.assumed_delay)
        basis[provenance] += 1
        digest.update(f"{known_at.isoformat()}\0{head.feed}\0{head.id}\0{head.title}\0{head.summary}\n".encode())
    news_files = {path.name for path in episode.news}
    sources = {name: value for name, value in episode.sources.items() if name not in news_files}
    files = tuple((place, path) for place, path in episode.files if not place.startswith("news/"))
    episode = replace(episode, news=(), files=files, sources={**sources, "archive": digest.hexdigest()})
    every = [head for _, head in archived]
    scored = score_headlines(every, scorer, lexicon_as_of, episode.assumed_delay, scores, start=episode.start)
    news = _placed(episode, [scored[each] for each in _newest(episode, every)], scorer, lexicon_as_of, scored)
    return episode, replace(news, basis=basis, archived=tuple(archived))


def _archived_scores(
    episode: Episode, archive: Archive, archived: Sequence[ArchivedHeadline], scorer: Scorer, as_of: date | None
) -> dict[Headline, Score]:
    """Scores an archive's headlines: takes stored scores of this very scorer, makes and stores the others.

    Not those whose language is open: what their feed's other items say of it hangs on what a replay reads of them.
    An archive that cannot be written is scored all the same: what is stored only saves time.
    """
    delay = episode.assumed_delay
    rows: dict[Headline, list[int]] = {}
    for each in archived:
        if not is_open(each.headline):
            rows.setdefault(each.headline, []).append(each.row)
    scores: dict[Headline, Score] = {}
    for vintage, group in by_vintage(rows, scorer, as_of, delay, episode.start):
        stored = archive.scores([row for each in group for row in rows[each]], vintage.key, as_of)
        scores.update((each, stored[rows[each][0]]) for each in group if rows[each][0] in stored)
        made = score_as_stated([each for each in group if each not in scores], vintage, as_of, delay, episode.start)
        if made:
            with suppress(InputError):
                archive.store_scores({row: made[each] for each in made for row in rows[each]}, vintage.key, as_of)
        scores.update(made)
    return scores


def _placed(
    episode: Episode,
    scored: Sequence[tuple[Headline, Score]],
    scorer: Scorer,
    lexicon_as_of: date | None,
    every: Iterable[Headline],
) -> News:
    """Places scored headlines; `every` headline that was scored counts for the file that a run keeps of its scorer."""
    items = place(
        [head for head, _ in scored],
        [score for _, score in scored],
        episode.sessions,
        assumed_delay=episode.assumed_delay,
        lead=episode.lead,
        latency=episode.latency,
    )

    def inputs(headlines: Iterable[Headline]) -> list[ScoreInput]:
        return [score_input(each, episode.assumed_delay) for each in headlines]

    heads = [item.headline for item in items]
    used = by_vintage(heads, scorer, lexicon_as_of, episode.assumed_delay, episode.start)
    one = used[0][0] if len(used) == 1 else scorer if used else scorer.before(episode.start, lexicon_as_of)
    own = inputs(head for head, _ in scored) if one.remark or one.notes else []
    news = News(
        items=items, rejects=(), scorer=one.label, lexicon_as_of=lexicon_as_of,
        trained_until=one.trained_until, span=news_span(episode.sessions, episode.window),
        remarks=Counter(filter(None, map(one.remark, own))) if one.remark else Counter(),
        source=one.source(inputs(every)) if one.source else None, notes=one.notes(own) if one.notes else (),
    )  # fmt: skip
    return news if len(used) < 2 else replace(news, **_counted(used, news.span, episode.assumed_delay, episode.start))


def _counted(
    used: Iterable[tuple[Scorer, list[Headline]]], span: tuple[datetime, datetime] | None, delay: timedelta, start: date
) -> dict[str, Any]:
    """Counts what each of several vintages scored of what can act in the window, and what the first knew already."""
    first, last = span or (_EVER, _NEVER)
    days = {
        vintage.trained_until: [moment.date() for each in group if first <= (moment := each.known_at(delay)) <= last]
        for vintage, group in used
        if vintage.trained_until is not None
    }
    return {
        "trained_until": max(days),
        "vintages": {until.isoformat(): len(days[until]) for until in sorted(days)},
        "before_first": sum(max(day, start) <= until for until in days for day in days[until]),
    }
