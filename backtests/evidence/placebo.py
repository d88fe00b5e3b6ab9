"""The placebo: would news that means nothing have done as well?

| kind            | what is left to chance                                                                    |
|-----------------|-------------------------------------------------------------------------------------------|
| permuted-days   | the order of the window's news days, in blocks, so that a story's days stay together       |
| shifted         | by how many sessions all news is moved, round the window's end; every shift once            |
| swapped-tickers | which share's prices stand behind which name, the funds of the benchmark's sector excepted  |
| off-topic       | each headline is given the time of another that is not about AI, and keeps its own score    |

Every version is run through the same rule and the same book. The p-value is one-sided, (1 + hits) / (1 + n), where
a hit is a placebo that did at least as well; so it is never 0 (Phipson and Smyth 2010, "Permutation p-values should
never be zero", Statistical Applications in Genetics and Molecular Biology 9). All versions are drawn before any is
run, from the seed alone, so the number of workers changes nothing.

Beside the profit stands the abnormal return that went with the news: the mean over sessions of the news that
arrived, times the abnormal return (market model, close to close) of what is exposed to it, in per cent per unit of
news; it asks the same without a rule, a book or costs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from backtests.book import BookTerms
from backtests.evidence.abnormal import abnormal_returns
from backtests.evidence.engine import Engine, Ints, Versions, actual_rows, engine_for, used_items
from backtests.evidence.events import LEAST, returns_table
from feeds.errors import InputError
from strategies.signals import Floats, Reactions
from strategies.universe import CHANNELS, DEMAND, exposure_table

if TYPE_CHECKING:
    from backtests.episode import Episode
    from backtests.news import News
    from strategies.rule import Rule
    from strategies.signals import NewsItem

KINDS = {
    "permuted-days": "news days in another order, in blocks of {block} sessions",
    "shifted": "all news moved by a number of sessions",
    "swapped-tickers": "other shares behind the names",
    "off-topic": "each score given to a headline that is not about AI",
}
QUANTILES = (1, 5, 25, 50, 75, 95, 99)
BINS = 30
_AT_ONCE = 64  # versions between two calls of `on_progress`
_NOISE = 1e-9  # relative: a placebo that equals the result to this is a hit, whatever the last digit says
NOTES = (
    "A small p says that this order of news and moves is rare among such placebos, not that it will come again.",
    "All kinds use the prices of the one window: what moved most in it moves most in every placebo too.",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """A statistic's value and those of its placebos."""

    actual: float
    drawn: Floats
    unit: str  # "usd" or "pct"

    @property
    def hits(self) -> int:
        """Placebos that did at least as well."""
        slack = _NOISE * max(abs(self.actual), 1e-12)
        return int((self.drawn >= self.actual - slack).sum())

    @property
    def p(self) -> float:
        """One-sided p in (0, 1]."""
        return (1 + self.hits) / (1 + len(self.drawn))

    def document(self) -> dict[str, Any]:
        """As JSON has it, with a histogram of the placebos."""
        counts, edges = np.histogram(self.drawn, bins=BINS)
        return {
            "actual": self.actual,
            "hits": self.hits,
            "p": self.p,
            "mean": float(self.drawn.mean()),
            "sd": float(self.drawn.std(ddof=1)) if len(self.drawn) > 1 else 0.0,
            "quantiles": {str(q): float(np.percentile(self.drawn, q)) for q in QUANTILES},
            "histogram": {"edges": [float(edge) for edge in edges], "counts": [int(count) for count in counts]},
            "unit": self.unit,
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kind:
    """One kind of placebo and what came of it; without versions `note` says why."""

    kind: str
    about: str
    versions: Versions | None
    distinct: int
    note: str = ""
    profit: Outcome | None = None
    abnormal: Outcome | None = None

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "kind": self.kind,
            "about": self.about,
            "n": len(self.versions) if self.versions else 0,
            "distinct": self.distinct,
            "profit": self.profit.document() if self.profit else None,
            "abnormal": self.abnormal.document() if self.abnormal else None,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placebo:
    """A strategy beside its placebos."""

    episode: str
    strategy: str
    n: int
    seed: int
    engine: str
    profit: float
    abnormal: float | None
    kinds: tuple[Kind, ...]
    notes: tuple[str, ...] = field(default=NOTES)

    def document(self) -> dict[str, Any]:
        """As `evidence/placebo.json` has it."""
        return {
            "name": "placebo",
            "episode": self.episode,
            "strategy": self.strategy,
            "n": self.n,
            "seed": self.seed,
            "engine": self.engine,
            "actual": {"profit_usd": self.profit, "abnormal_pct": self.abnormal},
            "kinds": [kind.document() for kind in self.kinds],
            "notes": list(self.notes),
        }


def placebo(
    episode: Episode,
    news: News,
    rule: Rule,
    terms: BookTerms | None = None,
    engine: Engine | None = None,
    *,
    n: int = 200,
    seed: int = 1,
    block: int = 3,
    strategy: str = "",
    on_progress: Callable[[int], None] | None = None,
) -> Placebo:
    """Runs a rule on placebo news.

    Args:
        episode: The episode, on daily bars.
        news: Its placed news.
        rule: The rule.
        terms: The book's, `BookTerms()` without.
        engine: What runs the versions; without, the quickest that follows the rule.
        n: Versions of each kind (of shifts there are fewer: every one once).
        seed: Of the draws.
        block: Sessions of a block that stay together when the days are permuted.
        strategy: What the result calls the rule, its name without.
        on_progress: Called with the number of versions run since the last call.

    Raises:
        InputError: Nothing to draw from, or n, seed or block out of range.
    """
    if n < 1 or seed < 0 or not 1 <= block < len(episode.window):
        raise InputError(f"-n {n}, --seed {seed}, --block {block}: give 1 or more, 0 or more, and less than the window")
    if not any(item.session in episode.window for item in used_items(news)):
        raise InputError(f"{episode.name}: no headline about AI can be traded in the window, so there is no placebo")
    terms, engine = terms or BookTerms(), engine or engine_for(rule)
    rows = actual_rows(news)
    moves = _Moves.of(episode, news, rule)
    one = Versions(rows=rows[None, :])
    profit = float(engine.equity(episode, news, rule, terms, one)[0, -1] - terms.cash)
    abnormal = float(moves.statistic(one)[0]) if moves else None
    kinds = []
    for number, kind in enumerate(KINDS):
        drawn = _draw(kind, np.random.default_rng([seed, number]), episode, news, n, block)
        kinds.append(_run(drawn, episode, news, rule, terms, engine, profit, moves, on_progress))
    return Placebo(
        episode=episode.name,
        strategy=strategy or rule.name,
        n=n,
        seed=seed,
        engine=engine.name,
        profit=profit,
        abnormal=abnormal,
        kinds=tuple(kinds),
    )


def _run(
    kind: Kind,
    episode: Episode,
    news: News,
    rule: Rule,
    terms: BookTerms,
    engine: Engine,
    actual: float,
    moves: _Moves | None,
    on_progress: Callable[[int], None] | None,
) -> Kind:
    if kind.versions is None:
        return kind
    size = len(kind.versions)
    step = max(_AT_ONCE, size // 20) if on_progress else size
    parts = []
    for start in range(0, size, step):
        part = kind.versions.part(slice(start, start + step))
        parts.append(engine.equity(episode, news, rule, terms, part)[:, -1] - terms.cash)
        if on_progress:
            on_progress(len(part))
    abnormal = None
    if moves:
        one = float(moves.statistic(Versions(rows=actual_rows(news)[None, :]))[0])
        abnormal = Outcome(actual=one, drawn=moves.statistic(kind.versions), unit="pct")
    return Kind(
        kind=kind.kind,
        about=kind.about,
        versions=kind.versions,
        distinct=kind.distinct,
        note=kind.note,
        profit=Outcome(actual=actual, drawn=np.concatenate(parts), unit="usd"),
        abnormal=abnormal,
    )


# Drawing


def _draw(kind: str, rng: np.random.Generator, episode: Episode, news: News, n: int, block: int) -> Kind:
    about = KINDS[kind].format(block=block)
    rows = actual_rows(news)
    versions: Versions | None = None
    note = ""
    size = len(episode.window)
    if kind == "permuted-days":
        versions = Versions(rows=_mapped(rows, episode.window, _permuted(rng, size, block, n)))
    elif kind == "shifted":
        goes = (np.arange(size) + np.arange(1, size)[:, None]) % size
        versions = Versions(rows=_mapped(rows, episode.window, goes))
        note = f"there are only {size - 1} shifts; each was run once"
    elif kind == "swapped-tickers":
        columns = _swapped(rng, episode, n)
        versions = Versions(rows=np.tile(rows, (n, 1)), columns=columns) if columns is not None else None
        note = "" if versions else "fewer than two shares could be swapped"
    else:
        others = [item.session for item in news.items if _off_topic(item)]
        if others:
            versions = Versions(rows=_off_topic_rows(rng, rows, np.array(others, dtype=np.int64), n))
        else:
            note = "no headline of this episode is off the topic"
    return Kind(kind=kind, about=about, versions=versions, distinct=_distinct(versions), note=note)


def _permuted(rng: np.random.Generator, size: int, block: int, n: int) -> Ints:
    """Where each session's news goes, shape (n, size): blocks that begin at a random session, in a random order."""
    lengths = np.full(-(-size // block), block)
    lengths[-1] = size - block * (len(lengths) - 1)
    order = rng.permuted(np.tile(np.arange(len(lengths)), (n, 1)), axis=1)
    taken = lengths[order]
    begins = np.empty_like(order)
    np.put_along_axis(begins, order, np.cumsum(taken, axis=1) - taken, axis=1)
    turned = np.arange(size)
    sessions = (turned + rng.integers(size, size=(n, 1))) % size
    goes = np.empty((n, size), dtype=np.int64)
    np.put_along_axis(goes, sessions, begins[:, turned // block] + turned % block, axis=1)
    return goes


def _mapped(rows: Ints, window: range, goes: Ints) -> Ints:
    """Applies maps of the window's sessions, shape (n, sessions), to the rows; what lies outside the window stays."""
    inside = (rows >= window[0]) & (rows <= window[-1])
    place = np.where(inside, rows - window[0], 0)
    return np.where(inside, goes[:, place] + window[0], rows)


def _swapped(rng: np.random.Generator, episode: Episode, n: int) -> Ints | None:
    """Permutations of the shares outside the benchmark's sector."""
    funds = next((set(members) for members in episode.sectors.values() if episode.benchmark in members), set())
    places = np.array([place for place, symbol in enumerate(episode.tradable) if symbol not in funds], dtype=np.int64)
    if len(places) < 2:
        return None
    columns = np.tile(np.arange(len(episode.tradable), dtype=np.int64), (n, 1))
    columns[:, places] = rng.permuted(np.tile(places, (n, 1)), axis=1)
    return columns


def _off_topic(item: NewsItem) -> bool:
    return item.score.relevance == 0 and item.session is not None and item.score.language in {"en", "de"}


def _off_topic_rows(rng: np.random.Generator, rows: Ints, others: Ints, n: int) -> Ints:
    """Times of off-topic headlines, each at most once where there are enough of them."""
    if len(others) >= len(rows):
        return rng.permuted(np.tile(others, (n, 1)), axis=1)[:, : len(rows)]
    return np.asarray(rng.choice(others, size=(n, len(rows))))


def _distinct(versions: Versions | None) -> int:
    if versions is None:
        return 0
    both = versions.rows if versions.columns is None else np.hstack([versions.rows, versions.columns])
    return len({row.tobytes() for row in both})


# The abnormal return that went with the news


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Moves:
    """Abnormal returns and exposures of the window, and each headline's value."""

    values: Floats  # (items,)
    abnormal: Floats  # (sessions, symbols), 0 where there is none
    exposure: Floats  # (sessions, symbols), 0 where there is no abnormal return
    first: int

    @classmethod
    def of(cls, episode: Episode, news: News, rule: Rule) -> _Moves | None:
        """Measures them; None where the table holds too few sessions before the window to estimate a model from."""
        symbols, window = episode.tradable, episode.window
        returns = returns_table(episode, [*symbols, episode.benchmark])
        before = returns[max(1, window[0] - 120) : window[0]]
        if len(before) < LEAST or not np.isfinite(before[:, -1]).all():
            return None
        after = returns[window[0] : window[-1] + 1]
        whole = np.isfinite(np.vstack([before, after])[:, :-1]).all(axis=0)
        fit = abnormal_returns("market", before[:, :-1][:, whole], before[:, -1], after[:, :-1][:, whole], after[:, -1])
        abnormal = np.zeros((len(window), len(symbols)))
        abnormal[:, whole] = fit.abnormal
        table = exposure_table(symbols, episode.sessions.sessions)
        channels = [CHANNELS.index(name) for name in DEMAND]
        demand = table[channels, window[0] : window[-1] + 1].sum(axis=0)
        reactions: Reactions = getattr(rule, "reactions", "with-cause")
        values = [
            item.weight * item.score.relevance * item.score.sentiment if item.trades_as(reactions) else 0.0
            for item in used_items(news)
        ]
        return cls(values=np.array(values), abnormal=abnormal, exposure=demand * whole, first=window[0])

    def statistic(self, versions: Versions) -> Floats:
        """The mean abnormal return of what is exposed, weighted by the news, in per cent; shape (versions,)."""
        count, sessions = len(versions), len(self.abnormal)
        place = versions.rows - self.first
        inside = (place >= 0) & (place < sessions)
        cells = (np.arange(count)[:, None] * sessions + place)[inside]
        values = np.broadcast_to(self.values, place.shape)[inside]
        arrived = np.bincount(cells, weights=values, minlength=count * sessions).reshape(count, sessions)
        share = self.exposure / np.maximum(np.abs(self.exposure).sum(axis=1, keepdims=True), 1e-12)
        if versions.columns is None:
            total = arrived @ (share * self.abnormal).sum(axis=1)
        else:
            total = np.zeros(count)
            for session in range(sessions):
                total += arrived[:, session] * (self.abnormal[session][versions.columns] @ share[session])
        size = np.abs(arrived).sum(axis=1)
        return np.asarray(np.where(size > 0, total / np.maximum(size, 1e-12), 0.0) * 100)
