"""What every run is told about itself, without being asked: gaps, attribution, critique."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from backtests.evidence.attribution.attribution import attribute, document
from backtests.evidence.attribution.gap_split import gap_split
from backtests.evidence.critique import criticise

if TYPE_CHECKING:
    from backtests.engine.news import News
    from backtests.episodes.episode import Episode
    from backtests.runs.result import Result
    from strategies.rule import Rule


def weigh(result: Result, rules: Sequence[Rule], episode: Episode, news: News) -> None:
    """Adds gaps, attribution and critique to a run's evidence; the critique uses its trials where they are there.

    Args:
        result: The run.
        rules: Its rules, in the order of its strategies.
        episode: What it was made from.
        news: Its placed news.
    """
    attributions = attribute(result, rules, episode, news)
    result.evidence["gaps"] = gap_split(attributions, episode, news)
    result.evidence["attribution"] = document(attributions, episode)
    result.evidence["critique"] = criticise(result, attributions, result.evidence.get("trials"))
