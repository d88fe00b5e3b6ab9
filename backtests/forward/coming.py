"""Finds the session that a decision made now is for, and cuts an episode to what is known before its auction.

A decision for the coming session is a replay whose window ends with that session: its bars end with the session
before, its news with what was known by min(at, open - lead - latency). There is no other path, so none can differ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from backtests.auditing.counterfactual import known_bars
from backtests.episodes.episode import Episode
from backtests.episodes.prices import Prices, check_calendar
from feeds.errors import InputError
from strategies.sessions import Sessions, calendar_sessions

_AHEAD = timedelta(days=14)  # no exchange of ours stays closed longer


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """Holds the coming session at a moment."""

    at: datetime
    row: int  # in `sessions`
    sessions: Sessions  # the episode's, with what the exchange's calendar adds
    lead: timedelta
    latency: timedelta

    @property
    def session(self) -> date:
        """Returns the session's day."""
        return self.sessions.sessions[self.row]

    @property
    def opens(self) -> datetime:
        """Returns its open, in UTC."""
        return self.sessions.opens[self.row]

    @property
    def deadline(self) -> datetime:
        """Returns until when an order must be in."""
        return self.opens - self.lead

    @property
    def last_moment(self) -> datetime:
        """Returns the last moment at which a headline may become known and still count."""
        return self.deadline - self.latency

    @property
    def known_by(self) -> datetime:
        """Returns until when headlines count for a decision made at `at`."""
        return min(self.at, self.last_moment)

    @property
    def before(self) -> date:
        """Returns the session before it, whose close sizes the orders."""
        return self.sessions.sessions[self.row - 1]


def coming_session(episode: Episode, at: datetime) -> Coming:
    """Returns the first session whose open - lead is after a moment.

    Raises:
        InputError: The moment lies before the table of sessions.
    """
    sessions = extended(episode.sessions, at)
    row = next(n for n, opened in enumerate(sessions.opens) if opened - episode.lead > at)
    if row == 0:
        raise InputError(f"{at.isoformat()}: lies before the table of sessions, which begins on {sessions.sessions[0]}")
    return Coming(at=at, row=row, sessions=sessions, lead=episode.lead, latency=episode.latency)


def extended(sessions: Sessions, at: datetime) -> Sessions:
    """Returns a table of sessions that goes on behind a moment; the exchange's calendar where the table does not."""
    if sessions.opens[-1] > at + timedelta(days=1):
        return sessions
    last = sessions.sessions[-1]
    more = calendar_sessions(last + timedelta(days=1), max(at.date(), last) + _AHEAD)
    return Sessions(
        sessions=(*sessions.sessions, *more.sessions),
        opens=(*sessions.opens, *more.opens),
        closes=(*sessions.closes, *more.closes),
    )


def cut_before(episode: Episode, coming: Coming, *, start: date | None = None) -> Episode:
    """Cuts an episode to what is known before the coming session's auction: its window ends with that session.

    Args:
        episode: With prices that go at least to the session before.
        coming: The session.
        start: First session of the window, instead of the episode's.

    Raises:
        InputError: The session before has not closed yet, or has no prices.
    """
    start = start or episode.start
    if start > coming.session:
        raise InputError(f"the window starts on {start}, after the coming session {coming.session}; set the start")
    check_priced(episode, coming)
    bars = {s: known_bars(each, coming.session, after_open=False) for s, each in episode.prices.bars.items()}
    return replace(
        episode,
        start=start,
        end=coming.session,
        sessions=coming.sessions,
        prices=Prices(bars=bars, note=episode.prices.note),
        priced_until=coming.before,
        actions=tuple(each for each in episode.actions if each.ex_date <= coming.session),
    )


def check_priced(episode: Episode, coming: Coming) -> None:
    """Checks that every session that has closed has prices.

    Raises:
        InputError: One has none, or has not closed yet.
    """
    closed = coming.sessions.closes[coming.row - 1]
    if closed > coming.at:
        raise InputError(
            f"{coming.before} is open until {closed.isoformat()}; a decision for {coming.session} needs its close"
        )
    path = price_file(episode)
    last = max(last_bar(episode, symbol, coming) or date.min for symbol in episode.tradable)
    if last < coming.before:
        raise InputError(
            f"{path}: prices end on {last}, and {coming.before} has closed; bring them up to date, or give --prices"
        )
    if coming.sessions is not episode.sessions:  # what lay behind the episode's own table has not been checked
        check_calendar(episode.prices, episode.tradable, coming.sessions, path)


def last_bar(episode: Episode, symbol: str, coming: Coming) -> date | None:
    """Returns a symbol's last session with a bar before the coming one; None where there is none."""
    days = [day for day in episode.prices.bars[symbol].sessions if day < coming.session]
    return days[-1] if days else None


def ended(episode: Episode, coming: Coming) -> dict[str, date]:
    """Returns symbols whose bars end before the last close, and when: delisted, halted or late."""
    found = {symbol: last_bar(episode, symbol, coming) for symbol in episode.tradable}
    return {symbol: day for symbol, day in found.items() if day is not None and day < coming.before}


def price_file(episode: Episode) -> Path:
    """Returns the file that the prices were read from."""
    named = [path for place, path in episode.files if place.startswith("prices/") or path.name == "prices.csv"]
    return named[-1] if named else Path("prices")
