"""Compares strategies across episodes: one table, each episode left out once, false alarms in the controls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from backtests.records.record import RunRecord
from backtests.report.text.resample_text import share
from backtests.report.text.table import grid, number, wrapped


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Holds the figures of one strategy in one episode."""

    strategy: str
    baseline: bool
    episode: str
    control: bool
    return_pct: float  # of the window, in percent
    trades: int  # round trips, open ones included
    sessions_held: int  # sessions that ended with a position
    sessions: int
    other_sign_share: float | None = None  # of samples of the same news, 0 to 1; None: not resampled


@dataclass(frozen=True, slots=True, kw_only=True)
class AcrossEpisodes:
    """Holds all cells, in the order of the runs, and what each episode's benchmark made."""

    cells: tuple[Cell, ...]
    benchmarks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # by episode, as in its run's document

    @property
    def episodes(self) -> tuple[str, ...]:
        """Lists the episodes' names, controls last."""
        names = dict.fromkeys(cell.episode for cell in self.cells)
        return tuple(sorted(names, key=lambda name: name in self.controls))

    @property
    def controls(self) -> frozenset[str]:
        """Lists the episodes in which nothing happened."""
        return frozenset(cell.episode for cell in self.cells if cell.control)

    def by_strategy(self) -> dict[str, dict[str, Cell]]:
        """Arranges the cells by strategy and episode."""
        rows: dict[str, dict[str, Cell]] = {}
        for cell in self.cells:
            rows.setdefault(cell.strategy, {})[cell.episode] = cell
        return rows

    def left_out(self) -> dict[str, dict[str, float]]:
        """Averages each strategy's return in percent over the episodes that are no control, each left out once.

        `""` stands for none left out. A mean that turns with one episode is that episode's.
        """
        found = {}
        for strategy, cells in self.by_strategy().items():
            shocks = {name: cell.return_pct for name, cell in cells.items() if not cell.control}
            if shocks:
                found[strategy] = _each_left_out(shocks)
        return found

    def held(self) -> dict[str, float]:
        """Returns what each episode's benchmark made in percent, as far as it is known."""
        made = {name: (self.benchmarks.get(name) or {}).get("return_pct") for name in self.episodes}
        return {name: value for name, value in made.items() if value is not None}

    def document(self) -> dict[str, Any]:
        """Returns what `--json` prints."""
        return {
            "episodes": [
                {"episode": name, "control": name in self.controls, "benchmark": self.benchmarks.get(name)}
                for name in self.episodes
            ],
            "strategies": [
                {
                    "strategy": strategy,
                    "baseline": any(cell.baseline for cell in cells.values()),
                    "return_pct": {name: cell.return_pct for name, cell in cells.items()},
                    "other_sign_share": {name: cell.other_sign_share for name, cell in cells.items()},
                    "mean_return_pct": self.left_out().get(strategy, {}).get(""),
                    "mean_return_pct_without": {
                        name: value for name, value in self.left_out().get(strategy, {}).items() if name
                    },
                    "false_alarms": {
                        name: {"trades": cell.trades, "sessions_held": cell.sessions_held, "sessions": cell.sessions}
                        for name, cell in cells.items()
                        if cell.control
                    },
                }
                for strategy, cells in self.by_strategy().items()
            ],
        }


def _each_left_out(returns: Mapping[str, float]) -> dict[str, float]:
    """Averages returns by episode: all under "", and the rest under the name of each that is left out."""
    rest = {out: [value for name, value in returns.items() if name != out] for out in returns}
    return {"": fmean(returns.values())} | {out: fmean(row) for out, row in rest.items() if row}


def cells_of(record: RunRecord, *, control: bool) -> Iterator[Cell]:
    """Takes the figures of one episode's run; a strategy that could trade nothing there has none."""
    held: dict[str, set[str]] = {}
    for row in record.tables["positions"].rows:
        held.setdefault(str(row[0]), set()).add(str(row[1]))
    idle = {row["strategy"] for row in record.document.get("nothing_to_trade", ())}
    for row in record.document["results"]:
        if row["label"] in idle:
            continue
        yield Cell(
            strategy=row["label"],
            baseline=row["baseline"],
            episode=record.document["episode"],
            control=control,
            return_pct=row["return_pct"],
            trades=row["trades"] + row["open_positions"],
            sessions_held=len(held.get(row["label"], ())),
            sessions=record.document["window"]["sessions"],
            other_sign_share=row.get("resampled", {}).get("other_sign_share"),
        )


def across_episodes_text(found: AcrossEpisodes) -> str:
    """Prints the comparison as tables for a terminal."""
    names, controls = found.episodes, found.controls
    rows = found.by_strategy()
    shocks = [name for name in names if name not in controls]
    out = found.left_out()
    held = found.held()
    mean = _each_left_out({name: held[name] for name in shocks if name in held}) if held.keys() & shocks else {}
    marks = ["· baseline"] if any(cell.baseline for cell in found.cells) else []
    marks += ["= benchmark held", *(["* control"] if controls else [])]
    if any(cell.other_sign_share is not None for cell in found.cells):
        marks.append("in brackets: share of samples of the same news with the other sign")
    lines = [
        *wrapped(f"Return of each strategy in each episode, in percent ({'; '.join(marks)})", 2),
        *grid(
            ["strategy", *(f"{name}*" if name in controls else name for name in names)],
            [
                *([_name(cells), *(_return(cells, name) for name in names)] for cells in rows.values()),
                ["= benchmark", *(number(held.get(name)) for name in names)],
            ],
        ),
        "",
        "Mean return over the episodes that are no control, in percent, and with each of them left out",
        *grid(
            ["strategy", "all", *(f"without {name}" for name in shocks)],
            [
                [name, *(number(row.get(each)) for each in ("", *shocks))]
                for name, row in [*((_name(rows[name]), row) for name, row in out.items()), ("= benchmark", mean)]
            ],
        ),
    ]
    for control in sorted(controls):
        lines += [
            "",
            f"False alarms in {control}: round trips opened, and sessions that ended with a position",
            *grid(["strategy", "trades", "held"], [_alarm(cells, control) for cells in rows.values()]),
        ]
    lines += ["", f"A mean over {len(shocks)} episode{'s' * (len(shocks) != 1)}: each is one window."]
    return "\n".join(lines) + "\n"


def _name(cells: dict[str, Cell]) -> str:
    one = next(iter(cells.values()))
    return f"{'· ' if one.baseline else ''}{one.strategy}"


def _return(cells: dict[str, Cell], name: str) -> str:
    if name not in cells:
        return number(None)
    turned = cells[name].other_sign_share
    return number(cells[name].return_pct) + ("" if turned is None else f" ({share(turned)})")


def _alarm(cells: dict[str, Cell], name: str) -> Sequence[str]:
    cell = cells.get(name)
    if cell is None:
        return [_name(cells), "–", "–"]
    return [_name(cells), str(cell.trades), f"{cell.sessions_held} of {cell.sessions}"]
