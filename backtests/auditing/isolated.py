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
import os
import pickle
import re
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import date
from typing import IO, Any

import numpy as np

from backtests.auditing.point_in_time import Due
from backtests.broker.terms import BrokerTerms
from backtests.episodes.episode import Episode
from strategies.rule import Rule
from strategies.signals import Floats
from strategies.view import Market

_PASSED = {
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "TZ",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SYSTEMROOT",
    "VIRTUAL_ENV",
    "NUMBA_CACHE_DIR",
}
# Compiled libraries that open files by themselves: Python is not told of it.
_READERS = re.compile(
    r"\b(?:import|from)\s+(pyarrow|polars|duckdb|h5py|tables|netCDF4|cffi|_cffi_backend|fastparquet)\b"
)


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
        for said in answers:
            if "known" in said:
                send(known(said["known"]))
            elif "due" in said:
                since, session = (date.fromisoformat(day) for day in said["due"])
                send(due(since, session))
            elif "loaded" in said:
                found.loading = said["notes"]
            else:
                found.changes = [(session, symbol, weight) for session, symbol, weight in said.get("changes", [])]
                found.reached = {int(row): notes for row, notes in said.get("reached", {}).items()}
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
    start = f"import sys; sys.path[:] = {sys.path!r}; from backtests.auditing.isolated import main; main()"
    kept = {name: value for name, value in os.environ.items() if name in _PASSED or name.startswith("LC_")}
    child = subprocess.Popen(  # noqa: S603 (this very Python)
        [sys.executable, "-c", start], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=kept,
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
    """Reads its answers; when it has ended, says so once and for all."""
    for line in child.stdout or ():
        yield json.loads(line)
    code = child.wait()
    while True:
        yield {"ended": f"its process ended by itself, exit code {code}", "notes": []}


# The other process


def main() -> None:
    """Answers one audit; standard input and output are its line, what the strategy prints goes nowhere."""
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)

    def ask() -> Any:
        head = questions.read(8)
        if not head:
            sys.exit()
        return pickle.loads(questions.read(struct.unpack("<Q", head)[0]))  # noqa: S301 (from the process that began this)

    def tell(message: dict[str, Any]) -> None:
        answers.write(json.dumps(message).encode() + b"\n")
        answers.flush()

    task = ask()
    from backtests.user_strategies.side_effects import watched

    if "episode" in task:
        import backtests.engine.strategy_run  # noqa: F401 (what it opens when it is loaded is not the user's)
    before = _attributes()
    with watched() as notes:  # from here to the end: a thread may reach for something at any time
        try:
            rule = _made(**task["rule"])
        except Exception as wrong:  # noqa: BLE001 (the user's file)
            tell({"loaded": False, "failed": died_of(wrong), "notes": _taken(notes)})
            return
        tell({"loaded": True, "notes": [*_taken(notes), *_unseen(task["rule"]["code"].text), *_changed(before)]})
        if "episode" in task:
            _replay(rule, task, ask, tell, notes)
        else:
            _decide(rule, ask, tell, notes)


def _decide(rule: Rule, ask: Callable[[], Any], tell: Callable[[dict[str, Any]], None], notes: list[str]) -> None:
    from strategies.view import View

    state: Floats | None = None
    while True:
        row, market = ask()
        try:
            if state is None:
                state = rule.fresh_state(len(market.symbols))
            weights = rule.decide(View(market, row, after_open=rule.after_open), state).tolist()
            said: dict[str, Any] = {"weights": weights}
        except Exception as wrong:  # noqa: BLE001 (whatever it dies of, it has not decided)
            said = {"failed": died_of(wrong)}
        tell({**said, "notes": _taken(notes)})


def _replay(
    rule: Any, task: dict[str, Any], ask: Callable[[], Any], tell: Callable[[dict[str, Any]], None], notes: list[str]
) -> None:
    from backtests.auditing.point_in_time import PointInTimeEpisode
    from backtests.engine.strategy_run import run_strategy

    market: Market = task["market"]
    reached: dict[int, list[str]] = {}
    rows = [market.first]

    def due(since: date, session: date) -> Due:
        tell({"due": [since.isoformat(), session.isoformat()]})
        found: Due = ask()
        return found

    def known(row: int) -> Market:
        tell({"known": row})
        found: Market = ask()
        return found

    hidden = PointInTimeEpisode(task["episode"], market.sessions[market.first], due)

    @contextmanager
    def around(row: int) -> Iterator[None]:
        rows.append(row)
        with hidden.shut():
            yield
        reached[row] = _taken(notes)

    changes: list[tuple[str, str, float]] = []
    said: dict[str, Any] = {}
    try:
        run_strategy(hidden.episode, market, rule, task["terms"], known=known, around=around, decisions=changes)
    except Exception as wrong:  # noqa: BLE001 (whatever it dies of, it has not decided)
        said = {"failed": died_of(wrong), "row": rows[-1]}
    reached.setdefault(rows[-1], []).extend(_taken(notes))
    tell({"changes": changes, "reached": reached, **said})


def _made(code: Any, values: dict[str, Any]) -> Rule:
    from backtests.user_strategies.loading import rule_from_code

    return rule_from_code(code, values)


def died_of(wrong: Exception) -> str:
    """Says in one line what a rule died of."""
    return f"{type(wrong).__name__}: {' '.join(str(wrong).split())}"[:200]


def _taken(notes: list[str]) -> list[str]:
    taken = list(dict.fromkeys(notes))
    notes.clear()
    return taken


def _unseen(text: str) -> Iterator[str]:
    yield from (f"imports {name}, which reads files unseen" for name in dict.fromkeys(_READERS.findall(text)))


def _attributes() -> dict[tuple[str, str], Any]:
    """Every function, class and class member of this program that is loaded."""
    found: dict[tuple[str, str], Any] = {}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in {"backtests", "strategies", "feeds"}:
            for key, value in list(vars(module).items()):
                if callable(value):
                    found[name, key] = value
                if isinstance(value, type) and value.__module__ == name:
                    found |= {(name, f"{key}.{member}"): each for member, each in vars(value).items()}
    return found


def _changed(before: dict[tuple[str, str], Any]) -> Sequence[str]:
    """Names what the user's file has replaced in this program."""
    after, lacking = _attributes(), object()
    changed = [".".join(key) for key, value in before.items() if after.get(key, lacking) is not value]
    return [f"replaces {name}" for name in sorted(changed) if not name.rpartition(".")[2].startswith("_abc_")][:5]
