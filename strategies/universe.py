"""Which symbol is exposed to which channel of AI demand, from a dated table."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from feeds.errors import InputError

UNIVERSE = Path(__file__).with_name("universe.csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """One row: more AI demand moves `symbol` through `channel` by `weight` in [-1, 1] from `valid_from` on."""

    symbol: str
    sector: str
    channel: str
    weight: float
    valid_from: date
    evidence: str


@cache
def exposures(path: Path = UNIVERSE) -> tuple[Exposure, ...]:
    """Reads the table of exposures.

    Raises:
        InputError: A row that cannot be read, with its line.
    """
    rows = []
    lines = path.read_text(encoding="utf-8").splitlines()
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line and not line.startswith("#")]
    for (number, _), row in zip(numbered[1:], csv.DictReader(line for _, line in numbered), strict=True):
        try:
            rows.append(
                Exposure(
                    symbol=row["symbol"],
                    sector=row["sector"],
                    channel=row["channel"],
                    weight=float(row["weight"]),
                    valid_from=date.fromisoformat(row["valid_from"]),
                    evidence=row["evidence"],
                )
            )
        except (KeyError, TypeError, ValueError) as wrong:
            raise InputError(f"{path.name}:{number}: {wrong}; see the header for the columns") from wrong
        if not -1 <= rows[-1].weight <= 1:
            raise InputError(f"{path.name}:{number}: weight {rows[-1].weight} is outside [-1, 1]")
    return tuple(rows)


def exposure_weights(symbols: tuple[str, ...], as_of: date, path: Path = UNIVERSE) -> tuple[float, ...]:
    """Returns each symbol's summed exposure that was in force on `as_of`; 0 for a symbol without one."""
    return tuple(
        sum(row.weight for row in exposures(path) if row.symbol == symbol and row.valid_from <= as_of)
        for symbol in symbols
    )
