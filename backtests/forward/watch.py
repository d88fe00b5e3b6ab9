"""Watches: polls feeds, decides at each deadline - latency, and seals the decision before the deadline.

    each step   sessions whose deadline has passed without a line  -> void lines, which stay
                the coming session, once open - lead - latency is reached  -> one line per portfolio, on the disk
                feeds that are due  -> polled into the archive

The clock is looked at anew after every wait: a laptop that slept, a clock that was set, a process that was killed and
started again find what is left to do from the record alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from backtests.episodes.episode import Episode
from backtests.forward.chain import Chain, Line, append
from backtests.forward.coming import Coming, coming_session
from backtests.forward.decide import headline_row, headlines_for
from backtests.forward.decision_line import decide_line, void_line
from backtests.forward.kept_bars import keep
from backtests.forward.registration import BARS, Portfolio
from backtests.records.run_card import code_sha256
from feeds.archive import Archive
from feeds.errors import InputError

Event = dict[str, Any]
_RETRY = timedelta(seconds=30)  # until prices that are late are looked for again
_LONGEST = timedelta(minutes=1)  # between two looks at the feeds


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Holds what a watcher needs of the world; tests give their own."""

    clock: Callable[[], datetime]  # now, aware
    sleep: Callable[[float], None]  # seconds
    poll: Callable[[], list[Event]] = list  # polls the feeds that are due; what to tell
    tell: Callable[[Event], None] = lambda _: None
    polls: bool = False  # are there feeds to poll between the decisions


def utc_now() -> datetime:
    """Returns the moment."""
    return datetime.now(UTC)


def watch(
    portfolios: Sequence[Portfolio],
    archive: Archive,
    world: World,
    *,
    once: bool = False,
    until: datetime | None = None,
) -> None:
    """Watches portfolios of one archive until interrupted, until a moment, or for one step.

    Raises:
        InputError: A record is broken, or the disk is full.
    """
    wakes = [datetime.min.replace(tzinfo=UTC)] * len(portfolios)
    before = world.clock()
    while True:
        for event in world.poll():
            world.tell(event)
        now = world.clock()
        for place, portfolio in enumerate(portfolios):
            if now >= wakes[place] or now < before:  # the clock was set back: look anew
                wakes[place] = _step(portfolio, archive, world)
        now = before = world.clock()
        if once or (until is not None and now >= until):
            return
        wake = min(wakes) if until is None else min(*wakes, until)
        pause = max(wake - now, timedelta(0))
        world.sleep((min(pause, _LONGEST) if world.polls else pause).total_seconds())


def _step(portfolio: Portfolio, archive: Archive, world: World) -> datetime:
    """Does what is due for one portfolio; returns when to look again."""
    now = world.clock()
    chain = portfolio.chain()
    if chain.broken:
        raise InputError(f"{portfolio.record}: {chain.broken[0]}; `forward verify` says more")
    try:
        episode = portfolio.load()
    except InputError as wrong:
        return _without_universe(portfolio, wrong, world, now)
    coming = coming_session(episode, now)
    chain = _missed(portfolio, episode, chain, coming, world)
    if coming.session < portfolio.start or _has(chain, coming):
        return _next_moment(episode, coming)
    if now < coming.last_moment:
        return coming.last_moment
    return _decide(portfolio, episode, chain, coming, archive, world)


def _without_universe(portfolio: Portfolio, wrong: InputError, world: World, now: datetime) -> datetime:
    """Waits for a universe that cannot be read: what is missed meanwhile is void as soon as it can."""
    world.tell({"event": "problem", "portfolio": portfolio.name, "at": now.isoformat(), "says": str(wrong)})
    return now + _RETRY


def _has(chain: Chain, coming: Coming) -> bool:
    return bool(chain.lines) and chain.lines[-1]["session"] >= coming.session.isoformat()


def _next_moment(episode: Episode, coming: Coming) -> datetime:
    """Returns when the session after the coming one is decided for."""
    after = coming_session(episode, coming.deadline)
    return after.last_moment


def _missed(portfolio: Portfolio, episode: Episode, chain: Chain, coming: Coming, world: World) -> Chain:
    """Writes void lines for the sessions whose deadline has passed without one."""
    last = chain.lines[-1]["session"] if chain.lines else ""
    for row in range(coming.row):
        day = coming.sessions.sessions[row]
        if day < portfolio.start or day.isoformat() <= last:
            continue
        deadline = coming.sessions.opens[row] - episode.lead
        line = void_line(day, deadline.isoformat(), "missed: nobody decided before the deadline")
        chain = _write(portfolio, chain, line, world)
    return chain


def _decide(
    portfolio: Portfolio, episode: Episode, chain: Chain, coming: Coming, archive: Archive, world: World
) -> datetime:
    deadline = coming.deadline.isoformat()
    behind: list[Event] = []
    try:
        if code_sha256() != portfolio.code_sha256:
            raise _VoidError("the program's code is not the one that was registered")
        rule = None if portfolio.decisions else portfolio.rule()
        made = decide_line(portfolio, rule, episode, coming, archive, chain.lines)
        keep(portfolio.folder / BARS, len(chain.lines) + 1, made.held)
        line: Line = made.fields
        behind = [headline_row(item) for item in headlines_for(made.news, coming.row)]
    except _VoidError as wrong:
        line = void_line(coming.session, deadline, str(wrong))
    except InputError as wrong:
        if world.clock() + _RETRY < coming.deadline:
            return world.clock() + _RETRY  # prices may still come
        line = void_line(coming.session, deadline, " ".join(str(wrong).split()))
    if line["kind"] == "decision" and world.clock() > coming.deadline:
        line = void_line(coming.session, deadline, "late: the decision was made after the deadline")
    _write(portfolio, chain, line, world, headlines=behind)
    return _next_moment(episode, coming)


class _VoidError(Exception):
    """A decision that cannot be made, however long one waits."""


def _write(portfolio: Portfolio, chain: Chain, line: Line, world: World, **told: Any) -> Chain:
    """Seals a line with the time at which it is written, and tells of it."""
    chain = append(portfolio.record, chain, {**line, "decided_at": world.clock().astimezone(UTC).isoformat()})
    made = chain.lines[-1]
    world.tell({"event": made["kind"], "portfolio": portfolio.name, "head": chain.head, **made, **told})
    return chain
