"""Reads the grid of a sweep: which values of which parameters, in which order. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_type_hints

import numpy as np

from backtests.broker.terms import BrokerTerms
from feeds.errors import InputError, did_you_mean
from strategies.rule import Rule, parse_value

LARGEST = 10_000_000  # combinations


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Holds the values of one parameter, in their order."""

    name: str
    of_broker: bool
    values: tuple[Any, ...]

    @property
    def numeric(self) -> bool:
        """Returns whether neighbours on it are alike."""
        return all(isinstance(value, int | float) and not isinstance(value, bool) for value in self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Holds all combinations of the axes; the last axis runs fastest."""

    axes: tuple[Axis, ...]

    def __len__(self) -> int:
        """Returns the number of combinations."""
        return int(np.prod([len(axis.values) for axis in self.axes], dtype=np.int64))

    @property
    def shape(self) -> tuple[int, ...]:
        """Returns the number of values of each axis."""
        return tuple(len(axis.values) for axis in self.axes)

    def combinations(self, first: int, stop: int) -> list[dict[str, Any]]:
        """Returns the combinations `first` … `stop - 1` as values by name."""
        places = np.unravel_index(np.arange(first, stop), self.shape)
        columns = [[axis.values[at] for at in each.tolist()] for axis, each in zip(self.axes, places, strict=True)]
        names = [axis.name for axis in self.axes]
        return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]

    def document(self) -> dict[str, list[Any]]:
        """Returns the values by name."""
        return {axis.name: list(axis.values) for axis in self.axes}


def read_grid(texts: Sequence[str], rule: type[Rule]) -> Grid:
    """Reads axes: `name=start:stop:count` (both ends included) or `name=a,b,c`.

    Raises:
        InputError: An axis that cannot be read, an unknown name, one given twice, a value that does not fit.
    """
    if not texts:
        raise InputError("give a grid: --grid threshold=0.1:0.9:9 hold=1,3,5")
    axes: list[Axis] = []
    for text in texts:
        axis = _axis(text, rule)
        if axis.name in [other.name for other in axes]:
            raise InputError(f"--grid {text!r}: {axis.name} is given twice")
        axes.append(axis)
    grid = Grid(axes=tuple(axes))
    if len(grid) > LARGEST:
        raise InputError(f"--grid: {len(grid):,} combinations; give at most {LARGEST:,}")
    return grid


def _axis(text: str, rule: type[Rule]) -> Axis:
    name, equals, values = text.partition("=")
    name = name.strip()
    of_rule, of_broker = get_type_hints(rule), get_type_hints(BrokerTerms)
    parameters = rule.parameter_names()
    if not equals or not values.strip():
        raise InputError(f"--grid {text!r}: give NAME=START:STOP:COUNT or NAME=VALUE,VALUE")
    if name not in parameters and name not in BrokerTerms.names():
        known = [*parameters, *BrokerTerms.names()]
        raise InputError(f"--grid {text!r}: strategy {rule.name} has no {name!r}; {did_you_mean(name, known)}")
    if name == "auctions":
        raise InputError(
            "--grid auctions=…: the news is read for one kind of auction in a sweep; use --set auctions=close"
        )
    kind = of_rule[name] if name in parameters else of_broker[name]
    found = tuple(parse_value(name, each, kind) for each in _texts(text, values, kind))
    if len(set(found)) < len(found):
        raise InputError(f"--grid {text!r}: a value is given twice")
    return Axis(name=name, of_broker=name not in parameters, values=found)


def _texts(text: str, values: str, kind: Any) -> list[str]:
    """Returns the values of an axis as texts."""
    if values.count(":") != 2:
        return [each.strip() for each in values.split(",") if each.strip()]
    try:
        start, stop = (float(each) for each in values.split(":")[:2])
        count = int(values.split(":")[2])
    except ValueError:
        raise InputError(f"--grid {text!r}: give START:STOP:COUNT as numbers") from None
    if not (np.isfinite([start, stop]).all() and 1 <= count <= LARGEST):
        raise InputError(f"--grid {text!r}: give finite numbers and a count of 1 or more")
    points = [round(float(each), 12) for each in np.linspace(start, stop, count)]
    if kind is int:
        if any(each != round(each) for each in points):
            raise InputError(f"--grid {text!r}: takes whole numbers; {points[:3]} … are none")
        return [str(round(each)) for each in points]
    return [repr(each) for each in points]
