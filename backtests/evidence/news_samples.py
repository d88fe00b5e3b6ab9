"""Asks whether another sample of the same news would have said the same: return and position over redrawn news.

    found = resample(episode, news, [make_rule("shock")], n=2_000, keep=(0.25, 0.5, 0.75))
    found.document()["strategies"][0]["resampled"]

How news is redrawn: `resample_draws`; how the scorer's errors are: `resample_misread`. All samples are drawn before
any is run, from the seed alone, so that the number of workers changes no byte. Every rule sees the same samples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtests.batch.news_versions import Versions, actual_rows, used_items
from backtests.batch.replay_engine import ReplayEngine
from backtests.broker.terms import BrokerTerms
from backtests.evidence.placebo.choose_engine import engine_for
from backtests.evidence.resample_draws import Cells, cells_of, kept, redrawn, versions_of
from backtests.evidence.resample_misread import Misread
from feeds.errors import InputError
from strategies.signals import Floats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backtests.engine.news import News
    from backtests.episodes.episode import Episode
    from strategies.rule import Rule

KEEP = (0.1, 0.3, 0.5, 0.7, 0.9)
QUANTILES = (5, 25, 50, 75, 95)
SHORT = 100  # samples of the short form
_FLAT = 1e-9
_AT_ONCE = 500  # samples between two calls of `on_progress`
NOTES = (
    "Redrawn from the headlines that are there: what no outlet of this archive reports is in no sample.",
    "Prices stay as they were, so this says how the result hangs on the news that was kept, not on the window.",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Redrawn:
    """One strategy over many samples.

    Attributes:
        returns: Return of the window in per cent, shape (samples,).
        net: Net weight wanted on the key session as a fraction of equity, shape (samples,); None where the engine
            does not say.
        headlines: How many headlines a sample held on average.
    """

    returns: Floats
    net: Floats | None
    headlines: float

    def document(self, actual: float) -> dict[str, Any]:
        """Returns the distribution as JSON has it, beside what the news as it is makes, in per cent."""
        other = self.returns * np.sign(actual) < 0 if actual else np.abs(self.returns) > _FLAT
        row: dict[str, Any] = {
            "headlines": self.headlines,
            "mean_pct": float(self.returns.mean()),
            "sd_pct": float(self.returns.std(ddof=1)) if len(self.returns) > 1 else 0.0,
            "quantiles_pct": _quantiles(self.returns),
            "other_sign_share": float(other.mean()),
        }
        if self.net is not None:
            row["key_session"] = {
                "quantiles_net_weight": _quantiles(self.net),
                "short_share": float((self.net < -_FLAT).mean()),
                "flat_share": float((np.abs(self.net) <= _FLAT).mean()),
                "long_share": float((self.net > _FLAT).mean()),
            }
        return row


def _quantiles(values: Floats) -> dict[str, float]:
    return {str(q): float(np.percentile(values, q)) for q in QUANTILES}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Strategy:
    """A strategy on the news as it is and on other samples of it."""

    label: str
    baseline: bool
    engine: str
    actual: Redrawn
    resampled: Redrawn
    kept: tuple[tuple[float, Redrawn], ...]

    def document(self) -> dict[str, Any]:
        """Returns it as JSON has it."""
        actual = float(self.actual.returns[0])
        return {
            "strategy": self.label,
            "baseline": self.baseline,
            "engine": self.engine,
            "return_pct": actual,
            "key_session_net_weight": None if self.actual.net is None else float(self.actual.net[0]),
            "resampled": self.resampled.document(actual),
            "kept": [{"share": share, **each.document(actual)} for share, each in self.kept],
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Resampled:
    """Strategies over other samples of an episode's news."""

    episode: Episode
    n: int
    seed: int
    cells: Cells
    misread: Misread | None
    strategies: tuple[Strategy, ...]
    unmoved: tuple[str, ...]  # strategies that read no news

    def document(self) -> dict[str, Any]:
        """Returns it as `evidence/resample.json` has it."""
        misread = self.misread and {
            "table": self.misread.name, "labelled": self.misread.labelled, "chances": self.misread.chances.tolist()
        }  # fmt: skip
        return {
            "name": "resample",
            "episode": self.episode.name,
            "key_session": self.episode.key_session.isoformat(),
            "n": self.n,
            "seed": self.seed,
            "headlines": len(self.cells.items),
            "stories": self.cells.stories,
            "cells": self.cells.count,
            "misread": misread,
            "strategies": [each.document() for each in self.strategies],
            "read_no_news": list(self.unmoved),
            "notes": list(NOTES),
        }


def resample(
    episode: Episode,
    news: News,
    rules: Sequence[Rule],
    terms: BrokerTerms | None = None,
    *,
    labels: Sequence[str] = (),
    n: int = 2_000,
    seed: int = 1,
    keep: Sequence[float] = KEEP,
    misread: Misread | None = None,
    workers: int = 1,
    on_progress: Callable[[int], None] | None = None,
) -> Resampled:
    """Runs rules on other samples of an episode's news.

    Args:
        episode: The episode, on daily bars.
        news: Its placed news.
        rules: The rules; those that read no news are named and not run.
        terms: The broker's, `BrokerTerms()` without.
        labels: What the result calls the rules, their names without.
        n: Samples, of the whole and of each share kept.
        seed: Of the draws.
        keep: Shares of the cells that are kept, above 0 and below 1, to see how the result narrows with more news.
        misread: Draws the scorer's errors too.
        workers: Threads; the result is the same.
        on_progress: Called with the number of runs made since the last call.

    Raises:
        InputError: No headline that could move a rule, or n, seed or a share out of range.
    """
    if n < 2 or seed < 0 or not all(0 < share < 1 for share in keep):
        raise InputError(f"-n {n}, --seed {seed}: give 2 or more and 0 or more; --keep takes shares between 0 and 1")
    items = [item for item in news.items if item.session is not None] if misread else list(used_items(news))
    cells = cells_of(items)
    if not any(item.session in episode.window for item in used_items(news)):
        raise InputError(
            f"{episode.name}: no headline about AI can be traded in the window, so there is none to redraw"
        )
    rng = np.random.default_rng(seed)
    sets = [versions_of(news, cells, redrawn(rng, cells, n), rng, misread)]
    sets += [versions_of(news, cells, kept(rng, cells, n, share), rng, misread) for share in keep]
    terms, names = terms or BrokerTerms(), labels or [rule.name for rule in rules]
    moved = [(rule, name) for rule, name in zip(rules, names, strict=True) if rule.news]
    one = news, Versions(rows=actual_rows(news)[None, :])
    runners = [_Runner(episode, each, terms, workers, on_progress or (lambda _: None)) for each, _ in (one, *sets)]
    made = []
    for rule, name in moved:
        actual, whole, *parts = (
            runner.run(rule, versions) for runner, (_, versions) in zip(runners, (one, *sets), strict=True)
        )
        made.append(
            Strategy(
                label=name, baseline=rule.is_baseline, engine=engine_for(rule).name, actual=actual, resampled=whole,
                kept=tuple(zip(keep, parts, strict=True)),
            )
        )  # fmt: skip
    return Resampled(
        episode=episode, n=n, seed=seed, cells=cells, misread=misread, strategies=tuple(made),
        unmoved=tuple(name for rule, name in zip(rules, names, strict=True) if not rule.news),
    )  # fmt: skip


class _Runner:
    """Runs rules on versions of one news, compiled where that can follow, else replayed."""

    def __init__(
        self, episode: Episode, news: News, terms: BrokerTerms, workers: int, on_progress: Callable[[int], None]
    ) -> None:
        self.episode, self.news, self.terms, self.workers = episode, news, terms, workers
        self.on_progress = on_progress
        self._compiled: Any = None
        window = [episode.sessions.sessions[row] for row in episode.window]
        self._key = window.index(episode.key_session)

    def run(self, rule: Rule, versions: Versions) -> Redrawn:
        """Runs a rule on all versions."""
        used: NDArray[np.bool_] = versions.rows >= 0
        parts = [versions.part(slice(at, at + _AT_ONCE)) for at in range(0, len(versions), _AT_ONCE)]
        done = []
        for part in parts:
            done.append(self._part(rule, part))
            self.on_progress(len(part))
        nets = [net for _, net in done if net is not None]
        return Redrawn(
            returns=(np.concatenate([final for final, _ in done]) / self.terms.cash - 1) * 100,
            net=np.concatenate(nets) if nets else None,
            headlines=float(used.sum(axis=1).mean()),
        )

    def _part(self, rule: Rule, versions: Versions) -> tuple[Floats, Floats | None]:
        if engine_for(rule).name == "replay":
            equity = ReplayEngine(workers=self.workers).equity(self.episode, self.news, rule, self.terms, versions)
            return equity[:, -1], None
        from backtests.kernel.runs import Compiled, why_not

        if why_not(self.episode, rule, self.terms):
            equity = ReplayEngine(workers=self.workers).equity(self.episode, self.news, rule, self.terms, versions)
            return equity[:, -1], None
        if self._compiled is None:
            self._compiled = Compiled(self.episode, self.news, self.workers)
        final = self._compiled.versions(rule, self.terms, versions).final
        return final, self._compiled.net_weights(rule, self.terms, versions, self._key)


def short_form(
    episode: Episode, news: News, rules: Sequence[Rule], terms: BrokerTerms | None = None, labels: Sequence[str] = ()
) -> dict[str, dict[str, float]]:
    """Returns by label what stands beside a return: the middle 90 % over 100 samples, and the share of the other sign.

    Strategies that read no news, and those that only the replay can follow, are left out.
    """
    names = labels or [rule.name for rule in rules]
    quick = [(rule, name) for rule, name in zip(rules, names, strict=True) if rule.news]
    quick = [(rule, name) for rule, name in quick if engine_for(rule).name == "kernel"]
    if not quick or not any(item.session in episode.window for item in used_items(news)):
        return {}
    found = resample(
        episode, news, [rule for rule, _ in quick], terms, labels=[name for _, name in quick], n=SHORT, keep=()
    )
    return {
        row["strategy"]: {
            "low_pct": row["resampled"]["quantiles_pct"]["5"],
            "high_pct": row["resampled"]["quantiles_pct"]["95"],
            "other_sign_share": row["resampled"]["other_sign_share"],
        }
        for row in found.document()["strategies"]
    }
