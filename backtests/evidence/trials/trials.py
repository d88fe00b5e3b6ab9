"""Weighs a run against all that was tried before it: outcomes, deflated Sharpe ratio, PBO, false discoveries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backtests.evidence.intervals import intervals
from backtests.evidence.trials.deflated_sharpe import (
    Moments,
    Overfitting,
    backtest_overfitting,
    benjamini_hochberg,
    minimum_track_record,
    moments,
    probabilistic_sharpe,
)
from backtests.evidence.trials.entries import Past, Sample, Trial
from backtests.evidence.trials.from_run import Ran, sample_of_run, strategies_of
from backtests.evidence.trials.ledger import append, default_path, past
from backtests.evidence.trials.outcomes import Outcomes, outcomes, same_outcome
from backtests.evidence.trials.stepwise import romano_wolf
from backtests.records.metrics import LEAST_DEVIATION, SESSIONS_A_YEAR
from strategies.signals import Floats

if TYPE_CHECKING:
    from backtests.records.record import RunRecord

LEAST_ENTRIES = 10  # different sessions with an entry, below which returns say nothing about chance
_SAME = 1e-9  # Sharpe ratios that differ by less share a rank
NOTES = (
    "Only what this ledger saw is counted: what was tried elsewhere, or in one's head, is not.",
    "Trials whose session returns are nearly the same count as one outcome, however many there are.",
    "The probabilities take sessions for independent; the intervals, drawn in blocks of sessions, do not.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """A run's strategies among all that was tried on the same data."""

    sample: Sample
    past: Past
    tried: int  # configurations of rules that are no baselines
    baselines: int
    outcomes: Outcomes
    rows: tuple[dict[str, Any], ...]
    pbo: Overfitting | None
    least_entries: int

    @property
    def says(self) -> str:
        """Where the run's best strategy stands among all that was tried, for print."""
        ranks = [row["rank"] for row in self.rows if row["rank"] is not None]
        if not ranks:
            return f"{self.tried} configurations tried, none of this run can be ranked"
        if self.tried == 1:
            return "not deflated: nothing else was tried here"
        counted = f"{self.outcomes.count} outcome{'s' if self.outcomes.count != 1 else ''}"
        return f"rank {min(ranks)} of {self.tried} configurations tried ({counted})"

    def document(self) -> dict[str, Any]:
        """Returns it as `evidence/trials.json` has it."""
        return {
            "name": "trials",
            "episode": self.sample.episode,
            "start": self.sample.start,
            "end": self.sample.end,
            "ledger": {
                "entries": self.past.entries,
                "head": self.past.head,
                "intact": not self.past.broken,
                "broken": self.past.broken,
            },
            "tried": self.tried,
            "effective_trials": self.outcomes.count,
            "least_entry_sessions": self.least_entries,
            "baselines": self.baselines,
            "runs": self.past.runs,
            "strategies": list(self.rows),
            "pbo": self.pbo.document() if self.pbo else None,
            "says": self.says,
            "notes": list(NOTES),
        }


def record(result: RunRecord, path: Path | None = None, *, least_entries: int = LEAST_ENTRIES) -> Trials:
    """Writes a run into the ledger, weighs it against all that was tried before, and adds that to its evidence.

    `backtest run` does so by itself; a notebook that calls `replay` has to ask for it.

    Args:
        result: The run.
        path: The ledger; `default_path()` without.
        least_entries: Sessions with an entry below which a strategy gets intervals and no probabilities.
    """
    path, mine, sample = path or default_path(), strategies_of(result), sample_of_run(result)
    append(path, kind="run", sample=sample, trials=[each.trial for each in mine])
    found = weigh(mine, past(path, sample), sample, least_entries=least_entries)
    result.evidence["trials"] = found.document()
    return found


def weigh(mine: Sequence[Ran], before: Past, sample: Sample, *, least_entries: int = LEAST_ENTRIES) -> Trials:
    """Weighs a run's strategies against everything in the ledger on the same data.

    Args:
        mine: The run's strategies.
        before: What the ledger holds of the family, with the run already in it (if it is not, it is counted all the
            same).
        sample: What the run was made on.
        least_entries: Sessions with an entry below which a strategy gets intervals and no probabilities.
    """
    family = {trial.key: (own, trial) for own, trial in before.trials}
    family |= {each.trial.key: (sample, each.trial) for each in mine}
    tried = [(own, trial) for own, trial in family.values() if not trial.baseline]
    matrix, kept, others = _aligned(tried, sample)
    flat = any(trial.sharpe is None for _, trial in tried)
    found = outcomes(matrix, [trial.sharpe or 0.0 for _, trial in kept], others, flat=flat)
    sessions = max((len(each.trial.returns) for each in mine), default=0)
    copied = np.array([sharpe for sharpe, count in before.copies for _ in range(count)])
    all_sharpes = np.array([*(trial.sharpe for _, trial in tried if trial.sharpe is not None), *copied])
    every = [*(_p(trial, sessions) for _, trial in tried), *_normal_p(copied, sessions)]
    q_own = dict(zip([trial.key for _, trial in tried], benjamini_hochberg(every), strict=False))
    firsts = matrix[list(found.firsts)]
    stepwise = _stepwise([each for each in mine if not each.trial.baseline], firsts)
    rows = []
    for each in mine:
        row = _row(each, enough=each.entries >= least_entries)
        if each.trial.sharpe is not None and not each.trial.baseline:
            row["rank"] = int((all_sharpes > each.trial.sharpe + _SAME).sum()) + 1
            row["expected_best_sharpe_session"] = found.luck
            if row["psr"] is not None:
                row["q_bh"], row["p_stepwise"] = q_own[each.trial.key], stepwise.get(each.trial.key)
                if found.count > 1:
                    row["dsr"] = probabilistic_sharpe(_record(each.trial, sample, matrix, kept), found.luck)
        row["not_deflated"] = "" if row["dsr"] is not None else _why_not(each, found, least_entries)
        rows.append(row)
    return Trials(
        sample=sample,
        past=before,
        tried=len(tried) + len(copied),
        baselines=len(family) - len(tried),
        outcomes=found,
        rows=tuple(rows),
        pbo=overfitting(np.nan_to_num(firsts).T),
        least_entries=least_entries,
    )


def _why_not(each: Ran, found: Outcomes, least_entries: int) -> str:
    """Says in a whole sentence why a strategy has no deflated Sharpe ratio."""
    if each.trial.baseline:
        return "It is a baseline; only configurations that were chosen are deflated."
    if each.trial.sharpe is None:
        return "Its returns do not vary, so nothing can be said about luck."
    if each.entries < least_entries:
        sessions = f"{each.entries} session{'s' if each.entries != 1 else ''}"
        return f"It entered positions in {sessions}, fewer than {least_entries}: nothing can be said about luck."
    if found.count == 1:
        return "Nothing else was tried here, so its Sharpe ratio is not deflated."
    return "It has too few session returns to be deflated."


def _aligned(
    tried: Sequence[tuple[Sample, Trial]], sample: Sample
) -> tuple[Floats, list[tuple[Sample, Trial]], list[float]]:
    """Puts returns on the sessions of the sample.

    Returns:
        The returns, shape (trials, sessions), NaN where a window does not reach; their trials; and the Sharpe ratios of
        those whose returns were not kept or cannot be placed.
    """
    place = {day: number for number, day in enumerate(sample.sessions)}
    width = len(place) or max((len(trial.returns) for _, trial in tried), default=0)
    rows: list[Floats] = []
    kept: list[tuple[Sample, Trial]] = []
    others: list[float] = []
    for own, trial in tried:
        if trial.sharpe is None:
            continue
        row = np.full(width, np.nan)
        if (own.start, own.end) == (sample.start, sample.end) and len(trial.returns) <= width:
            row[width - len(trial.returns) :] = trial.returns
        else:
            days = own.sessions[len(own.sessions) - len(trial.returns) :] if own.sessions else ()
            shared = [(place[day], value) for day, value in zip(days, trial.returns, strict=False) if day in place]
            row[[at for at, _ in shared]] = [value for _, value in shared]
        if np.isfinite(row).sum() > 1 and np.nanstd(row) > LEAST_DEVIATION:
            rows.append(row)
            kept.append((own, trial))
        else:
            others.append(trial.sharpe)
    return np.array(rows).reshape(len(rows), width), kept, others


def _stepwise(mine: Sequence[Ran], firsts: Floats) -> dict[str, float]:
    """Stepwise p-values of the run's strategies beside the first trial of each outcome, by key."""
    own = [each for each in mine if each.trial.sharpe is not None and len(each.trial.returns) > 3]
    if not own:
        return {}
    width = max(len(each.trial.returns) for each in own)
    others = np.nan_to_num(firsts[:, -width:]) if firsts.size else np.empty((0, width))
    rows = [np.pad(np.array(each.trial.returns), (width - len(each.trial.returns), 0)) for each in own]
    together = np.vstack([*rows, *(row for row in others if row.std() > 0)])
    return dict(zip([each.trial.key for each in own], romano_wolf(together.T)[: len(own)].tolist(), strict=True))


def _p(trial: Trial, sessions: int) -> float | None:
    """One-sided p of a Sharpe ratio above 0; trials without returns of their own take normal ones."""
    found = moments(trial.returns)
    if found:
        return max(1 - probabilistic_sharpe(found), 1e-16)
    return None if trial.sharpe is None or sessions <= 3 else _normal_p(np.array([trial.sharpe]), sessions)[0]


def _normal_p(sharpes: Floats, sessions: int) -> list[float]:
    """The p of Sharpe ratios of normal returns: `probabilistic_sharpe` for many at once."""
    z = sharpes * np.sqrt(max(sessions - 1, 0)) / np.sqrt(1 + sharpes**2 / 2)
    return [max(math.erfc(each) / 2, 1e-16) for each in (z / math.sqrt(2)).tolist()]


def _record(mine: Trial, sample: Sample, matrix: Floats, kept: Sequence[tuple[Sample, Trial]]) -> Moments:
    """Returns the moments of a trial over the longest window on which the same trades were tried.

    A start that leaves out sessions without a position makes the Sharpe ratio of the rest no better.
    """
    place = next(number for number, (_, trial) in enumerate(kept) if trial.key == mine.key)
    near = same_outcome(matrix[place], matrix)
    days, longest = set(sample.sessions), mine
    for (own, trial), same in zip(kept, near, strict=True):
        if same and own.sessions and len(trial.returns) > len(longest.returns):
            dated = zip(own.sessions[-len(trial.returns) :], trial.returns, strict=True)
            if all(abs(value) <= LEAST_DEVIATION for day, value in dated if day not in days):
                longest = trial
    found = moments(longest.returns)
    if found is None:
        raise ValueError(f"{mine.strategy}: its returns do not vary")
    return found


def _row(each: Ran, *, enough: bool) -> dict[str, Any]:
    """A strategy's figures but those that need the others; without probabilities where it entered too seldom."""
    found = moments(each.trial.returns)
    return {
        "strategy": each.trial.strategy,
        "baseline": each.trial.baseline,
        "rank": None,
        "entry_sessions": each.entries,
        "sharpe_session": found.sharpe if found else None,
        "sharpe_annual": found.sharpe * math.sqrt(SESSIONS_A_YEAR) if found else None,
        "intervals": intervals(each.returns, each.trial.returns) if found else None,
        "sessions": len(each.trial.returns),
        "skew": found.skew if found else None,
        "kurtosis": found.kurtosis if found else None,
        "psr": probabilistic_sharpe(found) if found and enough else None,
        "expected_best_sharpe_session": None,
        "dsr": None,
        "p": _p(each.trial, 0) if enough else None,
        "q_bh": None,
        "p_stepwise": None,
        "min_track_record_sessions": minimum_track_record(found) if found and enough else None,
    }


def overfitting(returns: Floats, most: int = 16) -> Overfitting | None:
    """Returns the probability of overfitting with as many blocks as the window holds, `most` at most.

    Args:
        returns: Session returns, shape (sessions, trials).
        most: Blocks at most.
    """
    sessions = len(returns)
    blocks = next((count for count in (16, 8, 4) if count <= most and sessions >= 4 * count), 4 if sessions >= 8 else 0)
    return backtest_overfitting(returns, blocks) if blocks and returns.shape[1] > 1 else None
