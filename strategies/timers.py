"""Direction with a holding period: the state machine that several rules share."""

from __future__ import annotations

from strategies.signals import Floats


def hold_directions(
    directions: Floats, remaining: Floats, triggers: Floats, hold: int, *, refresh: bool, opposite: bool = True
) -> None:
    """Advances each symbol by one session, in place; everything has shape (symbols,).

    A trigger (+1 or -1) sets the direction and starts `hold` sessions, counted open to open: entered at the
    open of k, left at the open of k + hold. While a position runs, a trigger of the same sign restarts the
    count only with `refresh`; one of the opposite sign turns it round unless `opposite` is False.
    """
    for index in range(len(directions)):
        if remaining[index] > 0:
            remaining[index] -= 1
            if remaining[index] == 0:
                directions[index] = 0.0
        trigger = triggers[index]
        if trigger == 0:
            continue
        flat = directions[index] == 0
        turned = directions[index] * trigger < 0 and opposite
        if flat or turned or (refresh and directions[index] == trigger):
            directions[index] = trigger
            remaining[index] = hold


def crossings(now: Floats, before: Floats, threshold: float, *, level: bool) -> Floats:
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
