"""Holds what the broker records: fills, orders, cash flows, and the account at each close."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """Records one execution. `size` in shares, sells negative; money in US dollars."""

    order: int  # 0: no order, see the auction "fraction"
    session: str  # ISO date
    symbol: str
    size: float
    auction: str  # "open", "close", "session" (stop or limit inside it), "bar" (of minutes), "fraction" (of a split)
    auction_price: float  # before slippage
    price: float  # with slippage
    commission: float
    slippage: float
    forced: bool
    position: float  # shares held after it
    moment: str = ""  # UTC, ISO: of the auction or the bar's start; "" where a daily bar does not tell


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecord:
    """Records what became of an order."""

    order: int
    decided: str  # ISO date of the session after whose close (for its own closing auction: before it) it was decided
    session: str  # ISO date of the auction it met, "" when it never did
    symbol: str
    size: float  # shares asked for
    filled: float
    status: str  # "filled", "partly", "refused", "cancelled", "expired"
    reason: str  # "" when filled
    forced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CashFlow:
    """Records money that moved without a fill: "borrow", "dividend" or "interest"; `amount` is what the cash gained."""

    session: str
    symbol: str  # "" for interest
    kind: str
    amount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DayEnd:
    """Records the account at a session's close. All in US dollars; `positions` as (symbol, shares, close)."""

    session: str
    cash: float
    value: float  # of the positions, shorts negative
    equity: float
    positions: tuple[tuple[str, float, float], ...]
    margin_call: bool
    buying_power: float = 0.0  # position value that initial margin would still let us open
