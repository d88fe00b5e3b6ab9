"""Scores and sessions in, signals and target weights out.

A rule sees the `View` of one moment and nothing later; it answers with fractions of equity.
Nothing here fills an order or reads a file of prices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from strategies.registry import make_rule, rule_names, rules
    from strategies.rule import Rule

__all__ = ["Rule", "make_rule", "rule_names", "rules"]


def __getattr__(name: str) -> Any:
    """Imports a room when it is first asked for: reading a table of sessions must not load a word list."""
    if name not in __all__:
        raise AttributeError(f"module 'strategies' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module("strategies.rule" if name == "Rule" else "strategies.registry"), name)
