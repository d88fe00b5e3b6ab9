"""Checks the weights of a user's rule, and says in one line what failed and where."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from feeds.errors import InputError
from strategies.rule import Rule
from strategies.signals import Floats
from strategies.view import View

EXCESS = 1e-9  # relative: weights may miss their bound by noise of floating-point arithmetic


def where(path: Path | str, wrong: BaseException) -> str:
    """Returns `file:line` of the last step inside the user's file that led to an error."""
    lines = [step.lineno for step in traceback.extract_tb(wrong.__traceback__) if step.filename == str(path)]
    return f"{path}:{lines[-1]}" if lines else str(path)


def error_text(wrong: BaseException) -> str:
    """Returns an error's type and message on one line of at most 300 characters."""
    return f"{type(wrong).__name__}: {' '.join(str(wrong).split()) or 'no message'}"[:300]


def check_weights(path: Path, decide: Callable[[Rule, View, Floats], Floats]) -> Callable[[Rule, View, Floats], Floats]:
    """Wraps `decide`: refuses in one line what is no set of weights that the rule may hold."""

    def checked(self: Rule, view: View, state: Floats) -> Floats:
        place = f"{path}: {self.name} for session {view.session}"
        try:
            weights = np.asarray(decide(self, view, state), dtype=np.float64)
        except Exception as wrong:
            raise failed(path, self.name, view.session, wrong) from wrong
        if weights.shape != (len(view.symbols),):
            raise InputError(f"{place}: weights of shape {weights.shape}, but there are {len(view.symbols)} symbols")
        refused = wrong_weights(self, view.symbols, view.sectors, view.benchmark, weights)
        if refused:
            raise InputError(f"{place}: {refused}")
        return weights

    return checked


def failed(path: Path | str, name: str, session: object, wrong: Exception) -> InputError:
    """Makes the error of a step that failed."""
    return InputError(f"{where(path, wrong)}: {name} for session {session}: {error_text(wrong)}")


def wrong_weights(rule: Rule, symbols: Sequence[str], sectors: Sequence[str], benchmark: str, weights: Floats) -> str:
    """Says what is wrong with weights: no number, a symbol that the rule may not hold, a cap; "" when nothing is."""
    gross = net = 0.0
    for symbol, sector, weight in zip(symbols, sectors, weights.tolist(), strict=True):
        if not np.isfinite(weight):
            return f"the weight of {symbol} is {weight}, no number; 0 is flat"
        if weight and not rule.holds(sector, symbol, benchmark):
            return f"weighs {symbol}, but may not hold it; add {sector!r} to `traded`"
        if abs(weight) > rule.name_cap * (1 + EXCESS) and sector != "funds":
            return f"the weight of {symbol} is {weight:.4g}, above name_cap {rule.name_cap:g}; weigh less or set it"
        gross += abs(weight)
        net += weight
    if gross > rule.gross * (1 + EXCESS):
        return f"weights sum to {gross:.4g} in size, above gross {rule.gross:g}; weigh less or set it"
    if abs(net) > rule.net_cap * (1 + EXCESS):
        return f"weights sum to {net:+.4g}, beyond net_cap {rule.net_cap:g}; weigh less or set it"
    return ""
