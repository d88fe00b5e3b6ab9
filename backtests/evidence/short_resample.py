"""Says beside every return of a run how far it hangs on the sample of the news: the short form of `backtest resample`.

Each row of `results` gets, as `resampled`, the range of its return over other samples and the share of samples with
the other sign, or why it has none. One set of samples serves all strategies; only the compiled engine runs them, since
a hundred replays of each would take longer than the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from backtests.batch.news_versions import used_items
from backtests.broker.terms import BrokerTerms
from backtests.evidence.news_samples import FLAT
from backtests.evidence.resample_draws import cells_of, redrawn, versions_of

if TYPE_CHECKING:
    from backtests.engine.news import News
    from backtests.episodes.episode import Episode
    from backtests.records.record import RunRecord
    from strategies.rule import Rule

SAMPLES = 100
SEED = 1
LONGEST = 130  # sessions; what rules observe is read in Python, and its time grows with the window
LOW, HIGH = 5, 95  # per cent of the samples below
NO_NEWS = "reads no news"
Row = dict[str, Any]


def short_form(
    episode: Episode,
    news: News,
    rules: Sequence[Rule],
    returns_pct: Sequence[float],
    terms: BrokerTerms | None = None,
) -> list[Row]:
    """Runs rules on other samples of an episode's news.

    Args:
        episode: The episode.
        news: Its placed news.
        rules: The rules.
        returns_pct: What each made on the news as it is, in per cent.
        terms: The broker's, `BrokerTerms()` without.

    Returns:
        For each rule `samples`, `seed`, `low_pct`, `high_pct` (the middle 90 % of its return, per cent) and
        `other_sign_share` (0 to 1; where it made nothing: of samples in which it made anything), or `why_not`.
    """
    terms = terms or BrokerTerms()
    reasons = [_why_not(episode, news, rule, terms) for rule in rules]
    if all(reasons):
        return [{"why_not": reason} for reason in reasons]
    from backtests.kernel.runs import Compiled

    rng, cells = np.random.default_rng(SEED), cells_of(used_items(news))
    samples, versions = versions_of(news, cells, redrawn(rng, cells, SAMPLES))
    compiled = Compiled(episode, samples)
    rows: list[Row] = []
    for rule, made, reason in zip(rules, returns_pct, reasons, strict=True):
        if reason:
            rows.append({"why_not": reason})
            continue
        final = compiled.versions(rule, terms, versions).final / terms.cash * 100 - 100
        other = final * np.sign(made) < 0 if made else np.abs(final) > FLAT
        if not np.isfinite(final).all():
            rows.append({"why_not": "none of its symbols has a bar in the window"})
            continue
        low, high = np.percentile(final, (LOW, HIGH)).tolist()
        rows.append(
            {
                "samples": SAMPLES,
                "seed": SEED,
                "low_pct": low,
                "high_pct": high,
                "other_sign_share": float(other.mean()),
            }
        )
    return rows


def _why_not(episode: Episode, news: News, rule: Rule, terms: BrokerTerms) -> str:
    """Says why a rule has no short form; "" when it has one."""
    if not rule.news:
        return NO_NEWS
    if rule.code is not None:
        return "is your own, and compiling or replaying it takes longer than the run; `backtest resample` does"
    if not any(item.session in episode.window for item in used_items(news)):
        return "no headline about AI could be traded in the window, so there is none to redraw"
    if len(episode.window) > LONGEST:
        return f"the window has more than {LONGEST} sessions; `backtest resample` takes any"
    from backtests.kernel.runs import why_not

    return why_not(episode, rule, terms)


def add_short_form(record: RunRecord, rules: Sequence[Rule], episode: Episode, news: News, terms: BrokerTerms) -> None:
    """Adds the short form to each row of a run's results.

    Args:
        record: The run.
        rules: Its rules, in the order of its results.
        episode: What it was made from.
        news: Its placed news.
        terms: The broker's.
    """
    results = record.document["results"]
    made = short_form(episode, news, rules, [row["return_pct"] for row in results], terms)
    for row, own in zip(results, made, strict=True):
        row["resampled"] = own


def has_short_form(document: Mapping[str, Any]) -> bool:
    """Says whether a run's figures have the short form."""
    return any("resampled" in row for row in document["results"])
