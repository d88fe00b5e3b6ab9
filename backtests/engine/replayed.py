"""Holds what one strategy's replay left behind."""

from __future__ import annotations

from dataclasses import dataclass

from backtests.broker.records import CashFlow, DayEnd, Fill, OrderRecord
from backtests.broker.terms import BrokerTerms
from strategies.rule import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """Holds one rule's replay: its fills, orders, cash flows and day ends."""

    rule: Rule
    terms: BrokerTerms
    fills: tuple[Fill, ...]
    orders: tuple[OrderRecord, ...]
    flows: tuple[CashFlow, ...]
    days: tuple[DayEnd, ...]
    decisions: tuple[tuple[str, str, float], ...]
    ruined_on: str | None
    margin_calls: int
