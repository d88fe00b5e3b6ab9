"""Lists everything that is wrong with an episode's folder, one line each: where it is, what it is, what to do.

`load_episode` stops at the first mistake and looks at what a replay needs; this looks at all of it, also at what a
replay would not notice: sessions the exchange did not have, bars that end early, news from another time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from backtests.authoring.overnight import overnight_jumps, row_place
from backtests.engine.news import LOOK_BACK, read_news
from backtests.episodes.episode import Episode, load_episode
from backtests.episodes.listing_checks import apply_status
from backtests.episodes.listing_status import read_status
from backtests.episodes.manifest import read_manifest
from backtests.episodes.prices import check_calendar, price_file, read_actions, read_prices
from feeds import rss
from feeds.errors import InputError
from feeds.scoring import Score, Scorer
from strategies.sessions import Sessions, calendar_sessions, read_sessions

T = TypeVar("T")
AFTER = timedelta(days=3)  # news may come this long after the window's last close: nothing trades on it


def check_folder(folder: Path) -> list[str]:
    """Returns what is wrong with an episode's folder; empty when it is valid."""
    if not folder.is_dir():
        return [f"{folder}: is no folder; give the folder that holds episode.toml"]
    found = _Problems()
    manifest = found.get(lambda: read_manifest(folder / "episode.toml"))
    sessions = found.get(lambda: read_sessions(folder / "sessions.csv"))
    prices = found.get(lambda: read_prices(price_file(folder)))
    actions = found.get(lambda: read_actions(folder / "actions.csv"))
    status = found.get(lambda: read_status(folder))
    if prices is not None and actions is not None and status is not None and sessions is not None:
        applied = found.get(partial(apply_status, status, prices, actions, sessions))
        prices = applied[0] if applied is not None else prices
    for path in sorted(folder.glob("news*.xml")):
        found.get(partial(rss.read, path))
    if sessions is not None and prices is not None and manifest is not None:
        for members in manifest.values["sectors"].values():
            for symbol in members:
                if symbol in prices.bars:
                    found.get(partial(check_calendar, prices, [symbol], sessions, price_file(folder)))
    if found.problems:
        return found.problems
    episode = found.get(lambda: load_episode(folder))
    if episode is not None:
        found.problems += _calendar(episode)
        found.problems += _actions(episode)
        found.problems += overnight_jumps(episode)
        found.problems += _silent_sessions(episode)
        found.problems += _early_ends(episode)
        found.problems += _news(episode)
    return found.problems


class _Problems:
    """Collects what readers refuse."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def get(self, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except InputError as wrong:
            text = " ".join(str(wrong).split())
            if text not in self.problems:
                self.problems.append(text)
            return None


def _calendar(episode: Episode) -> Iterator[str]:
    """Names sessions that the exchange did not have, or had at other hours."""
    table, path = episode.sessions, episode.folder / "sessions.csv"
    calendar = calendar_sessions(table.sessions[0], table.sessions[-1])
    given, real = _hours(table), _hours(calendar)
    for day in sorted(given.keys() | real.keys()):
        if day not in real:
            yield f"{row_place(path, str(day))}: {day} was no session of the New York Stock Exchange; drop the row"
        elif day not in given:
            yield f"{path}: the session {day} is missing; add {day},{real[day][0]},{real[day][1]}"
        elif given[day] != real[day]:
            place = row_place(path, str(day))
            yield f"{place}: the session {day} ran from {real[day][0]} to {real[day][1]}; write that"


def _hours(table: Sessions) -> dict[date, tuple[str, str]]:
    return {
        day: (opened.isoformat(), closed.isoformat())
        for day, opened, closed in zip(table.sessions, table.opens, table.closes, strict=True)
    }


def _actions(episode: Episode) -> Iterator[str]:
    """Names corporate actions on days that were no session."""
    path, table = episode.folder / "actions.csv", episode.sessions.sessions
    for action in episode.actions:
        if (
            action.symbol in episode.tradable
            and table[0] <= action.ex_date <= table[-1]
            and action.ex_date not in table
        ):
            place = row_place(path, f"{action.symbol},{action.ex_date}")
            yield f"{place}: {action.symbol} {action.kind} on {action.ex_date}, which is no session; give the ex-date"


def _silent_sessions(episode: Episode) -> Iterator[str]:
    """Names sessions of the window and before without volume that no halt declares: nothing can be bought or sold."""
    path = price_file(episode.folder)
    for symbol in episode.tradable:
        bars = episode.prices.bars[symbol]
        halted = [(first, last) for each, first, last in episode.halts if each == symbol]
        silent = [
            day
            for day, volume in zip(bars.sessions, bars.volume.tolist(), strict=True)
            if volume == 0 and not any(first <= day <= last for first, last in halted)
        ]
        if silent and len(silent) == len(bars.sessions):
            yield f"{path}: {symbol} has no volume in any bar and cannot be traded; give it, or move it to context"
        elif silent:
            place = row_place(path, f"{symbol},{silent[0]}")
            yield (
                f"{place}: {symbol} has no volume in {len(silent)} sessions, {silent[0]} to {silent[-1]}: halted? "
                f"Declare {symbol},{silent[0]},{silent[-1]},reason in halts.csv, or correct the volumes"
            )


def _early_ends(episode: Episode) -> Iterator[str]:
    """Names symbols whose bars end inside the window without a delisting that says so."""
    last = episode.sessions.sessions[episode.window[-1]]
    declared = {symbol for symbol, _, _ in episode.delistings}
    for symbol in episode.tradable:
        end = episode.prices.bars[symbol].sessions[-1]
        if end < last and symbol not in declared:
            yield (
                f"{price_file(episode.folder)}: {symbol}: bars end on {end}, inside the window: delisted, renamed, "
                f"or cut off by the source? Add the bars, declare {symbol},{end},last in delistings.csv, or say in "
                "symbols.csv which symbol it had formerly"
            )


def _news(episode: Episode) -> Iterator[str]:
    """Names headlines from another time, and items that were lost."""
    table = episode.sessions
    since = table.opens[episode.window[0]] - LOOK_BACK
    until = table.closes[episode.window[-1]] + AFTER
    try:
        news = read_news(episode, scorer=_UNSCORED)
    except InputError as wrong:
        yield " ".join(str(wrong).split())
        return
    for reject in news.rejects:
        yield f"{reject.feed}: {reject.title[:60]!r}: {reject.reason}; fix or drop the item"
    for item in news.items:
        if not since <= item.known_at <= until:
            yield (
                f"{item.headline.feed}: {item.headline.title[:60]!r} was known at {item.known_at:%Y-%m-%d %H:%M} UTC, "
                f"outside {since:%Y-%m-%d} to {until:%Y-%m-%d}; drop it or move start and end"
            )


def _unscored(*_: object) -> Score:
    return Score(language="en", relevance=0.0, sentiment=0.0, tone=0.0)


_UNSCORED = Scorer(name="none", version="0", score=_unscored)  # times are looked at here, not words
