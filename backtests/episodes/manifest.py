"""Reads an episode.toml and checks it key by key."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from feeds.errors import EpisodeError, did_you_mean

KEYS: dict[str, type] = {
    "title": str,
    "start": date,
    "end": date,
    "key_session": date,
    "benchmark": str,
    "adjusted": str,
    "provenance": str,
    "sectors": dict,
    "context": list,
    "delays": dict,
    "claims": list,
    "shares_outstanding": dict,
    "control": bool,
    "limits": list,
}
_DEFAULTS: dict[str, Any] = {"context": [], "claims": [], "shares_outstanding": {}, "control": False, "limits": []}
LIMITS_OF = ("news", "window", "prices")  # what a limit is of: with other news, one of the news is not printed
DELAYS = ("assumed_delay_minutes", "latency_minutes", "lead_minutes")
_EXAMPLES = {str: '"text"', date: "2025-01-27", list: "[…]", dict: "a table", bool: "true or false"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The values of an episode.toml, and the lines they are on."""

    path: Path
    text: str
    values: dict[str, Any]

    def place(self, word: str) -> str:
        """Returns file and line of the last mention of a key or a name in quotes; the file alone where there is none.

        The last, since of a name given twice the second is the one to drop.
        """
        found = re.compile(rf'^\s*\[*{re.escape(word)}\b|"{re.escape(word)}"')
        lines = [number for number, line in enumerate(self.text.splitlines(), 1) if found.search(line)]
        return f"{self.path}:{lines[-1]}" if lines else str(self.path)


def read_manifest(path: Path) -> Manifest:
    """Reads an episode.toml.

    Raises:
        EpisodeError: No valid TOML, an unknown or missing key, or a value that does not fit; with file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except OSError as wrong:
        raise EpisodeError(f"{path}: cannot be read ({wrong.strerror}); an episode needs it") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise EpisodeError(f"{path}: is no valid TOML: {wrong}; fix it there") from None
    manifest = Manifest(path=path, text=text, values=_DEFAULTS | values)
    for key in values:
        if key not in KEYS:
            raise EpisodeError(f"{manifest.place(key)}: unknown key {key!r}; {did_you_mean(key, KEYS)}")
    for key, kind in KEYS.items():
        if key not in manifest.values:
            raise EpisodeError(f"{path}: key {key!r} is missing; add {key} = {_EXAMPLES[kind]}")
        if type(manifest.values[key]) is not kind:
            found = f"{manifest.values[key]!r:.60}"
            raise EpisodeError(
                f"{manifest.place(key)}: {key} must be a {kind.__name__} ({_EXAMPLES[kind]}), not {found}"
            )
    _check_values(manifest)
    return manifest


def _check_values(manifest: Manifest) -> None:
    values = manifest.values
    if values["adjusted"] not in {"splits", "none"}:
        raise EpisodeError(
            f"{manifest.place('adjusted')}: adjusted must be 'splits' or 'none', not {values['adjusted']!r}"
        )
    if values["start"] > values["end"]:
        raise EpisodeError(f"{manifest.place('end')}: end {values['end']} is before start {values['start']}; swap them")
    if not values["start"] <= values["key_session"] <= values["end"]:
        raise EpisodeError(
            f"{manifest.place('key_session')}: key_session {values['key_session']} is not from {values['start']} to "
            f"{values['end']}; name a session of the window"
        )
    for key in DELAYS:
        value = values["delays"].get(key)
        if type(value) not in {int, float} or not 0 <= value < 10_000:
            raise EpisodeError(f"{manifest.place(key)}: delays.{key} must be minutes of 0 or more, not {value!r}")
    for sector, members in values["sectors"].items():
        if not isinstance(members, list) or not all(isinstance(symbol, str) for symbol in members):
            raise EpisodeError(f'{manifest.place(sector)}: sectors.{sector} must be a list of symbols: ["NVDA", "AMD"]')
    if not all(isinstance(row, dict) and row.keys() == {"of", "says"} and _is_limit(**row) for row in values["limits"]):
        example = '[{ of = "news", says = "The headlines are a sample." }]'
        raise EpisodeError(
            f"{manifest.place('limits')}: limits must be a list like {example}, each of {' or '.join(LIMITS_OF)}, in "
            "one line"
        )
    if not all(isinstance(symbol, str) for symbol in values["context"]):
        raise EpisodeError(f'{manifest.place("context")}: context must be a list of symbols: ["^GSPC"]')


def _is_limit(of: object, says: object) -> bool:
    return of in LIMITS_OF and isinstance(says, str) and bool(says.strip()) and says.isprintable()


def read_limits(manifest: Manifest, *, own_news: bool, whole_window: bool) -> tuple[tuple[str, str], ...]:
    """Returns what an episode says it cannot show, as far as it is true of what is read of it.

    Args:
        manifest: Its episode.toml.
        own_news: The news is that of the episode's folder: limits of the news hold.
        whole_window: The window is that of episode.toml: limits of the window hold.

    Returns:
        (news, window or prices; the sentence), in the order of the file.
    """
    holds = {"news": own_news, "window": whole_window, "prices": True}
    return tuple((row["of"], row["says"]) for row in manifest.values["limits"] if holds[row["of"]])


def read_shares(manifest: Manifest) -> dict[str, float]:
    """Returns shares outstanding by symbol.

    Raises:
        EpisodeError: A row without its number.
    """
    shares = {}
    for symbol, row in manifest.values["shares_outstanding"].items():
        try:
            shares[symbol] = float(row["billions"]) * 1e9
        except (TypeError, KeyError, ValueError):
            raise EpisodeError(
                f"{manifest.place(symbol)}: shares_outstanding.{symbol} needs billions = <number>"
            ) from None
    return shares
