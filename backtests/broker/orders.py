"""Checks which of backtrader's orders the broker takes, and prices them on a bar."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from feeds.errors import InputError

KINDS = ("Market", "Close", "Limit", "Stop", "StopLimit", "StopTrail", "StopTrailLimit", "Historical")  # backtrader's
MARKET, CLOSE, LIMIT, STOP = ACCEPTED = range(4)
_UNKNOWN = ("plimit", "oco", "parent", "trailamount", "trailpercent")


def check_order(symbol: str, size: float, how: Mapping[str, Any]) -> None:
    """Checks an order when it is made.

    Args:
        symbol: What is traded.
        size: Shares, positive.
        how: The keyword arguments of backtrader's `buy` and `sell`.

    Raises:
        InputError: A kind of order that the broker does not fill, or numbers that are none.
    """
    kind = how.get("exectype")
    place = f"order of {size} {symbol}"
    if kind is not None and kind not in ACCEPTED:
        name = KINDS[kind] if kind in range(len(KINDS)) else kind
        raise InputError(f"{place}: {name} orders are not filled here; use Market, Close, Limit or Stop")
    for name in _UNKNOWN:
        if how.get(name) is not None:
            raise InputError(f"{place}: {name} is not known here; send single Market, Close, Limit or Stop orders")
    if not how.get("transmit", True):
        raise InputError(f"{place}: transmit=False is not known here; send each order when it is made")
    if not (isinstance(size, numbers.Real) and math.isfinite(size) and size > 0):
        raise InputError(f"{place}: give a number of shares above 0")
    price = how.get("price")
    if kind in (LIMIT, STOP) and not (price is not None and math.isfinite(price) and price > 0):
        raise InputError(f"{place}: a Limit or Stop order needs a price above 0, not {price}")
    valid = how.get("valid")
    if valid is not None and not isinstance(valid, date | timedelta):
        raise InputError(f"{place}: valid={valid!r}; give a date, a datetime or a timedelta")


def is_expired(order: Any, now: float) -> bool:
    """Returns whether an order's `valid` lies before the bar (both as backtrader's numbers)."""
    return order.valid is not None and now > order.valid


def fill_at_open(order: Any, opened: float) -> tuple[float | None, float]:
    """Returns the price at which an order takes part in the open, None when it does not, and the worst it accepts.

    A stop that was gapped through fills at the open, and so does a limit that the open is better than.
    """
    if order.exectype == MARKET:
        return opened, 0.0
    asked = order.created.price
    above = opened >= asked
    if order.exectype == STOP:
        return (opened if (above if order.isbuy() else opened <= asked) else None), 0.0
    return (opened if (opened <= asked if order.isbuy() else above) else None), asked


def fill_inside(order: Any) -> tuple[float | None, float]:
    """Returns the price at which the rest of the bar fills a stop or a limit, None when it does not, and the worst.

    A stop fills once the bar reaches it, a limit once the bar trades through it.
    """
    asked = order.created.price
    high, low = order.data.high[0], order.data.low[0]
    if order.exectype == STOP:
        return (asked if (high >= asked if order.isbuy() else low <= asked) else None), 0.0
    return (asked if (low < asked if order.isbuy() else high > asked) else None), asked
