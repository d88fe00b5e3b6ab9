"""Holds what one strategy's replay leaves behind: fills, orders, cash flows, days."""

from __future__ import annotations

from dataclasses import dataclass

from backtests.broker.records import CashFlow, DayEnd, Fill, OrderRecord
from backtests.broker.terms import BrokerTerms
from strategies.rule import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """One rule's records within the window, as the broker kept them."""

    rule: Rule
    terms: BrokerTerms
    fills: tuple[Fill, ...]
    orders: tuple[OrderRecord, ...]
    flows: tuple[CashFlow, ...]
    days: tuple[DayEnd, ...]
    decisions: tuple[tuple[str, str, float], ...]  # session, symbol, new target weight (fraction of equity)
    ruined_on: str | None  # first session whose equity was not positive
    margin_calls: int
