"""Reads what rules observe, in Python, once for all runs that read the same.

A rule's `observe` is a function of the parameters and of the parts of the view that it reads. Both are listened to:
two rules that agree in every parameter that was read observe the same rows, and versions of the news or of the
prices that were never read change nothing.

Where only the news differs, one call of `observe` reads all versions at once: its sums get an axis for the versions,
and rules are arithmetic on them. That this means what single calls mean is checked on some versions, to the last bit;
a rule for which it does not is asked for each version.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from strategies.rule import Rule
from strategies.signals import Floats, NewsItem, Reactions, SignalBook, half_life_factor
from strategies.view import Market, View

Ints = NDArray[np.int64]
_PRICES = {"closes", "opens"}
_PARTS = frozenset(name for name in vars(View) if not name.startswith("_")) - {"row", "after_open"}
_get = object.__getattribute__


class _Noting(View):
    """Notes which parts of a view were read."""

    __slots__ = ("read",)

    def __init__(self, market: Market, row: int, *, after_open: bool, read: set[str]) -> None:
        super().__init__(market, row, after_open=after_open)
        self.read = read

    def __getattribute__(self, name: str) -> Any:
        if name in _PARTS:
            _get(self, "read").add(name)
        return _get(self, name)


@cache
def _noting_rule(kind: type[Rule]) -> type[Rule]:
    """Makes a rule's class whose instances note which of their parameters were read."""
    parameters = frozenset(kind.parameter_names())

    def noted(self: Any, name: str) -> Any:
        value = _get(self, name)
        if name in parameters:
            _get(self, "_read")[name] = value
        return value

    return type(kind.__name__, (kind,), {"__getattribute__": noted, "_read": {}})


def _listened(rule: Rule) -> tuple[Rule, dict[str, Any]]:
    made = object.__new__(_noting_rule(type(rule)))
    read: dict[str, Any] = {}
    made.__dict__.update({**vars(rule), "_read": read})
    return made, read


@dataclasses.dataclass(slots=True, kw_only=True, eq=False)
class Reading:
    """Holds rows of one rule, shape (sessions, rows, symbols), and which parameters and parts of the view made them."""

    rows: Floats
    parameters: dict[str, Any]
    parts: frozenset[str]

    def holds_for(self, rule: Rule) -> bool:
        """Returns whether another rule of the same kind would observe the same."""
        return all(getattr(rule, name) == value for name, value in self.parameters.items())


def read(rule: Rule, market: Market, asked: NDArray[np.bool_]) -> Reading:
    """Reads what a rule observes in each session that it is asked for; zeros in the others.

    Raises:
        ValueError: The rule observes anything but rows of numbers, one for each symbol.
    """
    listening, parameters = _listened(rule)
    parts: set[str] = set()
    seen = {
        session: listening.observe(_Noting(market, market.first + session, after_open=rule.after_open, read=parts))
        for session in np.flatnonzero(asked).tolist()
    }
    count = max((len(each) for each in seen.values()), default=1)
    rows = np.zeros((len(asked), count, len(market.symbols)))
    for session, each in seen.items():
        if len(each) != count or any(np.shape(row) != (len(market.symbols),) for row in each):
            raise ValueError(f"{rule.name} does not observe the same rows in each session")
        rows[session] = each
    return Reading(rows=rows, parameters=dict(parameters), parts=frozenset(parts))


def readings(rules: Sequence[Rule], market: Market, asked: NDArray[np.bool_]) -> tuple[Floats, Ints]:
    """Reads for many rules of one kind.

    Returns:
        The different readings, shape (readings, sessions, rows, symbols), and which of them each rule has.
    """
    found: list[Reading] = []
    known: dict[Any, int] = {}
    which = np.empty(len(rules), dtype=np.int64)
    names: tuple[str, ...] = ()
    for number, rule in enumerate(rules):
        key = (names, tuple(getattr(rule, name) for name in names))
        place = known.get(key)
        if place is None:
            place = next((at for at, each in enumerate(found) if each.holds_for(rule)), len(found))
            if place == len(found):
                found.append(read(rule, market, asked))
                names = tuple(sorted({*names, *found[-1].parameters}))
            known[names, tuple(getattr(rule, name) for name in names)] = place
        which[number] = place
    return np.array([each.rows for each in found]), which


# Many versions of the news


class VersionedNews(SignalBook):
    """Sums many versions of the news, decaying: (sessions, versions, 1), or (sessions, versions, symbols) by name.

    `rows[v, i]` is the session of item i in version v, below 0 to leave it out; else as `SignalBook`, bit for bit.
    """

    def __init__(self, items: Sequence[NewsItem], rows: Ints, first: int, last: int) -> None:
        super().__init__(items, first, last)
        if len(self._items) != rows.shape[1]:
            raise ValueError(f"{len(self._items)} items can move a signal, {rows.shape[1]} columns given")
        self._places = np.where(rows >= 0, rows - first, -1)

    def named(self, symbols: Sequence[str], *, half_life: float | None, reactions: Reactions) -> Floats:
        """As in `SignalBook`, with an axis for the versions."""
        columns = [
            SignalBook.named(self, (symbol,), half_life=half_life, reactions=reactions)[:, :, 0] for symbol in symbols
        ]
        return np.stack(columns, axis=-1)

    def _decayed(
        self, values: Sequence[tuple[NewsItem, float]], half_life: float | None, reactions: Reactions
    ) -> Floats:
        keep = half_life_factor(half_life) if half_life is not None else 0.0
        arrived = np.zeros((self._length, len(self._places)))
        versions = np.arange(len(self._places))
        for number, (item, value) in enumerate(values):
            place = self._places[:, number]
            inside = (place >= 0) & (place < self._length)
            if value and item.trades_as(reactions):
                arrived[place[inside], versions[inside]] += value
        sums = np.zeros((self._length, len(self._places), 1))
        total = np.zeros(len(self._places))
        for session in range(self._length):
            total = total * keep + arrived[session]
            sums[session, :, 0] = total
        return sums


def version_readings(
    rule: Rule, market: Market, items: Sequence[NewsItem], rows: Ints, asked: NDArray[np.bool_]
) -> Floats:
    """Reads what a rule observes in each version of the news, shape (versions or 1, sessions, rows, symbols).

    Args:
        rule: The rule.
        market: The market; its own news is not looked at.
        items: The items that can move a signal.
        rows: Shape (versions, items): see `VersionedNews`.
        asked: Shape (sessions,): whether the rule is asked for the session.
    """
    last = market.first + len(asked) - 1
    together = dataclasses.replace(market, signals=VersionedNews(items, rows, market.first, last))

    def single(version: int) -> Reading:
        moved = [
            dataclasses.replace(item, session=int(row))
            for item, row in zip(items, rows[version], strict=True)
            if row >= 0
        ]
        return read(rule, dataclasses.replace(market, signals=SignalBook(moved, market.first, last)), asked)

    one = single(0)
    if not one.parts & {"news", "named"}:
        return one.rows[None]
    many = _together(rule, together, one.rows.shape[1], len(rows), asked)
    probes = {0, len(rows) // 2, len(rows) - 1}
    if many is not None and all(np.array_equal(many[each], single(each).rows, equal_nan=True) for each in probes):
        return many
    return np.array([single(each).rows for each in range(len(rows))])


def _together(rule: Rule, market: Market, count: int, versions: int, asked: NDArray[np.bool_]) -> Floats | None:
    """Reads all versions in one call for each session; None when the rule is no plain arithmetic on the sums."""
    out = np.zeros((versions, len(asked), count, len(market.symbols)))
    try:
        for session in np.flatnonzero(asked).tolist():
            seen = rule.observe(View(market, market.first + session, after_open=rule.after_open))
            for number, row in enumerate(seen):
                out[:, session, number] = row
    except (TypeError, ValueError, IndexError):
        return None
    return out


def reads_prices(rule: Rule, market: Market, asked: NDArray[np.bool_]) -> bool:
    """Returns whether what a rule observes depends on prices."""
    return bool(read(rule, market, asked).parts & _PRICES)


def each_market(rule: Rule, markets: Iterable[Market], asked: NDArray[np.bool_]) -> Floats:
    """Reads what a rule observes in each of several markets, shape (markets, sessions, rows, symbols)."""
    return np.array([read(rule, market, asked).rows for market in markets])
