"""Splits what each holding of a run earned and paid into sessions and parts, to the last cent.

    held shares x (open - last close)          the gap, overnight
    held shares x (each next price - the last)  the session, from its open over the fills to its close
    fills: commission and slippage; flows: borrow, dividends, and whatever else the broker charges

The prices telescope, so that all parts of all holdings add up to the change of equity; what floating-point
arithmetic leaves over is the residual, which every result shows.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from backtests.records.record import RunRecord

if TYPE_CHECKING:
    from backtests.episodes.episode import Episode

COSTS = ("commission", "slippage", "borrow", "dividends", "interest")  # as the account signs them: paid is negative
_KINDS = {"dividend": "dividends"}
_FLAT = 1e-9  # shares


@dataclass(slots=True, kw_only=True)
class Day:
    """Holds one session of a holding, in US dollars; costs are negative."""

    session: str
    gap: float = 0.0  # last close to open
    move: float = 0.0  # open (or entry) to close (or exit)
    commission: float = 0.0
    slippage: float = 0.0
    borrow: float = 0.0
    dividends: float = 0.0
    interest: float = 0.0

    @property
    def price(self) -> float:
        """Returns what the prices made, before costs."""
        return self.gap + self.move

    @property
    def profit(self) -> float:
        """Returns the profit after all costs."""
        paid = self.commission, self.slippage, self.borrow, self.dividends, self.interest
        return math.fsum((self.gap, self.move, *paid))


@dataclass(slots=True, kw_only=True)
class Holding:
    """Holds a position from flat to flat, or to the other side; symbol "" stands for what belongs to no position."""

    symbol: str
    sign: int  # +1 long, -1 short, 0 for no position
    opened: str  # ISO session, "" for no position
    decided: str  # session for which the rule took this side
    closed: str = ""
    most: float = 0.0  # most shares held
    entries: list[tuple[float, float, str]] = field(default_factory=list)  # signed shares, auction price, auction
    days: dict[str, Day] = field(default_factory=dict)

    def day(self, session: str) -> Day:
        """Returns one session of it, empty at first."""
        return self.days.setdefault(session, Day(session=session))

    def total(self, name: str) -> float:
        """Sums one part over all sessions, in US dollars."""
        return math.fsum(getattr(day, name) for day in self.days.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyPnl:
    """Holds the daily P&L of a strategy's holdings, in the order of their opening, and how far it misses equity."""

    strategy: str
    sessions: tuple[str, ...]
    equity: tuple[float, ...]  # before the first session, then at each close
    holdings: tuple[Holding, ...]
    residual: float  # largest difference of a session between the parts and the change of equity, US dollars

    @property
    def profit(self) -> float:
        """Returns the change of equity over the run, in US dollars."""
        return self.equity[-1] - self.equity[0]


def rows_of(result: RunRecord, table: str, strategy: str) -> list[dict[str, Any]]:
    """Returns the rows of one strategy in one of a result's tables."""
    found = result.tables[table]
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows if row[0] == strategy]


def pnl_of(result: RunRecord, strategy: str, episode: Episode) -> StrategyPnl:
    """Splits the profit of a strategy into holdings, sessions and parts.

    Args:
        result: The run.
        strategy: A label of the run.
        episode: The episode that it was made from, for opens and splits.
    """
    equity = rows_of(result, "equity", strategy)
    sessions = tuple(row["session"] for row in equity)
    levels = (float(result.config["broker"]["cash"]), *(float(row["equity"]) for row in equity))
    fills, flows = _by_symbol(rows_of(result, "fills", strategy)), _by_symbol(rows_of(result, "flows", strategy))
    sides = _sides(rows_of(result, "targets", strategy))
    symbols = sorted({*fills, *flows} - {""})
    prices = _prices(episode, symbols, sessions, rows_of(result, "positions", strategy))
    holdings: list[Holding] = []
    for symbol in symbols:
        followed = _SymbolPnl(symbol, prices[symbol], _splits(episode, symbol), sides.get(symbol, []))
        holdings += followed.run(sessions, fills.get(symbol, []), flows.get(symbol, []))
    if "" in flows:
        holdings.append(_unowned(flows[""]))
    order = {session: place for place, session in enumerate(sessions)}
    holdings.sort(key=lambda each: (order.get(each.opened, -1), each.symbol))
    return StrategyPnl(
        strategy=strategy,
        sessions=sessions,
        equity=levels,
        holdings=tuple(holdings),
        residual=_residual(sessions, levels, holdings),
    )


def _residual(sessions: Sequence[str], levels: Sequence[float], holdings: Iterable[Holding]) -> float:
    profits: dict[str, list[float]] = defaultdict(list)
    for holding in holdings:
        for session, day in holding.days.items():
            profits[session].append(day.profit)
    worst = 0.0
    for place, session in enumerate(sessions):
        worst = max(worst, abs(levels[place + 1] - levels[place] - math.fsum(profits[session])))
    return worst


def _by_symbol(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["symbol"], []).append(row)
    return found


def _sides(targets: Iterable[Mapping[str, Any]]) -> dict[str, list[tuple[str, int]]]:
    """Returns for each symbol the sessions for which its target changed side, with the new side."""
    found: dict[str, list[tuple[str, int]]] = {}
    for row in targets:
        sign = (row["weight"] > 0) - (row["weight"] < 0)
        changes = found.setdefault(row["symbol"], [])
        if sign != (changes[-1][1] if changes else 0):
            changes.append((row["session"], sign))
    return found


def _prices(
    episode: Episode, symbols: Iterable[str], sessions: Sequence[str], positions: Iterable[Mapping[str, Any]]
) -> dict[str, dict[str, tuple[float, float]]]:
    """Returns open and close by symbol and session; where the account held the symbol, the close that it used."""
    first, last = date.fromisoformat(sessions[0]), date.fromisoformat(sessions[-1])
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for symbol in symbols:
        bars = episode.prices.bars[symbol]
        start, stop = bisect_left(bars.sessions, first), bisect_right(bars.sessions, last)
        days = [day.isoformat() for day in bars.sessions[start:stop]]
        pairs = zip(bars.open[start:stop].tolist(), bars.close[start:stop].tolist(), strict=True)
        found[symbol] = dict(zip(days, pairs, strict=True))
    for row in positions:
        prices = found[row["symbol"]]
        if row["session"] in prices:
            prices[row["session"]] = (prices[row["session"]][0], float(row["close"]))
    return found


def _splits(episode: Episode, symbol: str) -> dict[str, float]:
    if episode.adjusted != "none":
        return {}
    return {
        action.ex_date.isoformat(): action.value
        for action in episode.actions
        if action.symbol == symbol and action.kind == "split"
    }


def _unowned(flows: Iterable[Mapping[str, Any]]) -> Holding:
    holding = Holding(symbol="", sign=0, opened="", decided="")
    for flow in flows:
        _add_flow(holding.day(flow["session"]), flow)
    return holding


def _add_flow(day: Day, flow: Mapping[str, Any]) -> None:
    name = _KINDS.get(flow["kind"], flow["kind"])
    name = name if name in COSTS else "interest"
    setattr(day, name, getattr(day, name) + flow["amount"])


class _SymbolPnl:
    """Follows the position in one symbol from session to session."""

    def __init__(
        self,
        symbol: str,
        prices: Mapping[str, tuple[float, float]],
        splits: Mapping[str, float],
        sides: Sequence[tuple[str, int]],
    ) -> None:
        self.symbol, self.prices, self.splits, self.sides = symbol, prices, splits, sides
        self.held = self.mark = 0.0
        self.current: Holding | None = None
        self.done: list[Holding] = []

    def run(
        self, sessions: Sequence[str], fills: Sequence[Mapping[str, Any]], flows: Sequence[Mapping[str, Any]]
    ) -> list[Holding]:
        filled, flowed = defaultdict(list), defaultdict(list)
        for fill in fills:
            filled[fill["session"]].append(fill)
        for flow in flows:
            flowed[flow["session"]].append(flow)
        before = ""
        for session in sessions:
            self._split(before, session)
            self._session(session, filled[session], flowed[session])
            before = session
        return self.done + ([self.current] if self.current else [])

    def _split(self, before: str, session: str) -> None:
        for day, ratio in self.splits.items():
            if before < day <= session and before:
                self.held *= ratio
                self.mark /= ratio

    def _session(self, session: str, fills: Sequence[Mapping[str, Any]], flows: Sequence[Mapping[str, Any]]) -> None:
        last = self.current
        if self.current and session in self.prices:
            opened = self.prices[session][0]
            self.current.day(session).gap += self.held * (opened - self.mark)
            self.mark = opened
        for fill in fills:
            self._fill(session, fill)
        if session in self.prices:
            close = self.prices[session][1]
            if self.current:
                self.current.day(session).move += self.held * (close - self.mark)
            self.mark = close
        owner = last or self.current
        for flow in flows:
            if owner is None:
                owner = Holding(symbol=self.symbol, sign=0, opened="", decided="")
                self.done.append(owner)
            _add_flow(owner.day(session), flow)

    def _fill(self, session: str, fill: Mapping[str, Any]) -> None:
        size, price = float(fill["size"]), float(fill["auction_price"])
        if self.current:
            self.current.day(session).move += self.held * (price - self.mark)
        self.mark = price
        out = 0.0
        if self.current and self.held * size < 0:
            out = math.copysign(min(abs(size), abs(self.held)), size)
            self._pay(self.current, session, fill, out / size)
            self.held += out
            if abs(self.held) < _FLAT or abs(fill["position"]) < _FLAT or fill["position"] * size > 0:
                self.current.closed = session
                self.done.append(self.current)
                self.current, self.held = None, 0.0
        entering = size - out
        if abs(entering) > _FLAT:
            if self.current is None:
                self.current = self._open(session, 1 if entering > 0 else -1)
            self._pay(self.current, session, fill, entering / size)
            self.held += entering
            self.current.entries.append((entering, price, str(fill["auction"])))
            self.current.most = max(self.current.most, abs(self.held))

    def _open(self, session: str, sign: int) -> Holding:
        decided = [day for day, side in self.sides if side == sign and day <= session]
        return Holding(symbol=self.symbol, sign=sign, opened=session, decided=decided[-1] if decided else session)

    @staticmethod
    def _pay(holding: Holding, session: str, fill: Mapping[str, Any], share: float) -> None:
        day = holding.day(session)
        day.commission -= fill["commission"] * share
        day.slippage -= fill["size"] * (fill["price"] - fill["auction_price"]) * share
