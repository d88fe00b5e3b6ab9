"""Episodes, honest replays and their results.

    from backtests import load_episode, replay
    result = replay(load_episode("deepseek-2025"), "shock")

Bars, news and rules come in; fills, equity and evidence go out. Nothing here downloads anything.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backtests.episode import Episode, episode_names, load_episode
    from backtests.evidence.delay import delay_ladder
    from backtests.evidence.placebo import placebo
    from backtests.evidence.study import event_study
    from backtests.replay import replay
    from backtests.result import Result

__all__ = ["Episode", "Result", "delay_ladder", "episode_names", "event_study", "load_episode", "placebo", "replay"]

_ROOMS = {
    "Episode": "backtests.episode",
    "Result": "backtests.result",
    "episode_names": "backtests.episode",
    "delay_ladder": "backtests.evidence.delay",
    "event_study": "backtests.evidence.study",
    "load_episode": "backtests.episode",
    "placebo": "backtests.evidence.placebo",
    "replay": "backtests.replay",
}


def __getattr__(name: str) -> Any:
    """Imports a room when it is first asked for, so that `backtest --help` stays quick."""
    if name not in _ROOMS:
        raise AttributeError(f"module 'backtests' has no attribute {name!r}")
    return getattr(importlib.import_module(_ROOMS[name]), name)


class _Package(ModuleType):
    """Keeps `backtests.replay` the function: importing the room of that name would put the module in its place."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value.replay if name == "replay" and isinstance(value, ModuleType) else value)


sys.modules[__name__].__class__ = _Package
