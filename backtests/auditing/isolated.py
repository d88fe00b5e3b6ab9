"""Has a user's strategy decide in a process of its own, which is handed only what was known, when it was known.

    this process                               the other one
    text of the file, parameters        ─►     makes the module, says what it reached for
    the market known at a decision      ─►     decides, says the weights and what it reached for
    … one decision after the other, each market sent when the decision before it is made

No walk through frames, objects or memory finds the future there: it has not arrived. The environment is bare, so
that nothing of an earlier run comes along. Answers are JSON: nothing that they hold is executed here.
"""

from __future__ import annotations

import json
import pickle
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from typing import IO, Any

import numpy as np

from backtests.auditing.point_in_time import Due
from backtests.broker.terms import BrokerTerms
from backtests.episodes.episode import Episode
from backtests.user_strategies.loading import ENVIRONMENT, FOLDER, SEARCH_PATH
from strategies.rule import Rule
from strategies.signals import Floats
from strategies.view import Market

_PASSED = {
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SYSTEMROOT",
    "VIRTUAL_ENV",
    "NUMBA_CACHE_DIR",
}


@dataclass(slots=True, kw_only=True)
class Alone:
    """What a strategy did in its own process."""

    decisions: list[Floats | str]  # per session: weights, or what it died of; of a bt.Strategy only failures count
    changes: list[tuple[str, str, float]] = field(default_factory=list)  # a bt.Strategy's: session, symbol, weight
    loading: list[str] = field(default_factory=list)  # what it reached for while its file was loaded
    reached: dict[int, list[str]] = field(default_factory=dict)  # the same per row, while it decided


def decide_rule(rule: Rule, rows: range, known: Callable[[int], Market]) -> Alone:
    """Has a rule from a file decide for each row of the window, in the market known then."""
    found = Alone(decisions=[])
    with _process() as (send, answers):
        send({"rule": _made_of(rule)})
        said = next(answers)
        found.loading = said["notes"]
        failed = said.get("failed")
        for row in rows:
            if failed is None:
                send((row, known(row)))
                said = next(answers)
                failed = said.get("ended")
                found.reached[row] = said["notes"]
            if failed is not None or "failed" in said:
                found.decisions.append(failed or said["failed"])
            else:
                found.decisions.append(np.array(said["weights"], dtype=np.float64))
        if failed is None:
            send(None)
            found.loading += next(answers)["notes"]
    return found


def decide_strategy(
    rule: Rule,
    episode: Episode,
    market: Market,
    terms: BrokerTerms,
    known: Callable[[int], Market],
    due: Callable[[date, date], Due],
) -> Alone:
    """Replays a bt.Strategy from a file, giving out markets and bars as they are asked for.

    Args:
        rule: The stand-in of the class.
        episode: Without its future.
        market: The run's symbols and sessions, without prices and news.
        terms: Of the replay.
        known: The market known at the decision for a row.
        due: What an episode says of the sessions after one day and up to another.
    """
    found = Alone(decisions=[])
    with _process() as (send, answers):
        send({"rule": _made_of(rule), "episode": episode, "market": market, "terms": terms})
        row, last, given = market.first, market.sessions[market.first - 1], ""  # the last session that was given out
        for said in answers:
            decided = [(session, symbol, weight) for session, symbol, weight in said.get("changes", found.changes)]
            late = [session for session, _, _ in decided[len(found.changes) :] if session <= given]
            notes = [*said["notes"], *(f"has the bar of {session} before it decides" for session in late)]
            if said.get("loaded"):
                found.loading = notes
                continue
            if notes:
                found.reached.setdefault(row, []).extend(notes)
            found.changes += decided[len(found.changes) :]
            if "known" in said:
                row = said["known"]
                send(known(row))
            elif "due" in said:
                since, session = (date.fromisoformat(day) for day in said["due"])
                found_due = due(since, session)
                if since == last:
                    last, given = session, session.isoformat()
                else:  # backtrader reads the first bar of a symbol that is listed later, and no other
                    bars = episode.prices.bars
                    first = {name: each for name, each in found_due.bars.items() if bars[name].sessions[0] == session}
                    found_due = replace(found_due, bars=first, actions={}, loans={})
                send(found_due)
            else:
                found.loading += said.get("changed", [])
                failed = said.get("ended", said.get("failed"))
                if failed is not None:
                    found.decisions = [failed] * (market.first + len(episode.window) - said.get("row", market.first))
                break
    return found


def _made_of(rule: Rule) -> dict[str, Any]:
    """Says how a rule from a file is made again; parameters that no command line can set keep their defaults."""
    values = {each.name: getattr(rule, each.name) for each in fields(rule)}
    plain = {name: value for name, value in values.items() if isinstance(value, bool | int | float | str | tuple)}
    return {"code": rule.code, "values": plain}


@contextmanager
def _process() -> Iterator[tuple[Callable[[Any], None], Iterator[dict[str, Any]]]]:
    start = f"import sys; sys.path[:] = {SEARCH_PATH!r}; from backtests.auditing.isolated_process import main; main()"
    kept = {name: value for name, value in ENVIRONMENT.items() if name in _PASSED}
    child = subprocess.Popen(  # noqa: S603 (this very Python)
        [sys.executable, "-c", start], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=kept, cwd=FOLDER if Path(FOLDER).is_dir() else None,
    )  # fmt: skip
    if child.stdin is None or child.stdout is None:
        raise RuntimeError("a process without pipes")
    try:
        yield (lambda message: _send(child.stdin, message)), _answers(child)
    finally:
        child.kill()
        child.wait()
        child.stdin.close()
        child.stdout.close()


def _send(pipe: IO[bytes] | None, message: Any) -> None:
    data = pickle.dumps(message, protocol=5)
    try:
        pipe.write(struct.pack("<Q", len(data)) + data)  # type: ignore[union-attr]
        pipe.flush()  # type: ignore[union-attr]
    except BrokenPipeError:
        pass  # it has ended: its next answer says so


def _answers(child: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    """Reads its answers, each with what was noted before it; when it has ended, says so once and for all."""
    notes: dict[str, None] = {}
    for line in child.stdout or ():
        said = json.loads(line)
        if "note" in said:
            notes[said["note"]] = None
            continue
        yield {**said, "notes": [*notes, *said.get("notes", [])]}
        notes.clear()
    code = child.wait()
    while True:
        yield {"ended": f"its process ended by itself, exit code {code}", "notes": []}
