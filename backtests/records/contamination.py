"""Tests whether a scorer may have learned from the episode that it scores, by its training cut-off."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from feeds.scoring import Scorer


def scorer_facts(label: str, trained_until: date | None, first_sessions: Mapping[str, date]) -> dict[str, Any]:
    """Returns what a run says of its scorer.

    Args:
        label: Its name and version.
        trained_until: The last day of the data that it learned from; None where nothing is learned.
        first_sessions: By episode.

    Returns:
        `name`, `trained_until` (None or a date as text) and `contaminated_for`: the episodes whose first session is
        not after that day.
    """
    late = [] if trained_until is None else [name for name, day in first_sessions.items() if day <= trained_until]
    return {
        "name": label,
        "trained_until": None if trained_until is None else trained_until.isoformat(),
        "contaminated_for": late,
    }


def facts_of_several(scorer: Scorer, first_sessions: Mapping[str, date]) -> dict[str, Any]:
    """Returns what a result over several episodes says of its scorer, of which each may have its own vintage.

    `trained_until` is the latest day that one of them learned until.
    """
    used = {name: scorer.before(day) for name, day in first_sessions.items()}
    facts = [scorer_facts(each.label, each.trained_until, {name: first_sessions[name]}) for name, each in used.items()]
    until = max((each["trained_until"] for each in facts if each["trained_until"]), default=None)
    late = [name for each in facts for name in each["contaminated_for"]]
    return {"name": scorer.label, "trained_until": until, "contaminated_for": late}


def scorer_line(facts: Mapping[str, Any] | None) -> str:
    """Says it in one line; "" for a scorer that has learned nothing, and for runs that say nothing of it."""
    if not facts or facts["trained_until"] is None:
        return ""
    trained = f"scorer {facts['name']}: trained on data until {facts['trained_until']}"
    if facts["contaminated_for"]:
        return f"CONTAMINATED {trained}: contaminated for {', '.join(facts['contaminated_for'])}, which began by then"
    return f"{trained}, before the first session: not contaminated"
