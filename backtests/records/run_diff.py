"""Says why two runs differ: in data, configuration, scorer, code, and in what came out. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from backtests.records.record import RunRecord


def differences(a: RunRecord, b: RunRecord) -> dict[str, list[str]]:
    """Says why two runs differ.

    Returns:
        Lines by "data", "configuration", "scorer", "code" and "results"; all empty when the runs are the same.
    """
    config = [{k: v for k, v in each.config.items() if k not in {"sources", "scorer"}} for each in (a, b)]
    made = [_flat({**each.made, "scorer": each.config.get("scorer")}) for each in (a, b)]
    code = list(_changes(*({k: v for k, v in each.items() if k != "scorer"} for each in made)))
    return {
        "data": list(_changes(a.config["sources"], b.config["sources"])),
        "configuration": [
            *_changes(*map(_flat, config)),
            *_strategy_changes(a.config["strategies"], b.config["strategies"]),
        ],
        "scorer": list(_changes(*({"scorer": each["scorer"]} for each in made))),
        "code": code,
        "results": list(_changes(*map(_figures, (a, b)))),
    }


def _figures(run: RunRecord) -> dict[str, Any]:
    keys = ("return_pct", "max_drawdown_pct", "trades")
    results = run.document["results"]
    figures = {f"{each['label']}: {key}": each[key] for each in results for key in keys}
    return figures | {
        f"{each['label']}: resampled": _drawn(each["resampled"]) for each in results if "resampled" in each
    }


def _drawn(row: Mapping[str, Any]) -> str:
    """Writes what other samples of the news made of a return, or why it was not tried."""
    if "why_not" in row:
        return str(row["why_not"])
    return f"{row['low_pct']:.6g} … {row['high_pct']:.6g} %, flips {row['other_sign_share']:.6g}"


def _flat(config: Mapping[str, Any]) -> dict[str, Any]:
    """Flattens a configuration to one level of dotted names; the strategies are compared apart."""
    found: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            found |= {f"{key}.{name}": each for name, each in value.items()}
        elif key != "strategies":
            found[key] = value
    return found


def _strategy_changes(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> Iterator[str]:
    """Compares the strategies: namesakes in their order; what is left stands in one run only."""
    rows = [{(row["name"], count): row for row, count in _counted(each)} for each in (one, other)]
    for key in [*rows[0], *(key for key in rows[1] if key not in rows[0])]:
        if key in rows[0] and key in rows[1]:
            yield from (f"{key[0]}: {line}" for line in _changes(rows[0][key], rows[1][key]))
        else:
            settings = " ".join(f"{k}={v}" for k, v in (rows[0].get(key) or rows[1][key]).items() if k != "name")
            yield f"{key[0]} ({settings}): only in the {'first' if key in rows[0] else 'second'}"


def _counted(rows: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], int]]:
    seen: dict[str, int] = {}
    for row in rows:
        seen[row["name"]] = seen.get(row["name"], 0) + 1
        yield row, seen[row["name"]]


def _changes(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    for name in [*one, *(key for key in other if key not in one)]:
        if name not in one or name not in other:
            yield f"{name}: only in the {'first' if name in one else 'second'}"
        elif one[name] != other[name]:
            yield f"{name}: {_short(one[name])} and {_short(other[name])}"


def _short(value: Any) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 44 else f"{text[:16]}…"


def first_difference(before: bytes, now: bytes) -> str:
    """Names the first line in which two texts differ, with both."""
    rows = (before.decode("utf-8", "replace").split("\n"), now.decode("utf-8", "replace").split("\n"))
    for number, (one, other) in enumerate(zip(*rows, strict=False), 1):
        if one != other:
            at = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
            start = max(0, at - 20)
            return f"line {number}, {one[start : start + 60]!r} in the folder, {other[start : start + 60]!r} made again"
    return f"{len(rows[0])} lines in the folder, {len(rows[1])} made again"
