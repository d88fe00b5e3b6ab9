"""Episodes, honest replays and their results.

    from backtests import load_episode, replay
    result = replay(load_episode("deepseek-2025"), "shock")

Bars, news and rules come in; fills, equity and evidence go out. Nothing here downloads anything.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backtests.engine.replay import replay
    from backtests.episodes.episode import Episode, episode_names, load_episode
    from backtests.evidence.delay_ladder import delay_ladder
    from backtests.evidence.event_study.event_study import event_study
    from backtests.evidence.placebo.placebo import placebo
    from backtests.runs.result import Result

__all__ = ["Episode", "Result", "delay_ladder", "episode_names", "event_study", "load_episode", "placebo", "replay"]

_ROOMS = {
    "Episode": "backtests.episodes.episode",
    "Result": "backtests.runs.result",
    "episode_names": "backtests.episodes.episode",
    "delay_ladder": "backtests.evidence.delay_ladder",
    "event_study": "backtests.evidence.event_study.event_study",
    "load_episode": "backtests.episodes.episode",
    "placebo": "backtests.evidence.placebo.placebo",
    "replay": "backtests.engine.replay",
}


def __getattr__(name: str) -> Any:
    """Imports a room when it is first asked for, so that `backtest --help` stays quick."""
    if name not in _ROOMS:
        raise AttributeError(f"module 'backtests' has no attribute {name!r}")
    return getattr(importlib.import_module(_ROOMS[name]), name)
