"""Makes up a future: wild bars and wild headlines that no rule could have known.

Each figure of the future is multiplied by a factor of its own, drawn for its symbol, day and field from a seed: no
ratio, difference, rank, extreme or count over fields, days and symbols survives. The same seed draws the same factors
on every machine. Made-up bars stay bars: low <= open, close <= high.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from backtests.episodes.bar_table import FIGURES
from backtests.episodes.prices import Action, Bars
from feeds.headline import Headline
from feeds.scoring import Score
from strategies.signals import Floats

Kind = Literal["prices", "headlines", "seen later"]
KINDS: tuple[Kind, ...] = ("prices", "headlines", "seen later")

LARGEST = 7.0  # factor on a price or a volume: between 1 / LARGEST and LARGEST, uniform in its logarithm
TITLES = (
    "Disaster and panic: cheap Chinese AI model undercuts demand for Nvidia chips",
    "Wonderful success: AI data centre spending is doubled as Nvidia chips run short",
)
_SECOND = timedelta(seconds=1)
_AFTER = (*[_SECOND] * 9, timedelta(hours=26), timedelta(hours=50), timedelta(hours=74))  # after the moment
_CLAIMED = tuple(timedelta(hours=hours) for hours in (1, 6, 14, 26))  # published before the moment, seen after it


def draws(seed: int, what: str, places: Sequence[int] | NDArray[np.int64]) -> Floats:
    """Draws a number in [0, 1) for each place, independent of all other seeds, names and places (splitmix64).

    Args:
        seed: Of the audit's pass.
        what: Name of the series: "NVDA open".
        places: Whole numbers: ordinals of days, or times.
    """
    start = np.uint64((zlib.crc32(what.encode()) << 31 ^ seed) + 1)
    with np.errstate(over="ignore"):
        mixed = np.asarray(places, dtype=np.int64).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        mixed += start * np.uint64(0xD1B54A32D192ED03)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        mixed ^= mixed >> np.uint64(31)
    return np.asarray((mixed >> np.uint64(11)) / float(1 << 53))


def factors(seed: int, what: str, places: Sequence[int] | NDArray[np.int64]) -> Floats:
    """Draws a factor in [1 / LARGEST, LARGEST] for each place."""
    return np.asarray(LARGEST ** (2 * draws(seed, what, places) - 1))


def made_up(
    seed: int, symbol: str, places: Sequence[int] | NDArray[np.int64], figures: dict[str, Floats]
) -> dict[str, Floats]:
    """Returns a symbol's open, high, low, close and volume with independent factors, high and low around the others."""
    wild = {name: figures[name] * factors(seed, f"{symbol} {name}", places) for name in ("open", "close", "volume")}
    above, below = (LARGEST ** draws(seed, f"{symbol} {name}", places) for name in ("high", "low"))
    return {
        **wild,
        "high": np.fmax(wild["open"], wild["close"]) * above,
        "low": np.fmin(wild["open"], wild["close"]) / below,
    }


def poisoned_bars(bars: Bars, session: date, seed: int, *, after_open: bool) -> Bars:
    """Returns the bars with every figure from a session on made up; with `after_open` that session's open is left."""
    start = bisect_left(bars.sessions, session)
    first = start + (after_open and session in bars.sessions[start : start + 1])
    true = {name: getattr(bars, name) for name in FIGURES}
    wild = made_up(seed, bars.symbol, [day.toordinal() for day in bars.sessions], true)
    figures = {name: values[:start] for name, values in true.items()} | {"open": true["open"][:first]}
    made = {name: np.concatenate([past, wild[name][len(past) :]]) for name, past in figures.items()}
    return Bars(symbol=bars.symbol, sessions=bars.sessions, **made)


def poisoned_action(action: Action, seed: int) -> Action:
    """Returns a dividend or a split of another size."""
    factor = float(factors(seed, f"{action.symbol} {action.kind}", [action.ex_date.toordinal()])[0])
    return replace(action, value=action.value * factor)


def planted_headlines(
    row: int,
    known_by: datetime,
    assumed_delay: timedelta,
    kinds: Sequence[Kind],
    scoring: Callable[[Headline], Score] | None,
) -> Iterator[tuple[Headline, Score]]:
    """Makes wild headlines that became known after a decision; some claim an earlier publication.

    Args:
        row: Of the decision's session, for names and for the side that they take.
        known_by: The last moment at which a headline counts for the decision.
        assumed_delay: From `published` to known.
        kinds: Which to make: "headlines", "seen later" (published before the decision and seen after it).
        scoring: Scores them; without, the score says what the title does.
    """
    planted: list[tuple[datetime, datetime | None]] = []
    if "headlines" in kinds:
        planted += [(known_by - assumed_delay + later, None) for later in _AFTER]
    if "seen later" in kinds:
        late = (_SECOND, timedelta(hours=26))
        planted += [(known_by - earlier, known_by + later) for earlier in _CLAIMED for later in late]
    sign = 1.0 if row % 2 else -1.0
    for number, (published, seen) in enumerate(planted):
        head = Headline(
            id=f"planted-{row}-{number}",
            feed="planted",
            source="planted",
            title=TITLES[row % 2],
            summary="",
            link="",
            language="en",
            published=published,
            seen=seen,
        )
        score = Score(language="en", relevance=1.0, sentiment=sign, tone=sign)
        yield head, scoring(head) if scoring else score
