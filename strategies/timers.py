"""Directions with a holding period: the state machines that rules share. Plain loops, which numba compiles."""

from __future__ import annotations

from strategies.signals import Floats


def hold_directions(directions: Floats, remaining: Floats, triggers: Floats, hold: float, refresh: bool) -> None:
    """Advances each symbol by one session, in place; everything has shape (symbols,).

    A trigger (+1 or -1) sets the direction and starts `hold` sessions, counted open to open: entered at the
    open of k, left at the open of k + hold. While a position runs, a trigger of the same sign restarts the
    count only with `refresh`; one of the opposite sign turns it round.
    """
    for index in range(len(directions)):
        if remaining[index] > 0:
            remaining[index] -= 1
            if remaining[index] == 0:
                directions[index] = 0.0
        trigger = triggers[index]
        if trigger == 0:
            continue
        if directions[index] == 0 or directions[index] * trigger < 0 or (refresh and directions[index] == trigger):
            directions[index] = trigger
            remaining[index] = hold


def hold_positions(state: Floats, triggers: Floats, sizes: Floats, hold: float, refresh: bool) -> Floats:
    """Advances `state` (direction, sessions left, size at entry) by one session; returns direction x size.

    A size is taken when a position is entered or turned round, and kept as long as it runs.
    """
    before = state[0].copy()
    hold_directions(state[0], state[1], triggers, hold, refresh)
    return entered_sizes(state, before, sizes)


def hold_while(state: Floats, signal: Floats, triggers: Floats, sizes: Floats, leave: float) -> Floats:
    """Like `hold_positions`, but a position runs until its signal is within `leave` of 0 or has changed its sign."""
    before = state[0].copy()
    for index in range(len(signal)):
        if signal[index] * state[0][index] < leave:
            state[0][index] = 0.0
        if triggers[index] != 0:
            state[0][index] = triggers[index]
    return entered_sizes(state, before, sizes)


def entered_sizes(state: Floats, before: Floats, sizes: Floats) -> Floats:
    """Notes the size of each position whose direction is not what it was `before`; returns direction x size.

    The answer is written over `before`: a new array costs the compiled engine as much as the loop.
    """
    for index in range(len(before)):
        if state[0][index] != before[index]:
            state[2][index] = sizes[index]
        before[index] = state[0][index] * state[2][index]
    return before


def crossings(now: Floats, before: Floats, threshold: float, level: bool) -> Floats:
    """Returns +1 or -1 where a signal reaches its threshold this session, else 0.

    With `level` a signal that merely stays beyond its threshold counts too.
    """
    out = now * 0.0
    for index in range(len(now)):
        value, last = now[index], before[index]
        if value >= threshold and (level or last < threshold):
            out[index] = 1.0
        elif value <= -threshold and (level or last > -threshold):
            out[index] = -1.0
    return out
