"""Reads what was reported about sessions: the [[claims]] of an episode.toml. docs/episodes.md has the kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from feeds.errors import EpisodeError

UNITS = {
    "return": "pct", "massive": "pct", "down": "pct", "up": "pct", "move": "pct", "calm": "pct", "record": "price",
    "level": "price", "value_lost": "usd_bn", "rank": "rank",
}  # fmt: skip
RECORDS = ("high", "low", "rise", "fall")
_WITH_NUMBER = {"return", "move", "calm", "level", "value_lost", "rank"}
_REQUIRED = {"symbol", "session", "said", "kind"}
_KEYS = _REQUIRED | {"reported", "tolerance", "since", "record"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One statement of a report. `reported` is in `unit`; None where the report gave no number."""

    symbol: str
    session: date
    said: str
    kind: str
    reported: float | None
    unit: str  # "pct", "price", "usd_bn" or "rank"
    tolerance: float  # in `unit`
    since: date | None = None  # of a move: the session whose close it starts from
    record: str = ""  # of a record: "high" or "low" (closes), "rise" or "fall" (returns from close to close)


def read_claims(rows: Sequence[Mapping[str, Any]], path: Path, *, known: set[str]) -> tuple[Claim, ...]:
    """Reads the claims of an episode.toml.

    Args:
        rows: The tables of `[[claims]]`.
        path: The episode.toml, for messages.
        known: The symbols that may be spoken of.

    Raises:
        EpisodeError: A claim with a wrong key, kind, symbol, date or number; with its line and position.
    """
    claims = []
    for number, row in enumerate(rows, 1):
        problem = _problem(row, known)
        if problem:
            raise EpisodeError(f"{_place(path, number)}: {problem}")
        kind = row["kind"]
        record = row.get("record", "high") if kind == "record" else ""
        claims.append(
            Claim(
                symbol=row["symbol"],
                session=row["session"],
                said=row["said"],
                kind=kind,
                reported=float(row["reported"]) if "reported" in row else None,
                unit=("pct" if record in {"rise", "fall"} else "price") if record else UNITS[kind],
                tolerance=float(row.get("tolerance", 0.0)),
                since=row.get("since"),
                record=record,
            )
        )
    return tuple(claims)


def _problem(row: Mapping[str, Any], known: set[str]) -> str:
    """Says what is wrong with a claim, "" for nothing."""
    wrong = sorted(set(row) - _KEYS) or sorted(_REQUIRED - set(row))
    if wrong:
        return f"key {wrong[0]!r} is unknown or missing; a claim has {', '.join(sorted(_KEYS))}"
    if row["kind"] not in UNITS:
        return f"kind {row['kind']!r} must be one of {', '.join(UNITS)}"
    if row["symbol"] not in known:
        return f"symbol {row['symbol']!r} is in no sector and not in context; add it to one"
    if not isinstance(row["said"], str):
        return 'said must be text: said = "almost −17 %"'
    for key in ("session", "since"):
        if key in row and type(row[key]) is not date:
            return f"{key} must be a date like 2025-01-27"
    for key in ("reported", "tolerance"):
        if key in row and type(row[key]) not in {int, float}:
            return f"{key} must be a number"
    if row.get("tolerance", 0) < 0:
        return "tolerance must be 0 or more"
    return _kind_problem(row)


def _kind_problem(row: Mapping[str, Any]) -> str:
    """Says what a claim lacks, or has too much, of what its kind needs; "" for nothing."""
    kind = row["kind"]
    if kind in _WITH_NUMBER and "reported" not in row:
        return f"kind {kind} needs reported = <number>"
    if (kind == "move") != ("since" in row):
        return "kind move needs since = <date>, the session whose close it starts from; other kinds have none"
    if kind == "move" and row["since"] >= row["session"]:
        return f"since {row['since']} must be before session {row['session']}"
    if "record" in row and (kind != "record" or row["record"] not in RECORDS):
        return f"record belongs to kind record and is one of {', '.join(RECORDS)}"
    return ""


def _place(path: Path, number: int) -> str:
    """Names file, line and position of a claim."""
    heads = [
        line
        for line, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if text.startswith("[[claims]]")
    ]
    return f"{path}:{heads[number - 1]}: claim {number}" if number <= len(heads) else f"{path}: claim {number}"
