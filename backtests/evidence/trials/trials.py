"""What a run looks like beside everything tried before it: best of N, deflated Sharpe ratio, PBO, false discoveries."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backtests.evidence.trials.deflated_sharpe import (
    Moments,
    Overfitting,
    backtest_overfitting,
    benjamini_hochberg,
    deflated_sharpe,
    expected_best_sharpe,
    minimum_track_record,
    moments,
    probabilistic_sharpe,
)
from backtests.evidence.trials.ledger import Chain, Trial, append, default_path, read_chain, trial_key
from backtests.records.metrics import SESSIONS_A_YEAR

if TYPE_CHECKING:
    from backtests.records.record import RunRecord

NOTES = (
    "Only what this ledger saw is counted: what was tried elsewhere, or in one's head, is not.",
    "Near copies of one configuration count as trials of their own, which errs on the strict side.",
    "The figures take sessions for independent; an episode has so few that each is a wide estimate.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """A run's strategies among all that was tried on the same episode and window."""

    episode: str
    start: str
    end: str
    chain: Chain
    runs: int
    tried: tuple[Trial, ...]  # own rules
    baselines: tuple[Trial, ...]
    rows: tuple[dict[str, Any], ...]
    pbo: Overfitting | None

    @property
    def says(self) -> str:
        """Where the run's best strategy stands among all that was tried, for print."""
        ranks = [row["rank"] for row in self.rows if row["rank"] is not None]
        if not ranks:
            return f"{len(self.tried)} tried, none of this run can be ranked"
        if len(self.tried) == 1:
            return "the only one tried"
        return f"{'best' if min(ranks) == 1 else f'no. {min(ranks)}'} of {len(self.tried)} tried"

    def document(self) -> dict[str, Any]:
        """As `evidence/trials.json` has it."""
        return {
            "name": "trials",
            "episode": self.episode,
            "start": self.start,
            "end": self.end,
            "ledger": {
                "entries": len(self.chain.entries),
                "head": self.chain.head,
                "intact": not self.chain.broken,
                "broken": self.chain.broken,
            },
            "tried": len(self.tried),
            "baselines": len(self.baselines),
            "runs": self.runs,
            "strategies": list(self.rows),
            "pbo": self.pbo.document() if self.pbo else None,
            "says": self.says,
            "notes": list(NOTES),
        }


def trials_of(result: RunRecord) -> tuple[Trial, ...]:
    """The trials that a finished run is."""
    equity: dict[str, list[float]] = {}
    table = result.tables["equity"]
    place = table.columns.index("equity")
    for row in table.rows:
        equity.setdefault(row[0], []).append(row[place])
    return tuple(
        _trial(each, key_of(result.config, made), [result.config["broker"]["cash"], *equity.get(each["label"], [])])
        for each, made in zip(result.document["results"], result.config["strategies"], strict=True)
    )


def key_of(config: Mapping[str, Any], strategy: Mapping[str, Any]) -> str:
    """The key of one strategy of a configuration: the same in a run, in a run of several, and in a sweep.

    Args:
        config: A run's, from `backtests.runs.result.configuration`.
        strategy: One of its `strategies`.
    """
    return trial_key({name: value for name, value in config.items() if name != "strategies"}, strategy)


def record(result: RunRecord, path: Path | None = None) -> Trials:
    """Writes a run into the ledger, weighs it against all that was tried before, and adds that to its evidence.

    `backtest run` does so by itself; a notebook that calls `replay` has to ask for it.

    Args:
        result: The run.
        path: The ledger; `default_path()` without.
    """
    path, mine = path or default_path(), trials_of(result)
    episode, window = result.document["episode"], result.document["window"]
    append(path, kind="run", episode=episode, start=window["start"], end=window["end"], trials=mine)
    found = weigh(mine, read_chain(path), episode, window["start"], window["end"])
    result.evidence["trials"] = found.document()
    return found


def _trial(each: Mapping[str, Any], key: str, equity: Sequence[float]) -> Trial:
    returns = session_returns(equity)
    found = moments(returns)
    return Trial(
        key=key,
        strategy=each["label"],
        baseline=each["baseline"],
        params=dict(each["params"]),
        profit_usd=equity[-1] - equity[0],
        sharpe=found.sharpe if found else None,
        returns=returns,
    )


def session_returns(equity: Sequence[float]) -> tuple[float, ...]:
    """Returns as fractions; none where equity was not positive, whose returns mean nothing."""
    return tuple(after / before - 1 for before, after in pairwise(equity)) if min(equity) > 0 else ()


def weigh(mine: Sequence[Trial], chain: Chain, episode: str, start: str, end: str) -> Trials:
    """Weighs a run's trials against everything in the ledger on the same episode and window.

    Args:
        mine: The run's trials.
        chain: The ledger, with the run already in it (if it is not, the run is counted all the same).
        episode: The episode's name.
        start: ISO date of its first session.
        end: ISO date of its last session.
    """
    family = {trial.key: trial for trial in (*chain.family(episode, start, end), *mine)}
    own = tuple(trial for trial in family.values() if not trial.baseline)
    sharpes = [trial.sharpe for trial in own if trial.sharpe is not None]
    variance = float(np.var(sharpes, ddof=1)) if len(sharpes) > 1 else 0.0
    sessions = max((len(trial.returns) for trial in mine), default=0)
    p_own = [_p(trial, sessions) for trial in own]
    q_own = dict(zip([trial.key for trial in own], benjamini_hochberg(p_own, len(own)), strict=True))
    best_first = sorted(sharpes, reverse=True)
    return Trials(
        episode=episode,
        start=start,
        end=end,
        chain=chain,
        runs=sum((entry.episode, entry.start, entry.end) == (episode, start, end) for entry in chain.entries),
        tried=own,
        baselines=tuple(trial for trial in family.values() if trial.baseline),
        rows=tuple(_row(trial, len(own), variance, best_first, q_own.get(trial.key)) for trial in mine),
        pbo=_overfitting(own),
    )


def _p(trial: Trial, sessions: int) -> float | None:
    """One-sided p of a Sharpe ratio above 0; a sweep's trials have no returns, so theirs takes normal ones."""
    found = moments(trial.returns)
    if found is None and trial.sharpe is not None and sessions > 3:
        found = Moments(sessions=sessions, sharpe=trial.sharpe, skew=0.0, kurtosis=3.0)
    return max(1 - probabilistic_sharpe(found), 1e-16) if found else None


def _row(trial: Trial, tried: int, variance: float, best_first: Sequence[float], q: float | None) -> dict[str, Any]:
    found = moments(trial.returns)
    row: dict[str, Any] = {
        "strategy": trial.strategy,
        "baseline": trial.baseline,
        "rank": None if trial.baseline or trial.sharpe is None else best_first.index(trial.sharpe) + 1,
        "sharpe_session": found.sharpe if found else None,
        "sharpe_annual": found.sharpe * math.sqrt(SESSIONS_A_YEAR) if found else None,
        "sessions": len(trial.returns),
        "skew": found.skew if found else None,
        "kurtosis": found.kurtosis if found else None,
        "psr": probabilistic_sharpe(found) if found else None,
        "expected_best_sharpe_session": None,
        "dsr": None,
        "p": _p(trial, 0),
        "q_bh": q,
        "min_track_record_sessions": minimum_track_record(found) if found else None,
    }
    if found and not trial.baseline:
        row["expected_best_sharpe_session"] = expected_best_sharpe(tried, variance)
        row["dsr"] = deflated_sharpe(found, tried, variance)
    return row


def _overfitting(own: Sequence[Trial]) -> Overfitting | None:
    longest = max((len(trial.returns) for trial in own), default=0)
    matrix = [trial.returns for trial in own if len(trial.returns) == longest and longest]
    blocks = next((count for count in (16, 8, 4) if longest >= 4 * count), 4 if longest >= 8 else 0)
    return backtest_overfitting(np.array(matrix).T, blocks) if blocks and len(matrix) > 1 else None
