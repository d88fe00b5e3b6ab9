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
    decisions: Ints,
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
        weights: Shape (decisions, sessions, symbols): target weights for each session of the window.
        decisions: Shape (runs,): which of the `weights` each run follows.
        names: Shape (held,): columns of the symbols that the rule may hold, in order.
        sources: Shape (runs, held): columns of the bars behind them.
        at_close: Orders go to the closing auction and are sized on the session's open.
        terms: Shape (runs, terms).
        days: As in `Tables`, like the nine below.
        present: See there.
        start: See there.
        opened: `Tables.open`.
        close: See there.
        volume: See there.
        traded: See there.
        actions: See there.
        rates: See there.
        most: See there.
        equity: Shape (runs, sessions), filled here; NaN where no held symbol had a bar.
        totals: Shape (runs, TOTALS), filled here.
        fills: Shape (room, FILL): the fills of the last run are written here; shape (0, FILL) to write none.
    """
    held = len(names)
    symbols = present.shape[1]
    behind = np.empty(symbols, dtype=np.int64)
    for run in range(len(decisions)):
        term = terms[run]
        source = sources[run]
        for column in range(symbols):
            behind[column] = -1
        for each in range(held):
            behind[source[each]] = each
        _keep_book(
            weights[decisions[run]], names, source, behind, at_close, term, days, present, start, opened, close,
            volume, traded, actions, rates, most, equity[run], totals[run], fills,
        )  # fmt: skip


def _keep_book(  # noqa: C901, PLR0912, PLR0915 (one body: handing arrays to helpers costs more than what they do)
    weights: Floats, names: Ints, source: Ints, behind: Ints, at_close: bool, term: Floats,
    days: Ints, present: Bools, start: Floats, opened: Floats, close: Floats, volume: Floats, traded: Floats,
    actions: Floats, rates: Floats, most: Floats, equity: Floats, totals: Floats, fills: Floats,
) -> None:  # fmt: skip
    """Runs one book; `behind` is the place of each column of bars among the held symbols, -1 for none.

    Orders have slots: `each` for a symbol's forced one, `held + each` for the rule's; 0 shares left: none waits.
    """
    held, noting = len(names), len(fills) > 0
    cash, commission_bps, base, borrow = term[0], term[1], term[2], term[3]
    initial, long_rate, short_rate, impact = term[4], term[5], term[6], term[7]
    cap, locate, rebate, credit_rate = term[8], term[9], term[10], term[11]
    fractional, daily, own_auction = term[12] != 0, term[13] != 0, 1 if at_close else 0
    position, target, taken = np.zeros(held), np.zeros(held), np.zeros(held)
    left, decided = np.zeros(2 * held), np.zeros(2 * held, dtype=np.int64)
    queue = np.zeros(2 * held, dtype=np.int64)
    filled, paid_commission, paid_slippage, calls, ruined_on = 0, 0.0, 0.0, 0, -1
    called, waiting, shown, last, next_action = False, False, cash, -1, 0
    for row in range(len(days)):
        if row > 0:
            equity[row - 1] = np.nan
        trades = False
        for each in range(held):
            if present[row, source[each]]:
                trades = True
                break
        if not trades:
            continue

        # a. Nights
        if last >= 0:
            before, short = cash, 0.0
            for each in range(held):
                if position[each] < 0:
                    value = -position[each] * close[last, source[each]]
                    short += value
                    if len(rates) == 0:
                        cash += -(value * borrow / 100 * (days[row] - days[last]) / 360)
                    else:
                        cash += -_fee(value, rates, days[last] - days[0], days[row] - days[0], source[each], borrow)
            if rebate != 0 or credit_rate != 0:
                credit = max(before, 0.0)
                short = min(short, credit)
                earned = short * rebate + (credit - short) * credit_rate
                cash += earned / 100 * (days[row] - days[last]) / 360
        while next_action < len(actions) and actions[next_action, 0] <= days[row]:
            column, ratio = int(actions[next_action, 1]), actions[next_action, 3]
            each, split = behind[column], actions[next_action, 2] != 0
            next_action += 1
            if last < 0 or each < 0:
                continue
            if not split:
                if position[each] != 0:
                    cash += position[each] * ratio
                continue
            left[held + each] = _shares(left[held + each] * ratio, fractional)
            left[each] = _shares(left[each] * ratio, fractional)
            if position[each] != 0:
                position[each] *= ratio
                size = -(position[each] - _shares(position[each], fractional))
                if size != 0:  # what is left over of whole shares is paid out at the mark
                    position[each] += size
                    cash += -size * start[row, column]
                    if noting:
                        _note(fills, filled, row, names[each], size, 2, start[row, column], 0.0, 0.0, True,
                              position[each])  # fmt: skip
                    filled += 1

        # b. and d. Auctions
        for each in range(held):
            taken[each] = 0.0
        for auction in range(2):
            if auction == 1 and at_close and row > 0:
                waiting |= _order(weights, row, row, target, shown, opened, position, names, source, left, decided,
                                  fractional, daily)  # fmt: skip
            if not waiting:
                continue
            count = 0
            if auction == 0:
                for each in range(held):
                    if left[each] != 0 and present[row, source[each]]:
                        queue[count] = each
                        count += 1
            if auction == own_auction:
                forced = count
                for each in range(held):
                    if left[held + each] != 0 and present[row, source[each]]:
                        place = count
                        while place > forced and decided[queue[place - 1]] > decided[held + each]:
                            queue[place] = queue[place - 1]
                            place -= 1
                        queue[place] = held + each
                        count += 1
            if count == 0:
                continue
            prices = opened if auction == 0 else close
            value, gross = 0.0, 0.0
            for step in range(2 * count):  # first every leg that reduces, then every leg that increases
                number = queue[step % count]
                each = number if number < held else number - held
                column = source[each]
                price, shares = prices[row, column], volume[row, column]
                if step == count:
                    for other in range(held):
                        if position[other] != 0:
                            value += position[other] * prices[row, source[other]]
                            gross += abs(position[other]) * prices[row, source[other]]
                for leg in range(2):
                    asked, holds = left[number], position[each]
                    if asked == 0 or (leg == 1 and (step < count or holds * asked < 0)):
                        break
                    if leg == 0:
                        if not holds * asked < 0:
                            continue
                        size = _room(math.copysign(min(abs(holds), abs(asked)), asked), cap, shares, taken[each],
                                     fractional)  # fmt: skip
                        if size == 0:
                            continue
                        bps = _slip_bps(size, base, impact, shares)
                    else:
                        size = _room(asked, cap, shares, taken[each], fractional)
                        left[number] = 0.0  # filled, cut or refused: it waits no more
                        if number < held or ruined_on >= 0 or called or size == 0:
                            break
                        if not _located(holds + size, size, locate, traded[row, column], most[row, column]):
                            break
                        bps = _slip_bps(size, base, impact, shares)
                        worth = abs(size) * price
                        funds = cash + value - worth * (bps + commission_bps) / 10_000
                        if (gross + worth) * initial / 100 > funds * (1 + _TINY):
                            break
                    slip = price * bps / 10_000
                    paid = price + math.copysign(slip, size)
                    commission = abs(size) * paid * commission_bps / 10_000
                    position[each] += size
                    cash += -size * paid
                    cash += -commission
                    taken[each] += abs(size)
                    if leg == 0:
                        left[number] -= size
                    if step >= count:
                        value += size * price
                        gross += abs(size) * price * (1 if leg == 1 else -1)
                    if noting:
                        _note(fills, filled, row, names[each], size, auction, price, slip, commission, number < held,
                              position[each])  # fmt: skip
                    filled += 1
                    paid_commission += commission
                    paid_slippage += abs(size) * slip

        # e. and f. Valuation, maintenance
        value, gross, needed, holds_any, waiting = 0.0, 0.0, 0.0, False, False
        for each in range(held):
            if position[each] != 0:
                part = position[each] * close[row, source[each]]
                value += part
                gross += abs(part)
                needed += abs(part) * (long_rate if part > 0 else short_rate) / 100
                holds_any = True
            left[each] = 0.0  # forced orders that still wait are taken back
            waiting |= left[held + each] != 0
        shown = cash + value
        if row > 0:
            equity[row - 1] = shown
        ruined = shown <= 0
        if ruined and ruined_on < 0:
            ruined_on = row - 1
        called = holds_any and (ruined or needed > shown * (1 + _TINY))
        if called:
            calls += 1
            waiting = True
            cut = 1.0 if ruined else 1 - shown / max(gross * initial / 100, needed)
            for each in range(held):
                size = abs(position[each])
                size = min(size, size * cut if fractional else math.ceil(size * cut - _TINY))
                left[each] = -math.copysign(size, position[each]) if size > 0 else 0.0
        last = row
        if not at_close and row + 1 < len(days):
            waiting |= _order(weights, row + 1, row, target, shown, close, position, names, source, left, decided,
                              fractional, daily)  # fmt: skip
    totals[0], totals[1], totals[2], totals[3], totals[4] = filled, paid_commission, paid_slippage, calls, ruined_on


def _order(
    weights: Floats, session: int, row: int, target: Floats, equity: float, prices: Floats, position: Floats,
    names: Ints, source: Ints, left: Floats, decided: Ints, fractional: bool, daily: bool,
) -> bool:  # fmt: skip
    """Turns changed targets into orders, sized on the last known price; whether any was made.

    A new order takes the place of one that waits; row `session` of the tables is what is decided for, `row` the
    prices'.
    """
    held, made = len(target), False
    for each in range(held):
        weight = weights[session - 1, names[each]]
        if weight == target[each] and (weight == 0 or not daily):
            continue
        target[each] = weight
        left[held + each] = 0.0
        price = prices[row, source[each]]
        if price > 0:
            size = _shares(weight * equity / price, fractional) - position[each]
            if abs(size) * price > _TINY * abs(equity):
                left[held + each] = size
                decided[held + each] = session
                made = True
    return made


def _fee(value: float, rates: Floats, since: int, day: int, column: int, default: float) -> float:
    """The fee for the nights that begin on the days `since` … `day - 1`, neighbours at one rate together."""
    fee = 0.0
    while since < day:
        rate = _rate(rates[since, column], default)
        stop = since + 1
        while stop < day and _rate(rates[stop, column], default) == rate:
            stop += 1
        fee += value * rate / 100 * (stop - since) / 360
        since = stop
    return fee


def _rate(rate: float, default: float) -> float:
    return default if math.isnan(rate) else rate


def _located(after: float, size: float, locate: float, traded: float, most: float) -> bool:
    if size > 0 or after >= 0:
        return True
    if locate != 0:
        most = min(most, locate / 100 * traded)
    return -after <= most * (1 + _TINY)


def _room(size: float, cap: float, volume: float, taken: float, fractional: bool) -> float:
    """Cuts a size to what the cap leaves of the bar's volume."""
    if cap == 0:
        return size
    room = cap / 100 * volume - taken
    return size if abs(size) <= room else _shares(math.copysign(max(0.0, room), size), fractional)


def _slip_bps(size: float, base: float, impact: float, volume: float) -> float:
    if impact != 0:
        base += impact * (math.sqrt(abs(size) / volume) if volume > 0 else 1.0)
    return min(base, 9_999.0)


def _shares(size: float, fractional: bool) -> float:
    return size if fractional else float(np.trunc(size + math.copysign(1e-9, size)))


def _note(
    fills: Floats, number: int, row: int, column: int, size: float, auction: int, price: float, slip: float,
    commission: float, forced: bool, position: float,
) -> None:  # fmt: skip
    """Writes a fill down where there is room for it."""
    if number < len(fills):
        fill = fills[number]
        fill[0], fill[1], fill[2], fill[3], fill[4] = row - 1, column, size, auction, price
        fill[5], fill[6], fill[7] = price + math.copysign(slip, size), commission, abs(size) * slip
        fill[8], fill[9] = 1.0 if forced else 0.0, position
