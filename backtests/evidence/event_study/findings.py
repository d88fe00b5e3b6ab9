"""What an event study found: fits of symbols, averages of groups, and the document made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtests.evidence.event_study.abnormal_returns import Abnormal, Model
from backtests.evidence.event_study.event_windows import Column, Event, Span
from backtests.evidence.event_study.significance import Test, t_p
from backtests.evidence.trials.deflated_sharpe import benjamini_hochberg
from strategies.signals import Floats

if TYPE_CHECKING:
    from backtests.episodes.episode import Episode


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """A column with its model."""

    column: Column
    sector: str
    fit: Abnormal  # of one symbol: arrays end in an axis of length 1

    @property
    def pooled(self) -> bool:
        """Whether the averages have it: not when its window overlaps an earlier one of the same symbol."""
        return not self.column.overlaps


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Group:
    """Averages over the symbols of a sector or the sample. Returns are fractions."""

    group: str
    n: int
    n_effective: float
    event_days: int
    mean_correlation: float
    aar: Floats  # (window,)
    caar: Floats
    low: Floats  # 95 % band of caar, correlation in it
    high: Floats
    event: tuple[Test, ...]
    window: tuple[Test, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Study:
    """An event study of an episode."""

    episode: Episode
    events: tuple[Event, ...]
    span: Span
    model: Model
    benchmark: str
    fitted: tuple[Fitted, ...]
    groups: tuple[Group, ...]
    models: tuple[dict[str, Any], ...]
    known: dict[int, tuple[str, str]]  # event row: (known_at, title) of the first headline that could trade there
    notes: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """As `evidence/study.json` has it."""
        table = self.episode.sessions.sessions
        events = [self._event(event) for event in self.events]
        first = self.fitted[0].column
        return {
            "name": "study",
            "episode": self.episode.name,
            "event": events[0],
            "events": events,
            "estimation": {
                "first": table[first.rows[0]].isoformat(),
                "last": table[first.rows[-1]].isoformat(),
                "sessions": len(first.rows),
                "gap_sessions": self.span.gap,
            },
            "window": {
                "from": -self.span.before,
                "to": self.span.after,
                "from_session": table[self.events[0].row - self.span.before].isoformat(),
                "to_session": table[self.events[0].row + self.span.after].isoformat(),
            },
            "model": self.model,
            "benchmark": self.benchmark,
            "symbols": self._symbols(),
            "groups": [self._group(group) for group in self.groups],
            "models": list(self.models),
            "notes": list(self.notes),
        }

    def _symbols(self) -> list[dict[str, Any]]:
        """Every symbol, with its false discovery rate among all symbols of the study."""
        rows = [self._symbol(each) for each in self.fitted]
        for row, q in zip(rows, benjamini_hochberg([row["p"] for row in rows]), strict=True):
            row["q_bh"] = q
        return rows

    def _event(self, event: Event) -> dict[str, Any]:
        table = self.episode.sessions.sessions
        known_at, title = self.known.get(event.row, (None, None))
        return {
            "day": event.day.isoformat(),
            "session": table[event.row].isoformat(),
            "first_tradable_session": table[event.row].isoformat(),
            "base_session": table[event.base].isoformat(),
            "closed_day": event.closed_day,
            "known_at": known_at,
            "headline": title,
        }

    def _symbol(self, each: Fitted) -> dict[str, Any]:
        fit, column = each.fit, each.column
        table, zero = self.episode.sessions.sessions, self.span.before
        car, wide = fit.car[:, 0], quantile(fit.freedom) * fit.sd[0] * np.sqrt(fit.cumulated)
        t = float(fit.sar[zero, 0])
        days = [
            {
                "offset": offset,
                "session": table[column.event.row + offset].isoformat(),
                "return_pct": float(fit.returns[place, 0]) * 100,
                "expected_pct": float(fit.expected[place, 0]) * 100,
                "abnormal_pct": float(fit.abnormal[place, 0]) * 100,
                "car_pct": float(car[place]) * 100,
                "standardised": float(fit.sar[place, 0]),
                "low_pct": float(car[place] - wide[place]) * 100,
                "high_pct": float(car[place] + wide[place]) * 100,
            }
            for place, offset in enumerate(self.span.offsets)
        ]
        return {
            "symbol": column.symbol,
            "sector": each.sector,
            "event_session": table[column.event.row].isoformat(),
            "alpha_pct": float(fit.alpha[0]) * 100,
            "beta": _number(fit.beta[0]),
            "residual_sd_pct": float(fit.sd[0]) * 100,
            "r_squared": _number(fit.r_squared[0]),
            "sessions_used": len(column.rows),
            "days": days,
            "event_abnormal_pct": float(fit.abnormal[zero, 0]) * 100,
            "car_pct": float(car[-1]) * 100,
            "t": t,
            "p": t_p(t, fit.freedom),
            "overlaps": [day.isoformat() for day in column.overlaps],
        }

    def _group(self, group: Group) -> dict[str, Any]:
        table, zero = self.episode.sessions.sessions, self.span.before
        return {
            "group": group.group,
            "n": group.n,
            "n_effective": group.n_effective,
            "event_days": group.event_days,
            "mean_correlation": group.mean_correlation,
            "days": [
                {
                    "offset": offset,
                    "session": table[self.events[0].row + offset].isoformat() if len(self.events) == 1 else None,
                    "aar_pct": float(group.aar[place]) * 100,
                    "caar_pct": float(group.caar[place]) * 100,
                    "low_pct": float(group.low[place]) * 100,
                    "high_pct": float(group.high[place]) * 100,
                }
                for place, offset in enumerate(self.span.offsets)
            ],
            "event": {
                "aar_pct": float(group.aar[zero]) * 100,
                "tests": [test.document() for test in group.event],
            },
            "window": {
                "aar_pct": float(group.caar[-1]) * 100,
                "tests": [test.document() for test in group.window],
            },
        }


def quantile(freedom: float) -> float:
    """How many deviations hold 95 %, from Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
