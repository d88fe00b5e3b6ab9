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
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

with warnings.catch_warnings():
    # backtrader's last release has invalid escapes and utcnow; its warnings are not ours to mend
    warnings.simplefilter("ignore", SyntaxWarning)
    warnings.simplefilter("ignore", DeprecationWarning)
    import backtrader as bt

from backtests.broker.broker import HonestBroker
from backtests.broker.terms import BrokerTerms
from backtests.engine.bar_clock import Clock, Row, make_clock
from backtests.engine.news import News, read_news
from backtests.engine.replayed import Replayed
from backtests.engine.schedule import DecisionTime, place_news, wakes
from backtests.episodes.episode import Episode
from backtests.runs.build import build_result
from backtests.runs.result import Result
from backtests.user_strategies.loading import adopted, make_rule, rule_type
from strategies.registry import rules
from strategies.rule import Rule
from strategies.signals import SignalBook
from strategies.universe import exposure_table
from strategies.view import Market, View

Strategy = str | Rule | type[Any]
REACTIONS = ("include", "with-cause", "exclude")


class _BarFeed(bt.feed.DataBase):
    """One symbol's bars, handed over one at a time: rows of (time, open, high, low, close, volume)."""

    params = (("rows", ()),)

    def start(self) -> None:
        super().start()
        self._left = iter(self.p.rows)

    def _load(self) -> bool:
        row = next(self._left, None)
        if row is None:
            return False
        lines = self.lines
        lines.datetime[0], lines.open[0], lines.high[0], lines.low[0], lines.close[0], lines.volume[0] = row
        lines.openinterest[0] = 0.0
        return True


@dataclasses.dataclass(slots=True, kw_only=True)
class _Plan:
    """What the strategy below needs: the rule, the market, and when to ask."""

    rule: Rule
    market: Market
    terms: BrokerTerms
    after_bar: dict[float, list[DecisionTime]]  # decisions by the clock of the bar after which they are made
    before_close: dict[float, list[DecisionTime]]  # by the clock of the session between whose auctions they are made


class _RuleStrategy(bt.Strategy):
    """Asks the rule at its wakes and turns changed targets into orders."""

    params = (("plan", None),)

    def __init__(self) -> None:
        self.plan: _Plan = self.p.plan
        self.targets: dict[str, float] = {}
        self.decisions: list[tuple[str, str, float]] = []
        self.columns = {symbol: column for column, symbol in enumerate(self.plan.market.symbols)}
        self.row = -1  # of the session that is being decided for
        self.state = self.before = self.plan.rule.fresh_state(len(self.columns))

    def start(self) -> None:
        self.broker.before_close = self._before_close

    def _newest(self) -> float:
        """The time of the newest bar; a symbol that is not listed yet has none and is left out."""
        return float(max(data.datetime[0] for data in self.datas if len(data)))

    def prenext(self) -> None:
        self.next()

    def next(self) -> None:
        for wake in self.plan.after_bar.get(self._newest(), ()):
            self._trade(wake, bt.Order.Market)

    def _before_close(self) -> None:
        """Called by the broker between the opening and the closing auction."""
        for wake in self.plan.before_close.get(self._newest(), ()):
            self._trade(wake, bt.Order.Close)

    def _trade(self, wake: DecisionTime, exectype: int) -> None:
        plan = self.plan
        if wake.row != self.row:
            self.row, self.before = wake.row, self.state
        self.state = self.before.copy()  # a session's later decision corrects its first
        market = _known(plan.market, wake)
        weights = plan.rule.decide(View(market, wake.row, after_open=plan.rule.after_open), self.state).tolist()
        session = plan.market.sessions[wake.row].isoformat()
        equity = self.broker.get_value()
        waiting = self.broker.waiting()
        for data in self.datas:
            weight = weights[self.columns[data._name]]
            if weight == self.targets.get(data._name, 0.0):
                if not weight or plan.terms.rebalance == "never":
                    continue
            else:
                self.decisions.append((session, data._name, weight))
                self.targets[data._name] = weight
            for order in waiting.get(data._name, ()):
                self.broker.cancel(order, reason="replaced by a newer target")
            self._order(data, weight, equity, exectype)

    def _order(self, data: Any, weight: float, equity: float, exectype: int) -> None:
        """Orders the difference to the target, sized on the last known price (none: not listed, no order)."""
        price = self.broker.last_price(data, opened=exectype == bt.Order.Close)
        if not price > 0:
            return
        held = self.broker.getposition(data).size
        size = self.plan.terms.shares(weight * equity / price) - held
        if abs(size) * price > 1e-9 * abs(equity):
            (self.buy if size > 0 else self.sell)(data=data, size=abs(size), exectype=exectype)


def _known(market: Market, wake: DecisionTime) -> Market:
    """The market with no headline known after the wake; the same where there is none in its session."""
    items = market.signals.items
    if not any(item.session == wake.row and item.known_at > wake.known_by for item in items):
        return market
    known = [item for item in items if item.known_at <= wake.known_by]
    return dataclasses.replace(market, signals=SignalBook(known, market.first, wake.row))


def make_market(episode: Episode, news: News) -> Market:
    """Aligns the episode's tradable symbols with the placed news; row = index of the session table."""
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
        exposure=exposure_table(symbols, table[:stop]),
        benchmark=episode.benchmark,
        sessions=table[:stop],
        open=opens,
        close=closes,
        first=episode.window[0],
        signals=SignalBook(news.items, episode.window[0], episode.window[-1]),
        splits=_splits(episode, symbols),
    )


def _splits(episode: Episode, symbols: Sequence[str]) -> tuple[tuple[int, int, float], ...]:
    """The splits that prices still have in them: row of the first session in new shares, column, ratio."""
    if episode.adjusted != "none":
        return ()
    columns = {symbol: column for column, symbol in enumerate(symbols)}
    table = episode.sessions.sessions
    return tuple(
        (bisect_left(table, action.ex_date), columns[action.symbol], action.value)
        for action in episode.actions
        if action.kind == "split" and action.symbol in columns
    )


def make_cerebro(
    episode: Episode,
    symbols: Iterable[str],
    terms: BrokerTerms,
    *,
    quiet: bool = False,
    history: int = 1,
    feed: Callable[[str, list[Row]], Any] | None = None,
) -> tuple[bt.Cerebro, HonestBroker, Clock]:
    """Makes backtrader's engine with one feed per symbol and the honest broker; a strategy is still to be added.

    Feeds are read bar by bar. Symbols without a bar in the window get none. `history` is the number of sessions
    before the window, `feed` makes a symbol's feed of its rows.
    """
    clock = make_clock(episode, symbols, history=history)
    cerebro = bt.Cerebro(stdstats=False, preload=False, runonce=False)
    for symbol, rows in clock.rows.items():
        cerebro.adddata(feed(symbol, rows) if feed else _BarFeed(rows=rows), name=symbol)
    cerebro.broker = HonestBroker(
        terms=terms,
        actions=episode.actions,
        adjusted=episode.adjusted,
        loans=episode.loans,
        closing=clock.closing,
        moments=clock.moments,
        quiet=quiet,
    )
    return cerebro, cerebro.broker, clock


def run_cerebro(cerebro: bt.Cerebro) -> Any:
    """Runs it without the warnings of backtrader's own code; returns the strategy."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="backtrader")
        (strategy,) = cerebro.run()
    return strategy


def run_rule(episode: Episode, market: Market, rule: Rule, terms: BrokerTerms) -> Replayed:
    """Replays one rule.

    Args:
        episode: Prices, sessions, actions, loans.
        market: From `make_market`, with news that `place_news` placed for the same terms.
        rule: The rule.
        terms: The book's.

    Raises:
        RuntimeError: The book does not balance; a defect of this program, never of the input.
    """
    if not rule.steps:
        from backtests.engine.strategy_run import StrategyRule, run_strategy

        if not isinstance(rule, StrategyRule):
            raise TypeError(f"{rule.name} neither steps nor wraps a bt.Strategy")
        return run_strategy(episode, market, rule, terms)
    held = [
        symbol
        for symbol, sector in zip(market.symbols, market.sectors, strict=True)
        if rule.holds(sector, symbol, market.benchmark)
    ]
    cerebro, broker, clock = make_cerebro(episode, held, terms, quiet=True)
    cerebro.addstrategy(_RuleStrategy, plan=_plan(episode, market, rule, terms, clock))
    strategy = run_cerebro(cerebro)
    return replayed(episode, rule, terms, broker, strategy.decisions)


def _plan(episode: Episode, market: Market, rule: Rule, terms: BrokerTerms, clock: Clock) -> _Plan:
    """Sorts the wakes by the bar after which, or the session in which, each decision is made."""
    known = [item.known_at for item in market.signals.items]
    after_bar: dict[float, list[DecisionTime]] = {}
    before_close: dict[float, list[DecisionTime]] = {}
    for wake in wakes(episode, terms, known, after_open=rule.after_open):
        if wake.auction == "close":
            before_close.setdefault(float(market.sessions[wake.row].toordinal()), []).append(wake)
        elif wake.auction == "open":
            after_bar.setdefault(float(market.sessions[wake.row - 1].toordinal()), []).append(wake)
        else:
            bar = clock.before(wake.fill)
            if bar is not None:
                after_bar.setdefault(bar, []).append(wake)
    return _Plan(rule=rule, market=market, terms=terms, after_bar=after_bar, before_close=before_close)


def replayed(
    episode: Episode, rule: Rule, terms: BrokerTerms, broker: HonestBroker, decisions: Iterable[tuple[str, str, float]]
) -> Replayed:
    """Takes the records of the window out of a broker that has run."""
    account = broker.account
    first = episode.sessions.sessions[episode.window[0]].isoformat()
    return Replayed(
        rule=rule,
        terms=terms,
        fills=tuple(account.fills),
        orders=tuple(broker.records),
        flows=tuple(account.flows),
        days=tuple(day for day in account.days if day.session >= first),
        decisions=tuple(decisions),
        ruined_on=account.ruined_on,
        margin_calls=account.margin_calls,
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
        kind = rule_type(name)  # an unknown name is refused before its settings are looked at
        has = kind.parameter_names()
        own = {key: value for key, value in settings.items() if key in has or len(names) == 1}
        variants = REACTIONS if kind.every_reaction and "reactions" not in own else (None,)
        chosen += [make_rule(name, own if each is None else {**own, "reactions": each}) for each in variants]
    return chosen


def _chosen(strategy: Strategy, settings: dict[str, str]) -> Rule:
    if isinstance(strategy, Rule):
        return strategy
    return (adopted(strategy) if isinstance(strategy, type) else rule_type(strategy)).with_settings(settings)


def replay(
    episode: Episode,
    strategy: Strategy | Sequence[Strategy] | None = None,
    *,
    terms: BrokerTerms | None = None,
    news: News | None = None,
    **settings: Any,
) -> Result:
    """Replays an episode.

    Args:
        episode: From `load_episode`.
        strategy: A name, a file with a strategy of your own (`my_rule.py:MyRule`), a rule, a class of a Rule or
            a bt.Strategy, several of them, or None for all (then `shock` in its three variants).
        terms: Money terms, `BrokerTerms()` without.
        news: News already read and scored, else the episode's are.
        **settings: Parameters of the named strategies.

    Returns:
        A `Result` with one set of rows per strategy.

    Raises:
        InputError: Anything wrong in the input, in one line.
    """
    given = [strategy] if isinstance(strategy, str | Rule | type) else list(strategy or [])
    texts = {name: str(value) for name, value in settings.items()}
    chosen = [_chosen(each, texts) for each in given] or standard_rules((), texts)
    terms = terms or BrokerTerms()
    news = place_news(episode, news or read_news(episode), terms)
    market = make_market(episode, news)
    return build_result(episode, news, terms, [run_rule(episode, market, rule, terms) for rule in chosen])
