"""Holds what a method of evidence is given of a run, and asks those that take longer, with their usual settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from backtests.broker.terms import BrokerTerms
from backtests.engine.news import News
from backtests.episodes.episode import Episode
from backtests.evidence.attribution import attribution
from backtests.records.record import RunRecord, label
from strategies.rule import Rule

Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Gathering:
    """Holds what a method is given of a run that was just made."""

    record: RunRecord
    rules: Sequence[Rule]  # in the order of the record's strategies
    episode: Episode
    news: News  # placed
    unplaced: News | None = None  # as read; None: as placed

    @cached_property
    def attributions(self) -> list[attribution.Attribution]:
        """Attributes the profit of each strategy, once for all methods that ask for it."""
        return attribution.attribute(self.record, self.rules, self.episode, self.news)

    @property
    def terms(self) -> BrokerTerms:
        """Returns the broker's terms of the run."""
        return BrokerTerms().with_settings({key: str(value) for key, value in self.record.config["broker"].items()})

    @property
    def labels(self) -> list[str]:
        """Returns what the run calls its rules."""
        return [label(rule, self.rules) for rule in self.rules]


def main_rule(rules: Sequence[Rule]) -> Rule:
    """Returns the rule that a method looks at which looks at one: no baseline if there is another, with-cause first."""
    own = [rule for rule in rules if not rule.is_baseline] or list(rules)
    return next((each for each in own if getattr(each, "reactions", "with-cause") == "with-cause"), own[0])


def ask_study(run: Gathering) -> Document:
    """Studies abnormal returns at the key session."""
    from backtests.evidence.event_study.event_study import event_study

    return event_study(run.episode, news=run.unplaced or run.news).document()


def ask_placebo(run: Gathering) -> Document:
    """Runs the run's main rule on news that means nothing."""
    from backtests.evidence.placebo.placebo import placebo

    rule = main_rule(run.rules)
    return placebo(run.episode, run.news, rule, run.terms, strategy=label(rule, run.rules)).document()


def ask_resample(run: Gathering) -> Document:
    """Runs the rules on other samples of the news."""
    from backtests.evidence.news_samples import resample

    return resample(run.episode, run.news, run.rules, run.terms, labels=run.labels).document()


def ask_delay(run: Gathering) -> Document:
    """Replays the rules with the news coming later."""
    from backtests.evidence.delay_ladder import delay_ladder

    return delay_ladder(run.episode, run.unplaced or run.news, run.rules, run.terms).document()


def ask_signal(run: Gathering) -> Document:
    """Asks whether returns follow the scores."""
    from backtests.evidence.signal_quality import signal_quality

    return signal_quality(run.episode, run.news)
