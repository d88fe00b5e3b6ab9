"""The terms of the book: what trading costs, what margin asks, how orders are sized."""

from __future__ import annotations

import dataclasses
import math
from typing import Self, get_type_hints

from feeds.errors import InputError
from strategies.rule import need, parse_value


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BookTerms:
    """Money terms of a replay. Percentages are per cent, basis points are 1/100 of one."""

    cash: float = 100_000.0  # US dollars at the start
    commission_bps: float = 1.0  # of traded value
    slippage_bps: float = 5.0  # of the auction's price, always against us, never capped at the bar's range
    borrow_pct: float = 1.0  # a year on the value of shorts, act/360, each calendar night
    initial_margin_pct: float = 50.0  # equity needed per position value to open (Reg-T 150 % with proceeds counted)
    long_maintenance_pct: float = 25.0  # equity needed per long value to hold
    short_maintenance_pct: float = 30.0  # equity needed per short value to hold
    fractional: bool = False  # fractions of shares, else whole shares

    def __post_init__(self) -> None:
        """Checks the ranges."""
        need(math.isfinite(self.cash) and self.cash > 0, f"cash {self.cash} must be above 0 dollars")
        for name in ("commission_bps", "slippage_bps", "borrow_pct"):
            value = getattr(self, name)
            need(0 <= value < 10_000, f"{name} {value} must be at least 0 and below 10000")
        for name in ("initial_margin_pct", "long_maintenance_pct", "short_maintenance_pct"):
            value = getattr(self, name)
            need(0 < value <= 100, f"{name} {value} must be above 0 and at most 100 percent")

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of the terms."""
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


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution. `size` in shares, sells negative; money in US dollars."""

    order: int
    session: str  # ISO date
    symbol: str
    size: float
    auction: str  # "open" or "close"
    auction_price: float
    price: float  # with slippage
    commission: float
    slippage: float
    forced: bool
    position: float  # shares held after it


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecord:
    """What became of an order."""

    order: int
    decided: str  # ISO date of the last session whose close was known
    session: str  # ISO date of the auction it met, "" when it never did
    symbol: str
    size: float  # shares asked for
    filled: float
    fate: str  # "filled", "partly", "refused", "expired"
    reason: str  # "" when filled
    forced: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CashFlow:
    """Money that moved without a fill: `kind` is "borrow" or "dividend", `amount` what the cash gained."""

    session: str
    symbol: str
    kind: str
    amount: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DayEnd:
    """The book at a session's close. Everything in US dollars; `positions` as (symbol, shares, close)."""

    session: str
    cash: float
    value: float  # of the positions, shorts negative
    equity: float
    positions: tuple[tuple[str, float, float], ...]
    margin_call: bool
