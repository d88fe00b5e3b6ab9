"""Grades a record once prices are there: what was recorded, replayed over the real opens through the same account."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from backtests._replay import replay
from backtests.engine.news import read_archive
from backtests.episodes.episode import Episode
from backtests.episodes.prices import check_calendar
from backtests.forward.chain import Chain
from backtests.forward.coming import extended, price_file
from backtests.forward.decision_line import account_rule
from backtests.forward.registration import GRADED, Portfolio
from backtests.records.record import RunRecord
from backtests.report.text.run_report import MONEY, legend, result_table
from backtests.report.text.table import grid, number, wrapped
from backtests.runs.result import Result
from backtests.user_strategies.selection import with_baselines
from feeds.archive import Archive
from feeds.errors import InputError


def graded_episode(portfolio: Portfolio, episode: Episode, chain: Chain) -> Episode:
    """Returns the universe over the record's sessions that have prices.

    Raises:
        InputError: There is none yet.
    """
    recorded = [date.fromisoformat(line["session"]) for line in chain.lines]
    priced = max(episode.prices.bars[symbol].sessions[-1] for symbol in episode.tradable)
    end = max((day for day in recorded if day <= priced), default=None)
    if end is None or not any(line["kind"] == "decision" for line in chain.lines):
        raise InputError(
            f"{portfolio.folder}: nothing to grade; {price_file(episode)} ends on {priced}, the first decision is for "
            f"{portfolio.start}"
        )
    last = episode.sessions.closes[-1]
    sessions = episode.sessions
    if end > sessions.sessions[-1]:
        sessions = extended(sessions, last + (end - sessions.sessions[-1]))
        check_calendar(episode.prices, episode.tradable, sessions, price_file(episode))
    row = sessions.index(end)
    if sessions.sessions[row] < portfolio.start:
        raise InputError(f"{portfolio.folder}: nothing to grade before {portfolio.start}")
    return replace(episode, start=portfolio.start, end=end, sessions=sessions)


def grade(portfolio: Portfolio, archive: Archive) -> Result:
    """Replays the recorded decisions, beside the registered rule over the same sessions and the baselines.

    A void session has no rows: the last targets stand, as they would have at a broker.

    Raises:
        InputError: There is nothing to grade, or the record is broken.
    """
    chain = portfolio.chain()
    if chain.broken:
        raise InputError(f"{portfolio.record}: {chain.broken[0]}; `forward verify` says more")
    episode = graded_episode(portfolio, portfolio.load(), chain)
    until = episode.sessions.closes[episode.window[-1]] + timedelta(days=1)
    episode, news = read_archive(episode, archive, scorer=portfolio.scorer, until=until)
    lines = [line for line in chain.lines if line["session"] <= episode.end.isoformat()]
    account = account_rule(portfolio.name, lines, episode.benchmark)
    rules = [account, *([] if portfolio.decisions else [portfolio.rule()])]
    return replay(episode, with_baselines(rules), terms=portfolio.terms, news=news)


def save_graded(portfolio: Portfolio, result: Result) -> Path:
    """Keeps the run in the portfolio's folder, in the place of the one before."""
    folder = portfolio.folder / GRADED
    result.save(folder, force=folder.exists())
    return folder


def report_document(portfolio: Portfolio, chain: Chain, run: RunRecord) -> dict[str, Any]:
    """Returns what `forward report --json` prints."""
    results = run.document["results"]
    forward, *others = results
    replayed = None if portfolio.decisions else others[0]
    return {
        "name": portfolio.name,
        "registered_at": portfolio.registered_at.isoformat(),
        "window": run.document["window"],
        "decisions": sum(line["kind"] == "decision" for line in chain.lines),
        "void": [
            {"session": line["session"], "reason": line["reason"]} for line in chain.lines if line["kind"] == "void"
        ],
        "return_pct": forward["return_pct"],
        "benchmark": run.document["benchmark"],
        "replay_return_pct": replayed["return_pct"] if replayed else None,
        "replay_minus_forward_pct": replayed["return_pct"] - forward["return_pct"] if replayed else None,
        "results": results,
        "head": chain.head,
    }


def report_text(portfolio: Portfolio, chain: Chain, run: RunRecord) -> str:
    """Returns the report for a terminal."""
    said = report_document(portfolio, chain, run)
    window = said["window"]
    lines = [
        *wrapped(
            f"{portfolio.name}, registered {portfolio.registered_at:%Y-%m-%d %H:%M} UTC: "
            f"{window['start']} to {window['end']}, {window['sessions']} sessions; {said['decisions']} decisions "
            f"sealed before the open, {len(said['void'])} void"
        ),
        *(line for each in said["void"] for line in wrapped(f"VOID {each['session']}: {each['reason']}")),
        "",
        *wrapped(f"What it made ({legend(run)}; {MONEY})", 2),
        *grid(*_table(run)),
    ]
    if said["replay_minus_forward_pct"] is not None:
        lines += [
            "",
            *wrapped(
                f"replay minus forward: {number(said['replay_minus_forward_pct'])} percentage points (the rule over "
                "the same sessions without void ones, on the prices and news of now)"
            ),
        ]
    return "\n".join([*lines, f"head: {chain.head}"]) + "\n"


def _table(run: RunRecord) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    head, (rows,) = result_table(run, short=True, without=("open_positions",))
    return head, rows
