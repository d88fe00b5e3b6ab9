"""What a run keeps of its inputs, so that it can be made again from its folder alone.

inputs/episode/<name>/   episode.toml, sessions.csv, actions.csv, prices.csv
inputs/prices/           the user's own bars, daily or of minutes
inputs/news/             the documents that were read
inputs/loans/            the table of stock loans
inputs/archive/          headlines.jsonl: what the archive held, one sighting a line
code/                    users' own strategies
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feeds.errors import InputError
from feeds.headline import Headline

if TYPE_CHECKING:
    from backtests.engine.news import News
    from backtests.episodes.episode import Episode
    from backtests.runs.result import Result

HELD = "inputs/archive/headlines.jsonl"


def keep_inputs(result: Result, folder: Path) -> None:
    """Copies a run's inputs into its folder.

    Raises:
        InputError: A file has changed since the run read it.
    """
    for place, path in result.inputs.items():
        target = folder / place
        if target.exists() and target.samefile(path):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        if _sha256(target) != result.config["sources"].get(path.name):
            raise InputError(f"{path}: has changed since the run read it; run again")


def held_text(held: Iterable[tuple[str, Headline]]) -> str:
    """What an archive held as lines of JSON."""

    def row(provenance: str, head: Headline) -> dict[str, Any]:
        plain = {field.name: getattr(head, field.name) for field in dataclasses.fields(head)}
        times = {name: plain[name].isoformat() if plain[name] else None for name in ("published", "seen")}
        return {"provenance": provenance, **plain, **times}

    return "".join(json.dumps(row(*each), ensure_ascii=False) + "\n" for each in held)


def read_held(path: Path) -> list[tuple[str, Headline]]:
    """Reads back what `held_text` wrote.

    Raises:
        InputError: It is not such a file.
    """
    found = []
    try:
        for line in path.read_text(encoding="utf-8").split("\n"):
            if line:
                row = json.loads(line)
                for name in ("published", "seen"):
                    row[name] = datetime.fromisoformat(row[name]) if row[name] else None
                found.append((row.pop("provenance"), Headline(**row)))
    except (OSError, ValueError, KeyError, TypeError) as wrong:
        raise InputError(f"{path}: not the headlines that a run keeps ({wrong})") from None
    return found


def load_inputs(folder: Path, config: dict[str, Any]) -> tuple[Episode, News]:
    """Loads a run's episode and news from what its folder holds, and from nothing else.

    Raises:
        InputError: An input is missing, or is no longer the one that the run read.
    """
    from backtests.engine.news import from_held, read_news
    from backtests.episodes.episode import load_episode
    from feeds.scoring.registry import scorer_named

    inputs = folder / "inputs"
    own = inputs / "episode" / config["episode"]
    if not (own / "episode.toml").is_file():
        raise InputError(f"{folder}: holds no inputs; it was written before runs kept them, or they were removed")
    held = folder / HELD
    prices, loans = _one(inputs / "prices"), _one(inputs / "loans")
    bars = config.get("bars", "daily")
    episode = load_episode(
        own,
        prices=prices,
        news=held if held.is_file() else inputs / "news",
        start=date.fromisoformat(config["start"]),
        end=date.fromisoformat(config["end"]),
        bars=None if bars == "daily" else bars,
        loans=loans,
    )
    as_of = date.fromisoformat(config["lexicon_as_of"]) if "lexicon_as_of" in config else None
    scorer = scorer_named(config["scorer"], trusted=False)
    if held.is_file():
        episode, news = from_held(episode, read_held(held), scorer=scorer, lexicon_as_of=as_of)
    else:
        news = read_news(episode, scorer=scorer, lexicon_as_of=as_of)
    for name in sorted({*config["sources"], *episode.sources}):
        if config["sources"].get(name) != episode.sources.get(name):
            raise InputError(f"{folder}: {name} among its inputs is not the one that the run read")
    return episode, news


def _one(folder: Path) -> Path | None:
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return found[0] if found else None


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
