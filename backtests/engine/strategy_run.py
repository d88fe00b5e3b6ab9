"""Replays a user's `bt.Strategy`: the same broker, the same clock, the same audit as for a rule.

Its feeds carry three more lines. On bar k-1 they hold what is known before the open of session k, so that an order
made in `next()` on that bar, which fills at k's open, may act on them:

    sentiment  decaying sum of AI-disruption sentiment (half-life one session, reactions with-cause) x the
               symbol's exposure to demand for AI compute and power
    tone       decaying sum of tone, the same for all symbols
    headlines  number of AI headlines that can first be traded in session k, the same for all symbols

They are NaN before the window. Bars from before the window are there, for indicators; `next()` is called for the
first time on the last of them. Nothing is preloaded: what has not happened is not in memory. A line asked for a bar
before its first gives NaN (plain backtrader gives some other bar), one asked for a later bar is an `InputError`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import backtrader as bt
from backtrader.linebuffer import LineBuffer

from backtests.broker.terms import BrokerTerms
from backtests.engine.cerebro import collect_records, make_cerebro, run_cerebro
from backtests.engine.replayed import Replayed
from backtests.engine.signal_lines import Around, SignalLines
from backtests.episodes.episode import Episode
from backtests.user_strategies.adapter import StrategyRule
from backtests.user_strategies.checks import where
from feeds.errors import InputError, did_you_mean
from strategies.view import Market

HISTORY = 250  # sessions of bars before the window, where the episode has them
LINES = ("sentiment", "tone", "headlines")


class _Line(LineBuffer):
    """Refuses bars after the present one, and has none before its first."""

    def __getitem__(self, ago: int) -> Any:
        if ago > 0:
            raise InputError(
                f"[{ago}] asks for a bar that has not happened; [0] is the last known, [-1] the one before"
            )
        place = self.idx + ago
        return self.array[place] if 0 <= place < len(self.array) else math.nan

    def get(self, ago: int = 0, size: int = 1) -> Any:
        """Returns up to `size` values that end with the one `ago` bars ago."""
        if ago > 0:
            raise InputError(f"get(ago={ago}) asks for a bar that has not happened")
        stop = self.idx + ago + 1
        return list(self.array[max(0, stop - size) : max(0, stop)])


class SignalFeed(bt.feed.DataBase):
    """Hands over one symbol's bars with its signal lines, made one at a time."""

    lines: Any = LINES
    params = (("source", None),)

    def __init__(self, **_: Any) -> None:
        super().__init__()
        for line in self.lines.lines:
            line.__class__ = _Line

    def _load(self) -> bool:
        row = next(self.p.source, None)
        if row is None:
            return False
        lines = self.lines
        lines.datetime[0], lines.open[0], lines.high[0], lines.low[0], lines.close[0], lines.volume[0] = row[:6]
        lines.sentiment[0], lines.tone[0], lines.headlines[0] = row[6:]
        lines.openinterest[0] = 0.0
        return True


if TYPE_CHECKING:

    class _Before(bt.Strategy):
        """Shows the type checker what a user's class brings along. In truth the guard stands before that class."""

else:
    _Before = object


class _Guarded(_Before):
    """Wraps a user's class: calls it on the window's bars, notes what it ordered, reports a failure in one line."""

    def _begin(self, window: Mapping[float, int], around: Around, decisions: list[tuple[str, str, float]]) -> None:
        self._window, self._around, self._decisions = window, around, decisions
        self._ordered_for: dict[str, Any] = {}
        self._decided_at = 0.0  # time of the bar on which it has decided
        self.broker.on_order = self._ordered

    def _asked(self, call: Callable[[], None]) -> None:
        """Calls the user's method on the bars that decide for a session of the window, and notes what it ordered."""
        clock = self._newest()
        row = self._window.get(clock)
        if row is None:
            return
        session = self._sessions[row].isoformat()
        try:
            with self._around(row):
                call()
        except Exception as wrong:
            file, name = self._place
            hint = " (a symbol without a bar yet: test len(data))" if isinstance(wrong, IndexError) else ""
            kind = "" if isinstance(wrong, InputError) else f"{type(wrong).__name__}: "
            text = f"{where(file, wrong)}: {name} for session {session}: {kind}{wrong}{hint}"
            raise InputError(" ".join(text.split())[:300]) from wrong
        self._note(session)
        self._decided_at = clock

    def _note(self, session: str) -> None:
        """Writes down, for each symbol it ordered, the weight it will have when all that waits is filled."""
        broker = self.broker
        equity, waiting = broker.get_value(), broker.waiting()
        for symbol, data in self._ordered_for.items():
            size = broker.getposition(data).size
            for order in waiting.get(symbol, ()):
                size += order.executed.remsize
            price = broker.last_price(data, opened=False)
            self._decisions.append((session, symbol, size * price / equity if equity else 0.0))
        self._ordered_for.clear()

    def next(self) -> None:
        self._asked(super().next)

    def nextstart(self) -> None:
        self._asked(super().nextstart)

    def prenext(self) -> None:
        """Indicators still lack bars, or a symbol is not listed yet; the latter alone keeps nobody from deciding."""
        listed = [(data, least) for data, least in zip(self.datas, self._minperiods, strict=True) if len(data)]
        ready = len(listed) < len(self.datas) and all(len(data) >= least for data, least in listed)
        theirs: Any = type(self).__mro__[2]
        own = theirs.prenext is not bt.Strategy.prenext
        self._asked(super().next if ready and not own else super().prenext)

    def _ordered(self, order: Any) -> None:
        """Keeps what was ordered or taken back, by whichever way, for the decision of the bar.

        Raises:
            InputError: The decision of the bar has been made: `next()` is over, and the next bar has not come.
        """
        if self._decided_at and self._decided_at == self._newest():
            raise InputError("an order after next(), before the next bar; order in next() or in a notify method")
        self._ordered_for[order.data._name] = order.data

    def _newest(self) -> float:
        return max((data.datetime.array[-1] for data in self.datas if len(data)), default=0.0)


def run_strategy(
    episode: Episode,
    market: Market,
    rule: StrategyRule,
    terms: BrokerTerms,
    *,
    known: Callable[[int], Market] | None = None,
    around: Around | None = None,
    decisions: list[tuple[str, str, float]] | None = None,
) -> Replayed:
    """Replays a user's bt.Strategy with the broker.

    Args:
        episode: Prices, sessions, actions, loans.
        market: From `make_market`.
        rule: The stand-in of the class.
        terms: Costs and margin.
        known: Gives the market as known when the session of a row is decided for; without, `market`.
        around: A context in which each decision is made; it is given the row.
        decisions: Where decisions are written down, for a reader who wants those before a failure.

    Raises:
        InputError: The strategy fails, or asks for more than one decision a session.
    """
    if episode.intraday is not None or terms.auctions != "open":
        raise InputError(f"{rule.name}: a bt.Strategy is asked before the open alone; leave --bars and --auctions out")
    traded = _traded_symbols(market, rule)
    signals = SignalLines(rule, market, known or (lambda _: market))
    cerebro, broker, _ = make_cerebro(
        episode, traded, terms, history=HISTORY,
        feed=lambda symbol, rows: SignalFeed(source=signals.bars(episode.prices.bars[symbol], rows[0][0], rows[-1][0])),
    )  # fmt: skip
    decisions = [] if decisions is None else decisions
    window = {float(market.sessions[row - 1].toordinal()): row for row in episode.window}
    own = {
        "__init__": _init_after(rule.strategy.__init__, (window, signals.shut(around), decisions)),
        "_sessions": market.sessions,
        "_place": (rule.code.file if rule.code else rule.name, rule.name),
    }
    cerebro.addstrategy(type(rule.strategy.__name__, (_Guarded, rule.strategy), own), **dict(rule.settings))
    try:
        run_cerebro(cerebro)
    except InputError:
        raise
    except Exception as wrong:
        file = rule.code.file if rule.code else rule.name
        raise InputError(f"{where(file, wrong)}: {rule.name}: {type(wrong).__name__}: {wrong}") from wrong
    return collect_records(episode, rule, terms, broker, decisions)


def _traded_symbols(market: Market, rule: StrategyRule) -> list[str]:
    """Lists the symbols it trades.

    Raises:
        InputError: It names one that the episode does not trade.
    """
    known = market.symbols
    for symbol in getattr(rule.strategy, "symbols", None) or ():
        if symbol not in known:
            raise InputError(f"{rule.name}: symbol {symbol!r} is not traded here; {did_you_mean(symbol, known)}")
    sectors = zip(known, market.sectors, strict=True)
    return [symbol for symbol, sector in sectors if rule.holds(sector, symbol, market.benchmark)]


def _init_after(init: Callable[..., None], begin: tuple[Any, ...]) -> Callable[..., None]:
    """Calls the user's constructor after ours: it may order or read at once."""

    def begun(self: Any, *arguments: Any, **named: Any) -> None:
        self._begin(*begin)
        init(self, *arguments, **named)

    return begun
