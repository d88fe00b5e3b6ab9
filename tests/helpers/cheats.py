"""Rules that cheat, each in a way that users' backtests are known to: the audit must catch every one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from strategies.rule import Rule
from strategies.signals import Floats
from strategies.sizing import spread
from strategies.view import Market, View


class Cheat(Rule):
    """Holds what its only input says."""

    about: ClassVar[str] = "cheats"
    news: ClassVar[bool] = False

    def step(self, state: Floats, rows: tuple[Floats, ...]) -> Floats:
        """Equal weights in the direction of the input."""
        return spread(np.sign(np.nan_to_num(rows[0])), self.gross)


@dataclass(frozen=True, kw_only=True)
class Tomorrow(Cheat):
    """Keeps the first market it was ever shown and reads from it the close of the session it decides for."""

    name: ClassVar[str] = "tomorrow"
    kept: ClassVar[dict[str, Market]] = {}

    def observe(self, view: View) -> tuple[Floats, ...]:
        """The coming session's return."""
        market = self.kept.setdefault("market", view._market)
        return (market.close[view.row] / market.close[view.row - 1] - 1,)


@dataclass(frozen=True, kw_only=True)
class Claimed(Cheat):
    """Believes `published`: counts headlines dated before the day it trades, whoever saw them when."""

    name: ClassVar[str] = "claimed"

    def observe(self, view: View) -> tuple[Floats, ...]:
        """The sentiment of all headlines with an earlier date of publication."""
        day, total = view._market.sessions[view.row], 0.0
        for item in view._market.signals._items:
            if item.headline.published is not None and item.headline.published.date() < day:
                total += item.score.sentiment
        return (np.full(len(view.symbols), round(total, 9)),)

    def step(self, state: Floats, rows: tuple[Floats, ...]) -> Floats:
        """The more it believes, the more it holds: its sign alone may be the same with a planted future and without."""
        return spread(np.sign(rows[0]), self.gross) * (np.abs(rows[0]) / (1 + np.abs(rows[0])))


@dataclass(frozen=True, kw_only=True)
class FullSample(Cheat):
    """Normalises the signal by mean and deviation of the whole sample, as a notebook does that fits a scaler first."""

    name: ClassVar[str] = "full-sample"

    def observe(self, view: View) -> tuple[Floats, ...]:
        """The z-score of the signal, the same for all."""
        whole = view._market.signals.table("sentiment", half_life=1.0, reactions="include")
        now = view.news("sentiment", half_life=1.0)[-1]
        return (np.full(len(view.symbols), (now - whole.mean()) / (whole.std() or 1.0)),)


CHEATS: tuple[type[Cheat], ...] = (Tomorrow, Claimed, FullSample)


# Files of a user: a rule that opens the price file, and bt.Strategies that reach for bars that have not happened

PRICE_READER = '''
import csv
import numpy as np
from strategies import Rule


class Reader(Rule):
    """Reads tomorrow's close from the file."""

    def observe(self, view):
        with open("PRICES", newline="") as file:
            closes = {(row["symbol"], row["date"]): float(row["close"]) for row in csv.DictReader(file)}
        day = view.session.isoformat()
        coming = np.array([closes.get((symbol, day), np.nan) for symbol in view.symbols])
        return (np.nan_to_num(coming / view.closes[-1] - 1) * view.masks("chips"),)

    def step(self, state, rows):
        return np.sign(rows[0]) * 0.05
'''

_BT = '''
import backtrader as bt


class Peek(bt.Strategy):
    """Trades on what it can find of the coming close."""

    symbols = ("NVDA",)

    def next(self):
        coming = COMING
        self.order_target_percent(self.data, 0.5 if coming > self.data.close[0] else -0.5)
'''


def _peek(how: str, before: str = "") -> str:
    return before + _BT.replace("COMING", how)


# name: (text of the file, words of the refusal or of a violation)
BT_CHEATS: dict[str, tuple[str, str]] = {
    "the next bar by index": (_peek("self.data.close[1]"), "has not happened"),
    "the next bars of a line": (_peek("self.data.close.get(ago=1, size=1)[0]"), "has not happened"),
    "the buffer beyond its end": (_peek("self.data.close.array[len(self.data)]"), "IndexError"),
    "the feed's own source": (_peek("next(self.data.p.source)[4]"), "has not happened"),
    "the bars behind the feed": (
        _peek("(lambda near: near['bars'].close[near['index'] + 1])(self.data.p.source.gi_frame.f_locals)"),
        "cut off",
    ),
    "the memory of the process": (
        _peek(
            "next(each.close[each.sessions.index(self.data.datetime.date(0)) + 1] for each in gc.get_objects()"
            " if type(each).__name__ == 'Bars' and each.symbol == 'NVDA')",
            "import gc\n",
        ),
        "searches the memory",
    ),
    "the price file": (
        _peek(
            "[float(row.split(',')[5]) for row in pathlib.Path(FILE).read_text().splitlines()"
            " if row.startswith('NVDA,' + (self.data.datetime.date(0) + datetime.timedelta(1)).isoformat())"
            " or row.startswith('NVDA,2025-01-10')][-1]",
            "import backtests.episodes.episode, datetime, pathlib\nFILE = backtests.episodes.episode.EPISODES / 'deepseek-2025' / 'prices.csv'\n",
        ),
        "prices.csv",
    ),
}
