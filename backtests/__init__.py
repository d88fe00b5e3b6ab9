"""Replays trading on news: an episode and strategies in, a result and its evidence out.

Nothing here downloads anything.

    from backtests import load_episode, replay
    result = replay(load_episode("deepseek-2025"), "shock")
    result.metrics, result.fills, result.save("runs/mine")

| name          | what it does                                                                            |
|---------------|-----------------------------------------------------------------------------------------|
| episode_names | lists the episodes that ship                                                            |
| load_episode  | reads and checks an episode: prices, sessions, actions, news                            |
| Episode       | what `load_episode` returns                                                             |
| replay        | trades strategies on an episode's news; `backtests/_replay.py` is the map of the steps   |
| Result        | what `replay` returns: tables as frames, metrics, a page; saved to a folder and loaded   |
| audit         | decides everything again without the future, then with a false one, and compares         |
| event_study   | abnormal returns around the headlines, with tests of significance                        |
| placebo       | the profit with news that means nothing                                                 |
| delay_ladder  | the profit when every headline is known later                                           |

Each name is imported when it is first asked for, so that `backtest --help` stays quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from feeds.public_names import on_first_use

if TYPE_CHECKING:
    from backtests._replay import replay
    from backtests.auditing.audit import audit
    from backtests.episodes.episode import Episode, episode_names, load_episode
    from backtests.evidence.delay_ladder import delay_ladder
    from backtests.evidence.event_study.event_study import event_study
    from backtests.evidence.placebo.placebo import placebo
    from backtests.runs.result import Result

__all__ = [
    "Episode",
    "Result",
    "audit",
    "delay_ladder",
    "episode_names",
    "event_study",
    "load_episode",
    "placebo",
    "replay",
]

_MODULES = {
    "Episode": "backtests.episodes.episode",
    "Result": "backtests.runs.result",
    "audit": "backtests.auditing.audit",
    "delay_ladder": "backtests.evidence.delay_ladder",
    "episode_names": "backtests.episodes.episode",
    "event_study": "backtests.evidence.event_study.event_study",
    "load_episode": "backtests.episodes.episode",
    "placebo": "backtests.evidence.placebo.placebo",
    "replay": "backtests._replay",
}

__getattr__, __dir__ = on_first_use(__name__, _MODULES)
