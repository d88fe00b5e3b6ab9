"""Holds the broker's terms: what trading costs, what margin asks, how orders are sized."""

from __future__ import annotations

import dataclasses
import math
from typing import Literal, Self, get_args, get_type_hints

from feeds.errors import InputError
from strategies.rule import need, parse_value

Rebalance = Literal["never", "daily"]
Auctions = Literal["open", "close", "open,close"]
_COSTS = ("commission_bps", "slippage_bps", "bar_slippage_bps", "impact_bps", "borrow_pct", "rebate_pct", "cash_pct")
_SHARES = ("volume_cap_pct", "locate_pct")
_MARGINS = ("initial_margin_pct", "long_maintenance_pct", "short_maintenance_pct")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BrokerTerms:
    """Holds the money terms of a replay; docs/broker.md has the formulas. Per cent, basis points (1/100 of one)."""

    cash: float = 100_000.0  # US dollars at the start
    commission_bps: float = 1.0  # of traded value
    slippage_bps: float = 5.0  # of the auction's price, always against us, never capped at the bar's range
    borrow_pct: float = 1.0  # a year on the value of shorts, act/360, each calendar night
    initial_margin_pct: float = 50.0  # equity needed per position value to open (Reg-T 150 % with proceeds counted)
    long_maintenance_pct: float = 25.0  # equity needed per long value to hold
    short_maintenance_pct: float = 30.0  # equity needed per short value to hold
    fractional: bool = False  # fractions of shares, else whole shares
    rebalance: Rebalance = "never"  # is drift away from an unchanged target traded back
    auctions: Auctions = "open"  # for which the news is read
    bar_slippage_bps: float = 5.0  # in continuous trading: bars of minutes, stops and limits
    impact_bps: float = 0.0  # what a bar's whole volume would cost on top; grows with the root of the part taken
    volume_cap_pct: float = 0.0  # largest part of a bar's volume taken; 0 = no cap
    locate_pct: float = 0.0  # largest short position, part of the last session's volume; 0 = no limit
    rebate_pct: float = 0.0  # a year received on short proceeds, act/360
    cash_pct: float = 0.0  # a year received on other cash, act/360; no interest is asked on debit

    def __post_init__(self) -> None:
        """Checks the ranges."""
        need(math.isfinite(self.cash) and self.cash > 0, f"cash {self.cash} must be above 0 dollars")
        for name in _COSTS:
            value = getattr(self, name)
            need(0 <= value < 10_000, f"{name} {value} must be at least 0 and below 10000")
        for name in _SHARES:
            value = getattr(self, name)
            need(0 <= value <= 100, f"{name} {value} must be between 0 (no limit) and 100 percent")
        for name in _MARGINS:
            value = getattr(self, name)
            need(0 < value <= 100, f"{name} {value} must be above 0 and at most 100 percent")
        for name, choices in (("rebalance", get_args(Rebalance)), ("auctions", get_args(Auctions))):
            need(getattr(self, name) in choices, f"{name} {getattr(self, name)!r} must be {' or '.join(choices)}")

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Returns the names of the terms."""
        return tuple(field.name for field in dataclasses.fields(cls))

    def with_settings(self, settings: dict[str, str]) -> Self:
        """Returns the terms with some replaced, given as texts.

        Raises:
            InputError: A value that does not fit.
        """
        hints = get_type_hints(type(self))
        values = {name: parse_value(name, text, hints[name]) for name, text in settings.items()}
        try:
            return dataclasses.replace(self, **values)
        except ValueError as wrong:
            raise InputError(str(wrong)) from wrong

    def shares(self, size: float) -> float:
        """Rounds a size in shares towards zero where only whole shares trade.

        A billionth is added first, so that 99.9999999999 of floating-point noise is 100.
        """
        return size if self.fractional else float(math.trunc(size + math.copysign(1e-9, size)))

    def slip_bps(self, base: float, size: float, volume: float) -> float:
        """Returns the slippage of a fill in basis points: `base` plus the square-root law of market impact.

        Almgren, Thum, Hauptmann and Li, "Direct estimation of equity market impact", Risk 2005; Tóth and others,
        Physical Review X 2011. `volume` is the bar's own and known only after it. At most 9,999, so that a sale has
        a price above 0.
        """
        if self.impact_bps:
            base += self.impact_bps * (math.sqrt(abs(size) / volume) if volume > 0 else 1.0)
        return min(base, 9_999.0)
