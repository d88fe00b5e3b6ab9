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
