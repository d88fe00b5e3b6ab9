"""The reference engine: rules and news replayed session by session in backtrader, through the honest broker.

    1  news documents ─► headlines ─► scores ─► items placed in their first tradable session
    2  prices ─► a Market; the rule sees a View cut at each decision
    3  on bar k-1 the rule decides for session k; its orders fill at k's open
       (a rule that waits for the open decides after it and fills at k's close)
    4  the broker's records ─► Result

Feeds are read bar by bar (no preloading), so that the future is not in memory when a rule decides.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

with warnings.catch_warnings():
    # backtrader's last release has invalid escapes and utcnow; its warnings are not ours to mend
    warnings.simplefilter("ignore", SyntaxWarning)
    warnings.simplefilter("ignore", DeprecationWarning)
    import backtrader as bt

from backtests.book import BookTerms
from backtests.broker import HonestBroker
from backtests.episode import Episode
from backtests.news import News, read_news
from backtests.prices import Bars
from backtests.result import Replayed, Result, build_result
from strategies.registry import make_rule, rules
from strategies.rule import Rule
from strategies.signals import SignalBook
from strategies.universe import exposure_weights
from strategies.view import Market, View

REACTIONS = ("include", "with-cause", "exclude")


class _BarFeed(bt.feed.DataBase):
    """One symbol's bars of the window, handed over one at a time."""

    params = (("bars", None), ("rows", (0, 0)))

    def start(self) -> None:
        super().start()
        self._row, self._stop_row = self.p.rows

    def _load(self) -> bool:
        if self._row >= self._stop_row:
            return False
        bars, row, lines = self.p.bars, self._row, self.lines
        lines.datetime[0] = float(bars.sessions[row].toordinal())
        lines.open[0], lines.high[0] = bars.open[row], bars.high[row]
        lines.low[0], lines.close[0] = bars.low[row], bars.close[row]
        lines.volume[0], lines.openinterest[0] = bars.volume[row], 0.0
        self._row = row + 1
        return True


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What the strategy below needs: the rule, the market, and the window's rows."""

    rule: Rule
    market: Market
    terms: BookTerms
    rows: dict[date, int]
    window: range
    state: Any


class _RuleStrategy(bt.Strategy):
    """Asks the rule once a session and turns changed targets into orders."""

    params = (("plan", None),)

    def __init__(self) -> None:
        self.plan: _Plan = self.p.plan
        self.targets: dict[str, float] = {}
        self.decisions: list[tuple[str, str, float]] = []
        self.columns = {symbol: column for column, symbol in enumerate(self.plan.market.symbols)}

    def _row(self) -> int:
        """The row of the newest bar; a symbol that is not listed yet has none and is left out."""
        newest = max(data.datetime[0] for data in self.datas if len(data))
        return self.plan.rows[date.fromordinal(int(newest))]

    def prenext(self) -> None:
        self.next()

    def next(self) -> None:
        row = self._row() + 1
        if row in self.plan.window and not self.plan.rule.after_open:
            self._trade(row, bt.Order.Market)

    def next_open(self) -> None:
        row = self._row()
        if row in self.plan.window and self.plan.rule.after_open:
            self._trade(row, bt.Order.Close)

    def _trade(self, row: int, exectype: int) -> None:
        plan = self.plan
        view = View(plan.market, row, after_open=plan.rule.after_open)
        weights = plan.rule.decide(view, plan.state)
        session = plan.market.sessions[row].isoformat()
        known = (view.opens if plan.rule.after_open else view.closes)[-1]
        equity = self.broker.get_value()
        for data in self.datas:
            weight = float(weights[self.columns[data._name]])
            if weight == self.targets.get(data._name, 0.0):
                continue
            self.decisions.append((session, data._name, weight))
            self.targets[data._name] = weight
            self._order(data, weight, float(known[self.columns[data._name]]), equity, exectype)

    def _order(self, data: Any, weight: float, price: float, equity: float, exectype: int) -> None:
        """Orders the difference to the target, sized on the last known price (NaN: not listed, no order)."""
        if not price > 0 or not len(data):
            return
        held = self.broker.getposition(data).size
        size = self.plan.terms.shares(weight * equity / price) - held
        if abs(size) * price > 1e-9 * abs(equity):
            (self.buy if size > 0 else self.sell)(data=data, size=abs(size), exectype=exectype)


def make_market(episode: Episode, news: News) -> Market:
    """Aligns the episode's tradable symbols and places the news; row = index of the session table."""
    table = episode.sessions.sessions
    stop = episode.window[-1] + 1
    rows = {session: row for row, session in enumerate(table[:stop])}
    symbols = episode.tradable
    opens = np.full((stop, len(symbols)), np.nan)
    closes = opens.copy()
    for column, symbol in enumerate(symbols):
        bars = episode.prices.bars[symbol]
        for index, session in enumerate(bars.sessions):
            row = rows.get(session)
            if row is not None:
                opens[row, column] = bars.open[index]
                closes[row, column] = bars.close[index]
    sector = {symbol: name for name, members in episode.sectors.items() for symbol in members}
    return Market(
        symbols=symbols,
        sectors=tuple(sector.get(symbol, "") for symbol in symbols),
        exposure=np.array(exposure_weights(symbols, episode.start)),
        benchmark=episode.benchmark,
        sessions=table[:stop],
        open=opens,
        close=closes,
        first=episode.window[0],
        signals=SignalBook(news.items, episode.window[0], episode.window[-1]),
    )


def _feed_rows(bars: Bars, first: date, last: date) -> tuple[int, int]:
    """The rows of a symbol's bars from the session before the window to the window's end."""
    start = next((row for row, session in enumerate(bars.sessions) if session >= first), len(bars.sessions))
    stop = next((row for row, session in enumerate(bars.sessions) if session > last), len(bars.sessions))
    return start, stop


def run_rule(episode: Episode, market: Market, rule: Rule, terms: BookTerms) -> Replayed:
    """Replays one rule.

    Raises:
        RuntimeError: The book does not balance; a defect of this program, never of the input.
    """
    window = episode.window
    cerebro = bt.Cerebro(stdstats=False, preload=False, runonce=False, cheat_on_open=rule.after_open, broker_coo=False)
    warm_up, last = market.sessions[window[0] - 1], market.sessions[window[-1]]
    for symbol, sector in zip(market.symbols, market.sectors, strict=True):
        if not rule.holds(sector, symbol, market.benchmark):
            continue
        bars = episode.prices.bars[symbol]
        start, stop = _feed_rows(bars, warm_up, last)
        if start < stop:
            cerebro.adddata(_BarFeed(bars=bars, rows=(start, stop)), name=symbol)
    broker = HonestBroker(terms=terms, actions=episode.actions, adjusted=episode.adjusted)
    cerebro.broker = broker
    plan = _Plan(
        rule=rule,
        market=market,
        terms=terms,
        rows={session: row for row, session in enumerate(market.sessions)},
        window=range(window[0], window[-1] + 1),
        state=rule.fresh_state(len(market.symbols)),
    )
    cerebro.addstrategy(_RuleStrategy, plan=plan)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="backtrader")
        (strategy,) = cerebro.run()
    return Replayed(
        rule=rule,
        terms=terms,
        fills=tuple(broker.fills),
        orders=tuple(broker.records),
        flows=tuple(broker.flows),
        days=tuple(day for day in broker.days if day.session >= market.sessions[window[0]].isoformat()),
        decisions=tuple(strategy.decisions),
        ruined_on=broker.ruined_on,
        margin_calls=broker.margin_calls,
    )


def standard_rules(names: Sequence[str] = (), settings: dict[str, str] | None = None) -> list[Rule]:
    """Makes the rules of a run: those named, or all; `shock` three times, once for each treatment of reactions.

    Each setting goes to every rule that has such a parameter; `reactions` given picks one of the three.

    Raises:
        InputError: A setting that no chosen rule has, or a wrong name or value.
    """
    settings = settings or {}
    chosen: list[Rule] = []
    for name in names or tuple(rules()):
        make_rule(name)  # an unknown name is refused before its settings are looked at
        has = {field.name for field in dataclasses.fields(rules()[name])}
        own = {key: value for key, value in settings.items() if key in has or len(names) == 1}
        variants = REACTIONS if "reactions" in has and "reactions" not in own else (None,)
        chosen += [make_rule(name, own if each is None else {**own, "reactions": each}) for each in variants]
    return chosen


def replay(
    episode: Episode,
    strategy: str | Rule | Sequence[str | Rule] | None = None,
    *,
    terms: BookTerms | None = None,
    news: News | None = None,
    **settings: Any,
) -> Result:
    """Replays an episode.

    Args:
        episode: From `load_episode`.
        strategy: A name, a rule, several of them, or None for all (then `shock` in its three variants).
        terms: Money terms, `BookTerms()` without.
        news: News already read and scored, else the episode's are.
        **settings: Parameters of the named strategies.

    Returns:
        A `Result` with one set of rows per strategy.

    Raises:
        InputError: Anything wrong in the input, in one line.
    """
    given = [strategy] if isinstance(strategy, str | Rule) else list(strategy or [])
    texts = {name: str(value) for name, value in settings.items()}
    chosen: list[Rule] = []
    if given:
        for each in given:
            chosen += [each] if isinstance(each, Rule) else [make_rule(each, texts)]
    else:
        chosen = standard_rules((), texts)
    terms = terms or BookTerms()
    news = news or read_news(episode)
    market = make_market(episode, news)
    return build_result(episode, news, terms, [run_rule(episode, market, rule, terms) for rule in chosen])
