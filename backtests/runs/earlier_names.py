"""Translates runs that were written under earlier names, so that they can still be read, compared and made again."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from typing import Any

from backtests.records.record import json_text

NOW = {"book": "broker", "fate": "status", "hits": "features", "rival": "baseline"}  # an earlier name to today's
NOTE = (
    "written under earlier names, which are part of its hash: "
    + ", ".join(f"{name!r} is now {now!r}" for name, now in NOW.items())
)  # fmt: skip
_USERS = frozenset({"params", "settings", "strategies", "returns_pct", "ruined_on"})  # keyed by names of others


def has_earlier_names(config: Mapping[str, Any]) -> bool:
    """Says whether a run's configuration, and with it the run, is written under earlier names."""
    return "book" in config


def translated(value: Any) -> Any:
    """Returns a JSON value with today's keys; below keys that hold names of strategies and parameters they stay."""
    if isinstance(value, list):
        return [translated(each) for each in value]
    if not isinstance(value, dict):
        return value
    named = {key: _rows(each) if key in _USERS else translated(each) for key, each in value.items()}
    return {NOW.get(key, key): each for key, each in named.items()}


def _rows(value: Any) -> Any:
    """Translates the rows of evidence on strategies; those of a configuration's strategies hold parameters and stay."""
    is_evidence = isinstance(value, list) and all(isinstance(each, dict) and "strategy" in each for each in value)
    return [translated(each) for each in value] if is_evidence else value


def translated_columns(columns: tuple[str, ...]) -> tuple[str, ...]:
    """Returns a table's columns by today's names."""
    return tuple(NOW.get(name, name) for name in columns)


def translated_file(name: str, data: bytes) -> bytes:
    """Returns a file of a run's folder as it would be under today's names; the same where it holds none of them.

    Args:
        name: Its place in the folder.
        data: Its bytes.
    """
    try:
        text = data.decode()
        if name.endswith(".csv"):
            head, rest = text.split("\n", 1)
            return "\n".join([",".join(translated_columns(tuple(head.split(",")))), rest]).encode()
        if name.endswith(".json"):
            return json_text(translated(json.loads(text))).encode()
    except ValueError:
        pass
    return data


def same_configuration(earlier: bytes, now: bytes) -> bool:
    """Says whether two files of TOML hold the same configuration, whatever their layout and names."""
    try:
        return bool(translated(tomllib.loads(earlier.decode())) == tomllib.loads(now.decode()))
    except ValueError:
        return False
