"""A rule's steps through all sessions of many runs: the loop around `advance`, compiled anew for each rule."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backtests.kernel.compiling import compiled
from strategies.rule import Rule
from strategies.signals import Floats

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# What the names below stand for when a rule's loop is compiled
_advance: Any = None
_taken: Any = None
_less: Any = None
_last = 0


def _walk(numbers: Floats, which: Ints, rows: Floats, decides: Bools, state_rows: int, weights: Floats) -> None:
    """Steps each run through the sessions.

    Args:
        numbers: Shape (runs, numbers of the rule).
        which: Shape (runs,): which of the `rows` each run reads.
        rows: Shape (readings, sessions, rows of the rule, symbols).
        decides: Shape (runs, sessions): whether the rule is asked for the session.
        state_rows: Of the rule's state.
        weights: Shape (runs, sessions, symbols), filled here; a session without a decision keeps the last weights.
    """
    for run in range(len(numbers)):
        seen = rows[which[run]]
        state = np.zeros((state_rows, seen.shape[2]))
        for session in range(seen.shape[0]):
            if decides[run, session]:
                weights[run, session] = _advance(numbers[run], state, _taken(seen[session]))
            elif session:
                weights[run, session] = weights[run, session - 1]
            else:
                weights[run, session] = 0.0


def _first(rows: Floats) -> tuple[Floats, ...]:
    return (rows[0],)


def _and_one_more(rows: Floats) -> tuple[Floats, ...]:
    return _less(rows) + (rows[_last],)  # type: ignore[no-any-return] # noqa: RUF005 (numba unpacks no tuples)


@cache
def _taker(count: int) -> Any:
    """Returns a compiled function that makes a tuple of the first `count` rows: numba must know its length."""
    if count == 1:
        return compiled(_first)
    return compiled(_and_one_more, _less=_taker(count - 1), _last=count - 1)


@cache
def walker(advance: Callable[..., Any], name: str, rows: int) -> Any:
    """Returns `_walk` compiled for a rule that observes so many rows."""
    return compiled(_walk, f"_{name}_{rows}", keep=True, _advance=compiled(advance), _taken=_taker(rows))


def decide(rule: type[Rule], numbers: Floats, which: Ints, rows: Floats, decides: Bools) -> Floats:
    """Returns the weights of many runs of one rule, shape (runs, sessions, symbols); arguments as in `_walk`."""
    weights = np.empty((len(numbers), rows.shape[1], rows.shape[3]))
    walker(rule.advance, f"{rule.__module__}_{rule.__qualname__}", rows.shape[2])(
        numbers, which, rows, decides, rule.state_rows, weights
    )
    return weights
