"""Chooses the strategies of a run: by name, by file, as a rule or a class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backtests.user_strategies.loading import adopted, make_rule, rule_type
from feeds.errors import InputError
from strategies.registry import rules
from strategies.rule import Rule

Strategy = str | Rule | type[Any]
REACTIONS = ("include", "with-cause", "exclude")


def standard_rules(names: Sequence[str] = (), settings: dict[str, str] | None = None) -> list[Rule]:
    """Makes the rules of a run: those named, or all; `shock` three times, once for each treatment of reactions.

    Each setting goes to every rule that has such a parameter; `reactions` given picks one of the three.

    Raises:
        InputError: A setting that no chosen rule has, or a wrong name or value.
    """
    settings = settings or {}
    chosen: list[Rule] = []
    for name in names or tuple(rules()):
        kind = rule_type(name)  # an unknown name is refused before its settings are looked at
        has = kind.parameter_names()
        own = {key: value for key, value in settings.items() if key in has or len(names) == 1}
        variants = REACTIONS if kind.every_reaction and "reactions" not in own else (None,)
        chosen += [make_rule(name, own if each is None else {**own, "reactions": each}) for each in variants]
    return chosen


def with_baselines(chosen: Sequence[Rule]) -> list[Rule]:
    """Adds the baselines that are not among them, with their own parameters: what any reader could have run instead."""
    there = {rule.name for rule in chosen}
    missing = [name for name, kind in rules().items() if kind.is_baseline and name not in there]
    return [*chosen, *(standard_rules(missing) if missing else [])]


def without_baselines(chosen: Sequence[Rule], named: Sequence[str]) -> list[Rule]:
    """Leaves out the baselines that were not named."""
    return [rule for rule in chosen if not rule.is_baseline or rule.name in named]


def choose_rules(strategies: Sequence[Strategy | Sequence[Strategy] | None], settings: dict[str, str]) -> list[Rule]:
    """Makes the rules that a caller of `replay` names, in that order; all of them where it names none.

    Raises:
        InputError: What is no strategy, an unknown name, or a setting that does not fit.
    """
    named: list[Strategy] = []
    for each in strategies:
        named += [each] if isinstance(each, str | Rule | type) else each if isinstance(each, Sequence) else _none(each)
    return [_choose_rule(each, settings) for each in named] or standard_rules((), settings)


def _none(strategy: None) -> list[Strategy]:
    if strategy is not None:
        raise InputError(f"{strategy!r} is no strategy; give a name, a file.py, a rule or a class")
    return []


def _choose_rule(strategy: Strategy, settings: dict[str, str]) -> Rule:
    if isinstance(strategy, Rule):
        return strategy
    return (adopted(strategy) if isinstance(strategy, type) else rule_type(strategy)).with_settings(settings)
