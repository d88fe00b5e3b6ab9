"""Holds a finished run as plain tables and documents: what files, pages and terminal reports are made from.

| table     | one row per                 | columns beside `strategy`                                     |
|-----------|-----------------------------|---------------------------------------------------------------|
| equity    | session                     | session, cash, positions, equity (US dollars), gross, net     |
|           |                             | (fractions of equity), margin_call, buying_power              |
| positions | holding at a close          | session, symbol, shares, close, value                         |
| orders    | order                       | order, decided, session, symbol, size, filled, status,        |
|           |                             | reason, forced                                                |
| fills     | execution                   | order, session, symbol, size, auction, auction_price, price,  |
|           |                             | commission, slippage, forced, position, moment (UTC)          |
| flows     | borrow, dividend, interest  | session, symbol, kind, amount                                 |
| trades    | round trip or open position | symbol, direction, opened, closed, shares, entry_price,       |
|           |                             | exit_price, commission, borrow, dividends, pnl                |
| targets   | change of a target weight   | session, symbol, weight                                       |
| signals   | session (no strategy)       | session, headlines, sentiment for each treatment of           |
|           |                             | reactions, tone, vader                                        |
| scores    | headline (no strategy)      | id, published, known_at, session, … features, link            |
| bars      | symbol and session          | symbol, session, open, high, low, close; from the session     |
|           | (no strategy)               | before the window on                                          |
| sessions  | session (no strategy)       | session, opens, closes (UTC), likewise                        |
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from strategies.rule import Rule

TABLES = (
    "equity",
    "positions",
    "orders",
    "fills",
    "flows",
    "trades",
    "targets",
    "signals",
    "scores",
    "bars",
    "sessions",
)


@dataclass(frozen=True, slots=True)
class Table:
    """Holds column names and rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def records(self) -> list[dict[str, Any]]:
        """Returns the rows as dictionaries."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(eq=False, repr=False)
class RunRecord:
    """Holds a run's tables, figures, configuration and evidence."""

    tables: dict[str, Table]  # by the names in TABLES
    document: dict[str, Any]  # what `--json` prints
    config: dict[str, Any]  # what makes the run: data, scorer, broker's terms, strategies
    texts: dict[str, str] = field(default_factory=dict)  # files to write besides, by their place in the run's folder
    files: dict[str, bytes] = field(default_factory=dict)  # likewise: the file that the scorer is made of
    made: dict[str, Any] = field(default_factory=dict)  # versions and code of a loaded run; empty: those of now
    inputs: dict[str, Path] = field(default_factory=dict)  # place in the run's folder, and where the file lies
    evidence: dict[str, dict[str, Any]] = field(default_factory=dict)  # name of a method to its document

    @property
    def hash8(self) -> str:
        """Hashes the configuration and all data that went in, to eight hex digits."""
        return hashlib.sha256(json_text(self.config).encode()).hexdigest()[:8]


def label(rule: Rule, among: Sequence[Rule]) -> str:
    """Returns a rule's name, with the parameters in which it differs from its namesakes of the run."""
    twins = [other for other in among if other.name == rule.name]
    differing = [name for name, value in rule.parameters.items() if any(o.parameters[name] != value for o in twins)]
    return rule.name + (f" ({', '.join(str(rule.parameters[name]) for name in differing)})" if differing else "")


_LONG = 1_000_000  # characters


def json_text(value: Any) -> str:
    """Returns JSON as a run's files have it: indented for a reader, on one line where it is long; NaN is refused."""
    short = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    if len(short) > _LONG:
        return short + "\n"
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
