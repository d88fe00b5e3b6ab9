"""Makes a strategy of somebody's decisions: a table `session,symbol,weight,decided_at,model` as CSV.

A session's rows are all of its targets: a symbol without a row is flat. A session without rows keeps the last targets.
A decision counts only where `decided_at` is not after the deadline of its session, open - lead. That time is the
table's own claim: nothing here can prove that it was not written down later.
"""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from backtests.user_strategies.checks import wrong_weights
from feeds.errors import InputError, did_you_mean
from strategies import registry
from strategies.rule import Rule
from strategies.sessions import Sessions
from strategies.signals import Floats
from strategies.view import View

COLUMNS = ("session", "symbol", "weight", "decided_at", "model")
_OPTIONAL = {"model"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Holds one row: the target weight of a symbol for a session, a fraction of equity."""

    session: date
    symbol: str
    weight: float
    decided_at: datetime  # aware
    place: str  # "file:line", for messages


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionFile:
    """Holds a table of decisions as it was read."""

    file: str  # as it was given
    text: str
    model: str  # who decided; the file's name where it does not say
    rows: tuple[Decided, ...]  # in order of the sessions

    @property
    def sha256(self) -> str:
        """Returns the hash of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def place(self) -> str:
        """Returns the place in a run's folder that keeps the text."""
        return f"decisions/{self.sha256[:8]}/{Path(self.file).name}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class DecisionTable(Rule):
    """Holds what a table says: the targets of the session, or the last ones before it."""

    name: ClassVar[str] = "decisions"
    about: ClassVar[str] = "decisions that somebody made, from a file"
    news: ClassVar[bool] = False
    table: ClassVar[DecisionFile]
    days: ClassVar[tuple[date, ...]] = ()  # sessions with rows, in order
    targets: ClassVar[tuple[Mapping[str, float], ...]] = ()  # of each of them

    def observe(self, view: View) -> tuple[Floats, ...]:
        """Returns the targets that stand at the view's session."""
        count = bisect_right(self.days, view.session)
        last = self.targets[count - 1] if count else {}
        return (np.array([last.get(symbol, 0.0) for symbol in view.symbols]),)

    def step(self, state: Floats, rows: tuple[Floats, ...]) -> Floats:  # noqa: ARG002 (a rule's signature)
        """Takes them as they are."""
        return rows[0].copy()

    def holds(self, sector: str, symbol: str, benchmark: str) -> bool:  # noqa: ARG002 (likewise)
        """Returns whether the table ever names the symbol."""
        return any(symbol in each for each in self.targets)

    def check(
        self, sessions: Sessions, lead: timedelta, symbols: Sequence[str], sectors: Sequence[str], benchmark: str
    ) -> None:
        """Checks the table against what it is replayed on.

        Raises:
            InputError: A session or symbol that is not there, a decision after its deadline, or weights beyond the
                caps; with file and line.
        """
        opens = dict(zip(sessions.sessions, sessions.opens, strict=True))
        for row in self.table.rows:
            if row.session not in opens:
                raise InputError(f"{row.place}: {row.session} is no session here; drop the row, or correct the day")
            if row.symbol not in symbols:
                raise InputError(f"{row.place}: {row.symbol!r} is not traded here; {did_you_mean(row.symbol, symbols)}")
            deadline = opens[row.session] - lead
            if row.decided_at > deadline:
                raise InputError(
                    f"{row.place}: decided at {row.decided_at.isoformat()}, after the deadline of {row.session} "
                    f"({deadline.isoformat()}); a decision counts for the next session, or not at all"
                )
        places = {row.session: row.place for row in self.table.rows}
        for day, targets in zip(self.days, self.targets, strict=True):
            weights = np.array([targets.get(symbol, 0.0) for symbol in symbols])
            if wrong := wrong_weights(self, symbols, sectors, benchmark, weights):
                raise InputError(f"{places[day]}: for {day} {wrong} (--set name=value)")


def table_type(path: str, text: str) -> type[DecisionTable]:
    """Makes the strategy of a table's text.

    Raises:
        InputError: It is no such table, or a row is wrong in itself; with file and line.
    """
    table = _read(path, text)
    by_day: dict[date, dict[str, float]] = {}
    for row in table.rows:
        by_day.setdefault(row.session, {})[row.symbol] = row.weight
    if table.model in registry.rules():
        raise InputError(f"{path}: the model {table.model!r} has the name of a built-in strategy; choose another")
    own: dict[str, Any] = {"name": table.model, "table": table, "days": tuple(by_day), "targets": (*by_day.values(),)}
    return type("DecisionTable", (DecisionTable,), {**own, "__doc__": DecisionTable.__doc__})


def text_of(rows: Sequence[tuple[str, str, float, str]], model: str) -> str:
    """Writes a table of (session, symbol, weight, decided_at) rows."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([session, symbol, repr(float(weight)), at, model] for session, symbol, weight, at in rows)
    return out.getvalue()


def _read(path: str, text: str) -> DecisionFile:
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    found: dict[tuple[date, str], Decided] = {}
    models: dict[str, str] = {}
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if not {*COLUMNS} - _OPTIONAL <= {*header} <= {*COLUMNS} or len({*header}) < len(header):
            raise InputError(f"{path}:1: columns must be {','.join(COLUMNS)} (model may be left out)")
        for cells in reader:
            if not cells:
                continue
            place = f"{path}:{reader.line_num}"
            if len(cells) != len(header):
                raise InputError(f"{place}: {len(cells)} values, but the header names {len(header)}; fix the row")
            row = dict(zip(header, map(str.strip, cells), strict=True))
            made = _row(place, row)
            first = found.setdefault((made.session, made.symbol), made)
            if first is not made:
                raise InputError(f"{place}: {made.symbol} on {made.session} is there twice ({first.place}); drop one")
            models.setdefault(row.get("model", ""), place)
    except csv.Error as wrong:
        raise InputError(f"{path}: is no CSV ({wrong}); save it as one") from None
    if not found:
        raise InputError(f"{path}: holds no decisions; give rows of {','.join(COLUMNS)}")
    if len(models) > 1:
        one, other = list(models)[:2]
        raise InputError(f"{models[other]}: model {other!r} after {one!r}; give each model a file of its own")
    rows = sorted(found.values(), key=lambda each: each.session)
    return DecisionFile(file=path, text=text, model=next(iter(models)) or Path(path).stem, rows=tuple(rows))


def _row(place: str, row: Mapping[str, str]) -> Decided:
    if strange := next((cell for cell in row.values() if not cell.isprintable()), None):
        raise InputError(f"{place}: {strange!r:.60} holds characters that cannot be shown; fix the row")
    try:
        session = date.fromisoformat(row["session"])
    except ValueError:
        raise InputError(f"{place}: session {row['session']!r}: give a day as 2025-01-27") from None
    try:
        weight = float(row["weight"])
    except ValueError:
        weight = math.nan
    if not math.isfinite(weight):
        raise InputError(f"{place}: weight {row['weight']!r}: give a finite number, a fraction of equity; 0 is flat")
    try:
        decided_at = datetime.fromisoformat(row["decided_at"])
    except ValueError:
        raise InputError(f"{place}: decided_at {row['decided_at']!r}: give a time as 2025-01-27T14:05Z") from None
    if decided_at.tzinfo is None:
        raise InputError(f"{place}: decided_at {row['decided_at']!r} has no time zone; add Z for UTC, or an offset")
    if not row["symbol"]:
        raise InputError(f"{place}: symbol is empty; name it or drop the row")
    return Decided(session=session, symbol=row["symbol"], weight=weight, decided_at=decided_at, place=place)
