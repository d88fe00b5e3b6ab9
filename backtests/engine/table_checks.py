"""Checks tables of decisions against the episode that they are replayed on."""

from __future__ import annotations

from collections.abc import Iterable

from backtests.episodes.episode import Episode
from backtests.user_strategies.decision_table import DecisionTable
from feeds.errors import InputError
from strategies.rule import Rule


def check_tables(episode: Episode, rules: Iterable[Rule]) -> None:
    """Checks the tables of decisions among the rules against the episode that they are replayed on.

    Raises:
        InputError: A row that does not fit the episode, or came after its deadline; or two tables are of one model.
    """
    sectors = [name for name, members in episode.sectors.items() for _ in members]
    files: dict[str, str] = {}
    for rule in rules:
        if isinstance(rule, DecisionTable):
            other = files.setdefault(rule.name, rule.table.file)
            if other != rule.table.file:
                raise InputError(
                    f"{rule.table.file}: is of the model {rule.name!r}, as {other} is; name one of them anew"
                )
            rule.check(episode.sessions, episode.lead, episode.tradable, sectors, episode.benchmark)
