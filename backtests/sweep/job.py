"""Describes a sweep as a job, of which any worker can run a block, knowing its name and its numbers alone."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from backtests.broker.terms import BrokerTerms
from backtests.engine.news import News, read_news
from backtests.engine.schedule import place_news
from backtests.episodes.episode import Episode, load_episode
from backtests.records.metrics import SESSIONS_A_YEAR, Outcome, excess_returns, session_ratio, swept
from backtests.sweep.grid import Grid, read_grid
from backtests.user_strategies.loading import rule_type
from feeds.errors import InputError
from feeds.scorers.registry import scorer_named
from strategies.rule import Rule
from strategies.signals import Floats

SMALLEST, LARGEST = 500, 5_000  # combinations of a block, which is run at once and kept as one part
FIGURES = (*(each.swept for each in swept()), "profit_usd", "sharpe_session", "fills", "ruined_session")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Holds a sweep as it was asked for. Episodes are names or folders that workers find under the same path."""

    episodes: tuple[str, ...]
    strategy: str
    grid: tuple[str, ...]
    settings: tuple[tuple[str, str], ...]  # of the rule and of the broker, for all combinations
    news: str = ""
    prices: str = ""
    start: date | None = None
    end: date | None = None
    scorer: str = ""  # its name; the default without
    replay: bool = False  # use the reference engine, whatever the compiled one could do

    @property
    def rule(self) -> type[Rule]:
        """Returns the strategy's class."""
        return rule_type(self.strategy)

    @property
    def axes(self) -> Grid:
        """Returns the grid."""
        return read_grid(self.grid, self.rule)

    def document(self) -> dict[str, Any]:
        """Returns what makes the sweep, files and scorer included."""
        return {
            "episodes": list(self.episodes),
            "strategy": self.strategy,
            "grid": self.axes.document(),
            "settings": dict(sorted(self.settings)),
            "scorer": scorer_named(self.scorer).label,
            "code": self.rule.code.sha256 if self.rule.code else "",
            "sources": [dict(sorted(loaded(self, name)[0].sources.items())) for name in self.episodes],
            "start": [loaded(self, name)[0].start.isoformat() for name in self.episodes],
            "end": [loaded(self, name)[0].end.isoformat() for name in self.episodes],
            "engine": self.engine(),
            "block": self.block,
            "figures": list(FIGURES),
        }

    def hash(self) -> str:
        """Returns the SHA-256 of the document."""
        return hashlib.sha256(json.dumps(self.document(), sort_keys=True).encode()).hexdigest()

    def base(self) -> tuple[Rule, BrokerTerms]:
        """Makes the rule and the terms without the grid.

        Raises:
            InputError: A setting that does not fit.
        """
        names = BrokerTerms.names()
        own = {name: text for name, text in self.settings if name not in names}
        broker = {name: text for name, text in self.settings if name in names}
        return self.rule.with_settings(own), BrokerTerms().with_settings(broker)

    def combinations(self, first: int, stop: int) -> list[tuple[Rule, BrokerTerms]]:
        """Makes the rules and terms of some combinations.

        Raises:
            InputError: A value out of its range.
        """
        rule, terms = self.base()
        broker = [axis.name for axis in self.axes.axes if axis.of_broker]
        own = [axis.name for axis in self.axes.axes if not axis.of_broker]
        try:
            return [
                (
                    dataclasses.replace(rule, **{name: values[name] for name in own}) if own else rule,
                    dataclasses.replace(terms, **{name: values[name] for name in broker}) if broker else terms,
                )
                for values in self.axes.combinations(first, stop)
            ]
        except ValueError as wrong:
            raise InputError(f"--grid: strategy {rule.name}: {wrong}") from wrong

    def blocks(self) -> list[tuple[int, int, int]]:
        """Lists (place of the episode, first, stop) of every block, in the order of the result."""
        count, size = len(self.axes), self.block
        return [
            (place, first, min(first + size, count))
            for place in range(len(self.episodes))
            for first in range(0, count, size)
        ]

    @property
    def block(self) -> int:
        """Returns the combinations of a block, which depend on the grid, never on the number of workers."""
        return min(max(SMALLEST, len(self.axes) // 200), LARGEST)

    def engine(self) -> str:
        """Names the engine that runs it, and why where it is not the compiled one."""
        import importlib.util

        if self.replay:
            return "replay (asked for)"
        if importlib.util.find_spec("numba") is None:
            return "replay (numba is not installed: pip install 'aftershock[fast]')"
        from backtests.kernel import why_not

        ((rule, terms),) = self.combinations(0, 1)
        reason = why_not(loaded(self, self.episodes[0])[0], rule, terms)
        return f"replay ({reason})" if reason else "kernel"


@lru_cache(maxsize=8)
def loaded(job: Job, name: str) -> tuple[Episode, News]:
    """Reads an episode and its placed news, once in each process."""
    episode = load_episode(
        name, prices=job.prices or None, news=Path(job.news) if job.news else None, start=job.start, end=job.end
    )
    ((_, terms),) = job.combinations(0, 1)
    return episode, place_news(episode, read_news(episode, scorer=scorer_named(job.scorer)), terms)


@lru_cache(maxsize=8)
def _compiled(job: Job, name: str) -> Any:
    from backtests.kernel import Compiled

    return Compiled(*loaded(job, name))


def run_block(job: Job, place: int, first: int, stop: int, sources: dict[str, str]) -> dict[str, Floats]:
    """Runs a block of combinations on one episode.

    Args:
        job: The sweep.
        place: Of the episode.
        first: First combination.
        stop: Behind the last one.
        sources: Hashes of the episode's files as the caller has them.

    Returns:
        `figures`, shape (combinations, FIGURES), and `equity`, shape (combinations, sessions), US dollars.

    Raises:
        InputError: The worker has other files of that name.
    """
    name = job.episodes[place]
    episode, _ = loaded(job, name)
    if dict(episode.sources) != sources:
        raise InputError(f"{name}: a worker has other files of this episode; give all workers the same")
    pairs = job.combinations(first, stop)
    cash = np.array([terms.cash for _, terms in pairs])
    equity, totals = _replayed(job, name, pairs) if job.engine() != "kernel" else _run(job, name, pairs)
    pct = np.array([terms.cash_pct for _, terms in pairs])
    riskless = pct[:, None] / 100 * nights(loaded(job, name)[0]) / 360
    return {"figures": figures(cash, equity, totals, riskless), "equity": equity}


def nights(episode: Episode) -> Floats:
    """Returns the calendar nights before each session of the window, shape (sessions,)."""
    days = [episode.sessions.sessions[row].toordinal() for row in (episode.window[0] - 1, *episode.window)]
    return np.diff(np.array(days, dtype=float))


def _run(job: Job, name: str, pairs: list[tuple[Rule, BrokerTerms]]) -> tuple[Floats, Floats]:
    from backtests.kernel.accounts import TOTALS

    runs = _compiled(job, name).run([rule for rule, _ in pairs], [terms for _, terms in pairs])
    return runs.equity, np.column_stack([runs.totals[each] for each in TOTALS])


def _replayed(job: Job, name: str, pairs: list[tuple[Rule, BrokerTerms]]) -> tuple[Floats, Floats]:
    """Runs them by the reference engine, one by one."""
    from backtests.engine.market import make_market
    from backtests.engine.rule_run import run_rule

    episode, news = loaded(job, name)
    market, table = make_market(episode, news), episode.sessions.sessions
    rows = {table[row].isoformat(): number for number, row in enumerate(episode.window)}
    equity, totals = np.full((len(pairs), len(rows)), np.nan), np.zeros((len(pairs), 5))
    for number, (rule, terms) in enumerate(pairs):
        done = run_rule(episode, market, rule, terms)
        for day in done.days:
            equity[number, rows[day.session]] = day.equity
        commission = slippage = 0.0
        for fill in done.fills:
            commission += fill.commission
            slippage += fill.slippage
        ruined = rows[done.ruined_on] if done.ruined_on else -1
        totals[number] = len(done.fills), commission, slippage, done.margin_calls, ruined
    return equity, totals


def figures(cash: Floats, equity: Floats, totals: Floats, riskless: Floats) -> Floats:
    """Returns the figures of runs, shape (runs, FIGURES); NaN for a Sharpe ratio that does not exist.

    Those that every run has come from the table of statistics; the Sharpe ratio of a session is the annual one by √252,
    and that of fewer returns than an annual one is given of.
    `riskless` is what cash earned in each session, as a fraction, shape (runs, sessions).
    """
    out = np.full((len(cash), len(FIGURES)), np.nan)
    for number, (start, row) in enumerate(zip(cash.tolist(), equity, strict=True)):
        alive = np.isfinite(row)
        values = [start, *row[alive].tolist()]
        fills, commission, slippage, calls, ruined = totals[number].tolist()
        outcome = Outcome(
            equity=values, cash=riskless[number][alive].tolist(), commission=commission, slippage=slippage,
            margin_calls=int(calls),
        )  # fmt: skip
        found = {each.swept: each.formula(outcome) for each in swept()}
        annual = found["sharpe_annual"]
        # configurations on short windows have no ratio to print, and count as tried all the same
        few = session_ratio(excess_returns(outcome.equity, outcome.cash)) if annual is None else None
        session = few if annual is None else annual / SESSIONS_A_YEAR**0.5
        out[number] = [
            np.nan if each is None else each for each in (*found.values(), values[-1] - start, session, fills, ruined)
        ]
    return out


def checked(job: Job) -> Iterator[str]:
    """Checks a job before any work; yields what the user should know.

    Raises:
        InputError: Anything wrong, a value at an end of an axis included.
    """
    if len(set(job.episodes)) < len(job.episodes):
        raise InputError("an episode is named twice")
    grid = job.axes
    step = 1
    for axis in reversed(grid.axes):  # each value once, beside the first values of the other axes
        for place in range(len(axis.values)):
            job.combinations(place * step, place * step + 1)
        step *= len(axis.values)
    for name in job.episodes:
        yield from loaded(job, name)[0].notes
    if job.engine() != "kernel":
        yield f"engine: {job.engine()}"


def resolved(episodes: tuple[str, ...]) -> tuple[str, ...]:
    """Makes folders whole paths, so that a worker elsewhere finds them; names stay."""
    return tuple(str(Path(each).resolve()) if (Path(each) / "episode.toml").is_file() else each for each in episodes)
