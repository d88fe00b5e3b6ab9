"""Studies an event: how much of the moves around it was abnormal, and whether that is more than chance.

    study = event_study(load_episode("deepseek-2025"))
    study.document()["groups"]

All symbols of an episode usually share one event day, which is nearly one event: `n_effective` stands beside `n`,
and the tests that survive it come first. Models and tests: `abnormal_returns`, `significance`; events: `event_windows`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from backtests.evidence.event_study.abnormal_returns import MODELS, Model, abnormal_returns
from backtests.evidence.event_study.event_windows import Column, Event, Span, align, find_event, reported_rows
from backtests.evidence.event_study.findings import Fitted, Group, Study, quantile
from backtests.evidence.event_study.significance import effective_number, mean_correlation, tests
from feeds.errors import InputError, did_you_mean
from strategies.universe import DEMAND, exposures

if TYPE_CHECKING:
    from backtests.engine.news import News
    from backtests.episodes.episode import Episode

NOTES = (
    (
        "One event day is nearly one event however many symbols fall on it: effective N says how many independent "
        "events the sample is worth, and only the tests marked robust allow for it."
    ),
    (
        "Of a day that was chosen for what happened on it a small p says little; the placebo asks whether the news "
        "picks days better than chance does."
    ),
    "What the benchmark itself holds of a symbol understates what is abnormal about it.",
    "Daily closes: the move before and after the news within one session is not told apart; the gap split does that.",
)


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
        notes=(*NOTES, *_stated(events, columns, span), *_left_out_days(episode, columns), *left_out),
    )


def _fit_all(columns: Sequence[Column], sectors: dict[str, str], model: Model) -> list[Fitted]:
    return [
        Fitted(
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


def _groups(episode: Episode, fitted: Sequence[Fitted], span: Span) -> list[Group]:
    groups = []
    for name, members in _members(episode).items():
        mine = [each for each in fitted if each.column.symbol in members and each.pooled]
        if mine:
            groups.append(_group(name, mine, span))
    return groups


def _group(name: str, mine: Sequence[Fitted], span: Span) -> Group:
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
    wide = quantile(float(freedom.min())) * np.sqrt(variance / effective)
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


def pair_correlation(mine: Sequence[Fitted]) -> float:
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


def _beside(episode: Episode, fits: dict[Model, list[Fitted]], span: Span) -> list[dict[str, Any]]:
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


def _left_out_days(episode: Episode, columns: Sequence[Column]) -> list[str]:
    """Says which sessions an estimation would have held, had no claim been about them."""
    table = episode.sessions.sessions
    days = sorted(
        table[row] for row in reported_rows(episode) if any(each.rows[0] <= row <= each.rows[-1] for each in columns)
    )
    named = ", ".join(day.isoformat() for day in days)
    return [f"Left out of the estimation, since a claim is about them: {named}."] if days else []


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
