"""A run's configuration as TOML and its card: what went in, and with which code."""

from __future__ import annotations

import hashlib
import json
import platform
import re
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backtests.runs.result import Result


def run_card(result: Result) -> dict[str, Any]:
    """What is needed to make the run again: configuration, hashes of the data, versions."""
    return {
        "hash": result.hash8,
        "config": result.config,
        "config_sha256": hashlib.sha256(to_toml(result.config).encode()).hexdigest(),
        "code_sha256": result.made.get("code_sha256") or code_sha256(),
        "versions": result.made.get("versions") or versions(),
        "seed": None,
        "note": "Nothing in a run is random; sources are SHA-256 of the files read.",
    }


def versions() -> dict[str, str]:
    """Returns the versions of Python and of the packages that a result depends on."""
    packages = ("aftershock", "backtrader", "numpy", "vaderSentiment")
    return {"python": platform.python_version(), **{name: _version(name) for name in packages}}


@cache
def code_sha256() -> str:
    """Returns one SHA-256 over every file of our own that can change a result: code, word lists, tables.

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


def to_toml(config: dict[str, Any]) -> str:
    """Writes a configuration of plain values, tables and lists of tables as TOML."""
    plain = {key: value for key, value in config.items() if not isinstance(value, dict | list)}
    lines = [f"{_key(key)} = {_toml(value)}" for key, value in plain.items()]
    for key, value in config.items():
        if isinstance(value, dict):
            lines += ["", f"[{_key(key)}]", *(f"{_key(name)} = {_toml(each)}" for name, each in value.items())]
        elif isinstance(value, list):
            for row in value:
                lines += ["", f"[[{_key(key)}]]", *(f"{_key(name)} = {_toml(each)}" for name, each in row.items())]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else json.dumps(name)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)
