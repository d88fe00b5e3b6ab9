"""Says what a run does not show: a sentence for each figure of the run that limits it. Pure.

What only the episode can know (how its news was sampled, why its window was chosen) stands in its episode.toml.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from backtests.records.record import RunRecord
from backtests.report.text.table import number
from strategies.universe import exposures

_AUCTIONS = {
    "open": "at the opening auction",
    "close": "at the closing auction",
    "session": "inside a session",
    "bar": "in bars of minutes",
}


def limits(record: RunRecord) -> tuple[str, ...]:
    """Lists what the run does not show, one sentence each: the episode's own limits, then those of its figures."""
    own = record.document.get("limits", ())
    return (*own, *_entries(record), *_news(record), *_times(record), *_fills(record), *_exposures(record))


def entry_sessions(record: RunRecord, strategy: str) -> int:
    """Counts the sessions in which a strategy entered a position."""
    columns = record.tables["trades"].columns
    name, opened = columns.index("strategy"), columns.index("opened")
    return len({row[opened] for row in record.tables["trades"].rows if row[name] == strategy})


def _entries(record: RunRecord) -> Iterator[str]:
    """Says on how many sessions the result rests."""
    sessions = record.document["window"]["sessions"]
    counts = [entry_sessions(record, each["label"]) for each in record.document["results"] if not each["baseline"]]
    window = f"one window of {sessions} session{'s' * (sessions != 1)}"
    if counts and max(counts) == 0:
        yield f"No strategy entered a position in {window}: nothing was tested."
    elif counts:
        span = f"{min(counts)} to {max(counts)}" if min(counts) < max(counts) else str(counts[0])
        last = "session" if max(counts) == 1 else "sessions"
        yield f"It is {window}, and strategies entered positions in {span} {last}: so few cases say little of others."


def _news(record: RunRecord) -> Iterator[str]:
    """Says whose reports the news is."""
    sources = Counter(row["source"] for row in record.tables["scores"].records())
    total = sum(sources.values())
    if not total:
        yield "There were no headlines: what was made, was made without news."
        return
    name, count = sources.most_common(1)[0]
    if len(sources) == 1:
        yield f"All {total} headlines are of one source, {name}: what only others reported, no rule could know."
    else:
        yield (
            f"The {total} headlines are of {len(sources)} sources ({name}: {count / total * 100:.0f} %): what only "
            "others reported, no rule could know."
        )


def _times(record: RunRecord) -> Iterator[str]:
    """Says for how many headlines the time is a claim."""
    heads = record.document["headlines"]
    assumed = heads["by_basis"].get("assumed", 0)
    if assumed:
        yield (
            f"When {assumed} of {heads['total']} headlines could be read is assumed: the publisher's time plus "
            f"{record.config['assumed_delay_minutes']:g} minutes."
        )


def _fills(record: RunRecord) -> Iterator[str]:
    """Says where orders filled, at what slippage, and what of a bar's volume they took at most."""
    fills, terms = record.tables["fills"], record.config["broker"]
    at = fills.columns.index("auction")
    counts = Counter(_AUCTIONS.get(row[at]) for row in fills.rows)
    named = ", ".join(f"{count:,} {where}" for where, count in counts.most_common() if where)
    if named:
        cap = terms.get("volume_cap_pct", 0.0)
        depth = f"an order took at most {cap:g} % of a bar's volume" if cap else "any size was filled"
        impact = terms.get("impact_bps", 0.0)
        moved = f"moved its price by up to {impact:g} bps" if impact else "moved no price"
        slippage = f"{terms['slippage_bps']:g} bps of slippage in auctions"
        yield f"Fills: {named}, with {slippage}; {depth} and {moved}; what stood in the order book is not known."


def _exposures(record: RunRecord) -> Iterator[str]:
    """Says how many symbols the built-in rules know by judgement."""
    if any(not row["baseline"] for row in record.document["results"]) and not _only_users(record):
        traded = [symbol for members in record.document["sectors"].values() for symbol in members]
        end = record.document["window"]["end"]
        judged = {each.symbol for each in exposures() if each.valid_from.isoformat() <= end}
        yield (
            f"How AI demand moves {len(judged.intersection(traded))} of the {len(traded)} symbols is the project's own "
            "judgement (strategies/universe.csv)."
        )


def _only_users(record: RunRecord) -> bool:
    """Says whether every strategy that is no baseline came from a user's file."""
    baselines = {row["strategy"] for row in record.document["results"] if row["baseline"]}
    return all("code" in row or row["name"] in baselines for row in record.config["strategies"])


def returns_span(values: list[float], digits: int = 1) -> str:
    """Writes the span of some returns in percent, or the one."""
    low, high = number(min(values), digits), number(max(values), digits)
    return f"{high} %" if low == high else f"{low} to {high} %"
