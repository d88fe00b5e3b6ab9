"""Loads, checks and adapts strategies that a user writes: rules and backtrader strategies."""
