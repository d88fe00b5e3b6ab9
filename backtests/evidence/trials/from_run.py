"""Makes trials of a finished run: keys, session returns in excess of cash, and the sample they were made on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from backtests.evidence.trials.deflated_sharpe import moments
from backtests.evidence.trials.entries import Sample, Trial
from backtests.evidence.trials.ledger import trial_key
from backtests.records.metrics import cash_returns, excess_returns

if TYPE_CHECKING:
    from backtests.records.record import RunRecord

_NO_MARKET = {"episode.toml", "sessions.csv", "actions.csv"}  # sources that are neither prices nor news


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A strategy of the run that is weighed.

    Attributes:
        trial: As the ledger has it, with its returns in excess of cash.
        entries: Different sessions in which it entered a position.
        returns: Its session returns as they were, fractions.
    """

    trial: Trial
    entries: int
    returns: tuple[float, ...]


def sample_of(episode: str, sessions: Sequence[str], sources: Mapping[str, str]) -> Sample:
    """Returns what trials are made on.

    Args:
        episode: Its name.
        sessions: ISO dates of the window.
        sources: SHA-256 of each file that was read, by name; of prices and news the names do not matter.
    """
    days = [date.fromisoformat(session).toordinal() for session in sessions]
    return Sample(
        episode=episode,
        start=sessions[0],
        end=sessions[-1],
        data=tuple(sorted({value[:16] for name, value in sources.items() if name not in _NO_MARKET})),
        gaps=tuple(after - before for before, after in pairwise(days)),
    )


def sample_of_run(result: RunRecord) -> Sample:
    """Returns what a run was made on."""
    sessions = [row[0] for row in result.tables["sessions"].rows]
    return sample_of(result.config["episode"], sessions[1:], result.config["sources"])


def trials_of(result: RunRecord) -> tuple[Trial, ...]:
    """Returns the trials that a finished run is."""
    return tuple(each.trial for each in strategies_of(result))


def strategies_of(result: RunRecord) -> tuple[Ran, ...]:
    """Returns the strategies of a run with what they are weighed by, in their order."""
    table, trades = result.tables["equity"], result.tables["trades"]
    curves: dict[str, list[float]] = {}
    for row in table.rows:
        curves.setdefault(row[0], []).append(row[table.columns.index("equity")])
    opened: dict[str, set[str]] = {}
    for row in trades.rows:
        opened.setdefault(row[0], set()).add(row[trades.columns.index("opened")])
    sessions = [row[0] for row in result.tables["sessions"].rows]
    terms = result.config["broker"]
    found = []
    for each, made in zip(result.document["results"], result.config["strategies"], strict=True):
        equity = [terms["cash"], *curves.get(each["label"], [])]
        cash = cash_returns(sessions[-len(equity) :], terms.get("cash_pct", 0.0))
        excess = tuple(excess_returns(equity, cash))
        ratio = moments(excess)
        trial = Trial(
            key=key_of(result.config, made),
            strategy=each["label"],
            baseline=each["baseline"],
            params=dict(each["params"]),
            profit_usd=equity[-1] - equity[0],
            sharpe=ratio.sharpe if ratio else None,
            returns=excess,
        )
        found.append(
            Ran(trial=trial, entries=len(opened.get(each["label"], ())), returns=tuple(excess_returns(equity)))
        )
    return tuple(found)


def key_of(config: Mapping[str, Any], strategy: Mapping[str, Any]) -> str:
    """Returns the key of one strategy of a configuration: the same in a run, in a run of several, and in a sweep.

    Args:
        config: A run's, from `backtests.runs.build.configuration`.
        strategy: One of its `strategies`.
    """
    return trial_key({name: value for name, value in config.items() if name != "strategies"}, strategy)
