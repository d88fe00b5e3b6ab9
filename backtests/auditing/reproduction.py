"""Makes a run again from its folder alone, and compares it byte for byte."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backtests._replay import replay
from backtests.auditing.audit import short_audit
from backtests.broker.terms import BrokerTerms
from backtests.engine.schedule import place_news
from backtests.evidence.registry import METHODS, gather
from backtests.records.run_card import code_sha256, versions
from backtests.records.run_diff import first_difference
from backtests.runs.borrow_stress import borrow_stress
from backtests.runs.earlier_names import NOTE, has_earlier_names, same_configuration, translated_file
from backtests.runs.inputs import load_inputs
from backtests.runs.result import Result
from backtests.user_strategies.loading import own_code, saved_rules
from feeds.scoring import Scorer


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Holds what came of making a run again."""

    files: int  # compared
    differences: tuple[str, ...]  # one line each, with the first place that differs; empty: the same bytes
    notes: tuple[str, ...]  # what was taken as it stands, and in what this machine is another


def rerun(folder: Path | str, *, trust: bool = False, scorer: Scorer | None = None) -> Result:
    """Makes a saved run again from its configuration and its inputs.

    Evidence that a run does not gather by itself (the configurations tried, and what was added later) is taken over.

    Args:
        folder: Of the run.
        trust: Whether strategy code that lies in it may run.
        scorer: The run's, where it is a file of the user's own.

    Raises:
        InputError: The folder is no run, holds no inputs or other ones than the run read, or code that is not trusted.
    """
    folder = Path(folder)
    run = Result.load(folder)
    rules = saved_rules(folder, run.config["strategies"], trust=trust)
    episode, read = load_inputs(folder, run.config, scorer)
    terms = BrokerTerms().with_settings({name: str(value) for name, value in run.config["broker"].items()})
    news = place_news(episode, read, terms)
    made = replay(episode, rules, terms=terms, news=news)
    made.document["limits"] = run.document.get("limits", [])  # they hang on whether the news was the episode's own
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
    standing = {name: run.evidence[name] for name in _standing(run)}
    made.evidence = dict(standing)
    if any(method.gather and method.name in run.evidence for method in METHODS):
        gather(made, rules, episode, news)
        made.evidence |= standing
    made.made = run.made
    return made


def verify(folder: Path | str, *, trust: bool = False, scorer: Scorer | None = None) -> Verification:
    """Makes a run again and compares every file of its folder, byte for byte.

    Args:
        folder: Of the run.
        trust: Whether strategy code that lies in it may run.
        scorer: The run's, where it is a file of the user's own.

    Raises:
        InputError: As `rerun`.
    """
    folder = Path(folder)
    run, made = Result.load(folder), rerun(folder, trust=trust, scorer=scorer)
    notes = [f"taken as it stands, not made again: evidence/{name}.json" for name in _standing(run)]
    notes += [f"ran its own code: {line}" for line in own_code(run.config["strategies"])]
    notes += _other_machine(made)
    earlier = has_earlier_names(json.loads((folder / "run_card.json").read_bytes())["config"])
    notes += [NOTE] if earlier else []
    with tempfile.TemporaryDirectory() as place:
        again = made.save(Path(place) / "run")
        theirs = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        ours = {path.relative_to(again).as_posix() for path in again.rglob("*") if path.is_file()}
        notes += [f"not of this run, left alone: {name}" for name in sorted(theirs - ours)]
        differences = [f"{name}: is missing from the folder" for name in sorted(ours - theirs)]
        for name in sorted(ours & theirs):
            before, now = (folder / name).read_bytes(), (again / name).read_bytes()
            if before != now:
                text = _under_other_names(name, before, now) if earlier else first_difference(before, now)
                differences.append(f"{name}: {text}")
    return Verification(files=len(ours), differences=tuple(differences), notes=tuple(notes))


def _under_other_names(name: str, before: bytes, now: bytes) -> str:
    """Says what is left of a difference once a file of an earlier run is read under today's names."""
    if name.endswith(".toml") and same_configuration(before, now):
        return "the same values, under earlier names or in another layout"
    renamed = translated_file(name, before)
    return "the same but for its earlier names" if renamed == now else first_difference(renamed, now)


def _standing(run: Result) -> list[str]:
    """Names the evidence of a run that is taken over when it is made again."""
    return [each.name for each in METHODS if each.name in run.evidence and each.stands(run.evidence[each.name])]


def _other_machine(made: Result) -> Iterator[str]:
    """Says in what the code and packages of this moment are not those that made the run."""
    if made.made.get("code_sha256") not in {None, code_sha256()}:
        yield "the code here is not the code that made the run"
    for name, version in versions().items():
        then = made.made.get("versions", {}).get(name, version)
        if then != version:
            yield f"{name} is {version} here and was {then}"
