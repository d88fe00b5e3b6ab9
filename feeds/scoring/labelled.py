"""Labelled headlines: a CSV file of any of the known layouts becomes rows that a scorer can be measured on."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zlib import crc32

from feeds.errors import InputError

SIGNS = {"negative": -1, "neutral": 0, "positive": 1, "-1": -1, "0": 0, "1": 1, "+1": 1}
FLAGS = {"0": False, "1": True, "false": False, "true": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A headline and what was said about it; a label that is missing is None or empty."""

    title: str
    summary: str = ""
    declared: str = ""  # the channel's language, told to the scorer
    language: str = ""  # the true one, not told
    tone: int | None = None  # -1, 0, 1
    compute_demand: int | None = None  # -1, 0, 1
    displacement: int | None = None  # -1, 0, 1
    relevance: bool | None = None
    reaction: bool | None = None
    cause: bool | None = None
    entities: Mapping[str, int] | None = None  # symbol -> -1, 0, 1
    named: tuple[tuple[str, int], ...] = field(default=())  # (name as written in the title, -1, 0 or 1)
    score: float | None = None
    target: str = ""  # the company that `score` is about

    @property
    def in_check_half(self) -> bool:
        """Whether it is in the half that nothing is tuned on: by the CRC-32 of the title, the same in every file."""
        return crc32(self.title.encode("utf-8", "surrogatepass")) % 2 == 1


def read_labelled(path: Path, *, feeds: Iterable[Path] = (), declared: str = "") -> list[Labelled]:
    """Reads a labelled file; its layout is recognised by its columns (`backtest score --help`).

    Args:
        path: CSV in UTF-8 with a header.
        feeds: Feed documents or folders of them, in which titles and summaries are looked up by `guid`.
        declared: The channel's language for rows that name none.

    Raises:
        InputError: The file cannot be read, has no known column, or a label is none.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns = set(reader.fieldnames or ())
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as wrong:
        raise InputError(f"{path}: cannot be read ({wrong}); give a CSV file in UTF-8 with a header") from wrong
    if not columns & {"title", "text", "guid"}:
        raise InputError(f"{path}: has no column title, text or guid; see `backtest score --help`")
    texts = _texts(feeds)
    found = []
    for number, row in enumerate(rows, 2):
        try:
            each = _labelled(row, texts, declared)
        except (ValueError, KeyError, TypeError, AttributeError) as wrong:
            raise InputError(f"{path}, row {number}: {wrong}") from wrong
        if each is not None:
            found.append(each)
    if not found:
        raise InputError(f"{path}: no headline in it; where it has a guid alone, name the feeds with --feeds")
    return _together(found) if {"entity", "label"} <= columns and "score" not in columns else found


def _texts(feeds: Iterable[Path]) -> dict[str, tuple[str, str]]:
    """Titles and summaries by the identity of their items."""
    from feeds import rss

    found = {}
    for given in feeds:
        for path in sorted(given.rglob("*.xml")) if given.is_dir() else [given]:
            for headline in rss.read(path).headlines:
                found[headline.id] = (headline.title, headline.summary)
    return found


def _labelled(row: dict[str, Any], texts: Mapping[str, tuple[str, str]], declared: str) -> Labelled | None:
    def said(name: str) -> str:
        return (row.get(name) or "").strip()

    title, summary = said("title") or said("text"), said("summary")
    if texts and said("guid"):
        from feeds.item_fields import identity

        title, summary = texts.get(identity(said("guid")), (title, summary))
    if not title:
        return None
    alone = "entity" in row and "score" not in row
    return Labelled(
        title=title,
        summary=summary,
        declared=said("lang") or declared,
        language="" if "lang" in row else said("language"),
        tone=None if alone else _one(SIGNS, said("tone") or said("label"), "tone"),
        compute_demand=_one(SIGNS, said("compute_demand"), "compute_demand"),
        relevance=_one(FLAGS, said("relevance"), "relevance"),
        displacement=_one(SIGNS, said("displacement"), "displacement"),
        reaction=_one(FLAGS, said("reaction"), "reaction"),
        cause=_one(FLAGS, said("cause"), "cause"),
        entities=_entities(said("entities")),
        named=((said("entity"), SIGNS[said("label")]),) if alone and said("label") else (),
        score=float(said("score")) if said("score") else None,
        target=said("entity"),
    )


def _one(known: Mapping[str, Any], text: str, column: str) -> Any:
    if not text:
        return None
    if text.casefold() not in known:
        raise ValueError(f"{text!r} is no {column}; give one of {', '.join(known)}")
    return known[text.casefold()]


def _entities(text: str) -> dict[str, int] | None:
    if not text:
        return None
    return {str(symbol): int(direction) for symbol, direction in json.loads(text).items()}


def _together(rows: list[Labelled]) -> list[Labelled]:
    """Joins the rows of a headline; one company alone gives its headline the tone."""
    by_title: dict[str, list[Labelled]] = {}
    for row in rows:
        by_title.setdefault(row.title, []).append(row)
    joined = []
    for same in by_title.values():
        named = tuple(dict.fromkeys(pair for row in same for pair in row.named))
        joined.append(replace(same[0], named=named, tone=named[0][1] if len(named) == 1 else None))
    return joined
