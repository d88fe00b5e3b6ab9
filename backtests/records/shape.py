"""Checks the shape of what a file of somebody else holds, before anything reads it.

A shape is written like the value it describes:

    {"label": text, "trades?": number}    a record: these keys, `trades` may be missing, others are left alone
    {...: number}                         any keys, each with a number
    [text]                                a list of texts; [text, ...] one that is not empty
    (None, number)                        either of these
    text, day, moment, aware, number, whole, flag    a value; a pattern: a text that is like it
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import EllipsisType
from typing import Any

from feeds.errors import InputError

Check = Callable[[Any], bool]
Shape = Check | re.Pattern[str] | dict[Any, Any] | list[Any] | tuple[Any, ...] | None
LARGEST = 1e18  # no figure of a run is larger, and sums of such figures stay finite
DEEPEST = 32  # levels of a document
_YEARS = range(1900, 2200)


class ShapeError(ValueError):
    """A value that is not of its shape: where it stands, and what it should be."""


def text(value: Any) -> bool:
    """Is it a text?"""
    return isinstance(value, str)


def day(value: Any) -> bool:
    """Is it a date, YYYY-MM-DD?"""
    return isinstance(value, str) and len(value) == len("2025-01-27") and moment(value)


def moment(value: Any) -> bool:
    """Is it a date, or a date and a time?"""
    try:
        found = datetime.fromisoformat(value)
        return found.year in _YEARS and bool((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
    except (TypeError, ValueError, OverflowError):
        return False


def aware(value: Any) -> bool:
    """Is it a time with its zone?"""
    return moment(value) and datetime.fromisoformat(value).tzinfo is not None


def number(value: Any) -> bool:
    """Is it a number?"""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST


def whole(value: Any) -> bool:
    """Is it a whole number?"""
    return isinstance(value, int) and number(value)


def flag(value: Any) -> bool:
    """Is it true or false?"""
    return isinstance(value, bool)


_NAMES: dict[Check, str] = {
    text: "a text", day: "a date", moment: "a date or time", number: "a number", whole: "a whole number",
    aware: "a time with its zone", flag: "true or false",
}  # fmt: skip


def check(value: Any, shape: Shape | EllipsisType, at: str = "") -> None:
    """Compares a value with a shape.

    Args:
        value: What was read.
        shape: As above.
        at: Where the value stands, for the message.

    Raises:
        ShapeError: It is another.
    """
    if isinstance(shape, tuple):
        _either(value, shape, at)
    elif isinstance(shape, dict):
        _record(value, shape, at)
    elif isinstance(shape, list):
        _must(isinstance(value, list), at, "a list")
        _must(bool(value) or len(shape) == 1, at, "a list with something in it")
        for place, each in enumerate(value):
            check(each, shape[0], f"{at}[{place}]")
    elif shape is None:
        _must(value is None, at, "null")
    elif isinstance(shape, re.Pattern):
        _must(isinstance(value, str) and bool(shape.fullmatch(value)), at, f"a text like {shape.pattern}")
    elif callable(shape):
        _must(shape(value), at, _NAMES[shape])


def _either(value: Any, shapes: tuple[Any, ...], at: str) -> None:
    for shape in shapes[:-1]:
        try:
            return check(value, shape, at)
        except ShapeError:
            continue
    return check(value, shapes[-1], at)


def _record(value: Any, shape: dict[Any, Any], at: str) -> None:
    _must(isinstance(value, dict), at, "an object")
    for key, inner in shape.items():
        if key is ...:
            for name, each in value.items():
                check(each, inner, f"{at}.{name}".lstrip("."))
            continue
        name = key.removesuffix("?")
        place = f"{at}.{name}".lstrip(".")
        if name in value:
            check(value[name], inner, place)
        else:
            _must(key.endswith("?"), place, "there", "missing")


def _must(holds: bool, at: str, wanted: str, found: str = "") -> None:
    if not holds:
        raise ShapeError(f"{at[:80] or 'all of it'}: is {found or 'something else'}, should be {wanted}")


def read_json(path: Path, shape: Shape) -> Any:
    """Reads a JSON file of somebody else, as `read_text`.

    Raises:
        InputError: It cannot be read, or is another thing; one line with the place.
    """
    try:
        return read_text(path.read_bytes().decode(), shape)
    except OSError as wrong:
        raise InputError(
            f"{path}: cannot be read ({wrong.strerror}); give a folder that `backtest run` wrote"
        ) from None
    except ValueError as wrong:
        raise InputError(f"{path}: is not as a run writes it ({wrong}); restore it") from None


def read_text(source: str, shape: Shape) -> Any:
    """Reads a JSON text of somebody else: numbers finite, not deep, and of this shape.

    Raises:
        ValueError: It is another.
    """
    try:
        found = json.loads(source, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    _plain(found, DEEPEST)
    check(found, shape)
    return found


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _plain(value: Any, levels: int) -> None:
    """Refuses what could not be computed with or written down again, wherever it stands.

    Raises:
        ValueError: It is nested too deeply, too large, or a text that is none.
    """
    if not levels:
        raise ValueError("it is nested too deeply")
    if isinstance(value, dict):
        for key, each in value.items():
            key.encode()
            _plain(each, levels - 1)
    elif isinstance(value, list):
        for each in value:
            _plain(each, levels - 1)
    elif isinstance(value, str):
        value.encode()
    elif (isinstance(value, float) and not math.isfinite(value)) or (isinstance(value, int) and abs(value) > LARGEST):
        raise ValueError("a number is too large")
