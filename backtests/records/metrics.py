"""Computes the statistics of a run, from one table of them. Pure.

A statistic is one row of `STATISTICS`. From it come the rows of `results` in the JSON, the metrics frame, the columns
of the terminal's and the page's table, a column of a sweep, and its line in docs/glossary.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any, Self

from backtests.broker.records import CashFlow, Fill, OrderRecord
from backtests.engine.replayed import Replayed
from backtests.records.round_trips import Trade

SESSIONS_A_YEAR = 252
LEAST_DEVIATION = 1e-12  # of session returns, as a fraction; smaller is rounding
LEAST_RETURNS = 10  # session returns below which no ratio is given; a convention, not tuned to any result


def max_drawdown_pct(equity: Sequence[float]) -> float:
    """Returns the deepest fall from a peak so far, in percent (0 or negative; below -100 when debt remains)."""
    peak, worst = -math.inf, 0.0
    for value in equity:
        peak = max(peak, value)
        worst = min(worst, value / peak - 1)
    return worst * 100


def cash_returns(sessions: Sequence[str], cash_pct: float) -> list[float]:
    """Returns what cash alone would have earned from each session to the next, as fractions (act/360).

    Args:
        sessions: ISO dates, one more than there are returns.
        cash_pct: Per cent a year.
    """
    days = [date.fromisoformat(session).toordinal() for session in sessions]
    return [cash_pct / 100 * (after - before) / 360 for before, after in pairwise(days)]


def excess_returns(equity: Sequence[float], cash: Sequence[float] = ()) -> list[float]:
    """Returns the session returns less what cash earned, as fractions; none where equity was not positive.

    Args:
        equity: US dollars, the starting cash first.
        cash: From `cash_returns`; nothing when cash earned nothing.
    """
    if len(equity) < 2 or min(equity) <= 0:
        return []
    returns = [after / before - 1 for before, after in pairwise(equity)]
    return [value - own for value, own in zip(returns, cash, strict=True)] if cash else returns


def disperses(mean: float, deviation: float) -> bool:
    """Says whether returns vary by more than rounding: the guard of every ratio.

    An account that never held anything has excess returns of 0 and fails it; so does a constant gain.
    """
    return deviation > LEAST_DEVIATION * max(1.0, abs(mean))


def are_enough(returns: int) -> bool:
    """Says whether so many session returns make a ratio that may be printed: the guard of every figure that is one."""
    return returns >= LEAST_RETURNS


def session_ratio(returns: Sequence[float]) -> float | None:
    """Returns the mean over the sample deviation of session returns, of however few: what trials are counted by.

    None where `disperses` says no, or with fewer than two returns.
    """
    if len(returns) < 2:
        return None
    mean = math.fsum(returns) / len(returns)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in returns) / (len(returns) - 1))
    return mean / deviation if disperses(mean, deviation) else None


def sharpe(equity: Sequence[float], cash: Sequence[float] = ()) -> float | None:
    """Returns the annualised Sharpe ratio of session returns in excess of the cash rate.

    Mean over sample deviation times the root of 252 (Sharpe 1994, "The Sharpe Ratio"). None of fewer than
    `LEAST_RETURNS`, where they do not vary, or where equity was not positive (its returns mean nothing).
    """
    return sharpe_of(excess_returns(equity, cash))


def sharpe_of(excess: Sequence[float]) -> float | None:
    """Returns the same of returns that are in excess of the cash rate already."""
    ratio = session_ratio(excess) if are_enough(len(excess)) else None
    return None if ratio is None else ratio * math.sqrt(SESSIONS_A_YEAR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Holds what a statistic is computed from; a run of a sweep has no records, only the first five."""

    equity: Sequence[float]  # US dollars: the cash at the start, then each close of the window
    cash: Sequence[float]  # what cash alone earned in each session, as a fraction
    commission: float  # US dollars, paid
    slippage: float  # US dollars, paid against the auction's price
    margin_calls: int
    ruined_on: str | None = None  # ISO session
    trades: Sequence[Trade] = ()  # round trips, open ones included
    fills: Sequence[Fill] = ()
    flows: Sequence[CashFlow] = ()
    orders: Sequence[OrderRecord] = ()

    @classmethod
    def of(cls, replayed: Replayed, trades: Sequence[Trade], cash: Sequence[float]) -> Self:
        """Makes it of a replay, its round trips and what cash earned."""
        return cls(
            equity=[replayed.terms.cash, *(day.equity for day in replayed.days)],
            cash=cash,
            commission=sum(fill.commission for fill in replayed.fills),
            slippage=sum(fill.slippage for fill in replayed.fills),
            margin_calls=replayed.margin_calls,
            ruined_on=replayed.ruined_on,
            trades=trades,
            fills=replayed.fills,
            flows=replayed.flows,
            orders=replayed.orders,
        )

    def paid(self, kind: str) -> float:
        """Sums one kind of cash flow in US dollars, positive when paid."""
        return 0.0 - sum(flow.amount for flow in self.flows if flow.kind == kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """Describes one figure of a strategy's run."""

    key: str  # in JSON and frames
    unit: str  # as the glossary has it; what stands before a comma decides how tables print it
    formula: Callable[[Outcome], float | int | str | None]
    says: str  # its meaning, as the glossary has it
    heading: str = ""  # of its column in the terminal's and the page's table; "": in neither
    group: str = ""  # the object of the JSON row that holds it; "": the row itself
    swept: str = ""  # its column in a sweep's trials.parquet, computed without a run's records; "": in none
    turned: bool = False  # tables print it with the other sign: as a broker's statement does, negative when paid

    def of(self, row: Mapping[str, Any]) -> Any:
        """Takes its value out of a row of a run's `results`; None where the run was made without it."""
        return (row.get(self.group, {}) if self.group else row).get(self.key)


STATISTICS = (
    Statistic(
        key="return_pct", unit="percent", heading="return %", swept="return_pct",
        says="final equity over the cash at the start, minus one",
        formula=lambda run: (run.equity[-1] / run.equity[0] - 1) * 100,
    ),
    Statistic(
        key="max_drawdown_pct", unit="percent, ≤ 0", heading="max dd %", swept="max_drawdown_pct",
        formula=lambda run: max_drawdown_pct(run.equity),
        says="deepest fall from a peak at the closes; below −100 when a debt remains",
    ),
    Statistic(
        key="sharpe", unit="per year", heading="Sharpe", swept="sharpe_annual",
        formula=lambda run: sharpe(run.equity, run.cash),
        says="mean over sample deviation of session returns in excess of the cash rate × √252; none without variance, "
        f"or of fewer than {LEAST_RETURNS} returns",
    ),
    Statistic(
        key="trades", unit="count", heading="trades", formula=lambda run: sum(bool(each.closed) for each in run.trades),
        says="closed round trips: from flat to flat, or to the other side",
    ),
    Statistic(
        key="open_positions", unit="count", heading="open", says="positions open at the end, valued at the close",
        formula=lambda run: sum(not each.closed for each in run.trades),
    ),
    Statistic(
        key="commission", unit="US dollars", heading="comm.", group="costs", swept="commission_usd",
        says="paid to the broker",
        formula=lambda run: run.commission,
    ),
    Statistic(
        key="slippage", unit="US dollars", heading="slipp.", group="costs", swept="slippage_usd",
        says="paid against the auction's price",
        formula=lambda run: run.slippage,
    ),
    Statistic(
        key="borrow", unit="US dollars", heading="borrow", group="costs", formula=lambda run: run.paid("borrow"),
        says="paid for borrowed shares, every calendar night",
    ),
    Statistic(
        key="dividends", unit="US dollars", heading="divid.", group="costs", formula=lambda run: run.paid("dividend"),
        says="positive when paid on shorts, negative when received; tables turn the sign, as a broker's statement",
        turned=True,
    ),
    Statistic(
        key="interest", unit="US dollars", group="costs", formula=lambda run: run.paid("interest"),
        says="on cash where it is chosen; negative when received",
    ),
    Statistic(
        key="final_equity", unit="US dollars", swept="final_usd", formula=lambda run: run.equity[-1],
        says="cash plus positions at the last close",
    ),
    Statistic(
        key="rejected_orders", unit="count", says="orders refused or filled in part; reasons in `orders.csv`",
        formula=lambda run: sum(order.status in {"refused", "partly"} for order in run.orders),
    ),
    Statistic(
        key="margin_calls", unit="count", swept="margin_calls", formula=lambda run: run.margin_calls,
        says="closes at which maintenance margin was not met",
    ),
    Statistic(
        key="ruined_on", unit="session", formula=lambda run: run.ruined_on,
        says="first session whose equity was not positive; the account is frozen from then on",
    ),
)  # fmt: skip


def figures(outcome: Outcome) -> dict[str, Any]:
    """Computes every statistic: a row of a run's `results`, those of one group in an object of that name."""
    row: dict[str, Any] = {}
    for each in STATISTICS:
        place = row.setdefault(each.group, {}) if each.group else row
        place[each.key] = each.formula(outcome)
    return row


def columns() -> list[Statistic]:
    """Returns the statistics that stand in the terminal's and the page's table, in their order."""
    return [each for each in STATISTICS if each.heading]


def costs() -> list[Statistic]:
    """Returns the statistics that are costs, in US dollars, positive when paid."""
    return [each for each in STATISTICS if each.group == "costs"]


def swept() -> list[Statistic]:
    """Returns the statistics that a sweep keeps of each run, in the order of its columns."""
    return [each for each in STATISTICS if each.swept]
