"""Scores and sessions in, signals and target weights out.

A rule sees the `View` of one moment and nothing later; it answers with fractions of equity.
Nothing here fills an order or reads a file of prices.
"""

from strategies.registry import make_rule, rule_names, rules
from strategies.rule import Rule

__all__ = ["Rule", "make_rule", "rule_names", "rules"]
