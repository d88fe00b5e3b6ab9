"""Keeps a run's inputs in its folder, so that it can be made again from that alone.

inputs/episode/<name>/   episode.toml, sessions.csv, actions.csv, prices.csv
inputs/prices/           the user's own bars, daily or of minutes
inputs/news/             the documents that were read
inputs/loans/            the table of stock loans
inputs/archive/          headlines.jsonl: what the archive held, one sighting a line
code/                    users' strategies
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from backtests.engine.news import News, from_archived, read_news
from backtests.episodes.episode import Episode, load_episode
from backtests.records.record import RunRecord
from backtests.records.shape import Shape, aware, read_text, text, whole
from feeds.errors import InputError
from feeds.headline import Headline
from feeds.scoring import Scorer
from feeds.scoring.registry import scorer_named

_HEADLINE: Shape = {
    **dict.fromkeys(("provenance", "id", "source", "title", "summary", "link", "language"), text),
    "published": (None, aware),
    "seen": (None, aware),
    "revision": whole,
}
ARCHIVED = "inputs/archive/headlines.jsonl"


def keep_inputs(record: RunRecord, folder: Path) -> None:
    """Copies a run's inputs into its folder.

    Raises:
        InputError: A file has changed since the run read it.
    """
    for place, path in record.inputs.items():
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        if _sha256(target) != record.config["sources"].get(path.name):
            raise InputError(f"{path}: has changed since the run read it; run again")


def archived_text(held: Iterable[tuple[str, Headline]]) -> str:
    """Writes the headlines that an archive held as lines of JSON."""

    def row(provenance: str, head: Headline) -> dict[str, Any]:
        plain = {field.name: getattr(head, field.name) for field in dataclasses.fields(head)}
        times = {name: plain[name].isoformat() if plain[name] else None for name in ("published", "seen")}
        return {"provenance": provenance, **plain, **times}

    return "".join(json.dumps(row(*each), ensure_ascii=False) + "\n" for each in held)


def read_archived(path: Path) -> list[tuple[str, Headline]]:
    """Reads back what `archived_text` wrote.

    Raises:
        InputError: It is not such a file.
    """
    found = []
    try:
        for line in path.read_text(encoding="utf-8").split("\n"):
            if line:
                row = read_text(line, _HEADLINE)
                for name in ("published", "seen"):
                    row[name] = datetime.fromisoformat(row[name]) if row[name] else None
                found.append((row.pop("provenance"), Headline(**row)))
    except (OSError, ValueError, TypeError) as wrong:
        raise InputError(f"{path}: not the headlines that a run keeps ({wrong})") from None
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFiles:
    """Holds where a run's folder keeps what it was made from; None for what it was not given."""

    episode: Path
    prices: Path | None
    news: Path
    loans: Path | None


def kept_files(folder: Path, config: dict[str, Any]) -> KeptFiles:
    """Finds a run's inputs in its folder, and nowhere else.

    Raises:
        InputError: It holds none.
    """
    inputs = folder / "inputs"
    episode = inputs / "episode" / config["episode"]
    if not (episode / "episode.toml").is_file():
        raise InputError(f"{folder}: holds no inputs; it was written before runs kept them, or they were removed")
    held = folder / ARCHIVED
    return KeptFiles(
        episode=episode,
        prices=_one(inputs / "prices"),
        news=held if held.is_file() else inputs / "news",
        loans=_one(inputs / "loans"),
    )


def load_inputs(folder: Path, config: dict[str, Any], scorer: Scorer | None = None) -> tuple[Episode, News]:
    """Loads a run's episode and news from what its folder holds, and from nothing else.

    Args:
        folder: Of the run.
        config: Of the run.
        scorer: The run's, where it is a file of the user's own; else it is found by its name.

    Raises:
        InputError: An input is missing, or is no longer the one that the run read.
    """
    kept = kept_files(folder, config)
    bars = config.get("bars", "daily")
    episode = load_episode(
        kept.episode,
        prices=kept.prices,
        news=kept.news,
        start=date.fromisoformat(config["start"]),
        end=date.fromisoformat(config["end"]),
        bars=None if bars == "daily" else bars,
        loans=kept.loans,
    )
    as_of = date.fromisoformat(config["lexicon_as_of"]) if "lexicon_as_of" in config else None
    scorer = scorer or scorer_named(config["scorer"], trusted=False)
    held = folder / ARCHIVED
    if held.is_file():
        episode, news = from_archived(episode, read_archived(held), scorer=scorer, lexicon_as_of=as_of)
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
