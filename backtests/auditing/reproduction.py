"""A run made again from its folder alone, and compared byte for byte; and why two runs differ."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backtests.runs.inputs import load_inputs
from backtests.runs.result import Result

BY_HAND = ("study", "delay", "placebo")  # evidence that a verb of its own adds to the folder
_OUTSIDE = ("trials",)  # depends on the user's ledger, which is no part of a run


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What came out of making a run again."""

    files: int  # compared
    differences: tuple[str, ...]  # one line each, with the first place that differs; empty: the same bytes
    notes: tuple[str, ...]  # what was taken as it stands, and in what this machine is another


def rerun(folder: Path | str) -> Result:
    """Makes a saved run again from its configuration and its inputs.

    The trials, and evidence that was added later, are taken over as they are.

    Raises:
        InputError: The folder is no run, holds no inputs, or other ones than the run read.
    """
    from backtests.auditing.audit import short_audit
    from backtests.broker.terms import BrokerTerms
    from backtests.engine.replay import replay
    from backtests.engine.schedule import place_news
    from backtests.evidence.standard import weigh
    from backtests.runs.borrow_stress import borrow_stress
    from backtests.user_strategies.loading import saved_rule

    folder = Path(folder)
    run = Result.load(folder)
    episode, read = load_inputs(folder, run.config)
    rules = [saved_rule(folder, row) for row in run.config["strategies"]]
    terms = BrokerTerms().with_settings({name: str(value) for name, value in run.config["broker"].items()})
    news = place_news(episode, read, terms)
    made = replay(episode, rules, terms=terms, news=news)
    if run.config.get("bars", "daily") != "daily":
        made.document["notes"] = run.document[
            "notes"
        ]  # they tell of the window that was asked for, which is cut by now
    if "borrow_stress" in run.document:
        rates = tuple(run.document["borrow_stress"]["rates_pct"])
        made.document["borrow_stress"] = borrow_stress(episode, news, rules, terms, rates)
    if "audit" in run.document:
        found = short_audit(episode, news, rules, made.tables["targets"].rows, terms)
        made.document["audit"] = found.short_document()
    made.evidence = {name: value for name, value in run.evidence.items() if name in (*BY_HAND, *_OUTSIDE)}
    if "gaps" in run.evidence:
        taken = run.evidence.get("attribution", {})
        weigh(made, rules, episode, news)
        if any(each.get("leave_one_out") for each in taken.get("strategies", ())):
            made.evidence["attribution"] = taken  # `backtest attribute` put a longer one in its place
    made.made = run.made
    return made


def verify(folder: Path | str) -> Verification:
    """Makes a run again and compares every file of its folder, byte for byte.

    Raises:
        InputError: As `rerun`.
    """
    folder = Path(folder)
    made = rerun(folder)
    taken = [name for name in (*BY_HAND, *_OUTSIDE) if name in made.evidence]
    notes = [f"taken as it stands, not made again: evidence/{name}.json" for name in taken]
    notes += _other_machine(made)
    with tempfile.TemporaryDirectory() as place:
        again = made.save(Path(place) / "run")
        theirs = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        ours = {path.relative_to(again).as_posix() for path in again.rglob("*") if path.is_file()}
        notes += [f"not of this run, left alone: {name}" for name in sorted(theirs - ours)]
        differences = [f"{name}: is missing from the folder" for name in sorted(ours - theirs)]
        for name in sorted(ours & theirs):
            before, now = (folder / name).read_bytes(), (again / name).read_bytes()
            if before != now:
                differences.append(f"{name}: {first_difference(before, now)}")
    return Verification(files=len(ours), differences=tuple(differences), notes=tuple(notes))


def _other_machine(made: Result) -> Iterator[str]:
    """In what the code and packages of this moment are not those that made the run."""
    from backtests.records.run_card import code_sha256, versions

    if made.made.get("code_sha256") not in {None, code_sha256()}:
        yield "the code here is not the code that made the run"
    for name, version in versions().items():
        then = made.made.get("versions", {}).get(name, version)
        if then != version:
            yield f"{name} is {version} here and was {then}"


def first_difference(before: bytes, now: bytes) -> str:
    """The first line in which two texts differ, with both."""
    rows = (before.decode("utf-8", "replace").split("\n"), now.decode("utf-8", "replace").split("\n"))
    for number, (one, other) in enumerate(zip(*rows, strict=False), 1):
        if one != other:
            at = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
            start = max(0, at - 20)
            return f"line {number}, {one[start : start + 60]!r} in the folder, {other[start : start + 60]!r} made again"
    return f"{len(rows[0])} lines in the folder, {len(rows[1])} made again"


def why_different(one: Path | str, other: Path | str) -> dict[str, list[str]]:
    """Says why two saved runs differ: in their data, configuration, scorer or code, and in what came out.

    Returns:
        Lines by "data", "configuration", "scorer", "code" and "results"; all empty when the runs are the same.

    Raises:
        InputError: A folder is no run.
    """
    return differences(Result.load(one), Result.load(other))


def differences(a: Result, b: Result) -> dict[str, list[str]]:
    """Says why two runs differ, as `why_different`."""
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


def _figures(run: Result) -> dict[str, Any]:
    keys = ("return_pct", "max_drawdown_pct", "trades")
    return {f"{each['label']}: {key}": each[key] for each in run.document["results"] for key in keys}


def _flat(config: Mapping[str, Any]) -> dict[str, Any]:
    """Tables of a configuration as one level of dotted names; the strategies are compared apart."""
    found: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            found |= {f"{key}.{name}": each for name, each in value.items()}
        elif key != "strategies":
            found[key] = value
    return found


def _strategy_changes(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> Iterator[str]:
    """In what the strategies differ: namesakes are compared in their order, what is left stands in one run only."""
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
