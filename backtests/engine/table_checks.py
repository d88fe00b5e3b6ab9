"""Checks tables of decisions against the episode that they are replayed on."""

from __future__ import annotations

from collections.abc import Iterable

from backtests.episodes.episode import Episode
from backtests.user_strategies.decision_table import DecisionTable
from strategies.rule import Rule


def check_tables(episode: Episode, rules: Iterable[Rule]) -> None:
    """Checks the tables of decisions among the rules against the episode that they are replayed on.

    Raises:
        InputError: A row that does not fit the episode, or came after its deadline; with file and line.
    """
    sectors = [name for name, members in episode.sectors.items() for _ in members]
    for rule in rules:
        if isinstance(rule, DecisionTable):
            rule.check(episode.sessions, episode.lead, episode.tradable, sectors, episode.benchmark)
