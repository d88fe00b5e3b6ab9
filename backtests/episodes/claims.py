"""What was reported about a session, checked against the prices. The verdict is the prices', not the report's.

| kind       | confirmed when                                                                            |
|------------|-------------------------------------------------------------------------------------------|
| return     | the close-to-close return is within `tolerance` percentage points of what was reported     |
| massive    | the close-to-close return is at or below -5 %                                              |
| down       | the close-to-close return is below 0                                                       |
| value_lost | shares outstanding x fall of the close is within `tolerance` billion dollars of the report |
| calm       | no session of the window moves, close to close, by as much as was reported                 |
| rank       | the rank by shares outstanding x close among the symbols with shares outstanding is as said |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backtests.episodes.prices import Bars
from feeds.errors import EpisodeError

if TYPE_CHECKING:
    from backtests.episodes.episode import Episode

MASSIVE_PCT = -5.0
_UNITS = {"return": "pct", "massive": "pct", "down": "pct", "value_lost": "usd_bn", "rank": "rank", "calm": "pct"}
_NUMBERS = {"return", "value_lost", "rank", "calm"}
_KEYS = {"symbol", "session", "said", "kind", "reported", "tolerance"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One statement of a report. `reported` is in `unit`; None where the report gave no number."""

    symbol: str
    session: date
    said: str
    kind: str
    reported: float | None
    unit: str  # "pct", "usd_bn" or "rank"
    tolerance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedClaim:
    """A claim beside the prices. Percentages are unrounded; gap and intraday compound to close, they do not add."""

    symbol: str
    session: date
    said: str
    kind: str
    reported: str
    reported_value: float | None
    unit: str
    measured: float | None
    close_pct: float | None  # close against the close before
    gap_pct: float | None  # open against the close before: gone at the open
    intraday_pct: float | None  # close against the open: left to trade
    verdict: str  # "confirmed", "contradicted" or "not testable"
    note: str


def read_claims(rows: Sequence[Mapping[str, Any]], path: Path, *, known: set[str]) -> tuple[Claim, ...]:
    """Reads the claims of an episode.toml.

    Raises:
        EpisodeError: A claim with a wrong key, kind, symbol or number, by its position.
    """
    claims = []
    for number, row in enumerate(rows, 1):
        place = _place(path, number)
        wrong = sorted(set(row) - _KEYS) or sorted({"symbol", "session", "said", "kind"} - set(row))
        if wrong:
            raise EpisodeError(f"{place}: key {wrong[0]!r} is unknown or missing; it has {', '.join(sorted(_KEYS))}")
        if row["kind"] not in _UNITS:
            raise EpisodeError(f"{place}: kind {row['kind']!r} must be one of {', '.join(_UNITS)}")
        if row["symbol"] not in known:
            raise EpisodeError(f"{place}: symbol {row['symbol']!r} is in no sector and not in context; add it to one")
        if type(row["session"]) is not date:
            raise EpisodeError(f"{place}: session must be a date like 2025-01-27")
        for key in ("reported", "tolerance"):
            if key in row and type(row[key]) not in {int, float}:
                raise EpisodeError(f"{place}: {key} must be a number")
        if row["kind"] in _NUMBERS and "reported" not in row:
            raise EpisodeError(f"{place}: kind {row['kind']} needs reported = <number>")
        claims.append(
            Claim(
                symbol=row["symbol"],
                session=row["session"],
                said=row["said"],
                kind=row["kind"],
                reported=float(row["reported"]) if "reported" in row else None,
                unit=_UNITS[row["kind"]],
                tolerance=float(row.get("tolerance", 0.0)),
            )
        )
    return tuple(claims)


def _place(path: Path, number: int) -> str:
    """File, line and position of a claim."""
    heads = [line for line, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if "[[claims]]" in text]
    return f"{path}:{heads[number - 1]}: claim {number}" if number <= len(heads) else f"{path}: claim {number}"


def check_claims(episode: Episode) -> list[CheckedClaim]:
    """Checks each claim of an episode against its prices."""
    return [_check(claim, episode) for claim in episode.claims]


def _row(bars: Bars | None, session: date) -> int | None:
    """The row of a session that has a bar before it."""
    if bars is None or session not in bars.sessions[1:]:
        return None
    return bars.sessions.index(session)


def _check(claim: Claim, episode: Episode) -> CheckedClaim:
    bars = episode.prices.bars.get(claim.symbol)
    row = _row(bars, claim.session)
    if bars is None or row is None:
        return _checked(claim, None, (None, None, None), "not testable", "no prices for that session")
    before, opened, close = float(bars.close[row - 1]), float(bars.open[row]), float(bars.close[row])
    moves = ((close / before - 1) * 100, (opened / before - 1) * 100, (close / opened - 1) * 100)
    measured, note = _measure(claim, episode, bars, row, moves[0])
    if measured is None:
        return _checked(claim, None, moves, "not testable", note)
    return _checked(claim, measured, moves, "confirmed" if _holds(claim, measured) else "contradicted", note)


def _measure(claim: Claim, episode: Episode, bars: Bars, row: int, close_pct: float) -> tuple[float | None, str]:
    shares = episode.shares_outstanding
    if claim.kind == "value_lost":
        if claim.symbol not in shares:
            return None, "shares outstanding are not given"
        return shares[claim.symbol] * float(bars.close[row] - bars.close[row - 1]) / 1e9, "shares outstanding x close"
    if claim.kind == "rank":
        return _rank(claim, episode)
    if claim.kind == "calm":
        return _largest(bars, episode)
    if claim.symbol in episode.context:
        return close_pct, _base_note(bars, row, episode)
    return close_pct, ""


def _largest(bars: Bars, episode: Episode) -> tuple[float | None, str]:
    """The return of largest size among the window's sessions, in percent with its sign."""
    moves = {
        bars.sessions[row]: (float(bars.close[row] / bars.close[row - 1]) - 1) * 100
        for row in range(1, len(bars.sessions))
        if episode.start <= bars.sessions[row] <= episode.end
    }
    if not moves:
        return None, "no prices in the window"
    day = max(moves, key=lambda each: abs(moves[each]))
    return moves[day], f"largest move of the window, on {day}"


def _rank(claim: Claim, episode: Episode) -> tuple[float | None, str]:
    values = {}
    for symbol, shares in episode.shares_outstanding.items():
        bars = episode.prices.bars.get(symbol)
        row = _row(bars, claim.session)
        if bars is None or row is None:
            return None, f"no price of {symbol} for that session"
        values[symbol] = shares * float(bars.close[row])
    if claim.symbol not in values:
        return None, "shares outstanding are not given"
    order = sorted(values, key=lambda symbol: -values[symbol])
    listing = ", ".join(f"{symbol} {values[symbol] / 1e9:,.0f} bn" for symbol in order)
    return float(order.index(claim.symbol) + 1), f"among {len(order)} symbols: {listing}"


def _base_note(bars: Bars, row: int, episode: Episode) -> str:
    """Says against which day the close is measured where that is not the session before."""
    before = bars.sessions[row - 1]
    table = episode.sessions
    if before in table.sessions or bars.sessions[row] not in table.sessions:
        return ""
    last = table.sessions[table.index(bars.sessions[row]) - 1]
    text = f"against {before}"
    if last in bars.sessions:
        base = float(bars.close[bars.sessions.index(last)])
        text += f"; {(float(bars.close[row]) / base - 1) * 100:+.2f} % against the session before, {last}"
    return text


def _holds(claim: Claim, measured: float) -> bool:
    if claim.kind == "massive":
        return measured <= MASSIVE_PCT
    if claim.kind == "down":
        return measured < 0
    if claim.kind == "calm":
        return claim.reported is not None and abs(measured) < claim.reported
    return claim.reported is not None and abs(measured - claim.reported) <= claim.tolerance


def _checked(
    claim: Claim, measured: float | None, moves: tuple[float | None, ...], verdict: str, note: str
) -> CheckedClaim:
    return CheckedClaim(
        symbol=claim.symbol,
        session=claim.session,
        said=claim.said,
        kind=claim.kind,
        reported=claim.said,
        reported_value=claim.reported,
        unit=claim.unit,
        measured=measured,
        close_pct=moves[0],
        gap_pct=moves[1],
        intraday_pct=moves[2],
        verdict=verdict,
        note=note,
    )
