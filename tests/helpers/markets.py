"""Small markets made by hand for the tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import backtrader as bt
import numpy as np

from backtests.broker.terms import BrokerTerms
from backtests.engine.cerebro import collect_records, make_cerebro, run_cerebro
from backtests.engine.market import make_market
from backtests.engine.news import News
from backtests.engine.replayed import Replayed
from backtests.engine.rule_run import run_rule
from backtests.episodes.episode import Episode
from backtests.episodes.prices import Action, Bars, Prices
from backtests.episodes.stock_loans import Loans
from feeds.headline import Headline
from feeds.scoring import Score
from strategies.rule import Rule
from strategies.sessions import Sessions
from strategies.signals import Floats, place
from strategies.view import View

OHLC = tuple[float, float, float, float]


def sessions_of(days: Sequence[date]) -> Sessions:
    """A table of sessions that open at 14:30 and close at 21:00 UTC."""
    return Sessions(
        sessions=tuple(days),
        opens=tuple(datetime(d.year, d.month, d.day, 14, 30, tzinfo=UTC) for d in days),
        closes=tuple(datetime(d.year, d.month, d.day, 21, 0, tzinfo=UTC) for d in days),
    )


def weekdays(count: int, first: date = date(2025, 1, 2)) -> list[date]:
    """`count` days from `first` on without Saturdays and Sundays."""
    days = [first + timedelta(days=n) for n in range(count * 2)]
    return [day for day in days if day.weekday() < 5][:count]


def episode_of(
    bars: Mapping[str, Mapping[date, OHLC]],
    days: Sequence[date],
    *,
    actions: Sequence[Action] = (),
    adjusted: str = "splits",
    sectors: Mapping[str, tuple[str, ...]] | None = None,
    volumes: Mapping[str, float] | None = None,
    loans: Loans | None = None,
) -> Episode:
    """An episode whose window is every day but the first (that one's close sizes the first orders).

    Every bar has the symbol's volume, a million shares without.
    """
    made = {}
    for symbol, rows in bars.items():
        listed = sorted(rows)
        columns = np.array([rows[day] for day in listed], dtype=float).reshape(len(listed), 4).T
        made[symbol] = Bars(
            symbol=symbol,
            sessions=tuple(listed),
            open=columns[0],
            high=columns[1],
            low=columns[2],
            close=columns[3],
            volume=np.full(len(listed), (volumes or {}).get(symbol, 1e6)),
        )
    return Episode(
        name="made-by-hand",
        title="made by hand",
        folder=Path(),
        start=days[1],
        end=days[-1],
        key_session=days[1],
        benchmark=next(iter(bars)),
        sectors=dict(sectors or {"chips": tuple(bars)}),
        context=(),
        adjusted=adjusted,
        assumed_delay=timedelta(minutes=5),
        lead=timedelta(minutes=10),
        latency=timedelta(minutes=5),
        sessions=sessions_of(days),
        prices=Prices(bars=made),
        actions=tuple(actions),
        news=(),
        claims=(),
        shares_outstanding={},
        control=False,
        provenance="by hand",
        sources={},
        loans=loans or Loans(),
    )


def flat_bars(closes: Sequence[float], days: Sequence[date]) -> dict[date, OHLC]:
    """Bars whose four prices are the close."""
    return {day: (price, price, price, price) for day, price in zip(days, closes, strict=True)}


def no_news() -> News:
    """No headlines at all."""
    return News(items=(), rejects=(), scorer="none 0")


def news_of(episode: Episode, *items: tuple[str, datetime, Score]) -> News:
    """News from (title, published, score)."""
    heads = [
        Headline(
            id=f"{number:03d}", feed="made", source="made", title=title, summary="", link="", language="en",
            published=published, seen=None,
        )
        for number, (title, published, _) in enumerate(items)
    ]  # fmt: skip
    placed = place(
        heads,
        [score for _, _, score in items],
        episode.sessions,
        assumed_delay=episode.assumed_delay,
        lead=episode.lead,
        latency=episode.latency,
    )
    return News(items=placed, rejects=(), scorer="made 0")


@dataclass(frozen=True, kw_only=True)
class Script(Rule):
    """Follows a script: for each row of the session table a dict of weights; keeps the last where none is given."""

    name: ClassVar[str] = "script"
    about: ClassVar[str] = "for tests"
    news: ClassVar[bool] = False

    weights: Mapping[int, Mapping[str, float]]

    def observe(self, view: View) -> tuple[Floats, ...]:
        """The scripted weights of this row, NaN for a symbol not named."""
        row = self.weights.get(view.row)
        return (np.array([np.nan if row is None else row.get(symbol, np.nan) for symbol in view.symbols]),)

    def step(self, state: Floats, rows: tuple[Floats, ...]) -> Floats:
        """Takes what the script says and keeps the rest."""
        state[0] = np.where(np.isnan(rows[0]), state[0], rows[0])
        return state[0].copy()


def run_script(
    episode: Episode, weights: Mapping[int, Mapping[str, float]], terms: BrokerTerms | None = None
) -> Replayed:
    """Replays a script on an episode without news."""
    return run_rule(episode, make_market(episode, no_news()), Script(weights=weights), terms or FREE)


class _Sender(bt.Strategy):
    """Sends the orders of a plan: what to do after bar n of the first symbol, counted from 0."""

    params = (("plan", None),)

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def prenext(self) -> None:
        self.next()

    def next(self) -> None:
        for act in self.p.plan.get(len(self.data) - 1, ()):
            self.sent.append(act(self))


def run_orders(
    episode: Episode, plan: Mapping[int, Sequence[Callable[[Any], Any]]], terms: BrokerTerms | None = None
) -> Replayed:
    """Runs a `bt.Strategy` that sends orders by a plan; bar 0 is the session before the window."""
    cerebro, broker, _ = make_cerebro(episode, episode.tradable, terms or FREE)
    cerebro.addstrategy(_Sender, plan=plan)
    run_cerebro(cerebro)
    return collect_records(episode, Script(weights={}), terms or FREE, broker, ())


FREE = BrokerTerms(cash=10_000.0, commission_bps=0, slippage_bps=0, bar_slippage_bps=0, borrow_pct=0, fractional=True)
