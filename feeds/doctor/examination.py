"""Examines a whole set of news for faults of its times that no single item shows, and says what to do about each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from feeds.doctor.fault_checks import CHECKS, CLOCK, HOLE, OF_FEEDS, REDATED, SILENT, constant, hours
from feeds.doctor.group import ASSUMED_DELAY, Group
from feeds.headline import Headline


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault of a feed, of a source within it, or of the whole set ("all news")."""

    kind: str  # "offset", "night" …: the name of the check
    where: str
    found: str
    advice: str

    def __str__(self) -> str:
        return f"{self.where}: {self.found}; {self.advice}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What a set of news holds, and what is wrong with it."""

    headlines: int
    feeds: int
    assumed: int  # headlines that nobody saw: known from `published` plus the stated delay
    findings: tuple[Finding, ...]


def examine(
    headlines: Iterable[Headline],
    *,
    now: datetime,
    polled: Iterable[str] = (),
    redating: Iterable[str] = (),
    names: Mapping[str, str] | None = None,
) -> Examination:
    """Looks for faults in the times of a set of news.

    Args:
        headlines: The news, in any order; of an item with several revisions the first counts.
        now: The present moment (aware).
        polled: Feeds that are fetched; one without a headline is silent, and what the others saw is no import.
        redating: Feeds whose items came again with other dates, as the archive counts them.
        names: What to call feeds, by their address.
    """
    first: dict[tuple[str, str], Headline] = {}
    for each in headlines:
        held = first.get((each.feed, each.id))
        if held is None or each.known_at(ASSUMED_DELAY) < held.known_at(ASSUMED_DELAY):
            first[each.feed, each.id] = each
    items = list(first.values())
    feeds: dict[str, list[Headline]] = defaultdict(list)
    for item in items:
        feeds[item.feed].append(item)
    known = sorted(moment for item in items if (moment := item.known_at(ASSUMED_DELAY)) <= now)
    last = _end(feeds.values(), known, now)
    fetched = set(polled)
    findings = list(_of_set([moment for moment in known[len(known) // 100 :] if moment <= last]))
    for feed, own in sorted(feeds.items()):
        findings += [
            each for each in _of_feed(feed, own, last, now) if feed not in fetched or each.kind != "import time"
        ]
    findings += _twins(items, {each.where for each in findings if each.kind == "offset"})
    findings += [
        Finding(kind="silent", where=feed, found="was fetched and never brought a headline", advice=SILENT)
        for feed in sorted(fetched - feeds.keys())
    ]
    findings += [
        Finding(kind="re-dated", where=feed, found="its items come again with other dates", advice=REDATED)
        for feed in sorted(set(redating))
    ]
    findings = [replace(each, where=_called(each.where, names or {})) for each in findings]
    assumed = sum(item.seen is None for item in items)
    return Examination(headlines=len(items), feeds=len(feeds), assumed=assumed, findings=tuple(findings))


def _called(where: str, names: Mapping[str, str]) -> str:
    """Returns a place with the feed's name instead of its address; ", source" may follow."""
    feed, comma, source = where.partition(", ")
    return names.get(where) or names.get(feed, feed) + comma + source


def _end(feeds: Iterable[Sequence[Headline]], known: Sequence[datetime], now: datetime) -> datetime:
    """Returns when the set ends: neither a few stragglers nor a single feed of several with wrong times decide it."""
    if not known:
        return now
    ends = sorted(max(item.known_at(ASSUMED_DELAY) for item in items) for items in feeds)
    return min(ends[-2] if len(ends) > 2 else ends[-1], known[-1 - len(known) // 100])


def _of_feed(feed: str, items: Sequence[Headline], last: datetime, now: datetime) -> Iterator[Finding]:
    """Yields what is wrong with a feed, and with its sources where the feed as a whole does not show it."""
    sources: dict[str, list[Headline]] = defaultdict(list)
    for item in items:
        sources[item.source].append(item)
    groups = [Group(feed, items, last, now)]
    if len(sources) > 1:
        groups += [Group(f"{feed}, {name or 'no source'}", own, last, now) for name, own in sorted(sources.items())]
    met: set[str] = set()
    for group in groups:
        whole = group is groups[0]
        for kind, (check, advice) in CHECKS.items():
            if kind in met or (not whole and kind in OF_FEEDS):
                continue
            found = check(group)
            if found is not None:
                yield Finding(kind=kind, where=group.where, found=found, advice=advice)
                if whole:
                    met.add(kind)


def _of_set(known: Sequence[datetime]) -> Iterator[Finding]:
    """Yields what is wrong with the set as a whole: a stretch of time in which nothing is known."""
    if len(known) < 200:
        return
    gaps = sorted((later - earlier, earlier) for earlier, later in pairwise(known))
    longest, since = gaps[-1]
    usual = gaps[int(len(gaps) * 0.99)][0]
    if longest > max(10 * usual, timedelta(days=2)):
        found = f"nothing is known for {hours(longest)} from {since:%Y-%m-%d %H:%M} UTC on"
        yield Finding(kind="hole", where="all news", found=found, advice=HOLE)


def _twins(items: Sequence[Headline], known: set[str]) -> Iterator[Finding]:
    """Yields feeds that date titles a constant time away from two other feeds or more; for news that nobody saw."""
    titles: dict[str, list[Headline]] = defaultdict(list)
    for item in items:
        if item.published is not None and item.seen is None:
            titles[" ".join(item.title.casefold().split())].append(item)
    lags: dict[str, list[timedelta]] = defaultdict(list)
    for twins in titles.values():
        of_feed = {item.feed: _seconds(item.published) for item in twins}
        if len(of_feed) > 2:  # of two nobody can say which one is wrong
            usual = median(of_feed.values())
            for feed, seconds in of_feed.items():
                lags[feed].append(timedelta(seconds=seconds - usual))
    for feed, own in sorted(lags.items()):
        offset = constant(sorted(own))
        if offset is not None and feed not in known:
            share, lag = offset
            side = "after" if lag > timedelta() else "before"
            found = f"{share:.0%} of {len(own)} titles that it shares with others are dated {hours(lag)} {side} theirs"
            yield Finding(kind="offset", where=feed, found=found, advice=CLOCK)


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment is not None else 0.0
