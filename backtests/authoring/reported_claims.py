"""Checks sentences of newspapers against prices alone: one, or a CSV list of them. No news, no episode is needed.

    symbol,session,reported,kind,since,record,tolerance,said,source
    NVDA,2025-01-27,-17,return,,,,"Nvidia lost 17 %",https://example.org/report

`reported` is kept as it was written: without a tolerance, a report may be off by one unit of its last digit, since it
may round or cut off (-17 is -16.01 to -17.99).
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from backtests.episodes.claim_checks import CheckedClaim, check_claim
from backtests.episodes.claims import UNITS, Claim, make_claim
from backtests.episodes.csv_rows import csv_rows
from backtests.episodes.episode import EPISODES, episode_names, load_episode
from backtests.episodes.prices import Prices, read_prices
from feeds.errors import InputError, did_you_mean
from strategies.sessions import Sessions

COLUMNS = ("symbol", "session", "reported", "kind", "since", "record", "tolerance", "said", "source")
KINDS = tuple(kind for kind in UNITS if kind != "calm")  # which is said of a window


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFile:
    """What a report is checked against: daily bars, and shares outstanding where somebody gave them."""

    prices: Prices
    name: str
    shares_outstanding: dict[str, float] = field(default_factory=dict)
    context: tuple[str, ...] = ()
    sessions: Sessions = field(default_factory=lambda: Sessions(sessions=(), opens=(), closes=()))
    start: date = date.min
    end: date = date.max


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One checked sentence."""

    checked: CheckedClaim
    tolerance: float  # in the claim's unit
    source: str

    def document(self) -> dict[str, Any]:
        """Returns it as JSON has it; percent, prices and billions of dollars as in an episode's claims."""
        row = asdict(self.checked)
        return row | {"session": self.checked.session.isoformat(), "tolerance": self.tolerance, "source": self.source}


def price_file(path: Path | None, shares: Mapping[str, float], row: Mapping[str, str]) -> PriceFile:
    """Reads a file of prices; without one, takes a shipped episode that has the symbol's bar of that session.

    Raises:
        InputError: The file cannot be read, or no shipped episode has such a bar.
    """
    if path is not None:
        return PriceFile(prices=read_prices(path), name=str(path), shares_outstanding=dict(shares))
    for name in episode_names():
        if (EPISODES / name / "prices.csv").is_file():
            episode = load_episode(name)
            bars = episode.prices.bars.get(row["symbol"])
            if bars is not None and row["session"] in {day.isoformat() for day in bars.sessions[1:]}:
                given = {**episode.shares_outstanding, **shares}
                return PriceFile(prices=episode.prices, name=f"episode {name}", shares_outstanding=given)
    raise InputError(f"no shipped episode has {row['symbol']} on {row['session']}; give --prices FILE")


def check_report(row: Mapping[str, str], quotes: PriceFile, place: str = "claim") -> Report:
    """Checks one sentence.

    Args:
        row: Texts by the names in `COLUMNS`; those left out are empty.
        quotes: The prices.
        place: Where the sentence stands, for messages.

    Raises:
        InputError: A value that cannot be read, or one that the kind lacks or has too much.
    """
    try:
        claim = _claim(row, quotes.prices.bars)
    except ValueError as wrong:
        raise InputError(f"{place}: {wrong}") from None
    return Report(checked=check_claim(claim, quotes), tolerance=claim.tolerance, source=row.get("source", ""))


def _claim(row: Mapping[str, str], known: Collection[str]) -> Claim:
    kind = row.get("kind") or ("return" if row.get("reported") else "massive")
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r}: {did_you_mean(kind, KINDS)}")
    symbol = row["symbol"]
    if symbol not in known:
        raise ValueError(f"the prices hold no symbol {symbol!r}; {did_you_mean(symbol, known)}")
    made: dict[str, Any] = {"symbol": symbol, "kind": kind, "said": row.get("said") or _words(row, kind)}
    for name in ("session", "since"):
        if row.get(name):
            made[name] = _day(name, row[name])
    for name in ("reported", "tolerance"):
        if row.get(name):
            made[name] = float(_number(name, row[name]))
    if "reported" in made and "tolerance" not in made and kind != "rank":
        made["tolerance"] = float(Decimal(1).scaleb(int(_number("reported", row["reported"]).as_tuple().exponent)))
    if row.get("record"):
        made["record"] = row["record"]
    return make_claim(made, known)


def _words(row: Mapping[str, str], kind: str) -> str:
    return " ".join(filter(None, [kind.replace("_", " "), row.get("record", ""), row.get("reported", "")]))


def _day(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{name} {text!r}: give a date as YYYY-MM-DD") from None


def _number(name: str, text: str) -> Decimal:
    try:
        found = Decimal(text.strip().removesuffix("%").strip().replace("−", "-"))
    except InvalidOperation:
        found = Decimal("nan")
    if not found.is_finite() or abs(found.adjusted()) > 15:
        raise ValueError(f"{name} {text!r}: give a number, like -17 or -16.9")
    return found


def read_reports(path: Path) -> list[tuple[str, dict[str, str]]]:
    """Reads a list of sentences: (file:line, cells by column); columns after `session` may be missing.

    Raises:
        InputError: No such file, another header, a row of another length, or none at all.
    """
    rows = list(csv_rows(path, COLUMNS, optional=len(COLUMNS) - 2))
    if not rows:
        raise InputError(f"{path}: holds no claims; give rows of {','.join(COLUMNS)}")
    return rows


def keep_report(path: Path, row: Mapping[str, str]) -> None:
    """Adds a sentence to a list that `read_reports` reads; makes the list where there is none.

    Raises:
        InputError: The file is another table, or cannot be written.
    """
    new = not path.exists()
    if not new:
        held = read_reports(path)
        if set(row) - set(held[0][1]):
            raise InputError(f"{path}: is no list of claims; give another file")
    try:
        with path.open("a", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            if new:
                writer.writerow(COLUMNS)
            writer.writerow([row.get(name, "") for name in COLUMNS])
    except OSError as wrong:
        raise InputError(f"{path}: cannot be written ({wrong.strerror})") from None


def draw_report(report: Report, quotes: PriceFile, path: Path, around: int = 20) -> None:
    """Draws the closes around the session, the session marked, as PNG, SVG or PDF by the file's name.

    Raises:
        InputError: matplotlib is not installed, or the file cannot be written.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as missing:
        raise InputError("--plot needs matplotlib: pip install 'aftershock[plot]'") from missing
    checked, bars = report.checked, quotes.prices.bars[report.checked.symbol]
    row = bars.sessions.index(checked.session) if checked.session in bars.sessions else len(bars.sessions) - 1
    shown = slice(max(0, row - around), row + around // 2)
    figure = Figure(figsize=(9, 4.5), layout="constrained")
    axes: Any = figure.subplots()
    axes.plot(bars.sessions[shown], bars.close[shown], color="#444", marker=".", linewidth=1)
    axes.axvline(checked.session, color="#b33", linewidth=1, linestyle="--")
    axes.set(title=f"{checked.symbol}, {checked.session}: “{checked.said}” – {checked.verdict}", ylabel="close")
    axes.tick_params(axis="x", rotation=45)
    try:
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as wrong:
        raise InputError(f"--plot {path}: {wrong}; give FILE.png, .svg or .pdf in a folder that is there") from None


def shares_given(texts: Iterable[str]) -> dict[str, float]:
    """Reads SYMBOL=NUMBER pairs of shares outstanding.

    Raises:
        InputError: One that is none.
    """
    found = {}
    for text in texts:
        symbol, _, number = text.partition("=")
        try:
            found[symbol] = float(_number("--shares", number))
        except ValueError:
            found[symbol] = 0.0
        if not symbol or found[symbol] <= 0:
            raise InputError(f"--shares {text!r}: give SYMBOL=NUMBER, like NVDA=24490000000")
    return found


def all_confirmed(reports: Sequence[Report]) -> bool:
    """Says whether the prices confirm every sentence."""
    return all(each.checked.verdict == "confirmed" for each in reports)
