"""Holds directions for a holding period: the state machines that rules share. Plain loops, which numba compiles.

They work on the first rows of a rule's state, shape (STATE_ROWS or more, symbols), all zero before the first session.
In most sessions nothing is triggered and no period ends: then a step is done after one look at the clock. Rows are
named by their numbers instead of being cut out, since compiled a cut costs more than a loop over it.
"""

from __future__ import annotations

from strategies.signals import Floats

STATE_ROWS = 7
# Direction x size; the direction held; this session's trigger, and after a step in which any direction changed whose;
# the session in which the position is left; its size at entry; and, each at its first symbol, the sessions so far and
# the next in which a position is left.
PART, DIRECTION, TRIGGER, UNTIL, SIZE, CLOCK, NEXT = range(STATE_ROWS)


def crossings(state: Floats, rows: Floats, threshold: float, level: bool) -> bool:
    """Notes a trigger, +1 or -1, where a signal reaches its threshold this session; returns whether there is any.

    `rows` begin with the signal now and that of one session before. With `level` a signal that merely stays beyond
    its threshold counts too.
    """
    found = 0
    for index in range(rows.shape[1]):
        now, before = rows[0, index], rows[1, index]
        up = (now >= threshold) & (level | (before < threshold))
        down = (now <= -threshold) & (level | (before > -threshold))
        state[TRIGGER, index] = (1.0 if up else 0.0) - (1.0 if down else 0.0)
        found += 1 if up | down else 0
    return found > 0


def hold_directions(state: Floats, triggered: bool, hold: float, refresh: bool) -> bool:
    """Advances each symbol by one session; returns whether any direction changed.

    A trigger (+1 or -1) sets the direction and starts `hold` sessions, counted open to open: entered at the
    open of k, left at the open of k + hold. While a position runs, a trigger of the same sign restarts the
    count only with `refresh`; one of the opposite sign turns it round. A position that ends and begins anew in the same
    direction does not change. `triggered` says whether there is any trigger.
    """
    state[CLOCK, 0] += 1
    clock, following = state[CLOCK, 0], state[NEXT, 0]
    if not triggered and (following == 0 or clock < following):
        return False
    changed, following = 0, 0.0
    for index in range(state.shape[1]):
        trigger, was, until = state[TRIGGER, index], state[DIRECTION, index], state[UNTIL, index]
        kept = was if clock < until else 0.0
        taken = (trigger != 0) & (refresh | (kept != trigger))
        now = trigger if taken else kept
        until = clock + hold if taken else until
        state[DIRECTION, index], state[UNTIL, index] = now, until
        state[TRIGGER, index] = 1.0 if now != was else 0.0
        changed += 1 if now != was else 0
        if now != 0 and (following == 0 or until < following):
            following = until
    state[NEXT, 0] = following
    return changed > 0


def hold_equal(state: Floats, triggered: bool, hold: float, refresh: bool) -> bool:
    """Advances by one session; every position has size 1. Returns whether any part changed."""
    if not hold_directions(state, triggered, hold, refresh):
        return False
    for index in range(state.shape[1]):
        state[PART, index] = state[DIRECTION, index]
    return True


def hold_positions(state: Floats, triggered: bool, sizes: Floats, hold: float, refresh: bool) -> bool:
    """Advances by one session; a size is taken when a position is entered or turned round, and kept while it runs."""
    if not hold_directions(state, triggered, hold, refresh):
        return False
    take_sizes(state, sizes)
    return True


def hold_signed(state: Floats, rows: Floats, threshold: float, hold: float) -> bool:
    """Advances by one session on one signal for all symbols, each held in the direction of signal x its own sign.

    `rows`: the signal now and one session before (the same for all), the signs, and the sizes at entry.
    """
    triggered = crossings(state, rows, threshold, False)
    for index in range(rows.shape[1]):
        state[TRIGGER, index] *= rows[2, index]
    return hold_positions(state, triggered, rows[3], hold, False)


def hold_while(state: Floats, signal: Floats, sizes: Floats, leave: float) -> bool:
    """Holds like `hold_positions`, but until a position's signal is within `leave` of 0 or has changed its sign."""
    changed = 0
    for index in range(state.shape[1]):
        was, trigger = state[DIRECTION, index], state[TRIGGER, index]
        kept = 0.0 if signal[index] * was < leave else was
        now = trigger if trigger != 0 else kept
        state[DIRECTION, index] = now
        state[TRIGGER, index] = 1.0 if now != was else 0.0
        changed += 1 if now != was else 0
    if changed == 0:
        return False
    take_sizes(state, sizes)
    return True


def take_sizes(state: Floats, sizes: Floats) -> None:
    """Notes the size of each position whose direction changed, and the parts."""
    for index in range(state.shape[1]):
        size = sizes[index] if state[TRIGGER, index] != 0 else state[SIZE, index]
        state[SIZE, index] = size
        state[PART, index] = state[DIRECTION, index] * size
