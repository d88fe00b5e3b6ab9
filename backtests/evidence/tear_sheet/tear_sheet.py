"""Makes the tear sheet of a run: what each strategy made by year and month, at what risk, and what the market made.

    found = tear_sheet(result, episode)
    found["strategies"][0]["years"]

The benchmark stands beside every strategy, and so do the sectors' funds where the episode has their prices: bought and
held, dividends kept. Windows of fewer than `LEAST` sessions have no tear sheet: figures a year mean nothing there.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backtests.episodes.episode import Episode
from backtests.evidence.tear_sheet.regression import lags, regress
from backtests.evidence.tear_sheet.return_figures import (
    Floats,
    annual_return,
    drawdowns,
    growth,
    hits,
    skewness,
    sortino_ratio,
    tail_ratio,
    volatility,
)
from backtests.records.metrics import SESSIONS_A_YEAR, cash_returns, sharpe_of
from backtests.records.record import RunRecord

LEAST = 60  # sessions
FUNDS = ("SMH", "XLU", "IGV", "MTUM")  # semiconductors, utilities, software, momentum
WORST = 5  # drawdowns listed
ROLLING = 126  # sessions of a rolling Sharpe ratio
IMPACT_BPS = 100.0  # assumed for the capacity curve where the run has no impact: what a day's whole volume would cost
ASSETS = (1e5, 1e6, 1e7, 1e8, 1e9)  # US dollars

Row = dict[str, Any]


def tear_sheet(record: RunRecord, episode: Episode) -> Row:
    """Returns the tear sheet as JSON has it: per cent, US dollars, ratios a year; docs/glossary.md defines each."""
    sessions = [row[0] for row in record.tables["sessions"].rows]
    window = [day for day in sessions if record.config["start"] <= day <= record.config["end"]]
    document: Row = {"name": "tear_sheet", "sessions": len(window), "least": LEAST, "strategies": []}
    if len(window) < LEAST:
        return document
    terms = record.config["broker"]
    cash = np.array(cash_returns([sessions[sessions.index(window[0]) - 1], *window], terms.get("cash_pct", 0.0)))
    held = {symbol: fund_returns(episode, symbol, window) for symbol in (episode.benchmark, *FUNDS)}
    funds = {symbol: returns for symbol, returns in held.items() if returns is not None}
    tables = {name: _by_strategy(record, name) for name in ("equity", "trades", "fills")}
    names = _names(record)
    for result in record.document["results"]:
        label = result["label"]
        days = tables["equity"].get(label, [])
        equity = np.array([terms["cash"], *(day["equity"] for day in days)])
        row: Row = {"strategy": label, "baseline": result["baseline"]}
        if equity.min() > 0:
            returns = equity[1:] / equity[:-1] - 1
            row |= _figures(returns, cash, window) | _against(returns, funds, cash)
            row["years"] = [
                {**year, "pnl_usd": float(equity[stop] - equity[start])}
                for year, (start, stop) in zip(row["years"], _periods(window, 4).values(), strict=True)
            ]
        row |= _trading(days, names.get(label, {}), tables["fills"].get(label, []), tables["trades"].get(label, []))
        row |= _costs(result, tables["fills"].get(label, []), episode, terms)
        document["strategies"].append(row)
    document["held"] = [{"symbol": symbol, **_figures(returns, cash, window)} for symbol, returns in funds.items()]
    document["notes"] = _notes(funds, len(window), terms)
    return document


def fund_returns(episode: Episode, symbol: str, window: Sequence[str]) -> Floats | None:
    """Returns a symbol's session returns over the window, dividends in, as fractions; None where a bar is missing."""
    bars = episode.prices.bars.get(symbol)
    days = {day.isoformat(): row for row, day in enumerate(bars.sessions)} if bars else {}
    if bars is None or any(day not in days for day in window) or not days[window[0]]:
        return None
    rows = np.array([days[window[0]] - 1, *(days[day] for day in window)])
    close = bars.close[rows]
    paid, split = np.zeros(len(window)), np.ones(len(window))
    for action in episode.actions:
        place = bisect_left(window, action.ex_date.isoformat())
        if action.symbol == symbol and window[0] <= action.ex_date.isoformat() and place < len(window):
            if action.kind == "dividend":
                paid[place] += action.value
            elif episode.adjusted != "splits":
                split[place] *= action.value
    made: Floats = (close[1:] * split + paid) / close[:-1] - 1
    return made


def _by_strategy(record: RunRecord, name: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in record.tables[name].records():
        found.setdefault(row["strategy"], []).append(row)
    return found


def _names(record: RunRecord) -> dict[str, dict[str, int]]:
    """Counts the positions at each close, by strategy and session."""
    found: dict[str, dict[str, int]] = {}
    for row in record.tables["positions"].records():
        days = found.setdefault(row["strategy"], {})
        days[row["session"]] = days.get(row["session"], 0) + 1
    return found


def _periods(window: Sequence[str], letters: int) -> dict[str, tuple[int, int]]:
    """Returns from which close to which close each year (4 letters of the date) or month (7) runs."""
    found: dict[str, tuple[int, int]] = {}
    for place, day in enumerate(window):
        start, _ = found.get(day[:letters], (place, 0))
        found[day[:letters]] = start, place + 1
    return found


def _figures(returns: Floats, cash: Floats, window: Sequence[str]) -> Row:
    """Returns what is said of any series of returns: a strategy's or a fund's."""
    excess = returns - cash
    falls, value = drawdowns(returns), growth(returns)
    annual, deepest = annual_return(returns), min((each.depth for each in falls), default=0.0)
    days = ["start", *window]
    months = _periods(window, 7)
    return {
        "annual_return_pct": _pct(annual),
        "volatility_pct": _pct(volatility(returns)),
        "sharpe": sharpe_of(excess.tolist()),
        "sortino": sortino_ratio(excess),
        "calmar": annual / -deepest if annual is not None and deepest < 0 else None,
        "skew": skewness(returns),
        "tail_ratio": tail_ratio(returns),
        "max_drawdown_pct": deepest * 100,
        "longest_drawdown_sessions": max((each.sessions for each in falls), default=0),
        "years": [
            {"year": name, "sessions": stop - start, "return_pct": float(value[stop] / value[start] - 1) * 100}
            for name, (start, stop) in _periods(window, 4).items()
        ],
        "months": {name: float(value[stop] / value[start] - 1) * 100 for name, (start, stop) in months.items()},
        "rolling_sharpe": {
            window[stop - 1]: sharpe_of(excess[stop - ROLLING : stop].tolist())
            for _, stop in months.values()
            if stop >= ROLLING
        },
        "drawdowns": [
            {
                "from": days[each.peak], "trough": days[each.trough],
                "until": None if each.recovered is None else days[each.recovered],
                "depth_pct": each.depth * 100, "sessions": each.sessions,
            }
            for each in falls[:WORST]
        ],
    }  # fmt: skip


def _against(returns: Floats, funds: Mapping[str, Floats], cash: Floats) -> Row:
    """Regresses on each fund alone, and on all of them together; returns in excess of the cash rate."""
    excess = returns - cash
    rows = []
    for symbol, fund in funds.items():
        alone = regress(excess, (fund - cash)[:, None])
        if alone is not None:
            rows.append(
                {
                    "symbol": symbol, "beta": alone.betas[0], "beta_error": alone.beta_errors[0],
                    "alpha_pct": alone.alpha_pct, "alpha_error_pct": alone.alpha_error_pct, "t": alone.alpha_t,
                    "correlation": math.copysign(math.sqrt(max(alone.r2, 0.0)), alone.betas[0]),
                }
            )  # fmt: skip
    every = regress(excess, np.column_stack([fund - cash for fund in funds.values()])) if len(funds) > 1 else None
    factors = every and {
        "symbols": list(funds), "betas": list(every.betas), "beta_errors": list(every.beta_errors),
        "alpha_pct": every.alpha_pct, "alpha_error_pct": every.alpha_error_pct, "t": every.alpha_t, "r2": every.r2,
    }  # fmt: skip
    return {"against": rows, "factors": factors}


def _trading(days: Sequence[Row], names: Mapping[str, int], fills: Sequence[Row], trades: Sequence[Row]) -> Row:
    """Returns how much was held and traded, and how often it paid: by trade, and by the day of entry."""
    closed = [each for each in trades if each["closed"]]
    by_day: dict[str, float] = {}
    for each in closed:
        by_day[each["opened"]] = by_day.get(each["opened"], 0.0) + each["pnl"]
    n = max(len(days), 1)
    traded = math.fsum(abs(fill["size"] * fill["price"]) for fill in fills)
    mean_equity = math.fsum(day["equity"] for day in days) / n
    return {
        "mean_gross": math.fsum(day["gross"] for day in days) / n,
        "mean_net": math.fsum(day["net"] for day in days) / n,
        "mean_names": sum(names.values()) / n,
        "exposed_share": sum(day["session"] in names for day in days) / n,
        "turnover": traded / mean_equity * SESSIONS_A_YEAR / n if mean_equity > 0 else None,
        "by_trade": hits([each["pnl"] for each in closed]),
        "by_entry_day": hits(list(by_day.values())),
    }


def _costs(result: Row, fills: Sequence[Row], episode: Episode, terms: Mapping[str, Any]) -> Row:
    """Returns at what cost of a trade the profit is gone, and what is left of it with more money."""
    cash, profit = terms["cash"], result["final_equity"] - terms["cash"]
    values = np.array([abs(fill["size"] * fill["price"]) for fill in fills])
    shares = np.array([_part(fill, episode) for fill in fills])
    paid = result["costs"]["commission"] + result["costs"]["slippage"]
    impact = terms.get("impact_bps", 0.0)
    law = impact or IMPACT_BPS
    each = values * law / 1e4 * np.sqrt(shares) if len(values) else values
    capacity = []
    for assets in ASSETS:
        scale = assets / cash  # the square-root law: scale x as much to trade costs scale ** 1.5 as many dollars
        cost = float(each.sum()) * math.sqrt(scale) - (float(each.sum()) if impact else 0.0)
        capacity.append({"assets_usd": assets, "return_pct": (profit - cost) / cash * 100})
    return {
        "break_even_bps": (profit + paid) / float(values.sum()) * 1e4 if len(values) else None,
        "capacity": capacity if len(values) else [],
    }


def _part(fill: Row, episode: Episode) -> float:
    """Returns the part of its session's volume that a fill took; 1 where there was none."""
    bars = episode.prices.bars[fill["symbol"]]
    row = _row(bars.sessions, fill["session"])
    volume = float(bars.volume[row]) if row is not None else 0.0
    return min(1.0, abs(fill["size"]) / volume) if volume > 0 else 1.0


def _row(sessions: Sequence[Any], day: str) -> int | None:
    place = bisect_left(sessions, day, key=lambda each: each.isoformat())
    return place if place < len(sessions) and sessions[place].isoformat() == day else None


def _pct(value: float | None) -> float | None:
    return None if value is None else value * 100


def _notes(funds: Mapping[str, Floats], n: int, terms: Mapping[str, Any]) -> list[str]:
    law = terms.get("impact_bps", 0.0) or IMPACT_BPS
    return [
        f"Ratios are a year's (252 sessions), of returns in excess of cash at {terms.get('cash_pct', 0.0):g} % a year.",
        f"Alpha and beta: against {', '.join(funds)} held with dividends; Newey–West errors over {lags(n)} lags.",
        f"Capacity: the run's own fills with more money at an impact of {law:g} bps × √(part of the session's volume).",
    ]
