"""Runs a placebo: would news that means nothing have done as well?

What is left to chance, kind by kind: `draws`. Every version is run through the same rule and the same broker. The
p-value is one-sided, (1 + hits) / (1 + n), where a hit is a placebo that did at least as well; so it is never 0
(Phipson and Smyth 2010, "Permutation p-values should never be zero", Statistical Applications in Genetics and
Molecular Biology 9). All versions are drawn before any is run, from the seed alone, so the number of workers changes
nothing.

A profit is compared in units of its own noise, the root of the sum of its squared session returns, as in a t statistic:
news in another order holds positions for more or fewer sessions, and a placebo that is in the market twice as long
would else win and lose more for that alone (Janssen 1997, "Studentized permutation tests", Statistics and Probability
Letters 36).

Beside the profit stands the abnormal return that went with the news: `news_return`. Beside each p stand the smallest
p that was possible, 1 / (1 + n), and the power: an edge on top of what chance gives is told from the placebos with
probability 0.8 when it is their 95 % quantile less their 20 % quantile. Over the trades of the run that is the
smallest edge per trade that the window could have shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from backtests.batch.news_versions import Versions, actual_rows, used_items
from backtests.batch.replay_engine import Engine
from backtests.broker.terms import BrokerTerms
from backtests.engine.market import make_market
from backtests.engine.rule_run import run_rule
from backtests.evidence.placebo.choose_engine import engine_for
from backtests.evidence.placebo.draws import KINDS, Drawn, draw
from backtests.evidence.placebo.news_return import Moves
from backtests.records.round_trips import Trade, round_trips
from feeds.errors import InputError
from strategies.signals import Floats

if TYPE_CHECKING:
    from backtests.engine.news import News
    from backtests.episodes.episode import Episode
    from strategies.rule import Rule

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
    """Holds a figure of the run and of its placebos.

    Attributes:
        actual: The run's.
        drawn: The placebos', shape (versions,).
        unit: "usd" or "pct".
        scale: By what the run's figure is divided before it is compared, above 0; a profit by its own noise.
        scales: The same of the placebos, shape (versions,); 1 where figures are compared as they are.
    """

    actual: float
    drawn: Floats
    unit: str
    scale: float = 1.0
    scales: Floats | float = 1.0

    @property
    def hits(self) -> int:
        """Returns how many placebos did at least as well."""
        own = self.actual / self.scale
        return int((self.drawn / self.scales >= own - _NOISE * max(abs(own), 1e-12)).sum())

    @property
    def p(self) -> float:
        """Returns the one-sided p in (0, 1]."""
        return (1 + self.hits) / (1 + len(self.drawn))

    @property
    def least_p(self) -> float:
        """Returns the smallest p that was possible."""
        return 1 / (1 + len(self.drawn))

    @property
    def least_edge(self) -> float:
        """Returns the smallest edge, in the unit, that a test at 5 % would have found with probability 0.8."""
        low, high = np.percentile(self.drawn / self.scales, (20, 95))
        return float(high - low) * self.scale

    def document(self) -> dict[str, Any]:
        """Returns it as JSON has it, with a histogram of the placebos."""
        counts, edges = np.histogram(self.drawn, bins=BINS)
        return {
            "actual": self.actual,
            "hits": self.hits,
            "p": self.p,
            "least_p": self.least_p,
            "least_edge": self.least_edge,
            "mean": float(self.drawn.mean()),
            "sd": float(self.drawn.std(ddof=1)) if len(self.drawn) > 1 else 0.0,
            "quantiles": {str(q): float(np.percentile(self.drawn, q)) for q in QUANTILES},
            "histogram": {"edges": [float(edge) for edge in edges], "counts": [int(count) for count in counts]},
            "unit": self.unit,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Traded:
    """What the run itself traded: round trips, those still open included, and the US dollars of an entry on average."""

    trades: int
    entered: float

    @classmethod
    def of(cls, trades: Sequence[Trade]) -> Traded:
        """Counts them."""
        values = [trade.shares * trade.entry_price for trade in trades]
        return cls(trades=len(values), entered=sum(values) / len(values) if values else 0.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kind:
    """One kind of placebo and what came of it."""

    drawn: Drawn
    profit: Outcome | None = None
    abnormal: Outcome | None = None

    def document(self, traded: Traded) -> dict[str, Any]:
        """Returns it as JSON has it, with the smallest edge per trade of the run's trades."""
        edge = self.profit.least_edge / traded.trades if self.profit and traded.trades else None
        return {
            "least_edge_per_trade_usd": edge,
            "least_edge_per_trade_pct": edge / traded.entered * 100 if edge is not None else None,
            "kind": self.drawn.kind,
            "about": self.drawn.about,
            "n": len(self.drawn.versions) if self.drawn.versions else 0,
            "distinct": self.drawn.distinct,
            "profit": self.profit.document() if self.profit else None,
            "abnormal": self.abnormal.document() if self.abnormal else None,
            "note": self.drawn.note,
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placebo:
    """A strategy and its placebos."""

    episode: str
    strategy: str
    n: int
    seed: int
    engine: str
    profit: float
    abnormal: float | None
    traded: Traded
    kinds: tuple[Kind, ...]
    notes: tuple[str, ...] = field(default=NOTES)

    def document(self) -> dict[str, Any]:
        """Returns it as `evidence/placebo.json` has it."""
        return {
            "name": "placebo",
            "episode": self.episode,
            "strategy": self.strategy,
            "n": self.n,
            "seed": self.seed,
            "engine": self.engine,
            "actual": {"profit_usd": self.profit, "abnormal_pct": self.abnormal},
            "trades": self.traded.trades,
            "kinds": [kind.document(self.traded) for kind in self.kinds],
            "notes": list(self.notes),
        }


def placebo(
    episode: Episode,
    news: News,
    rule: Rule,
    terms: BrokerTerms | None = None,
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
        terms: The broker's, `BrokerTerms()` without.
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
    terms, engine = terms or BrokerTerms(), engine or engine_for(rule)
    rows = actual_rows(news)
    moves = Moves.of(episode, news, rule)
    one = Versions(rows=rows[None, :])
    own = _profits(engine.equity(episode, news, rule, terms, one), terms.cash)
    abnormal = float(moves.statistic(one)[0]) if moves else None
    actual = run_rule(episode, make_market(episode, news), rule, terms)
    traded = Traded.of(round_trips(actual.fills, actual.flows))
    kinds = []
    for number, kind in enumerate(KINDS):
        drawn = draw(kind, np.random.default_rng([seed, number]), episode, news, n, block)
        kinds.append(_run(drawn, episode, news, rule, terms, engine, own, moves, on_progress))
    return Placebo(
        episode=episode.name,
        strategy=strategy or rule.name,
        n=n,
        seed=seed,
        engine=engine.name,
        profit=float(own[0][0]),
        abnormal=abnormal,
        traded=traded,
        kinds=tuple(kinds),
    )


def _run(
    drawn: Drawn,
    episode: Episode,
    news: News,
    rule: Rule,
    terms: BrokerTerms,
    engine: Engine,
    own: tuple[Floats, Floats],
    moves: Moves | None,
    on_progress: Callable[[int], None] | None,
) -> Kind:
    if drawn.versions is None:
        return Kind(drawn=drawn)
    size = len(drawn.versions)
    step = max(_AT_ONCE, size // 20) if on_progress else size
    profits = []
    for start in range(0, size, step):
        part = drawn.versions.part(slice(start, start + step))
        profits.append(_profits(engine.equity(episode, news, rule, terms, part), terms.cash))
        if on_progress:
            on_progress(len(part))
    abnormal = None
    if moves:
        one = float(moves.statistic(Versions(rows=actual_rows(news)[None, :]))[0])
        abnormal = Outcome(actual=one, drawn=moves.statistic(drawn.versions), unit="pct")
    made, noise = (np.concatenate(each) for each in zip(*profits, strict=True))
    profit = Outcome(actual=float(own[0][0]), drawn=made, unit="usd", scale=float(own[1][0]), scales=noise)
    return Kind(drawn=drawn, profit=profit, abnormal=abnormal)


def _profits(equity: Floats, cash: float) -> tuple[Floats, Floats]:
    """Returns each version's profit and its noise, both in US dollars, shape (versions,); the noise is never 0."""
    whole = np.column_stack([np.full(len(equity), cash), equity])
    changes = np.diff(whole, axis=1) / np.maximum(whole[:, :-1], _NOISE) * cash
    return whole[:, -1] - cash, np.maximum(np.sqrt((changes**2).sum(axis=1)), _NOISE * cash)
