"""The event study: how much of the moves around an event was abnormal, and whether that is more than chance.

    study = event_study(load_episode("deepseek-2025"))
    study.document()["groups"]

All symbols of an episode usually share one event day, which is nearly one event: `n_effective` stands beside `n`,
and the tests that survive it come first. Models and tests: `abnormal`, `significance`; events: `events`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from backtests.evidence.abnormal import MODELS, Abnormal, Model, abnormal_returns
from backtests.evidence.events import Column, Event, Span, align, find_event
from backtests.evidence.selection import benjamini_hochberg
from backtests.evidence.significance import Test, effective_number, mean_correlation, t_p, tests
from feeds.errors import InputError, did_you_mean
from strategies.signals import Floats
from strategies.universe import DEMAND, exposures

if TYPE_CHECKING:
    from backtests.episode import Episode
    from backtests.news import News

NOTES = (
    (
        "One event day is nearly one event however many symbols fall on it: effective N says how many independent "
        "events the sample is worth, and only the tests marked robust allow for it."
    ),
    (
        "The event's day was chosen because something happened on it, so a small p on that day alone says little; the "
        "placebo asks whether the news picks days better than chance does."
    ),
    "The benchmark holds some of the symbols itself, so what is abnormal about them is understated.",
    "Daily closes: the move before and after the news within one session is not told apart; the gap split does that.",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Fitted:
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
    fitted: tuple[_Fitted, ...]
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

    def _symbol(self, each: _Fitted) -> dict[str, Any]:
        fit, column = each.fit, each.column
        table, zero = self.episode.sessions.sessions, self.span.before
        car, wide = fit.car[:, 0], _quantile(fit.freedom) * fit.sd[0] * np.sqrt(fit.cumulated)
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


def event_study(
    episode: Episode,
    *,
    news: News | None = None,
    days: Sequence[date] = (),
    model: Model = "market",
    span: Span | None = None,
    benchmark: str | None = None,
) -> Study:
    """Studies the moves of an episode's tradable symbols around its events.

    Args:
        episode: From `load_episode`.
        news: Placed news, to say which headline could first be traded at each event.
        days: The events' days, the episode's key session without.
        model: What returns are measured against.
        span: Sessions of window and estimation.
        benchmark: A symbol of the episode instead of its own benchmark.

    Raises:
        InputError: An unknown benchmark, a day or a window outside the table, or no symbol with enough bars.
    """
    span, benchmark = span or Span(), benchmark or episode.benchmark
    if benchmark not in episode.prices.bars:
        raise InputError(f"benchmark {benchmark!r}: {did_you_mean(benchmark, episode.prices.bars)}")
    found = {find_event(episode, day).row: find_event(episode, day) for day in days or [episode.key_session]}
    events = [found[row] for row in sorted(found)]
    symbols = [symbol for symbol in episode.tradable if symbol != benchmark]
    columns, left_out = align(episode, symbols, benchmark, events, span)
    if not columns:
        raise InputError(f"no symbol has the bars that a study needs; {left_out[0] if left_out else 'add prices'}")
    sectors = {symbol: sector for sector, members in episode.sectors.items() for symbol in members}
    fits = {name: _fit_all(columns, sectors, name) for name in MODELS}
    groups = _groups(episode, fits[model], span)
    return Study(
        episode=episode,
        events=tuple(events),
        span=span,
        model=model,
        benchmark=benchmark,
        fitted=tuple(fits[model]),
        groups=tuple(groups),
        models=tuple(_beside(episode, fits, span)),
        known=_first_known(events, news),
        notes=(*NOTES, *_stated(events, columns, span), *left_out),
    )


def _fit_all(columns: Sequence[Column], sectors: dict[str, str], model: Model) -> list[_Fitted]:
    return [
        _Fitted(
            column=each,
            sector=sectors[each.symbol],
            fit=abnormal_returns(model, each.estimation[:, None], each.benchmark, each.window[:, None], each.forward),
        )
        for each in columns
    ]


def _members(episode: Episode) -> dict[str, tuple[str, ...]]:
    """The sample and the sectors.

    The sample is what lives on demand for AI compute and power; where an episode has none of that, what is exposed to
    AI in any way; without that, all beside the benchmark's own sector (funds), which is never in it.
    """
    stocks = [symbol for members in episode.sectors.values() if episode.benchmark not in members for symbol in members]
    known = [row for row in exposures() if row.valid_from < episode.start and row.symbol in stocks]
    demand = {row.symbol for row in known if row.channel in DEMAND and row.sign > 0}
    chosen = demand or {row.symbol for row in known} or set(stocks)
    return {"sample": tuple(symbol for symbol in stocks if symbol in chosen), **episode.sectors}


def _groups(episode: Episode, fitted: Sequence[_Fitted], span: Span) -> list[Group]:
    groups = []
    for name, members in _members(episode).items():
        mine = [each for each in fitted if each.column.symbol in members and each.pooled]
        if mine:
            groups.append(_group(name, mine, span))
    return groups


def _group(name: str, mine: Sequence[_Fitted], span: Span) -> Group:
    abnormal = np.hstack([each.fit.abnormal for each in mine])
    car = np.cumsum(abnormal, axis=0)
    sar = np.hstack([each.fit.sar for each in mine])
    scar = np.hstack([each.fit.scar for each in mine])
    shortest = min(len(each.column.rows) for each in mine)  # ranks need one length: the sessions next to the window
    sample = np.hstack([each.fit.sample_sar[-shortest:] for each in mine])
    pairs = pair_correlation(mine)
    count, zero = len(mine), span.before
    freedom = np.array([float(each.fit.freedom) for each in mine])
    effective = effective_number(count, pairs)
    variance = np.mean([(each.fit.sd[0] ** 2) * each.fit.cumulated for each in mine], axis=0)
    wide = _quantile(float(freedom.min())) * np.sqrt(variance / effective)
    caar = car.mean(axis=1)
    return Group(
        group=name,
        n=count,
        n_effective=effective,
        event_days=len({each.column.event.row for each in mine}),
        mean_correlation=pairs,
        aar=abnormal.mean(axis=1),
        caar=caar,
        low=caar - wide,
        high=caar + wide,
        event=tests(abnormal[zero], sar[zero], sample, sar[zero : zero + 1], freedom, pairs),
        window=tests(car[-1], scar[-1], sample, sar, freedom, pairs),
    )


def pair_correlation(mine: Sequence[_Fitted]) -> float:
    """Mean correlation over all pairs of events; those of different sessions count as independent.

    Within a session it is that of the residuals over the estimation's sessions that all its symbols share.
    """
    count, total = len(mine), 0.0
    for row in {each.column.event.row for each in mine}:
        same = [each for each in mine if each.column.event.row == row]
        shared = sorted(set.intersection(*[set(each.column.rows) for each in same]))
        if len(same) < 2 or len(shared) < 3:
            continue
        places = [[each.column.rows.index(number) for number in shared] for each in same]
        residuals = np.stack([each.fit.residuals[where, 0] for each, where in zip(same, places, strict=True)], axis=1)
        total += float(mean_correlation(residuals)) * len(same) * (len(same) - 1)
    return total / (count * (count - 1)) if count > 1 else 0.0


def _beside(episode: Episode, fits: dict[Model, list[_Fitted]], span: Span) -> list[dict[str, Any]]:
    """The three models side by side, for every group."""
    return [
        {
            "model": model,
            "group": group.group,
            "event_aar_pct": float(group.aar[span.before]) * 100,
            "caar_pct": float(group.caar[-1]) * 100,
        }
        for model, fitted in fits.items()
        for group in _groups(episode, fitted, span)
    ]


def _first_known(events: Sequence[Event], news: News | None) -> dict[int, tuple[str, str]]:
    found: dict[int, tuple[str, str]] = {}
    rows = {event.row for event in events}
    for item in news.items if news else ():
        if item.used and item.session in rows and item.session not in found:
            found[item.session] = (item.known_at.isoformat(), item.headline.title)
    return found


def _stated(events: Sequence[Event], columns: Sequence[Column], span: Span) -> list[str]:
    said = [
        f"{event.day} was no session: the event is measured from the next one, against the close before it."
        for event in events
        if event.closed_day
    ]
    overlapping = sum(bool(each.overlaps) for each in columns)
    if overlapping:
        said.append(
            f"{overlapping} windows overlap an earlier one of the same symbol; they are listed but not averaged."
        )
    short = {each.symbol for each in columns if len(each.rows) < span.estimation}
    if short:
        said.append(
            f"Estimated from fewer than {span.estimation} sessions at one event at least: {', '.join(sorted(short))}."
        )
    return said


def _quantile(freedom: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
