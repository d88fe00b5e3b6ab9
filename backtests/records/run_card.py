"""Makes the card of a run: what went in, and with which code."""

from __future__ import annotations

import hashlib
import platform
import re
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import tomli_w

from backtests.records.record import RunRecord


def run_card(record: RunRecord) -> dict[str, Any]:
    """Returns what is needed to make the run again: configuration, hashes of the data, versions."""
    return {
        "hash": record.hash8,
        "config": record.config,
        "config_sha256": hashlib.sha256(tomli_w.dumps(record.config).encode()).hexdigest(),
        "code_sha256": record.made.get("code_sha256") or code_sha256(),
        "versions": record.made.get("versions") or versions(),
        "seed": None,
        "note": "Nothing in a run is random; sources are SHA-256 of the files read.",
    }


def versions() -> dict[str, str]:
    """Returns the versions of Python and of the packages that a result depends on."""
    packages = ("aftershock", "backtrader", "feedparser", "numpy", "vaderSentiment")
    return {"python": platform.python_version(), **{name: _version(name) for name in packages}}


@cache
def code_sha256() -> str:
    """Returns one SHA-256 over every file of the program that can change a result: code, word lists, tables.

    Episodes are left out: they are data, whose hashes stand in the configuration.
    """
    root = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for package in ("backtests", "feeds", "strategies"):
        for path in sorted((root / package).rglob("*")):
            inside = path.relative_to(root).as_posix()
            if path.suffix in {".py", ".toml", ".csv", ".css", ".js"} and not re.match(
                "backtests/episodes/[^/]*/", inside
            ):
                digest.update(f"{inside}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
