"""Finds the rules: every module of built_in/ and baselines/ that defines a `Rule` with a name."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache

from feeds.errors import InputError, did_you_mean
from strategies import baselines, built_in
from strategies.rule import Rule


@cache
def rules() -> dict[str, type[Rule]]:
    """Returns the rules by name: the built-in ones first, then the baselines, each in order of name."""
    found: list[type[Rule]] = []
    places = [
        *pkgutil.iter_modules(built_in.__path__, "strategies.built_in."),
        *pkgutil.iter_modules(baselines.__path__, "strategies.baselines."),
    ]
    for place in places:
        module = importlib.import_module(place.name)
        found += [
            value
            for value in vars(module).values()
            if inspect.isclass(value)
            and value.__module__ == module.__name__
            and issubclass(value, Rule)
            and hasattr(value, "name")
        ]
    return {rule.name: rule for rule in sorted(found, key=lambda rule: (rule.is_baseline, rule.name))}


def rule_names() -> tuple[str, ...]:
    """Returns the names of all rules."""
    return tuple(rules())


def make_rule(name: str, settings: dict[str, str] | None = None) -> Rule:
    """Makes a rule by name, with settings as texts.

    Raises:
        InputError: An unknown rule, parameter or value.
    """
    if name not in rules():
        raise InputError(f"unknown strategy {name!r}; {did_you_mean(name, rules())}")
    return rules()[name].with_settings(settings or {})
