"""Steps a rule through all sessions of many runs: the loop around `advance` and `weigh`, the same for all rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backtests.kernel.numba_cache import address, called_at, compiled
from feeds.errors import InputError
from strategies.rule import Rule
from strategies.signals import Floats

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
_SAID = 200  # characters of what numba says that are shown

# What a rule's two halves and the loop are compiled for; the halves are known to the loop by their addresses
_ADVANCE = "boolean(float64[::1], float64[:, ::1], float64[:, ::1])"
_WEIGH = "void(float64[::1], float64[::1], float64[:, ::1], float64[::1])"
_WALK = (
    "void(intp, intp, float64[:, ::1], float64[:, ::1], int64[::1], int64[::1], int64[::1], float64[:, :, :, ::1], "
    "boolean[:, ::1], float64[:, ::1], float64[:, :, ::1], int64[:, ::1], int64[::1])"
)
# What the names below stand for when the loop is compiled: calls of what lies at an address
_advance: Any = None
_weigh: Any = None


def _walk(
    advance: int, weigh: int, numbers: Floats, limits: Floats, groups: Ints, which: Ints, asked_as: Ints, rows: Floats,
    decides: Bools, state: Floats, weights: Floats, changes: Ints, slots: Ints,
) -> None:  # fmt: skip
    """Steps each run through the sessions, those of a group together.

    Args:
        advance: Address of the rule's, compiled.
        weigh: Address of the rule's, compiled.
        numbers: Shape (runs, numbers of the rule).
        limits: Shape (runs, limits).
        groups: Shape (groups + 1,): where the groups begin. A group has the same numbers and reads the same rows.
        which: Shape (runs,): which of the `rows` each run reads.
        asked_as: Shape (runs,): which of the rows of `decides` is each run's.
        rows: Shape (readings, sessions, rows of the rule, symbols).
        decides: Shape (any, sessions): whether the rule is asked for the session.
        state: Room for the rule's state, shape (state rows, symbols).
        weights: Shape (runs, sessions, symbols), filled here in part: see `changes`.
        changes: Shape (runs, sessions), filled here: the row of weights that begins with the session, -1 for none.
        slots: Shape (runs,), filled here: whose weights and changes are the run's, in a group one for each limits.
    """
    sessions = rows.shape[1]
    for group in range(len(groups) - 1):
        first, stop = groups[group], groups[group + 1]
        for run in range(first, stop):
            same = run > first
            for each in range(limits.shape[1]):
                same = same and limits[run, each] == limits[run - 1, each]
            slots[run] = slots[run - 1] if same else run
            changes[run] = -1
        state[:] = 0.0
        count, seen, own = 0, rows[which[first]], numbers[first]
        for session in range(sessions):
            if not decides[asked_as[first], session]:
                continue
            if not _advance(advance, own, state, seen[session]) and count > 0:
                continue
            for run in range(first, stop):
                if slots[run] == run:
                    _weigh(weigh, limits[run], own, state, weights[run, count])
                    changes[run, session] = count
            count += 1


@cache
def _walker() -> Any:
    """Compiles the loop, the same for all rules."""
    return compiled(_walk, _WALK, _advance=called_at(_ADVANCE), _weigh=called_at(_WEIGH))


@cache
def _halves(rule: type[Rule]) -> tuple[int, int]:
    """Compiles `advance` and `weigh` of a rule; returns their addresses."""
    name = "" if rule.code is None else f"_{rule.code.sha256}"  # the same file has the same machine code
    return address(_half(rule.advance, _ADVANCE, name)), address(_half(rule.weigh, _WEIGH, name))


@cache
def _half(function: Callable[..., Any], signature: str, name: str) -> Any:
    """Compiles half a rule's step; most rules share one `weigh`."""
    return compiled(function, signature, name=name)


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
    state = np.empty((rule.state_rows, rows.shape[3]))
    try:
        _walker()(
            *_halves(rule), _floats(numbers), _floats(limits), groups, which, asked_as, _floats(rows), decides, state,
            made.weights, made.changes, made.slots,
        )  # fmt: skip
    except Exception as wrong:  # numba's have no class in common
        if rule.code is None:
            raise
        said = " ".join(str(wrong).split())[:_SAID]
        raise InputError(
            f"{rule.code.file}: {rule.__name__} cannot be compiled ({said}); a `step` of its own is replayed"
        ) from wrong
    return made


def _floats(table: Floats) -> Floats:
    """Returns a table as it is compiled for, a copy where it is another."""
    return np.ascontiguousarray(table, dtype=float)
