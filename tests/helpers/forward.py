"""A simulated world for forward records: a clock that jumps where a watcher sleeps, an archive that fills meanwhile."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from backtests.engine.news import read_document
from backtests.episodes.episode import load_episode
from backtests.forward.registration import Portfolio, register
from backtests.forward.watch import World
from feeds.archive import Archive, Document
from feeds.headline import Headline
from feeds.scoring import DEFAULT
from strategies.sessions import calendar_sessions


def seen_headlines(name: str) -> list[Headline]:
    """An episode's headlines as an archive would have seen them: at the claim plus the stated delay."""
    episode = load_episode(name)
    found = [head for path in episode.news for head in read_document(path).headlines]
    return sorted(
        (replace(head, seen=head.known_at(episode.assumed_delay)) for head in found), key=lambda head: head.seen
    )


class Simulated:
    """Moves its clock only when it is told to sleep; puts headlines into the archive when their time has come."""

    def __init__(self, archive: Archive, headlines: Sequence[Headline], at: datetime) -> None:
        self.archive, self.left, self.now = archive, sorted(headlines, key=lambda head: head.seen), at
        self.events: list[dict[str, object]] = []
        self.slept = 0
        self.fill()

    def fill(self) -> None:
        """Stores what has been seen by now, one document for each moment."""
        batch: dict[datetime, list[Headline]] = {}
        while self.left and self.left[0].seen <= self.now:
            head = self.left.pop(0)
            batch.setdefault(head.seen, []).append(head)
        self.archive.record_many(
            (Document(feed=heads[0].feed, url="", at=at, hash="", provenance="live", rule="seen"), heads)
            for at, heads in batch.items()
        )

    def sleep(self, seconds: float) -> None:
        """Lets time pass."""
        self.slept += 1
        self.now += timedelta(seconds=seconds)
        self.fill()

    def world(self) -> World:
        """What a watcher is given."""
        return World(clock=lambda: self.now, sleep=self.sleep, tell=self.events.append)


def registered(
    folder: Path, rule, archive: Archive, at: datetime, *, universe="deepseek-2025", terms=None, **more
) -> Portfolio:
    """A portfolio of a rule."""
    from backtests.broker.terms import BrokerTerms

    return register(
        folder, universe=str(universe), rule=rule, decisions=more.get("decisions"), terms=terms or BrokerTerms(),
        scorer=DEFAULT, archive=archive.path, prices=more.get("prices"), at=at,
    )  # fmt: skip


def utc(day: date, hour: int = 0, minute: int = 0) -> datetime:
    """A moment of a day in UTC."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


SYMBOLS = {"NVDA": "chips", "MU": "chips", "CEG": "power", "SPY": "funds"}


def small_universe(folder: Path, first: date, last: date, seed: int) -> Path:
    """An episode of four symbols with made-up prices, on the exchange's real sessions with their half-days."""
    sessions = calendar_sessions(first - timedelta(days=12), last)
    rng = random.Random(seed)
    prices = ["symbol,date,open,high,low,close,volume"]
    for symbol in SYMBOLS:
        close = 100.0
        for session in sessions.sessions:
            opened = round(close * (1 + rng.gauss(0, 0.03)), 2)
            close = round(opened * (1 + rng.gauss(0, 0.03)), 2)
            prices.append(f"{symbol},{session},{opened},{max(opened, close)},{min(opened, close)},{close},1000000")
    folder.mkdir()
    (folder / "prices.csv").write_text("\n".join(prices) + "\n")
    rows = zip(sessions.sessions, sessions.opens, sessions.closes, strict=True)
    (folder / "sessions.csv").write_text(
        "session,open_utc,close_utc\n" + "".join(f"{s},{o.isoformat()},{c.isoformat()}\n" for s, o, c in rows)
    )
    (folder / "actions.csv").write_text("symbol,ex_date,kind,value\n")
    (folder / "news.jsonl").write_text("")
    start = next(session for session in sessions.sessions if session >= first)
    sectors = {name: [s for s, sector in SYMBOLS.items() if sector == name] for name in dict.fromkeys(SYMBOLS.values())}
    (folder / "episode.toml").write_text(
        f'title = "made up"\nstart = {start}\nend = {sessions.sessions[-1]}\nkey_session = {start}\nbenchmark = "SPY"\n'
        'adjusted = "splits"\nprovenance = "made up"\n[sectors]\n'
        + "".join(f"{name} = {json.dumps(symbols)}\n" for name, symbols in sectors.items())
        + "[delays]\nassumed_delay_minutes = 5\nlatency_minutes = 5\nlead_minutes = 10\n"
    )
    return folder
