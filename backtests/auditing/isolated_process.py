"""The process in which a user's strategy decides alone: it holds what `isolated` has sent so far, nothing else.

It watches from the moment the file is loaded until the end what the strategy reaches for, and compares this program's
functions before and after the loading.
"""

from __future__ import annotations

import json
import os
import pickle
import re
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from backtests.auditing.point_in_time import Due
from backtests.user_strategies.side_effects import IMPORTS, report_all
from strategies.rule import Rule
from strategies.signals import Floats
from strategies.view import Market

AUDIT = "backtests.auditing"
# Compiled libraries that open files by themselves: Python is not told of it.
_READERS = re.compile(
    r"\b(?:import|from)\s+(pyarrow|polars|duckdb|h5py|tables|netCDF4|cffi|_cffi_backend|fastparquet|llvmlite)\b"
    r"|\b(ExternalFunction|readline|tkinter|_tkinter|_gdbm|_dbm)\b"
)
_PARTS = re.compile(
    r"\b(auditing|user_strategies|side_effects|isolated_process)\b"
)  # of the audit, whatever imports them


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
    if "episode" in task:
        import backtests.engine.strategy_run  # noqa: F401 (what it opens when it is loaded is not the user's)
    before, text = _attributes(), task["rule"]["code"].text

    def report(what: str) -> None:  # at once: what has been sent cannot be taken back
        tell({"note": what})

    report_all(report)  # from here to the end: a thread may reach for something at any time
    try:
        rule = _made(**task["rule"])
    except Exception as wrong:  # noqa: BLE001 (the user's file)
        tell({"loaded": False, "failed": died_of(wrong)})
        return
    tell({"loaded": True, "notes": [*_unseen(text), *_changed(before)]})
    before = _attributes()
    if "episode" in task:
        tell({**_replay(rule, task, ask, tell), "changed": _changed(before)})
    else:
        _decide(rule, ask, tell)
        tell({"notes": _changed(before)})


def _decide(rule: Rule, ask: Callable[[], Any], tell: Callable[[dict[str, Any]], None]) -> None:
    from strategies.view import View

    state: Floats | None = None
    for row, market in iter(ask, None):
        try:
            if state is None:
                state = rule.fresh_state(len(market.symbols))
            weights = rule.decide(View(market, row, after_open=rule.after_open), state).tolist()
            said: dict[str, Any] = {"weights": weights}
        except Exception as wrong:  # noqa: BLE001 (whatever it dies of, it has not decided)
            said = {"failed": died_of(wrong)}
        tell(said)


def _replay(
    rule: Any, task: dict[str, Any], ask: Callable[[], Any], tell: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    from backtests.auditing.point_in_time import PointInTimeEpisode
    from backtests.engine.strategy_run import run_strategy

    market: Market = task["market"]
    changes: list[tuple[str, str, float]] = []
    rows = [market.first]

    def due(since: date, session: date) -> Due:
        tell({"due": [since.isoformat(), session.isoformat()], "changes": changes})  # decided before it is given
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

    said: dict[str, Any] = {}
    try:
        run_strategy(hidden.episode, market, rule, task["terms"], known=known, around=around, decisions=changes)
    except Exception as wrong:  # noqa: BLE001 (whatever it dies of, it has not decided)
        said = {"failed": died_of(wrong), "row": rows[-1]}
    return {"changes": changes, **said}


def _made(code: Any, values: dict[str, Any]) -> Rule:
    from backtests.user_strategies.loading import rule_from_code

    return rule_from_code(code, values)


def died_of(wrong: Exception) -> str:
    """Says in one line what a rule died of."""
    return f"{type(wrong).__name__}: {' '.join(str(wrong).split())}"[:200]


def _unseen(text: str) -> Iterator[str]:
    found = (one or other for one, other in _READERS.findall(text))
    yield from (f"{IMPORTS}{name}, which reads files unseen" for name in dict.fromkeys(found))
    yield from (f"{IMPORTS}{AUDIT}" for _ in _PARTS.findall(text)[:1])


def _attributes() -> dict[str, Any]:
    """Every function, class and class member of this program that is loaded, by its full name."""
    found: dict[str, Any] = {}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in {"backtests", "strategies", "feeds"}:
            for key, value in list(vars(module).items()):
                if callable(value):
                    found[f"{name}.{key}"] = value
                if isinstance(value, type) and value.__module__ == name:
                    found |= {f"{name}.{key}.{member}": each for member, each in vars(value).items()}
    return found


def _changed(before: dict[str, Any]) -> list[str]:
    """Names what the user's file has replaced in this program, and whether it has loaded the audit."""
    after, lacking = _attributes(), object()
    changed = [name for name, value in before.items() if after.get(name, lacking) is not value]
    new = [name for name in after if name not in before]
    changed += [name for name in new if str(getattr(after[name], "__module__", "")).startswith("own_")]
    notes = [f"{IMPORTS}{AUDIT}" for name in new[:] if name.startswith(AUDIT)][:1]
    return [*notes, *(f"replaces {name}" for name in sorted(changed) if "._abc_" not in name)][:5]
