"""Keeps the file that a run's scorer is made of in the run's folder, and makes the scorer of it again.

code/<sha8>/my_scorer.py     code of the user's, like a strategy's
inputs/scorer/<file>         a file of scores, a model's answers
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from feeds.errors import InputError
from feeds.scorers.registry import is_code, kept_scorer, scorer_named
from feeds.scoring import Scorer, ScorerSource


def source_place(source: ScorerSource) -> str:
    """Returns where a run's folder keeps the file behind its scorer."""
    return f"code/{source.sha256[:8]}/{source.file}" if is_code(source.kind) else f"inputs/scorer/{source.file}"


def source_row(source: ScorerSource) -> dict[str, Any]:
    """Returns what a run's configuration says of that file."""
    place = source_place(source)
    return {"kind": source.kind, "file": place, "sha256": source.sha256, "settings": dict(source.settings)}


def scorer_code(config: dict[str, Any]) -> list[str]:
    """Names the code of a scorer that a run's folder holds: file and SHA-256, as its configuration says."""
    row = config.get("scorer_source")
    return [f"{row['file']}, SHA-256 {row['sha256']}"] if row and is_code(row["kind"]) else []


def scorer_of_run(folder: Path, config: dict[str, Any], *, trust: bool) -> Scorer:
    """Makes a run's scorer again: of the file that the run has kept, else by its name.

    Args:
        folder: Of the run; the file lies in it.
        config: Of the run.
        trust: Whether code that lies in the folder may run.

    Raises:
        InputError: There is code and it is not trusted, the file is gone or another, or no scorer has that name.
    """
    row = config.get("scorer_source")
    if row is None:
        return scorer_named(config["scorer"], trusted=False)
    own = scorer_code(config)
    if own and not trust:
        raise InputError(
            f"{folder}: holds the scorer's code of whoever made the run, which would run with your rights "
            f"({own[0]}); read it, then say --trust"
        )
    path = folder / row["file"]
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{path}: lies outside the run's folder; a run's scorer lies in it")
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as wrong:
        raise InputError(f"{path}: cannot be read ({wrong.strerror}); restore it") from None
    if found != row["sha256"]:
        raise InputError(f"{path}: is not the file that the run used (its hash is another); restore it")
    return kept_scorer(path, row["kind"], row["settings"])
