"""Checks what was reported about sessions against the prices. The verdict is the prices', not the report's.

| kind       | confirmed when                                                                            |
|------------|-------------------------------------------------------------------------------------------|
| return     | the close-to-close return is within `tolerance` percentage points of what was reported     |
| massive    | the close-to-close return is at or below -5 %                                              |
| down, up   | the close-to-close return is below, above 0                                                |
| move       | the return from the close of `since` to the session's is within `tolerance` points         |
| record     | the close (or the return, of a rise or fall) is beyond every earlier one in the episode's prices |
| level      | the close is within `tolerance` of what was reported                                       |
| value_lost | shares outstanding x fall of the close is within `tolerance` billion dollars of the report |
| calm       | no session of the window moves, close to close, by as much as was reported                 |
| rank       | the rank by shares outstanding x close among the symbols with shares outstanding is as said |
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from backtests.episodes.claims import Claim
from backtests.episodes.episode import Episode
from backtests.episodes.prices import Bars

MASSIVE_PCT = -5.0
_NO_SHARES = "shares outstanding are not given"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedClaim:
    """A claim beside the prices. Percentages are unrounded; overnight gap and session compound, they do not add."""

    symbol: str
    session: date
    said: str
    kind: str
    reported: str
    reported_value: float | None
    unit: str
    criterion: str  # what the prices must show for "confirmed", with its threshold
    measured: float | None
    close_pct: float | None  # close against the close before
    gap_pct: float | None  # open against the close before: overnight gap
    intraday_pct: float | None  # close against the open: tradable
    verdict: str  # "confirmed", "contradicted" or "not testable"
    note: str


class _Measured(NamedTuple):
    """What the prices show: None where they cannot tell."""

    value: float | None
    note: str


def check_claims(episode: Episode) -> list[CheckedClaim]:
    """Checks each claim of an episode against its prices."""
    return [_check(claim, episode) for claim in episode.claims]


def _row(bars: Bars | None, session: date) -> int | None:
    """Finds the row of a session that has a bar before it."""
    if bars is None or session not in bars.sessions[1:]:
        return None
    return bars.sessions.index(session)


def _check(claim: Claim, episode: Episode) -> CheckedClaim:
    bars = episode.prices.bars.get(claim.symbol)
    row = _row(bars, claim.session)
    if bars is None or row is None:
        return _checked(claim, episode, _Measured(None, "no prices for that session"), (None, None, None))
    before, opened, close = float(bars.close[row - 1]), float(bars.open[row]), float(bars.close[row])
    moves = ((close / before - 1) * 100, (opened / before - 1) * 100, (close / opened - 1) * 100)
    return _checked(claim, episode, _measure(claim, episode, bars, row, moves[0]), moves)


def _measure(claim: Claim, episode: Episode, bars: Bars, row: int, close_pct: float) -> _Measured:
    if claim.kind == "value_lost":
        shares = episode.shares_outstanding.get(claim.symbol)
        if shares is None:
            return _Measured(None, _NO_SHARES)
        return _Measured(shares * float(bars.close[row] - bars.close[row - 1]) / 1e9, "shares outstanding x close")
    if claim.kind == "rank":
        return _rank(claim, episode)
    if claim.kind == "calm":
        return _largest(bars, episode)
    if claim.kind == "move":
        return _move(claim, bars, row)
    if claim.kind == "record":
        return _record(claim, bars, row, close_pct)
    if claim.kind == "level":
        return _Measured(float(bars.close[row]), "close")
    if claim.symbol in episode.context:
        return _Measured(close_pct, _base_note(bars, row, episode))
    return _Measured(close_pct, "")


def _record(claim: Claim, bars: Bars, row: int, close_pct: float) -> _Measured:
    if claim.unit == "pct" and row < 2:
        return _Measured(None, "no earlier return")
    note = f"among the episode's prices, which begin on {bars.sessions[0]}; older records are not looked at"
    return _Measured(close_pct if claim.unit == "pct" else float(bars.close[row]), note)


def _move(claim: Claim, bars: Bars, row: int) -> _Measured:
    if claim.since is None or claim.since not in bars.sessions:
        return _Measured(None, f"no close of {claim.since}")
    base = bars.sessions.index(claim.since)
    return _Measured((float(bars.close[row] / bars.close[base]) - 1) * 100, f"over {row - base} sessions")


def _largest(bars: Bars, episode: Episode) -> _Measured:
    """Finds the return of largest size among the window's sessions, in percent with its sign."""
    moves = {
        bars.sessions[row]: (float(bars.close[row] / bars.close[row - 1]) - 1) * 100
        for row in range(1, len(bars.sessions))
        if episode.start <= bars.sessions[row] <= episode.end
    }
    if not moves:
        return _Measured(None, "no prices in the window")
    day = max(moves, key=lambda each: abs(moves[each]))
    return _Measured(moves[day], f"largest move of the window, on {day}")


def _rank(claim: Claim, episode: Episode) -> _Measured:
    values = {}
    for symbol, shares in episode.shares_outstanding.items():
        bars = episode.prices.bars.get(symbol)
        row = _row(bars, claim.session)
        if bars is None or row is None:
            return _Measured(None, f"no price of {symbol} for that session")
        values[symbol] = shares * float(bars.close[row])
    if claim.symbol not in values:
        return _Measured(None, _NO_SHARES)
    order = sorted(values, key=lambda symbol: -values[symbol])
    listing = ", ".join(f"{symbol} {values[symbol] / 1e9:,.0f} bn" for symbol in order)
    return _Measured(float(order.index(claim.symbol) + 1), f"among {len(order)} symbols: {listing}")


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


def _criterion(claim: Claim, episode: Episode) -> str:
    """Says what the prices must show for "confirmed", with its threshold."""
    reported, tolerance = claim.reported or 0.0, f"{claim.tolerance:g}"
    signed, massive = f"{reported:+g}".replace("-", "−"), f"{MASSIVE_PCT:g}".replace("-", "−")
    extremes = {
        "high": "close above every earlier close",
        "low": "close below every earlier close",
        "rise": "return above every earlier session's",
        "fall": "return below every earlier session's",
    }
    return {
        "return": f"return within {tolerance} points of {signed} %",
        "massive": f"return of {massive} % or lower",
        "down": "return below 0 %",
        "up": "return above 0 %",
        "move": f"return since the close of {claim.since} within {tolerance} points of {signed} %",
        "calm": f"no return of {reported:g} % or more, up or down, from {episode.start} to {episode.end}",
        "record": f"{extremes.get(claim.record, '')} of the episode's prices",
        "level": f"close within {tolerance} of {reported:g}",
        "value_lost": f"change of value within {tolerance} bn USD of {signed} bn USD",
        "rank": f"rank {reported:g} by value, within {tolerance}",
    }[claim.kind]


def _holds(claim: Claim, measured: float, episode: Episode) -> bool:
    if claim.kind == "massive":
        return measured <= MASSIVE_PCT
    if claim.kind == "down":
        return measured < 0
    if claim.kind == "up":
        return measured > 0
    if claim.kind == "record":
        return _is_record(claim, episode.prices.bars[claim.symbol])
    if claim.kind == "calm":
        return claim.reported is not None and abs(measured) < claim.reported
    return claim.reported is not None and abs(measured - claim.reported) <= claim.tolerance


def _is_record(claim: Claim, bars: Bars) -> bool:
    row = bars.sessions.index(claim.session)
    series = bars.close if claim.unit == "price" else bars.close[1:] / bars.close[:-1]
    last = row if claim.unit == "price" else row - 1  # returns begin a session later than closes
    earlier, value = series[:last].tolist(), float(series[last])
    if claim.record in {"high", "rise"}:
        return all(value > each for each in earlier)
    return all(value < each for each in earlier)


def _checked(
    claim: Claim, episode: Episode, measured: _Measured, moves: tuple[float | None, float | None, float | None]
) -> CheckedClaim:
    value = measured.value
    verdict = "not testable"
    if value is not None:
        verdict = "confirmed" if _holds(claim, value, episode) else "contradicted"
    return CheckedClaim(
        symbol=claim.symbol,
        session=claim.session,
        said=claim.said,
        kind=claim.kind,
        reported=claim.said,
        reported_value=claim.reported,
        unit=claim.unit,
        criterion=_criterion(claim, episode),
        measured=value,
        close_pct=moves[0],
        gap_pct=moves[1],
        intraday_pct=moves[2],
        verdict=verdict,
        note=measured.note,
    )
