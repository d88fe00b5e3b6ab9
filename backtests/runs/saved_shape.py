"""States what a saved run looks like: its card, its figures, its tables. Whatever reads a run may rely on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import tomli_w

from backtests.broker.terms import BrokerTerms
from backtests.records.record import RunRecord
from backtests.records.shape import ShapeError, check, day, flag, moment, number, text, whole

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,200}")  # of an episode, whose folder lies among the inputs
_CODE = re.compile(r"code/[0-9a-f]{8}/[^/\\]{1,200}\.py")
_DECISIONS = re.compile(r"decisions/[0-9a-f]{8}/[^/\\]{1,200}\.[cC][sS][vV]")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SOURCE = re.compile(r"(code/[0-9a-f]{8}|inputs/scorer)/[^/\\]{1,200}")
_UNKNOWN = re.compile("unknown")
CARD_FILE = "run_card.json"  # written last: a folder without it is no run, or half of one
_SETTING = (flag, number, text)
_BROKER = {
    "cash": number, "commission_bps": number, "slippage_bps": number, "borrow_pct": number, "impact_bps?": number,
    "volume_cap_pct?": number, ...: _SETTING,
}  # fmt: skip
CARD = {
    "config": {
        "episode": _NAME,
        "start": day,
        "end": day,
        "scorer": text,
        "scorer_source?": {"kind": text, "file": _SOURCE, "sha256": _SHA256, "settings": {...: text}},
        "lexicon_as_of?": day,
        "assumed_delay_minutes": number,
        "bars?": text,
        "broker?": _BROKER,
        "book?": _BROKER,  # of earlier runs
        "strategies": [
            {
                "name": text,
                "code?": _CODE,
                "class?": text,
                "decisions?": _DECISIONS,
                "sha256?": _SHA256,
                ...: _SETTING,
            },
            ...,
        ],
        "sources": {...: _SHA256},
    },
    "code_sha256?": text,
    "versions?": {...: text},
    "options?": {...: {...: text}},  # which options came from which file
}
_OPTIONAL = (None, number)
_RESAMPLED = {"samples": whole, "seed": whole, "low_pct": number, "high_pct": number, "other_sign_share": number}
DOCUMENT = {
    "episode": text,
    "title?": text,
    "sectors": {...: [text]},
    "window": {"start": day, "end": day, "sessions": whole},
    "key_session": day,
    "benchmark?": {
        "symbol": text, "return_pct": _OPTIONAL, "max_drawdown_pct": _OPTIONAL, "sharpe?": _OPTIONAL,
    },
    "headlines": {
        "total": whole, "used": whole, "rejected": whole, "by_language": {...: whole}, "by_basis": {...: whole},
    },
    "scorer?": {
        "name": text, "trained_until": (None, day, _UNKNOWN), "contaminated_for": [text], "vintages?": {...: whole},
        "before_first?": whole,
    },
    "notes?": [text],
    "limits?": [text],
    "trading?": {"bars?": text, "auctions?": text},
    "claims": [
        {
            "symbol": text, "reported": (text, number), "close_pct": _OPTIONAL, "gap_pct": _OPTIONAL,
            "intraday_pct": _OPTIONAL, "verdict": text, "measured?": _OPTIONAL, "unit?": (None, text),
            "criterion?": (None, text),
        },
    ],
    "results": [
        {
            "strategy": text, "label": text, "baseline": flag, "params": {...: _SETTING}, "return_pct": number,
            "max_drawdown_pct": number, "sharpe?": _OPTIONAL, "trades": whole, "open_positions": whole,
            "final_equity": number,
            "costs": {"commission": number, "slippage": number, "borrow": number, "dividends": number, ...: _OPTIONAL},
            "rejected_orders": whole, "margin_calls": whole, "ruined_on": (None, day),
            "resampled?": ({"why_not": text}, _RESAMPLED),
            "key_session_fills": [{"symbol": text, "shares": number, "auction": text, "price": number}],
        },
        ...,
    ],
    "borrow_stress?": {
        "rates_pct": [number], "returns_pct": {...: [number]}, "ruined_on": {...: [(None, day)]},
    },
    "audit?": {"decisions": whole, "violations": whole, "unproved?": [text]},
}  # fmt: skip


def check_run(run: RunRecord) -> None:
    """Checks what no single file shows: that the broker's terms, the figures and the tables fit each other.

    Raises:
        ShapeError: They do not.
        InputError: The broker's terms are none.
    """
    try:
        tomli_w.dumps(run.config)  # as it is hashed and shown
    except (TypeError, ValueError) as wrong:
        raise ShapeError(f"config: {wrong}") from None
    terms = run.config.get("broker", {})
    unknown = sorted(set(terms) - set(BrokerTerms.names()))
    _must("broker" in run.config and not unknown, f"config.broker has no {unknown or 'terms'}")
    BrokerTerms().with_settings({name: str(value) for name, value in terms.items()})
    _must(run.config["start"] <= run.config["end"], "config: the window ends before it starts")
    for row in run.config["strategies"]:
        named = {"code", "class", "decisions", "sha256"} & set(row)
        _must(
            named in (set(), {"code", "class", "sha256"}, {"decisions", "sha256"}),
            f"strategy {row['name']}: half of its code is named",
        )
    labels = {each["label"] for each in run.document["results"]}
    drawn = {row[0] for row in run.tables["equity"].rows}
    _must(labels == drawn, "equity.csv and metrics.json name other strategies")
    _must(
        all(row[column] > 0 for row in run.tables["bars"].rows for column in (2, 3, 4, 5)),
        "bars.csv: a price is not above 0",
    )
    ladder = run.evidence.get("delay")
    if ladder:
        rungs = len(ladder["rungs"])
        _must(all(len(row["return_pct"]) == rungs for row in ladder["strategies"]), "delay.json: not a figure a rung")
    for row in run.evidence.get("trials", {}).get("strategies", []):
        _must(len((row.get("intervals") or {}).get("return_pct", "ab")) == 2, "trials.json: an interval has two ends")
    stress = run.document.get("borrow_stress")
    if stress:
        count, returns, ruined = len(stress["rates_pct"]), stress["returns_pct"], stress["ruined_on"]
        rows = [*returns.values(), *ruined.values()]
        _must(
            set(returns) == set(ruined) and all(len(row) == count for row in rows), "borrow_stress: not a figure a rate"
        )


def _must(holds: bool, wrong: str) -> None:
    if not holds:
        raise ShapeError(wrong)


def _said(value: str) -> str:
    return value.removeprefix("'")  # disarmed for a spreadsheet


def _empty_or(shape: Callable[[Any], bool]) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value:
            check(_said(value), shape)
        return _said(value)

    return read


def _day(value: str) -> str:
    check(value, day)
    return value


def _moment(value: str) -> str:
    check(value, moment)
    return value


def _bool(value: str) -> bool:
    check({"True": True, "False": False}.get(value), flag)
    return value == "True"


def _count(value: str) -> int:
    check(int(value), whole)
    return int(value)


def _figure(value: str) -> float:
    check(float(value), number)
    return float(value)


def _figure_or_none(value: str) -> float | None:
    return _figure(value) if value else None


_KINDS: tuple[tuple[Callable[[str], Any], str, str], ...] = (
    (
        _said,
        "text",
        "strategy symbol status reason auction kind direction id source language title entities features link",
    ),
    (_empty_or(day), "day", "session opened closed decided"),
    (_moment, "time", "opens closes known_at"),
    (_empty_or(moment), "time", "published moment"),
    (_bool, "flag", "margin_call forced reaction cause used"),
    (_count, "count", "order headlines"),
    (_figure_or_none, "figure", "exit_price pnl vader"),
)
_READERS: Mapping[str, Callable[[str], Any]] = {name: read for read, _, names in _KINDS for name in names.split()}
_KIND_OF: Mapping[str, str] = {name: kind for _, kind, names in _KINDS for name in names.split()}
COLUMNS: Mapping[str, tuple[str, ...]] = {
    name: tuple(columns.split())
    for name, columns in {
        "equity": "strategy session cash positions equity gross net margin_call buying_power",
        "positions": "strategy session symbol shares close value",
        "orders": "strategy order decided session symbol size filled status reason forced",
        "fills": "strategy order session symbol size auction auction_price price commission slippage forced "
                 "position moment",
        "flows": "strategy session symbol kind amount",
        "trades": "strategy symbol direction opened closed shares entry_price exit_price commission borrow "
                  "dividends pnl",
        "targets": "strategy session symbol weight",
        "signals": "session headlines sentiment_include sentiment_with_cause sentiment_exclude tone vader",
        "scores": "id published known_at session source language title relevance sentiment displacement tone reaction "
                  "cause story_weight vader used entities features link",
        "bars": "symbol session open high low close",
        "sessions": "session opens closes",
    }.items()
}  # fmt: skip
LATER = frozenset({"buying_power", "moment", "displacement"})  # columns that earlier runs do not have


def kind_of(column: str) -> str:
    """Names what a table's column holds: "text", "day", "time", "flag", "count" or "figure"."""
    return _KIND_OF.get(column, "figure")


def read_cell(column: str, value: str) -> Any:
    """Reads a cell of a table: a text, a day, a time, a switch, a count, or a figure.

    Raises:
        ValueError: It is none, or one that nobody can compute with.
    """
    return _READERS.get(column, _figure)(value)
