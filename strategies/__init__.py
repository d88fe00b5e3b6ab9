"""Turns scores and sessions into signals and target weights.

    from strategies import Rule, View, parameter

| name      | what it is                                                                              |
|-----------|-----------------------------------------------------------------------------------------|
| Rule      | a trading rule: frozen parameters, `observe(view)`, and a pure step to target weights    |
| View      | what a rule may know at one decision time; nothing later is in it                       |
| parameter | declares a parameter of a rule: default, unit, what it does                             |
| rules     | the built-in rules and baselines by name                                                |

A rule answers with fractions of equity, shorts negative. Nothing here fills an order or reads a file of prices. Each
name is imported when it is first asked for: reading a table of sessions loads no word list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from feeds.public_names import on_first_use

if TYPE_CHECKING:
    from strategies.registry import rules
    from strategies.rule import Rule, parameter
    from strategies.view import View

__all__ = ["Rule", "View", "parameter", "rules"]

_MODULES = {
    "Rule": "strategies.rule",
    "View": "strategies.view",
    "parameter": "strategies.rule",
    "rules": "strategies.registry",
}

__getattr__, __dir__ = on_first_use(__name__, _MODULES)
