"""Checks a record: its chain, its times, and every decision made again from the archive as of its moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from backtests.episodes.episode import Episode
from backtests.forward.chain import Line
from backtests.forward.coming import Coming, extended
from backtests.forward.decision_line import decide_line
from backtests.forward.kept_bars import digest_of, prices_of, read_kept
from backtests.forward.registration import BARS, Portfolio
from backtests.records.run_card import code_sha256
from backtests.records.shape import ShapeError, aware, check, day, number, text, whole
from feeds.archive import Archive
from feeds.errors import InputError
from strategies.rule import Rule
from strategies.sessions import Sessions

_VOID = {"n": whole, "kind": text, "session": day, "deadline": aware, "decided_at": aware, "reason": text}
_DECISION = {
    "n": whole,
    "kind": text,
    "session": day,
    "deadline": aware,
    "known_by": aware,
    "decided_at": aware,
    "targets": {...: number},
    "orders": {...: number},
    "news": {"digest": text, "known": whole, "ids": [text]},
    "prices": {"last": day, "digest": text},
    "archive": text,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Holds what a check found."""

    decisions: int
    void: int
    head: str
    wrong: tuple[str, ...]  # one line each, with the record's line
    notes: tuple[str, ...]


def check_record(portfolio: Portfolio, archive: Archive, *, head: str = "", rule: Rule | None = None) -> Checked:
    """Checks a record.

    Args:
        portfolio: Whose.
        archive: The news it was decided on.
        head: A hash that was published earlier and must be in the chain; "" for none.
        rule: The registered rule; None where a table of decisions decided, which is not made again.

    Raises:
        InputError: Something cannot be read.
    """
    chain = portfolio.chain()
    wrong = list(chain.broken)
    notes = []
    if chain.torn:
        notes.append(
            f"behind line {len(chain.lines)} stands half a line: its writer was killed; the next one sets it aside"
        )
    if head and head not in {chain.first, *(str(line.get("hash")) for line in chain.lines)}:
        wrong.append(f"the published head {head[:16]}… is not in this record: it was made anew, or cut short")
    whole_lines = []
    for line in chain.lines:
        try:
            check(line, _DECISION if line.get("kind") == "decision" else _VOID)
            whole_lines.append(line)
        except ShapeError as bad:
            wrong.append(f"line {line.get('n')}: {bad}")
    episode = portfolio.load()
    if whole_lines:
        last = datetime.fromisoformat(whole_lines[-1]["deadline"])
        sessions = extended(episode.sessions, last)
        wrong += _times(portfolio, episode, sessions, whole_lines)
        if portfolio.code_sha256 != code_sha256():
            notes.append("the program's code is not the one that was registered: decided again with today's")
        for place, line in enumerate(whole_lines):
            if line["kind"] == "decision":
                wrong += _again(
                    portfolio, rule, replace(episode, sessions=sessions), archive, whole_lines[:place], line
                )
    wrong += _archive(archive, whole_lines)
    return Checked(
        decisions=sum(line["kind"] == "decision" for line in whole_lines),
        void=sum(line["kind"] == "void" for line in whole_lines),
        head=chain.head,
        wrong=tuple(wrong),
        notes=tuple(notes),
    )


def _times(portfolio: Portfolio, episode: Episode, sessions: Sessions, lines: Sequence[Line]) -> Iterator[str]:
    """Checks that each session has one line, in order, and each decision was written before its deadline."""
    opens = dict(zip(map(str, sessions.sessions), sessions.opens, strict=True))
    expected = [str(day) for day in sessions.sessions if day >= portfolio.start]
    before = portfolio.registered_at
    for place, line in enumerate(lines):
        name = f"line {line['n']}"
        written, deadline = (datetime.fromisoformat(line[key]) for key in ("decided_at", "deadline"))
        if place >= len(expected) or line["session"] != expected[place]:
            wanted = expected[place] if place < len(expected) else "none"
            yield f"{name}: is for {line['session']}, should be for {wanted}; a line was dropped, put in or moved"
        opened = opens.get(line["session"])
        if opened is not None and deadline != opened - episode.lead:
            yield f"{name}: its deadline {deadline.isoformat()} is not open - lead of {line['session']}"
            deadline = opened - episode.lead
        if written < before:
            yield f"{name}: written at {written.isoformat()}, before what stands before it ({before.isoformat()})"
        before = max(before, written)
        if line["kind"] != "decision":
            continue
        if written > deadline:
            yield f"{name}: written at {written.isoformat()}, after the deadline {deadline.isoformat()}"
        known_by = datetime.fromisoformat(line["known_by"])
        if known_by > min(written, deadline - episode.latency):
            yield f"{name}: knew the news until {known_by.isoformat()}, after it was written or too late to act on"


def _again(
    portfolio: Portfolio, rule: Rule | None, episode: Episode, archive: Archive, earlier: Sequence[Line], line: Line
) -> Iterator[str]:
    """Decides a line again on what was known by its moment, and compares."""
    name = f"line {line['n']} ({line['session']})"
    held = read_kept(portfolio.folder / BARS, line["n"])
    if digest_of(held) != line["prices"]["digest"]:
        yield f"{name}: bars.csv does not hold the bars that it read (their hash is another)"
        return
    known_by = datetime.fromisoformat(line["known_by"])
    row = episode.sessions.sessions.index(_day(line))
    coming = Coming(at=known_by, row=row, sessions=episode.sessions, lead=episode.lead, latency=episode.latency)
    try:
        made = decide_line(portfolio, rule, replace(episode, prices=prices_of(held)), coming, archive, earlier,
                           targets=line["targets"] if rule is None else None).fields  # fmt: skip
    except (InputError, ValueError) as wrong:
        yield f"{name}: cannot be decided again: {' '.join(str(wrong).split())}"
        return
    later = _later(archive, known_by, set(line["news"]["ids"]) - set(made["news"]["ids"]))
    yield from (f"{name}: knew {what}" for what in later)
    if made["news"]["digest"] != line["news"]["digest"] and not later:
        yield f"{name}: the archive's headlines as of {line['known_by']} are not those that it was decided on"
    for key in ("targets", "orders"):
        if made[key] != line[key]:
            yield f"{name}: {_difference(key, line[key], made[key])}"


def _day(line: Line) -> Any:
    return datetime.fromisoformat(line["session"]).date()


def _later(archive: Archive, known_by: datetime, ids: set[str]) -> list[str]:
    if not ids:
        return []
    far = known_by.replace(year=known_by.year + 100)
    return [
        f"{each.headline.title!r}, which became known only at {each.known.isoformat()}"
        for each in archive.history(known_by, far)
        if each.headline.id in ids
    ]


def _difference(key: str, recorded: dict[str, float], made: dict[str, float]) -> str:
    for symbol in dict.fromkeys([*recorded, *made]):
        one, other = recorded.get(symbol, 0.0), made.get(symbol, 0.0)
        if one != other:
            return f"{key}: {symbol} {one:g} in the record, {other:g} decided again"
    return f"{key}: in another order"


def _archive(archive: Archive, lines: Sequence[Line]) -> list[str]:
    """Checks that the archive still holds, unchanged, what it held at the last decision."""
    seals = [line["archive"] for line in lines if line["kind"] == "decision" and line["archive"]]
    return [f"archive: {each}" for each in archive.verify(seals[-1])] if seals else []
