"""The book of docs/book.md as plain loops that numba compiles. The reference is broker.py, execution.py, account.py.

One order of addition, that of the reference: symbols in their order, no sums of whole arrays. Of a symbol at most two
orders wait: the rule's newest and a forced one. `terms` are numbers in the order of `TERMS`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from strategies.signals import Floats

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
TERMS = (
    "cash", "commission_bps", "slippage_bps", "borrow_pct", "initial_margin_pct", "long_maintenance_pct",
    "short_maintenance_pct", "impact_bps", "volume_cap_pct", "locate_pct", "rebate_pct", "cash_pct",
)  # fmt: skip
FRACTIONAL, DAILY = len(TERMS), len(TERMS) + 1  # places of the two switches behind them
FILL = ("row", "column", "size", "auction", "auction_price", "price", "commission", "slippage", "forced", "position")
AUCTIONS = ("open", "close", "fraction")
TOTALS = ("fills", "commission", "slippage", "margin_calls", "ruined")  # ruined: row of the window, -1 never
_TINY = 1e-9  # as in account.py


def keep_books(
    weights: Floats,
    names: Ints,
    sources: Ints,
    at_close: bool,
    terms: Floats,
    days: Ints,
    present: Bools,
    start: Floats,
    opened: Floats,
    close: Floats,
    volume: Floats,
    traded: Floats,
    actions: Floats,
    rates: Floats,
    most: Floats,
    equity: Floats,
    totals: Floats,
    fills: Floats,
) -> None:
    """Runs the books of many runs.

    Args:
        weights: Shape (runs, sessions, symbols): target weights for each session of the window.
        names: Shape (held,): columns of the symbols that the rule may hold, in order.
        sources: Shape (runs, held): columns of the bars behind them.
        at_close: Orders go to the closing auction and are sized on the session's open.
        terms: Shape (runs, terms).
        days, present, start, opened, close, volume, traded, actions, rates, most: As in `Tables`.
        equity: Shape (runs, sessions), filled here; NaN where no held symbol had a bar.
        totals: Shape (runs, TOTALS), filled here.
        fills: Shape (room, FILL): the fills of the last run are written here; shape (0, FILL) to write none.
    """
    held = len(names)
    symbols = present.shape[1]
    behind = np.empty(symbols, dtype=np.int64)
    for run in range(len(weights)):
        term = terms[run]
        source = sources[run]
        for column in range(symbols):
            behind[column] = -1
        for each in range(held):
            behind[source[each]] = each
        _keep_book(
            weights[run], names, source, behind, at_close, term, days, present, start, opened, close,
            volume, traded, actions, rates, most, equity[run], totals[run], fills,
        )  # fmt: skip


def _keep_book(
    weights: Floats, names: Ints, source: Ints, behind: Ints, at_close: bool, term: Floats,
    days: Ints, present: Bools, start: Floats, opened: Floats, close: Floats, volume: Floats, traded: Floats,
    actions: Floats, rates: Floats, most: Floats, equity: Floats, totals: Floats, fills: Floats,
) -> None:  # fmt: skip
    """Runs one book; `behind` is the place of each column of bars among the held symbols, -1 for none."""
    held = len(names)
    position, target, taken = np.zeros(held), np.zeros(held), np.zeros(held)
    cash = np.array([term[0]])
    order_at = np.zeros(2 * held, dtype=np.int64)  # the held symbol of each waiting order
    left = np.zeros(2 * held)  # shares still asked for
    forced, refused = np.zeros(2 * held, dtype=np.bool_), np.zeros(2 * held, dtype=np.bool_)
    waiting = np.zeros(1, dtype=np.int64)  # how many orders wait
    called, shown, last, next_action = False, term[0], -1, 0
    totals[:] = 0.0
    totals[4] = -1.0
    for row in range(len(days)):
        if row > 0:
            equity[row - 1] = np.nan
        if not _trades(present[row], source):
            continue
        before = cash[0]
        if last >= 0:
            _borrow(cash, position, source, close[last], days[last], days[row], days[0], rates, term)
            _interest(cash, before, position, source, close[last], days[row] - days[last], term)
        while next_action < len(actions) and actions[next_action, 0] <= days[row]:
            if last >= 0:
                _act(actions[next_action], cash, position, behind, start[row], term, order_at, left, forced, waiting,
                     row, names, totals, fills)  # fmt: skip
            next_action += 1
        taken[:] = 0.0
        if waiting[0] > 0:
            _auction(
                0, row, cash, position, names, source, order_at, left, forced, refused, waiting, taken,
                at_close, called, present[row], opened[row], volume[row], traded[row], most[row], term, totals, fills,
            )  # fmt: skip
        if at_close:
            if row > 0:
                _order(weights[row - 1], target, shown, opened[row], position, names, source, order_at, left, forced,
                       refused, waiting, term)  # fmt: skip
            if waiting[0] > 0:
                _auction(
                    1, row, cash, position, names, source, order_at, left, forced, refused, waiting, taken,
                    at_close, called, present[row], close[row], volume[row], traded[row], most[row], term, totals,
                    fills,
                )  # fmt: skip
        value, gross, needed, any_held = 0.0, 0.0, 0.0, False
        for each in range(held):
            if position[each] != 0:
                part = position[each] * close[row, source[each]]
                value += part
                gross += abs(part)
                needed += abs(part) * (term[5] if part > 0 else term[6]) / 100
                any_held = True
        shown = cash[0] + value
        if row > 0:
            equity[row - 1] = shown
        ruined = shown <= 0
        if ruined and totals[4] < 0:
            totals[4] = float(row - 1)
        called = any_held and (ruined or needed > shown * (1 + _TINY))
        _drop_forced(order_at, left, forced, refused, waiting)
        if called:
            totals[3] += 1
            carried = max(gross * term[4] / 100, needed)
            reduce = 1.0 if ruined else 1 - shown / carried
            _force(reduce, position, order_at, left, forced, refused, waiting, term)
        last = row
        if not at_close and row + 1 < len(days):
            _order(weights[row], target, shown, close[row], position, names, source, order_at, left, forced, refused,
                   waiting, term)  # fmt: skip


def _trades(present: Bools, source: Ints) -> bool:
    """Whether any held symbol has a bar."""
    for each in range(len(source)):
        if present[source[each]]:
            return True
    return False


# Phase a: nights


def _borrow(
    cash: Floats, position: Floats, source: Ints, marks: Floats, since: int, day: int, first: int, rates: Floats,
    term: Floats,
) -> None:  # fmt: skip
    for each in range(len(position)):
        if position[each] < 0:
            column = source[each]
            fee = 0.0
            if len(rates) == 0:
                fee += -position[each] * marks[column] * term[3] / 100 * (day - since) / 360
            else:
                begun = since
                while begun < day:
                    rate = _rate(rates, begun - first, column, term[3])
                    stop = begun + 1
                    while stop < day and _rate(rates, stop - first, column, term[3]) == rate:
                        stop += 1
                    fee += -position[each] * marks[column] * rate / 100 * (stop - begun) / 360
                    begun = stop
            cash[0] += -fee


def _rate(rates: Floats, day: int, column: int, default: float) -> float:
    rate = rates[day, column]
    return default if math.isnan(rate) else rate


def _interest(
    cash: Floats, before: float, position: Floats, source: Ints, marks: Floats, nights: int, term: Floats
) -> None:
    if term[10] == 0 and term[11] == 0:
        return
    short = 0.0
    for each in range(len(position)):
        if position[each] < 0:
            short += -position[each] * marks[source[each]]
    credit = max(before, 0.0)
    short = min(short, credit)
    cash[0] += (short * term[10] + (credit - short) * term[11]) / 100 * nights / 360


def _act(
    action: Floats, cash: Floats, position: Floats, behind: Ints, marks: Floats, term: Floats, order_at: Ints,
    left: Floats, forced: Bools, waiting: Ints, row: int, names: Ints, totals: Floats, fills: Floats,
) -> None:  # fmt: skip
    """A dividend, or a split of the position and of the orders that wait."""
    each, ratio = behind[int(action[1])], action[3]
    if each < 0:
        return
    if action[2] == 0:
        if position[each] != 0:
            cash[0] += position[each] * ratio
        return
    if position[each] != 0:
        position[each] *= ratio
        over = position[each] - _shares(position[each], term)
        if over != 0:
            # the mark after this split; a second one of the same night would have divided `marks` already
            _fill(cash, position, each, -over, marks[int(action[1])], 0.0, 0.0, 2, True, row, names, totals, fills)
    for number in range(waiting[0]):
        if order_at[number] == each:
            left[number] = _shares(left[number] * ratio, term)


# Phases b and d: auctions


def _auction(
    auction: int, row: int, cash: Floats, position: Floats, names: Ints, source: Ints, order_at: Ints, left: Floats,
    forced: Bools, refused: Bools, waiting: Ints, taken: Floats, at_close: bool, called: bool, present: Bools,
    prices: Floats, volume: Floats, traded: Floats, most: Floats, term: Floats, totals: Floats, fills: Floats,
) -> None:  # fmt: skip
    """Fills what meets this auction: forced orders first, first all that reduces, then all that increases."""
    for turn in range(2):
        for number in range(waiting[0]):
            if forced[number] == (turn == 0) and _meets(number, auction, forced, at_close, order_at, present, source):
                _reduce(number, auction, row, cash, position, names, source, order_at, left, forced, taken, prices,
                        volume, term, totals, fills)  # fmt: skip
    value, gross = 0.0, 0.0
    for each in range(len(position)):
        if position[each] != 0:
            value += position[each] * prices[source[each]]
            gross += abs(position[each]) * prices[source[each]]
    for turn in range(2):
        for number in range(waiting[0]):
            if forced[number] == (turn == 0) and _meets(number, auction, forced, at_close, order_at, present, source):
                value, gross = _increase(
                    number, auction, row, value, gross, cash, position, names, source, order_at, left, forced, refused,
                    taken, called, prices, volume, traded, most, term, totals, fills,
                )  # fmt: skip
    kept = 0
    for number in range(waiting[0]):
        met = _meets(number, auction, forced, at_close, order_at, present, source)
        if not (met and (refused[number] or left[number] == 0)):
            order_at[kept], left[kept], forced[kept], refused[kept] = (
                order_at[number], left[number], forced[number], refused[number],
            )  # fmt: skip
            kept += 1
    waiting[0] = kept


def _meets(
    number: int, auction: int, forced: Bools, at_close: bool, order_at: Ints, present: Bools, source: Ints
) -> bool:
    """Whether an order takes part in an auction."""
    wanted = 1 if at_close and not forced[number] else 0
    return wanted == auction and present[source[order_at[number]]]


def _reduce(
    number: int, auction: int, row: int, cash: Floats, position: Floats, names: Ints, source: Ints, order_at: Ints,
    left: Floats, forced: Bools, taken: Floats, prices: Floats, volume: Floats, term: Floats, totals: Floats,
    fills: Floats,
) -> float:  # fmt: skip
    """The leg that makes a position smaller, as far as the volume allows; returns the shares traded."""
    each = order_at[number]
    size = position[each]
    asked = left[number]
    if not size * asked < 0:
        return 0.0
    column = source[each]
    size = _room(math.copysign(min(abs(size), abs(asked)), asked), volume[column], taken[each], term)
    if size != 0:
        bps = _slip_bps(size, volume[column], term)
        _fill(cash, position, each, size, prices[column], bps, term[1], auction, forced[number], row, names, totals,
              fills)  # fmt: skip
        taken[each] += abs(size)
        left[number] -= size
    return size


def _increase(
    number: int, auction: int, row: int, value: float, gross: float, cash: Floats, position: Floats, names: Ints,
    source: Ints, order_at: Ints, left: Floats, forced: Bools, refused: Bools, taken: Floats, called: bool,
    prices: Floats, volume: Floats, traded: Floats, most: Floats, term: Floats, totals: Floats, fills: Floats,
) -> tuple[float, float]:  # fmt: skip
    """The leg that makes a position larger, all of it or none; returns value and gross of the book after it."""
    each = order_at[number]
    column = source[each]
    price = prices[column]
    size = _reduce(number, auction, row, cash, position, names, source, order_at, left, forced, taken, prices, volume,
                   term, totals, fills)  # fmt: skip
    value += size * price
    gross -= abs(size) * price
    asked = left[number]
    if asked == 0 or position[each] * asked < 0:
        return value, gross
    size = _room(asked, volume[column], taken[each], term)
    if (
        forced[number]
        or totals[4] >= 0
        or called
        or size == 0
        or not _located(position[each], size, traded[column], most[column], term)
    ):
        refused[number] = True
        return value, gross
    bps = _slip_bps(size, volume[column], term)
    worth = abs(size) * price
    funds = cash[0] + value - worth * (bps + term[1]) / 10_000
    if (gross + worth) * term[4] / 100 > funds * (1 + _TINY):
        refused[number] = True
        return value, gross
    _fill(cash, position, each, size, price, bps, term[1], auction, forced[number], row, names, totals, fills)
    taken[each] += abs(size)
    left[number] -= size
    if size != asked:
        refused[number] = True
    return value + size * price, gross + abs(size) * price


def _located(position: float, size: float, traded: float, most: float, term: Floats) -> bool:
    after = position + size
    if size > 0 or after >= 0:
        return True
    if term[9] != 0:
        most = min(most, term[9] / 100 * traded)
    return -after <= most * (1 + _TINY)


def _room(size: float, volume: float, taken: float, term: Floats) -> float:
    """Cuts a size to what the cap leaves of the bar's volume."""
    if term[8] == 0:
        return size
    room = term[8] / 100 * volume - taken
    return size if abs(size) <= room else _shares(math.copysign(max(0.0, room), size), term)


def _slip_bps(size: float, volume: float, term: Floats) -> float:
    base = term[2]
    if term[7] != 0:
        base += term[7] * (math.sqrt(abs(size) / volume) if volume > 0 else 1.0)
    return min(base, 9_999.0)


def _shares(size: float, term: Floats) -> float:
    return size if term[12] != 0 else np.trunc(size + math.copysign(1e-9, size))


def _fill(
    cash: Floats, position: Floats, each: int, size: float, price: float, bps: float, commission_bps: float,
    auction: int, forced: bool, row: int, names: Ints, totals: Floats, fills: Floats,
) -> None:  # fmt: skip
    slip = price * bps / 10_000
    paid = price + math.copysign(slip, size)
    commission = abs(size) * paid * commission_bps / 10_000
    position[each] += size
    cash[0] += -size * paid
    cash[0] += -commission
    number = int(totals[0])
    if number < len(fills):
        fills[number, 0], fills[number, 1], fills[number, 2] = row - 1, names[each], size
        fills[number, 3], fills[number, 4], fills[number, 5] = auction, price, paid
        fills[number, 6], fills[number, 7] = commission, abs(size) * slip
        fills[number, 8], fills[number, 9] = 1.0 if forced else 0.0, position[each]
    totals[0] += 1
    totals[1] += commission
    totals[2] += abs(size) * slip


# Orders


def _order(
    weights: Floats, target: Floats, equity: float, prices: Floats, position: Floats, names: Ints, source: Ints,
    order_at: Ints, left: Floats, forced: Bools, refused: Bools, waiting: Ints, term: Floats,
) -> None:  # fmt: skip
    """Turns changed targets into orders, sized on the last known price; a new one takes the place of one that waits."""
    for each in range(len(target)):
        weight = weights[names[each]]
        if weight == target[each] and (weight == 0 or term[13] == 0):
            continue
        target[each] = weight
        if waiting[0] > 0:
            _cancel(each, order_at, left, forced, refused, waiting)
        price = prices[source[each]]
        if price > 0:
            size = _shares(weight * equity / price, term) - position[each]
            if abs(size) * price > _TINY * abs(equity):
                _queue(each, size, False, order_at, left, forced, refused, waiting)


def _queue(
    each: int, size: float, by_force: bool, order_at: Ints, left: Floats, forced: Bools, refused: Bools, waiting: Ints
) -> None:
    number = waiting[0]
    order_at[number], left[number], forced[number], refused[number] = each, size, by_force, False
    waiting[0] = number + 1


def _cancel(each: int, order_at: Ints, left: Floats, forced: Bools, refused: Bools, waiting: Ints) -> None:
    kept = 0
    for number in range(waiting[0]):
        if forced[number] or order_at[number] != each:
            order_at[kept], left[kept], forced[kept], refused[kept] = (
                order_at[number], left[number], forced[number], refused[number],
            )  # fmt: skip
            kept += 1
    waiting[0] = kept


def _drop_forced(order_at: Ints, left: Floats, forced: Bools, refused: Bools, waiting: Ints) -> None:
    """Takes back the forced orders that still wait."""
    kept = 0
    for number in range(waiting[0]):
        if not forced[number]:
            order_at[kept], left[kept], forced[kept], refused[kept] = (
                order_at[number], left[number], forced[number], refused[number],
            )  # fmt: skip
            kept += 1
    waiting[0] = kept


def _force(
    part: float, position: Floats, order_at: Ints, left: Floats, forced: Bools, refused: Bools, waiting: Ints,
    term: Floats,
) -> None:  # fmt: skip
    """Queues the reduction of every position by a part, for the next open."""
    for each in range(len(position)):
        size = abs(position[each])
        cut = min(size, size * part if term[12] != 0 else math.ceil(size * part - _TINY))
        if cut != 0:
            _queue(each, -math.copysign(cut, position[each]), True, order_at, left, forced, refused, waiting)
