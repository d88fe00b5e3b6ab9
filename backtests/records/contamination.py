"""Tests whether a scorer may have learned from the episode that it scores, by its training cut-off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from backtests.engine.news import News
from backtests.episodes.episode import Episode
from feeds.scoring import UNKNOWN


def scorer_facts(label: str, trained_until: date | None, first_sessions: Mapping[str, date]) -> dict[str, Any]:
    """Returns what a run says of its scorer.

    Args:
        label: Its name and version.
        trained_until: The last day of the data that it learned from; None where nothing is learned.
        first_sessions: By episode.

    Returns:
        `name`, `trained_until` (None, a date as text, or "unknown") and `contaminated_for`: the episodes whose first
        session is not after that day; all of them where nobody knows it.
    """
    late = [] if trained_until is None else [name for name, day in first_sessions.items() if day <= trained_until]
    return {
        "name": label,
        "trained_until": "unknown" if trained_until == UNKNOWN else trained_until and trained_until.isoformat(),
        "contaminated_for": late,
    }


def facts_of_news(news: News, episode: Episode) -> dict[str, Any]:
    """Returns what a run says of what scored its news.

    Returns:
        As `scorer_facts`; where each headline had the vintage of its own day, and these were several, also `vintages`
        (how many of the headlines that could act each scored, by its cut-off) and `before_first` (how many of them were
        known before the first vintage was over), and the episode is contaminated where that is not 0.
    """
    facts = scorer_facts(news.scorer, news.trained_until, {episode.name: episode.start})
    if not news.vintages:
        return facts
    late = [episode.name] if news.before_first else []
    return facts | {
        "contaminated_for": late, "vintages": dict(news.vintages), "before_first": news.before_first,
    }  # fmt: skip


def facts_of_several(label: str, facts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Returns what a result over several episodes says of its scorer, of which each may have its own vintages.

    `trained_until` is the latest day that one of them learned until, or "unknown", which sorts behind every day.
    """
    until = max((each["trained_until"] for each in facts if each["trained_until"]), default=None)
    late = [name for each in facts for name in each["contaminated_for"]]
    return {"name": label, "trained_until": until, "contaminated_for": late}


def scorer_line(facts: Mapping[str, Any] | None) -> str:
    """Says it in one line; "" for a scorer that has learned nothing, and for runs that say nothing of it."""
    if not facts or facts["trained_until"] is None:
        return ""
    if facts["trained_until"] == "unknown":
        late = ", ".join(facts["contaminated_for"])
        return (
            f"CONTAMINATION UNKNOWN scorer {facts['name']}: nobody said until when it learned; it may have read {late}"
        )
    if vintages := facts.get("vintages"):
        used = ", ".join(f"{until} ({count:,})" for until, count in vintages.items())
        line = f"scorer {facts['name']}: each headline read by the newest weights learned before its day: {used}"
        if not (early := facts.get("before_first")):
            return f"{line}: not contaminated"
        return (
            f"CONTAMINATED {line}; {early:,} headlines of {', '.join(facts['contaminated_for'])} are from "
            f"before {next(iter(vintages))}, the end of the first"
        )
    trained = f"scorer {facts['name']}: trained on data until {facts['trained_until']}"
    if facts["contaminated_for"]:
        return f"CONTAMINATED {trained}: contaminated for {', '.join(facts['contaminated_for'])}, which began by then"
    return f"{trained}, before the first session: not contaminated"
