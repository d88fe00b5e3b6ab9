"""What imports are tested on: moments and files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

RSS = b"<rss version='2.0'><channel><title>Wire</title></channel></rss>"


def utc(*parts: int) -> datetime:
    """A moment in UTC."""
    return datetime(*parts, tzinfo=UTC)


def put(folder: Path, **contents: bytes | str) -> Path:
    """Writes files; "__" in a name is a folder's end, "_" before the ending its dot."""
    for name, content in contents.items():
        stem, _, ending = name.replace("__", "/").rpartition("_")
        path = folder / f"{stem}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder
