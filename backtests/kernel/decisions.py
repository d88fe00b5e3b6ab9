"""Steps a rule through all sessions of many runs: the loop around `advance` and `weigh`, compiled for each rule."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backtests.kernel.numba_cache import compiled, helper
from feeds.errors import InputError
from strategies.rule import Rule
from strategies.signals import Floats

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
_SAID = 200  # characters of what numba says that are shown

# What the names below stand for when a rule's loop is compiled
_advance: Any = None
_weigh: Any = None


def _walk(
    numbers: Floats, limits: Floats, groups: Ints, which: Ints, asked_as: Ints, rows: Floats, decides: Bools,
    state_rows: int, weights: Floats, changes: Ints, slots: Ints,
) -> None:  # fmt: skip
    """Steps each run through the sessions, those of a group together.

    Args:
        numbers: Shape (runs, numbers of the rule).
        limits: Shape (runs, limits).
        groups: Shape (groups + 1,): where the groups begin. A group has the same numbers and reads the same rows.
        which: Shape (runs,): which of the `rows` each run reads.
        asked_as: Shape (runs,): which of the rows of `decides` is each run's.
        rows: Shape (readings, sessions, rows of the rule, symbols).
        decides: Shape (any, sessions): whether the rule is asked for the session.
        state_rows: Of the rule's state.
        weights: Shape (runs, sessions, symbols), filled here in part: see `changes`.
        changes: Shape (runs, sessions), filled here: the row of weights that begins with the session, -1 for none.
        slots: Shape (runs,), filled here: whose weights and changes are the run's, in a group one for each limits.
    """
    sessions, symbols = rows.shape[1], rows.shape[3]
    state = np.empty((state_rows, symbols))
    for group in range(len(groups) - 1):
        first, stop = groups[group], groups[group + 1]
        for run in range(first, stop):
            slots[run] = run
            if run > first and (limits[run] == limits[run - 1]).all():
                slots[run] = slots[run - 1]
            changes[run] = -1
        state[:] = 0.0
        count, seen, own = 0, rows[which[first]], numbers[first]
        for session in range(sessions):
            if not decides[asked_as[first], session]:
                continue
            if not _advance(own, state, seen[session]) and count > 0:
                continue
            for run in range(first, stop):
                if slots[run] == run:
                    _weigh(limits[run], own, state, weights[run, count])
                    changes[run, session] = count
            count += 1


@cache
def walker(rule: type[Rule]) -> Any:
    """Returns `_walk` compiled for a rule."""
    steps = {"_advance": helper(rule.advance), "_weigh": helper(rule.weigh)}
    source = rule.code.sha256 if rule.code is not None else rule.__module__  # the same file has the same machine code
    return compiled(_walk, f"_{source}_{rule.__qualname__}", keep=True, **steps)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decisions:
    """Holds target weights of many runs, where they change.

    Attributes:
        weights: Shape (slots, changes, symbols).
        changes: Shape (slots, sessions): the row of weights that begins with the session, -1 where none does.
        slots: Shape (runs,): whose weights and changes are the run's.
    """

    weights: Floats
    changes: Ints
    slots: Ints

    def of(self, run: int) -> Floats:
        """Returns the weights of a run in each session, shape (sessions, symbols)."""
        slot = self.slots[run]
        rows = np.maximum.accumulate(self.changes[slot])
        return np.where(rows[:, None] >= 0, self.weights[slot, rows], 0.0)


def decide(
    rule: type[Rule], numbers: Floats, limits: Floats, which: Ints, asked_as: Ints, rows: Floats, decides: Bools
) -> Decisions:
    """Decides for many runs of one rule, those of the same numbers side by side; arguments as in `_walk`.

    Raises:
        InputError: A user's own rule holds what numba cannot compile.
    """
    runs, sessions = len(numbers), rows.shape[1]
    alike = (numbers[1:] == numbers[:-1]).all(axis=1) & (which[1:] == which[:-1]) & (asked_as[1:] == asked_as[:-1])
    groups = np.concatenate([[0], np.flatnonzero(~alike) + 1, [runs]])
    made = Decisions(
        weights=np.empty((runs, sessions, rows.shape[3])),
        changes=np.empty((runs, sessions), dtype=np.int64),
        slots=np.empty(runs, dtype=np.int64),
    )
    try:
        walker(rule)(
            numbers, limits, groups, which, asked_as, rows, decides, rule.state_rows, made.weights, made.changes,
            made.slots,
        )  # fmt: skip
    except Exception as wrong:  # numba's have no class in common
        if rule.code is None:
            raise
        said = " ".join(str(wrong).split())[:_SAID]
        raise InputError(
            f"{rule.code.file}: {rule.__name__} cannot be compiled ({said}); a `step` of its own is replayed"
        ) from wrong
    return made
