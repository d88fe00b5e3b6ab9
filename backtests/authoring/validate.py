"""Everything that is wrong with an episode's folder, one line each: where it stands, what it is, what to do.

`load_episode` stops at the first mistake and looks at what a replay needs; this looks at all of it, also at what a
replay would not notice: sessions the exchange did not have, splits that nobody listed, news from another time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from backtests.engine.news import LOOK_BACK, read_news
from backtests.episodes.episode import Episode, load_episode
from backtests.episodes.manifest import read_manifest
from backtests.episodes.prices import Action, check_calendar, read_actions, read_prices
from feeds import rss
from feeds.errors import InputError
from feeds.scoring import Score, Scorer
from strategies.sessions import Sessions, calendar_sessions, read_sessions

T = TypeVar("T")
AFTER = timedelta(days=3)  # news may come this long after the window's last close: nothing trades on it
_SPLITS = (2, 3, 4, 5, 8, 10, 15, 20, 25, 50)
_NEAR = 0.05  # how near to a whole number an overnight ratio must be to look like a split


def check_folder(folder: Path) -> list[str]:
    """Returns what is wrong with an episode's folder; empty when it is sound."""
    if not folder.is_dir():
        return [f"{folder}: is no folder; give the folder that holds episode.toml"]
    found = _Found()
    manifest = found.get(lambda: read_manifest(folder / "episode.toml"))
    sessions = found.get(lambda: read_sessions(folder / "sessions.csv"))
    prices = found.get(lambda: read_prices(folder / "prices.csv"))
    found.get(lambda: read_actions(folder / "actions.csv"))
    for path in sorted(folder.glob("news*.xml")):
        found.get(partial(rss.read, path))
    if sessions is not None and prices is not None and manifest is not None:
        for members in manifest.values["sectors"].values():
            for symbol in members:
                if symbol in prices.bars:
                    found.get(partial(check_calendar, prices, [symbol], sessions, folder / "prices.csv"))
    if found.problems:
        return found.problems
    episode = found.get(lambda: load_episode(folder))
    if episode is not None:
        found.problems += [*_calendar(episode), *_actions(episode), *_splits(episode), *_news(episode)]
    return found.problems


class _Found:
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


def _line(path: Path, start: str) -> str:
    """File and line of the first row that begins like this."""
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if line.startswith(start):
                return f"{path}:{number}"
    return str(path)


def _calendar(episode: Episode) -> Iterator[str]:
    """Sessions that the exchange did not have, or had at other hours."""
    mine, path = episode.sessions, episode.folder / "sessions.csv"
    theirs = calendar_sessions(mine.sessions[0], mine.sessions[-1])
    ours, real = _hours(mine), _hours(theirs)
    for day in sorted(ours.keys() | real.keys()):
        if day not in real:
            yield f"{_line(path, str(day))}: {day} was no session of the New York Stock Exchange; drop the row"
        elif day not in ours:
            yield f"{path}: the session {day} is missing; add {day},{real[day][0]},{real[day][1]}"
        elif ours[day] != real[day]:
            yield f"{_line(path, str(day))}: the session {day} ran from {real[day][0]} to {real[day][1]}; write that"


def _hours(table: Sessions) -> dict[date, tuple[str, str]]:
    return {
        day: (opened.isoformat(), closed.isoformat())
        for day, opened, closed in zip(table.sessions, table.opens, table.closes, strict=True)
    }


def _actions(episode: Episode) -> Iterator[str]:
    """Corporate actions on days that were none."""
    path, table = episode.folder / "actions.csv", episode.sessions.sessions
    for action in episode.actions:
        if (
            action.symbol in episode.tradable
            and table[0] <= action.ex_date <= table[-1]
            and action.ex_date not in table
        ):
            place = _line(path, f"{action.symbol},{action.ex_date}")
            yield f"{place}: {action.symbol} {action.kind} on {action.ex_date}, which is no session; give the ex-date"


def _splits(episode: Episode) -> Iterator[str]:
    """Overnight jumps that look like splits and are none in the table, and splits that the prices do not show."""
    path = episode.folder / "prices.csv"
    for symbol in episode.tradable:
        bars = episode.prices.bars[symbol]
        listed = {each.ex_date: each.value for each in episode.actions if _is_split(each, symbol)}
        for row in range(1, len(bars.sessions)):
            day, ratio = bars.sessions[row], float(bars.open[row] / bars.close[row - 1])
            wrong = _jump(episode, ratio, listed.get(day))
            if wrong and not any((claim.symbol, claim.session) == (symbol, day) for claim in episode.claims):
                place = _line(path, f"{symbol},{day}")
                yield f"{place}: {symbol} opened at {ratio:.3f} of the close before, {wrong}, or a claim if it is real"


def _jump(episode: Episode, ratio: float, split: float | None) -> str:
    """Says what is wrong with an overnight ratio, "" for nothing."""
    like = _looks_like(ratio)
    if episode.adjusted == "splits":
        return like and f'like a split of {like} that these prices do not have in them; write adjusted = "none"'
    if split is not None:
        fits = abs(ratio * split - 1) < 0.25
        return "" if fits else f'but actions.csv lists a split of {split:g} for 1; write adjusted = "splits"'
    return like and f"like a split of {like} that actions.csv does not list; add it"


def _is_split(action: Action, symbol: str) -> bool:
    return action.symbol == symbol and action.kind == "split"


def _looks_like(ratio: float) -> str:
    """Says which split an overnight ratio looks like, "" for none."""
    for many in _SPLITS:
        if abs(ratio * many - 1) < _NEAR:
            return f"{many} for 1"
        if abs(ratio / many - 1) < _NEAR:
            return f"{1 / many:g} for 1"
    return ""


def _news(episode: Episode) -> Iterator[str]:
    """Headlines from another time, and lists that lost rows."""
    table = episode.sessions
    since = table.opens[episode.window[0]] - LOOK_BACK
    until = table.closes[episode.window[-1]] + AFTER
    try:
        news = read_news(episode, scorer=_UNSCORED)
    except InputError as wrong:
        yield " ".join(str(wrong).split())
        return
    for reject in news.rejects:
        yield f"{reject.feed}: {reject.title[:60]!r}: {reject.reason}; mend or drop the item"
    for item in news.items:
        if not since <= item.known_at <= until:
            yield (
                f"{item.headline.feed}: {item.headline.title[:60]!r} was known at {item.known_at:%Y-%m-%d %H:%M} UTC, "
                f"outside {since:%Y-%m-%d} to {until:%Y-%m-%d}; drop it or move start and end"
            )


def _unscored(*_: object) -> Score:
    return Score(language="en", relevance=0.0, sentiment=0.0, tone=0.0)


_UNSCORED = Scorer(name="none", version="0", score=_unscored)  # times are looked at here, not words
