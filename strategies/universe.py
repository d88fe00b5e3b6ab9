"""Reads which symbol is exposed to which channel of AI demand, from a dated table."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np

from feeds.errors import InputError, did_you_mean
from strategies.signals import Floats

UNIVERSE = Path(__file__).with_name("universe.csv")
CHANNELS = ("compute demand", "power demand", "gas price", "platform margin", "displacement")
DEMAND = CHANNELS[:2]  # what the AI-disruption sentiment is about in the first place
COLUMNS = ("symbol", "sector", "channel", "sign", "weight", "valid_from", "evidence")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """Holds one row: more AI demand moves `symbol` through `channel` by sign x weight, known on `valid_from`."""

    symbol: str
    sector: str
    channel: str  # one of CHANNELS
    sign: int  # +1 or -1
    weight: float  # (0, 1]
    valid_from: date  # the day on which the evidence was public: it counts from the session after it
    evidence: str


@cache
def exposures(path: Path = UNIVERSE) -> tuple[Exposure, ...]:
    """Reads the table of exposures.

    Raises:
        InputError: A row that cannot be read, with its line.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line and not line.startswith("#")]
    reader = csv.DictReader(line for _, line in numbered)
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise InputError(f"{path.name}: columns must be {','.join(COLUMNS)}")
    return tuple(_exposure(row, f"{path.name}:{number}") for (number, _), row in zip(numbered[1:], reader, strict=True))


def _exposure(row: dict[str, str], place: str) -> Exposure:
    if len(row) != len(COLUMNS) or None in row.values():
        raise InputError(f"{place}: not {len(COLUMNS)} values; quote an evidence that has a comma")
    if row["channel"] not in CHANNELS:
        raise InputError(f"{place}: unknown channel {row['channel']!r}; {did_you_mean(row['channel'], CHANNELS)}")
    try:
        made = Exposure(
            symbol=row["symbol"],
            sector=row["sector"],
            channel=row["channel"],
            sign=int(row["sign"]),
            weight=float(row["weight"]),
            valid_from=date.fromisoformat(row["valid_from"]),
            evidence=row["evidence"],
        )
    except ValueError as wrong:
        raise InputError(f"{place}: {wrong}; see the header for the columns") from wrong
    if made.sign not in {-1, 1} or not 0 < made.weight <= 1:
        raise InputError(f"{place}: sign must be 1 or -1 and weight above 0 and at most 1")
    return made


def exposure_table(symbols: Sequence[str], sessions: Sequence[date], path: Path = UNIVERSE) -> Floats:
    """Returns each symbol's exposure by channel as known before each session's open.

    Returns:
        Shape (channels, sessions, symbols), in the order of `CHANNELS`; 0 where there is none.
    """
    table = np.zeros((len(CHANNELS), len(sessions), len(symbols)))
    columns = {symbol: column for column, symbol in enumerate(symbols)}
    for row in exposures(path):
        if row.symbol in columns:
            first = sum(session <= row.valid_from for session in sessions)
            table[CHANNELS.index(row.channel), first:, columns[row.symbol]] += row.sign * row.weight
    return table
