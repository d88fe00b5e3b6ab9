"""Episodes, honest replays and their results.

    from backtests import load_episode, replay
    result = replay(load_episode("deepseek-2025"), "shock")

Bars, news and rules come in; fills, equity and evidence go out. Nothing here downloads anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backtests.episode import Episode, episode_names, load_episode
    from backtests.replay import replay
    from backtests.result import Result

__all__ = ["Episode", "Result", "episode_names", "load_episode", "replay"]

_ROOMS = {
    "Episode": "backtests.episode",
    "Result": "backtests.result",
    "episode_names": "backtests.episode",
    "load_episode": "backtests.episode",
    "replay": "backtests.replay",
}


def __getattr__(name: str) -> Any:
    """Imports a room when it is first asked for, so that `backtest --help` stays quick."""
    if name not in _ROOMS:
        raise AttributeError(f"module 'backtests' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_ROOMS[name]), name)
