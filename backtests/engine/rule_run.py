"""Replays one rule: asks it at its decision times and turns changed target weights into orders."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any

import backtrader as bt

from backtests.broker.terms import BrokerTerms
from backtests.engine.bar_clock import Clock
from backtests.engine.cerebro import collect_records, make_cerebro, run_cerebro
from backtests.engine.replayed import Replayed
from backtests.engine.schedule import DecisionTime, decision_times
from backtests.engine.strategy_run import run_strategy
from backtests.episodes.episode import Episode
from backtests.user_strategies.adapter import StrategyRule
from strategies.rule import Rule
from strategies.signals import SignalBook
from strategies.view import Market, View


@dataclasses.dataclass(slots=True, kw_only=True)
class _Plan:
    """Holds what the strategy below needs: the rule, the market, and when to ask."""

    rule: Rule
    market: Market
    terms: BrokerTerms
    after_bar: dict[float, list[DecisionTime]]  # decisions by the clock of the bar after which they are made
    before_close: dict[float, list[DecisionTime]]  # by the clock of the session between whose auctions they are made
    latest: dict[int, datetime]  # when the last headline of each session (row) became known


class _RuleStrategy(bt.Strategy):
    """Asks the rule at its decision times and turns changed targets into orders."""

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
        """Returns the time of the newest bar; a symbol that is not listed yet has none and is left out."""
        return float(max(data.datetime[0] for data in self.datas if len(data)))

    def prenext(self) -> None:
        self.next()

    def next(self) -> None:
        for time in self.plan.after_bar.get(self._newest(), ()):
            self._trade(time, bt.Order.Market)

    def _before_close(self) -> None:
        """Decides between the opening and the closing auction, where the broker calls it."""
        if not self.plan.before_close:
            return
        for time in self.plan.before_close.get(self._newest(), ()):
            self._trade(time, bt.Order.Close)

    def _trade(self, time: DecisionTime, exectype: int) -> None:
        plan = self.plan
        if time.row != self.row:
            self.row, self.before = time.row, self.state
        self.state = self.before.copy()  # a session's later decision corrects its first
        market = _known(plan, time)
        weights = plan.rule.decide(View(market, time.row, after_open=plan.rule.after_open), self.state).tolist()
        session = plan.market.sessions[time.row].isoformat()
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


def _known(plan: _Plan, time: DecisionTime) -> Market:
    """Cuts the market's news at the decision time; the same market where nothing of its session comes later."""
    market = plan.market
    if time.row not in plan.latest or plan.latest[time.row] <= time.known_by:
        return market
    known = [item for item in market.signals.items if item.known_at <= time.known_by]
    return dataclasses.replace(market, signals=SignalBook(known, market.first, time.row))


def run_rule(episode: Episode, market: Market, rule: Rule, terms: BrokerTerms) -> Replayed:
    """Replays one rule.

    Args:
        episode: Prices, sessions, actions, loans.
        market: From `make_market`, with news that `place_news` placed for the same terms.
        rule: The rule.
        terms: Costs and margin.

    Raises:
        RuntimeError: The account does not balance; a defect of this program, never of the input.
    """
    if not rule.steps:
        if not isinstance(rule, StrategyRule):
            raise TypeError(f"{rule.name} neither steps nor wraps a bt.Strategy")
        return run_strategy(episode, market, rule, terms)
    traded = [
        symbol
        for symbol, sector in zip(market.symbols, market.sectors, strict=True)
        if rule.holds(sector, symbol, market.benchmark)
    ]
    cerebro, broker, clock = make_cerebro(episode, traded, terms, quiet=True)
    cerebro.addstrategy(_RuleStrategy, plan=_plan(episode, market, rule, terms, clock))
    strategy = run_cerebro(cerebro)
    return collect_records(episode, rule, terms, broker, strategy.decisions)


def _plan(episode: Episode, market: Market, rule: Rule, terms: BrokerTerms, clock: Clock) -> _Plan:
    """Sorts the decision times by the bar after which, or the session in which, each decision is made."""
    known = [item.known_at for item in market.signals.items]
    after_bar: dict[float, list[DecisionTime]] = {}
    before_close: dict[float, list[DecisionTime]] = {}
    for time in decision_times(episode, terms, known, after_open=rule.after_open):
        if time.auction == "close":
            before_close.setdefault(float(market.sessions[time.row].toordinal()), []).append(time)
        elif time.auction == "open":
            after_bar.setdefault(float(market.sessions[time.row - 1].toordinal()), []).append(time)
        else:
            bar = clock.before(time.fill)
            if bar is not None:
                after_bar.setdefault(bar, []).append(time)
    latest: dict[int, datetime] = {}
    for item in market.signals.items:
        if item.session is not None:
            latest[item.session] = max(latest.get(item.session, item.known_at), item.known_at)
    return _Plan(rule=rule, market=market, terms=terms, after_bar=after_bar, before_close=before_close, latest=latest)
