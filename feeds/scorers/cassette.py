"""Keeps every answer of a language model, so that a run repeats without network or key: JSON lines, appended.

    {"key": SHA-256 of prompt version, model, title, "prompt": "1", "model": …, "asked_at": …, "answer": what it wrote}

Titles are not kept, their hash is. A line that a killed writer left half is passed over and asked again.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from feeds.errors import InputError

_LARGEST: Final = 1024 * 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Holds what a model wrote about a headline, and when it was asked."""

    key: str
    prompt: str  # version
    model: str
    asked_at: datetime
    answer: str

    def line(self) -> bytes:
        """Returns it as a line of the file."""
        row = {**asdict(self), "asked_at": self.asked_at.isoformat()}
        return json.dumps(row, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def answer_key(prompt: str, model: str, title: str) -> str:
    """Returns what an answer is found by."""
    return hashlib.sha256(f"{prompt}\0{model}\0{title}".encode("utf-8", "surrogatepass")).hexdigest()


def default_path() -> Path:
    """Returns AFTERSHOCK_ANSWERS, or `answers.jsonl` in the platform's folder for user data."""
    named = os.environ.get("AFTERSHOCK_ANSWERS")
    if named:
        return Path(named)
    import platformdirs

    return platformdirs.user_data_path("aftershock", appauthor=False) / "answers.jsonl"


class Cassette:
    """Holds the answers of a file; the first one to a key counts, so that what was scored stays as it is.

    Args:
        path: The file; one that is not there is begun with the first answer.

    Raises:
        InputError: The file cannot be read, or a line of it is no answer.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.answers: dict[str, Answer] = {}
        self._is_torn = False
        try:
            if not path.exists():
                return
            if path.stat().st_size > _LARGEST:
                raise InputError(f"{path}: is larger than {_LARGEST // 2**20} MB; begin another")
            *lines, rest = path.read_bytes().split(b"\n")
        except OSError as wrong:
            raise InputError(f"{path}: cannot be read ({wrong.strerror}); give the file of answers") from None
        self._is_torn = bool(rest)
        for number, line in enumerate(lines, 1):
            if found := self._read(number, line):
                self.answers.setdefault(found.key, found)

    def _read(self, number: int, line: bytes) -> Answer | None:
        try:
            row = json.loads(line)
            found = Answer(**row | {"asked_at": datetime.fromisoformat(row["asked_at"])})
            if found.asked_at.tzinfo is None or not all(isinstance(row[name], str) for name in row):
                raise ValueError(line)
        except (ValueError, TypeError, KeyError, RecursionError):
            if not line.endswith(b"}"):
                return None  # a killed writer's half, which the next one ended
            raise InputError(f"{self.path}, line {number}: is no answer of a model; restore the file") from None
        return found

    def keep(self, answer: Answer) -> None:
        """Appends an answer, whole and at once.

        Raises:
            InputError: The file cannot be written.
        """
        self.answers.setdefault(answer.key, answer)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab", buffering=0) as file:
                file.write((b"\n" if self._is_torn else b"") + answer.line())
        except OSError as wrong:
            raise InputError(f"{self.path}: cannot be written ({wrong.strerror}); say where: answers=FILE") from None
        self._is_torn = False
