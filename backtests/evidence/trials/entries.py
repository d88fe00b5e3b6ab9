"""Holds what a line of the ledger says: trials, the sample they were made on, and families of samples."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from itertools import accumulate
from typing import Any

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A configuration that was tried, and how it did.

    Attributes:
        key: SHA-256 of strategy, parameters, terms and data: the same configuration run again is no new trial.
        sharpe: Mean over deviation of the session returns in excess of cash, not annualised; None without variance.
        returns: Session returns in excess of cash, as fractions; of a sweep only those of each outcome's first trial.
        like: Key of the trial of the same sweep whose returns stand for this one's; "" where it has its own or none.
    """

    key: str
    strategy: str
    baseline: bool
    params: dict[str, Any]
    profit_usd: float
    sharpe: float | None
    returns: tuple[float, ...] = ()
    like: str = ""

    def document(self) -> dict[str, Any]:
        """Returns it as the ledger has it."""
        return {
            "key": self.key,
            "strategy": self.strategy,
            "baseline": self.baseline,
            "params": self.params,
            "profit_usd": self.profit_usd,
            "sharpe": self.sharpe,
            "returns": list(self.returns),
            **({"like": self.like} if self.like else {}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What trials were made on: an episode's window, and the prices and news behind it.

    Attributes:
        start: First session, ISO date.
        end: Last session, ISO date.
        data: Digests of the files of prices and news, whatever they are called; empty in lines of old versions.
        gaps: Calendar days from each session of the window to the next.
    """

    episode: str
    start: str
    end: str
    data: tuple[str, ...] = ()
    gaps: tuple[int, ...] = ()

    def related(self, other: Sample) -> bool:
        """Says whether trials on both are one family: windows that overlap, of one episode or of the same data."""
        if self.end < other.start or other.end < self.start:
            return False
        return self.episode == other.episode or not set(self.data).isdisjoint(other.data)

    @property
    def sessions(self) -> tuple[int, ...]:
        """The window's sessions as day numbers; empty where the gaps were not kept."""
        if not self.gaps:
            return ()
        return tuple(accumulate(self.gaps, initial=date.fromisoformat(self.start).toordinal()))

    def document(self) -> dict[str, Any]:
        """Returns it as a line has it."""
        return {
            "episode": self.episode, "start": self.start, "end": self.end, "data": list(self.data),
            "gaps": list(self.gaps),
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the ledger."""

    number: int
    at: str
    kind: str  # "run" or "sweep"
    sample: Sample
    trials: tuple[Trial, ...]
    previous: str
    hash: str
    sweep: str = ""  # of a sweep's line: its hash and first combination, so that none is entered twice


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What a ledger holds of one family.

    Attributes:
        entries: Lines of the whole ledger.
        head: The last line's hash.
        broken: What is wrong with the ledger, "" when nothing is.
        runs: Lines of the family.
        trials: Its different configurations with the sample of each, in the order in which they came first.
        copies: Of a sweep's trials that another one's returns stand for, baselines left out: Sharpe ratio and how many
            configurations had it, by Sharpe ratio.
    """

    entries: int
    head: str
    broken: str
    runs: int
    trials: tuple[tuple[Sample, Trial], ...]
    copies: tuple[tuple[float, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A ledger that was read whole: its entries, and what is wrong with it ("" when nothing is)."""

    entries: tuple[Entry, ...]
    broken: str = ""
    hashes: frozenset[str] = field(default_factory=frozenset)

    @property
    def head(self) -> str:
        """The last line's hash."""
        return self.entries[-1].hash if self.entries else GENESIS

    def past(self, sample: Sample) -> Past:
        """Returns what was tried on a sample and on those related to it."""
        family = [entry for entry in self.entries if entry.sample.related(sample)]
        found: dict[str, tuple[Sample, Trial]] = {}
        copies: dict[str, float] = {}
        for entry in family:
            for trial in entry.trials:
                if not trial.like:
                    found.setdefault(trial.key, (entry.sample, trial))
                elif trial.sharpe is not None and not trial.baseline:
                    copies.setdefault(trial.key, trial.sharpe)
        counts = Counter(sharpe for key, sharpe in copies.items() if key not in found)
        return Past(
            entries=len(self.entries),
            head=self.head,
            broken=self.broken,
            runs=len(family),
            trials=tuple(found.values()),
            copies=tuple(sorted(counts.items())),
        )


def entry_of(body: dict[str, Any]) -> Entry:
    """Makes an entry of a line; those of earlier versions say `rival` for a baseline and know less of their data."""
    trials = tuple(
        Trial(
            key=row["key"],
            strategy=row["strategy"],
            baseline=row["baseline"] if "baseline" in row else row["rival"],
            params=row["params"],
            profit_usd=row["profit_usd"],
            sharpe=row["sharpe"],
            returns=tuple(row["returns"]),
            like=row.get("like", ""),
        )
        for row in body["trials"]
    )
    sample = Sample(
        episode=body["episode"],
        start=body["start"],
        end=body["end"],
        data=tuple(body.get("data", ())),
        gaps=tuple(body.get("gaps", ())),
    )
    return Entry(
        number=body["number"], at=body["at"], kind=body["kind"], sample=sample, trials=trials,
        previous=body["previous"], hash=body["hash"], sweep=body.get("sweep", ""),
    )  # fmt: skip
