"""Word lists and rules are data. Read once, checked, and cut at a date where a run asks for it."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from feeds.errors import InputError

DATA = Path(__file__).with_name("data")
ALWAYS = date(1990, 1, 1)
_SHORT = 3  # letters: "ARM" in a line of capitals is more often a limb than the company


@cache
def load(name: str) -> dict[str, Any]:
    """Reads a list of the data folder.

    Raises:
        InputError: It is no valid TOML.
    """
    try:
        return tomllib.loads((DATA / name).read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as wrong:
        raise InputError(f"{name}: is no valid TOML: {wrong}") from wrong


def known(entry: dict[str, Any], as_of: date | None) -> bool:
    """Whether an entry was known on a day; without a day all are."""
    return as_of is None or date.fromisoformat(entry.get("since", ALWAYS.isoformat())) <= as_of


def pattern(text: str, where: str) -> re.Pattern[str]:
    """Compiles a case-insensitive pattern of a list.

    Raises:
        InputError: It is no regular expression.
    """
    try:
        return re.compile(text, re.IGNORECASE)
    except re.error as wrong:
        raise InputError(f"{where}: {text!r} is no regular expression: {wrong}") from wrong


def choices(texts: Iterable[str]) -> str:
    """Returns a pattern of any of these texts, those of one first letter together, so that the others cost no look.

    Of texts that begin alike the first counts, as it would without the groups.
    """
    groups: dict[str, list[str]] = {}
    for text in texts:
        groups.setdefault(text[:1], []).append(re.escape(text[1:]))
    return "|".join(f"{re.escape(letter)}(?:{'|'.join(rests)})" for letter, rests in groups.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A company's name and what vetoes it."""

    symbol: str
    name: str
    veto: re.Pattern[str] | None
    since: date


@cache
def names() -> tuple[Name, ...]:
    """Reads the company names and their all-capitals forms, longest first.

    Raises:
        InputError: A row has no symbol or name, or a veto or date that is none.
    """
    lines = (DATA / "entities.csv").read_text(encoding="utf-8").splitlines()
    found: dict[str, Name] = {}
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        if not row["symbol"] or not row["name"]:
            raise InputError(f"entities.csv: a row needs symbol and name, got {row}")
        veto = pattern(row["veto"], "entities.csv") if row["veto"] else None
        since = date.fromisoformat(row["since"]) if row["since"] else ALWAYS
        for name in row["name"].split("|"):
            for form in {name, name.upper()} if len(name) > _SHORT else {name}:
                found.setdefault(form, Name(symbol=row["symbol"], name=form, veto=veto, since=since))
    return tuple(sorted(found.values(), key=lambda each: (-len(each.name), each.name)))
