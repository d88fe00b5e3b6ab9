"""Keeps the accounts of docs/broker.md in plain loops that numba compiles; the reference is backtests/broker.

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
FRACTIONAL, DAILY, DELISTING = range(len(TERMS), len(TERMS) + 3)  # two switches and a share's value behind them
FILL = ("row", "column", "size", "auction", "auction_price", "price", "commission", "slippage", "forced", "position")
AUCTIONS = ("open", "close", "fraction", "delisting")
TOTALS = ("fills", "commission", "slippage", "margin_calls", "ruined")  # ruined: row of the window, -1 never
_TINY = 1e-9  # as in account.py
# Rows of an account: position; the rule's target weight, shares of its order still to fill, the session it was decided
# for; shares of a forced order; shares taken of the bar's volume
_POSITION, _TARGET, _LEFT, _DECIDED, _FORCED, _TAKEN, _ROWS = range(7)
_TABLE = "float64[:, ::1]"
KEEP_ACCOUNTS = (  # what it is compiled for
    "void(float64[:, :, ::1], int64[:, ::1], int64[::1], int64[::1], int64[:, ::1], boolean, float64[:, ::1], "
    f"int64[::1], boolean[:, ::1], boolean[:, ::1], {', '.join(8 * [_TABLE])}, int64[::1], float64[::1], "
    f"{_TABLE}, {_TABLE}, {_TABLE})"
)


def keep_accounts(  # noqa: C901, PLR0912, PLR0915 (one body: handing arrays to helpers costs more than what they do)
    weights: Floats,
    changes: Ints,
    slots: Ints,
    names: Ints,
    sources: Ints,
    at_close: bool,
    terms: Floats,
    days: Ints,
    present: Bools,
    trading: Bools,
    start: Floats,
    opened: Floats,
    close: Floats,
    volume: Floats,
    traded: Floats,
    actions: Floats,
    rates: Floats,
    most: Floats,
    settles: Ints,
    values: Floats,
    equity: Floats,
    totals: Floats,
    fills: Floats,
) -> None:
    """Keeps the accounts of many runs.

    Args:
        weights: Shape (slots, changes, symbols): target weights from a session of the window on.
        changes: Shape (slots, sessions): which row of the `weights` begins with a session, -1 where none does.
        slots: Shape (runs,): which of the `weights` each run follows.
        names: Shape (held,): columns of the symbols that the rule may hold, in order.
        sources: Shape (runs, held): columns of the bars behind them.
        at_close: Orders go to the closing auction and are sized on the session's open.
        terms: Shape (runs, terms).
        days: As in `Tables`, like the twelve below.
        present: See there.
        trading: See there.
        start: See there.
        opened: `Tables.open`.
        close: See there.
        volume: See there.
        traded: See there.
        actions: See there.
        rates: See there.
        most: See there.
        settles: See there.
        values: See there.
        equity: Shape (runs, sessions), filled here; NaN where no held symbol had a bar.
        totals: Shape (runs, TOTALS), filled here.
        fills: Shape (room, FILL): the fills of the last run are written here; shape (0, FILL) to write none.

    Orders have numbers: `each` for a symbol's forced one, `held + each` for the rule's; 0 shares left: none waits.
    """
    held, rows, noting = len(names), len(days), len(fills) > 0
    behind = np.empty(present.shape[1], dtype=np.int64)
    opens, closes = np.empty((rows, held)), np.empty((rows, held))
    trades, plain = np.empty(rows, dtype=np.bool_), np.empty(rows, dtype=np.bool_)
    ends = np.empty(rows, dtype=np.bool_)
    state, queue = np.empty((_ROWS, held)), np.empty(2 * held, dtype=np.int64)
    for run in range(len(slots)):
        source = sources[run]
        same = run > 0
        for each in range(held):
            same = same and source[each] == sources[run - 1, each]
        if not same:
            _lay_out(source, present, trading, opened, close, most, settles, behind, opens, closes, trades, plain, ends)
        term, slot = terms[run], slots[run]
        cash, commission_bps, base, borrow = term[0], term[1], term[2], term[3]
        initial, long_rate, short_rate, impact = term[4], term[5], term[6], term[7]
        cap, locate, rebate, credit_rate = term[8], term[9], term[10], term[11]
        fractional, daily, own_auction = term[12] != 0, term[13] != 0, 1 if at_close else 0
        simple = cap == 0 and impact == 0 and locate == 0
        nightly = borrow != 0 or rebate != 0 or credit_rate != 0 or len(rates) > 0
        state[:] = 0.0
        filled, paid_commission, paid_slippage, calls, ruined_on = 0, 0.0, 0.0, 0, -1
        called, waiting, left_over, shown, last, next_action = False, False, False, cash, -1, 0
        highest_rate = max(long_rate, short_rate)
        current, fresh = -1, 0  # row of the weights in force, orders of this session in the queue
        for row in range(rows):
            if row > 0:
                equity[run, row - 1] = np.nan
            if not trades[row]:
                left_over = True
                continue

            # a. Nights
            if last >= 0 and nightly:
                before, short = cash, 0.0
                for each in range(held):
                    if state[_POSITION, each] < 0:
                        value = -state[_POSITION, each] * closes[last, each]
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
                holds = state[_POSITION, each]
                if not split:
                    if holds != 0:
                        cash += holds * ratio
                    continue
                state[_LEFT, each] = _shares(state[_LEFT, each] * ratio, fractional)
                state[_FORCED, each] = _shares(state[_FORCED, each] * ratio, fractional)
                left_over = True
                if holds != 0:
                    holds *= ratio
                    size = -(holds - _shares(holds, fractional))
                    if size != 0:  # what is left over of whole shares is paid out at the mark
                        holds += size
                        cash += -size * start[row, column]
                        if noting:
                            _note(fills, filled, row, names[each], size, 2, start[row, column], 0.0, 0.0, True, holds)
                        filled += 1
                    state[_POSITION, each] = holds

            if ends[row]:
                left_over = True
                for each in range(held):
                    column = source[each]
                    if last < settles[column] <= row:
                        holds = state[_POSITION, each]
                        price = start[row, column] * (term[DELISTING] if math.isnan(values[column]) else values[column])
                        if holds != 0:
                            cash += holds * price
                            if noting:
                                _note(fills, filled, row, names[each], -holds, 3, price, 0.0, 0.0, True, 0.0)
                            filled += 1
                        state[_POSITION, each] = state[_LEFT, each] = state[_FORCED, each] = 0.0

            # b. and d. Auctions
            tidy = not left_over and not called  # after the auctions no order will be left
            for auction in range(2):
                if auction == 1 and at_close and row > 0:
                    if changes[slot, row - 1] >= 0:
                        current = changes[slot, row - 1]
                    if changes[slot, row - 1] >= 0 or (daily and current >= 0):
                        fresh = _order(weights, slot, current, names, state, queue, row, shown, opens, row, fractional,
                                       daily)  # fmt: skip
                        waiting |= fresh > 0
                if not waiting:
                    continue
                prices = opens if auction == 0 else closes
                if simple and plain[row] and not left_over and not called:
                    if auction == own_auction:
                        cash, paid_commission, paid_slippage, filled = _plain_auction(
                            state, queue, fresh, prices, row, cash, paid_commission, paid_slippage, filled,
                            ruined_on >= 0, commission_bps, base, initial, names, auction, fills,
                        )  # fmt: skip
                    continue
                cash, paid_commission, paid_slippage, filled = _auction(
                    state, queue, prices, row, source, trading, volume, traded, most, term, auction, own_auction,
                    called, ruined_on >= 0, cash, paid_commission, paid_slippage, filled, names, fills,
                )  # fmt: skip
                tidy = False

            # e. and f. Valuation, maintenance
            value, gross = 0.0, 0.0
            for each in range(held):
                part = state[_POSITION, each] * closes[row, each]
                value += part
                gross += abs(part)
            waiting = False
            if not tidy:
                for each in range(held):
                    waiting = waiting or state[_LEFT, each] != 0
                    state[_FORCED, each] = 0.0  # forced orders that still wait are taken back
                    state[_TAKEN, each] = 0.0
                left_over = waiting
            shown = cash + value
            if row > 0:
                equity[run, row - 1] = shown
            ruined = shown <= 0
            if ruined and ruined_on < 0:
                ruined_on = row - 1
            called = False
            if ruined or gross * highest_rate > shown * 100:  # else the positions need less
                needed = 0.0
                for each in range(held):
                    part = state[_POSITION, each] * closes[row, each]
                    needed += abs(part) * (long_rate if part > 0 else short_rate) / 100
                called = gross > 0 and (ruined or needed > shown * (1 + _TINY))
            if called:
                calls += 1
                waiting = True
                cut = 1.0 if ruined else 1 - shown / max(gross * initial / 100, needed)
                for each in range(held):
                    size = abs(state[_POSITION, each])
                    size = min(size, size * cut if fractional else math.ceil(size * cut - _TINY))
                    state[_FORCED, each] = -math.copysign(size, state[_POSITION, each]) if size > 0 else 0.0
            last = row
            if not at_close and row + 1 < rows:
                if changes[slot, row] >= 0:
                    current = changes[slot, row]
                if changes[slot, row] >= 0 or (daily and current >= 0):
                    fresh = _order(weights, slot, current, names, state, queue, row + 1, shown, closes, row, fractional,
                                   daily)  # fmt: skip
                    waiting |= fresh > 0
        totals[run, 0], totals[run, 1], totals[run, 2] = filled, paid_commission, paid_slippage
        totals[run, 3], totals[run, 4] = calls, ruined_on


def _lay_out(
    source: Ints, present: Bools, trading: Bools, opened: Floats, close: Floats, most: Floats, settles: Ints,
    behind: Ints, opens: Floats, closes: Floats, trades: Bools, plain: Bools, ends: Bools,
) -> None:  # fmt: skip
    """Lays out the bars behind the held symbols; fills the last six.

    `behind` is the place of each column of bars among the held symbols, -1 for none. A session is plain where all
    symbols trade and none is hard to borrow; it `ends` shares whose bars are over.
    """
    held, rows = len(source), len(trades)
    behind[:] = -1
    for each in range(held):
        behind[source[each]] = each
    newest, settled = -1, 0  # the last session so far, and how many shares were closed by then
    for row in range(rows):
        there, able, free, over = 0, 0, 0, 0
        for each in range(held):
            column = source[each]
            opens[row, each], closes[row, each] = opened[row, column], close[row, column]
            there += 1 if present[row, column] else 0
            able += 1 if trading[row, column] else 0
            free += 1 if math.isinf(most[row, column]) else 0
            over += 1 if settles[column] <= row else 0
        trades[row], plain[row], ends[row] = there > 0, able == held and free == held, False
        if trades[row]:
            newest, ends[row], settled = row, over > settled, over
    if newest + 1 < rows:  # shares that end with the last bar of all are closed after it
        for each in range(held):
            if settles[source[each]] == newest + 1:
                trades[newest + 1] = ends[newest + 1] = True


def _auction(  # noqa: C901, PLR0912, PLR0915 (as above)
    state: Floats, queue: Ints, prices: Floats, row: int, source: Ints, trading: Bools, volume: Floats, traded: Floats,
    most: Floats, term: Floats, auction: int, own: int, called: bool, ruined: bool, cash: float, commissions: float,
    slippage: float, filled: int, names: Ints, fills: Floats,
) -> tuple[float, float, float, int]:  # fmt: skip
    """Fills all orders that wait: forced ones at the open, the rule's in its own auction, in the order of decisions.

    Returns cash, commissions, slippage and the number of fills so far.
    """
    held, noting, fractional = len(names), len(fills) > 0, term[FRACTIONAL] != 0
    commission_bps, base, initial, impact, cap, locate = term[1], term[2], term[4], term[7], term[8], term[9]
    count = 0
    if auction == 0:
        for each in range(held):
            if state[_FORCED, each] != 0 and trading[row, source[each]]:
                queue[count] = each
                count += 1
    if auction == own:
        forced = count
        for each in range(held):
            if state[_LEFT, each] != 0 and trading[row, source[each]]:
                place = count
                while place > forced and state[_DECIDED, queue[place - 1] - held] > state[_DECIDED, each]:
                    queue[place] = queue[place - 1]
                    place -= 1
                queue[place] = held + each
                count += 1
    value, gross = 0.0, 0.0
    for step in range(2 * count):  # first every leg that reduces, then every leg that increases
        number = queue[step % count]
        each, kind = (number, _FORCED) if number < held else (number - held, _LEFT)
        column = source[each]
        price, shares = prices[row, each], volume[row, column]
        if step == count:
            for other in range(held):
                if state[_POSITION, other] != 0:
                    value += state[_POSITION, other] * prices[row, other]
                    gross += abs(state[_POSITION, other]) * prices[row, other]
        for leg in range(2):
            asked, holds = state[kind, each], state[_POSITION, each]
            if asked == 0 or (leg == 1 and (step < count or holds * asked < 0)):
                break
            if leg == 0:
                if not holds * asked < 0:
                    continue
                size = _room(math.copysign(min(abs(holds), abs(asked)), asked), cap, shares,
                             state[_TAKEN, each], fractional)  # fmt: skip
                if size == 0:
                    continue
                bps = _slip_bps(size, base, impact, shares)
            else:
                size = _room(asked, cap, shares, state[_TAKEN, each], fractional)
                state[kind, each] = 0.0  # filled, cut or refused: it waits no more
                if number < held or ruined or called or size == 0:
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
            state[_POSITION, each] += size
            cash += -size * paid
            cash += -commission
            state[_TAKEN, each] += abs(size)
            if leg == 0:
                state[kind, each] -= size
            if step >= count:
                value += size * price
                gross += abs(size) * price * (1 if leg == 1 else -1)
            if noting:
                _note(fills, filled, row, names[each], size, auction, price, slip, commission, number < held,
                      state[_POSITION, each])  # fmt: skip
            filled += 1
            commissions += commission
            slippage += abs(size) * slip
    return cash, commissions, slippage, filled


def _order(
    weights: Floats, slot: int, current: int, names: Ints, state: Floats, queue: Ints, session: int, equity: float,
    prices: Floats, row: int, fractional: bool, daily: bool,
) -> int:  # fmt: skip
    """Turns changed targets into orders, sized on the last known price; how many were made, in the queue.

    A new order takes the place of one that waits; row `session` of the tables is what is decided for, `row` the
    prices'.
    """
    made = 0
    for each in range(len(names)):
        weight, price = weights[slot, current, names[each]], prices[row, each]
        new = weight != state[_TARGET, each] or (daily and weight != 0)
        size = (weight * equity / price if price > 0 else 0.0) - state[_POSITION, each]
        if not fractional:
            size = _shares(weight * equity / price if price > 0 else 0.0, fractional) - state[_POSITION, each]
        size = size if price > 0 and abs(size) * price > _TINY * abs(equity) else 0.0
        state[_TARGET, each] = weight
        state[_LEFT, each] = size if new else state[_LEFT, each]
        queue[made] = each
        if new and size != 0:
            state[_DECIDED, each] = session
            made += 1
    return made


def _plain_auction(
    state: Floats, queue: Ints, count: int, prices: Floats, row: int, cash: float, commissions: float, slippage: float,
    filled: int, ruined: bool, commission_bps: float, bps: float, initial: float, names: Ints, auction: int,
    fills: Floats,
) -> tuple[float, float, float, int]:  # fmt: skip
    """Fills the first `count` orders of the queue as the general loop does, where only the margin can hold them up.

    Rates are divided out once, not for each fill: with four divisions less it takes half the time, and figures differ
    from the general loop's in their last bit. Returns cash, commissions, slippage and the number of fills so far.
    """
    slips, costs, both, margin = bps / 10_000, commission_bps / 10_000, (bps + commission_bps) / 10_000, initial / 100
    for place in range(count):
        each = queue[place]
        asked, holds, price = state[_LEFT, each], state[_POSITION, each], prices[row, each]
        if not holds * asked < 0:
            continue
        size = math.copysign(min(abs(holds), abs(asked)), asked)
        slip = price * slips
        paid = price + math.copysign(slip, size)
        commission = abs(size) * paid * costs
        state[_POSITION, each] = holds + size
        state[_LEFT, each] = asked - size
        cash += -size * paid
        cash += -commission
        commissions += commission
        slippage += abs(size) * slip
        if len(fills) > 0:
            _note(fills, filled, row, names[each], size, auction, price, slip, commission, False, holds + size)
        filled += 1
    value, gross = 0.0, 0.0
    for each in range(len(names)):
        part = state[_POSITION, each] * prices[row, each]
        value += part
        gross += abs(part)
    for place in range(count):
        each = queue[place]
        size, price = state[_LEFT, each], prices[row, each]
        state[_LEFT, each] = 0.0
        worth = abs(size) * price
        funds = cash + value - worth * both
        if size == 0 or ruined or (gross + worth) * margin > funds * (1 + _TINY):
            continue
        slip = price * slips
        paid = price + math.copysign(slip, size)
        commission = abs(size) * paid * costs
        state[_POSITION, each] += size
        cash += -size * paid
        cash += -commission
        value += size * price
        gross += worth
        commissions += commission
        slippage += abs(size) * slip
        if len(fills) > 0:
            _note(fills, filled, row, names[each], size, auction, price, slip, commission, False,
                  state[_POSITION, each])  # fmt: skip
        filled += 1
    return cash, commissions, slippage, filled


def _fee(value: float, rates: Floats, since: int, day: int, column: int, default: float) -> float:
    """Returns the fee for the nights that begin on the days `since` … `day - 1`, neighbours at one rate together."""
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
