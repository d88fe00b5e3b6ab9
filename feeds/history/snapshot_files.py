"""Reads files of the past: feed documents, folders of snapshots, tables of headlines in JSONL and CSV.

When a snapshot was taken is read from its name, never from the file system, which says when it was copied.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

from feeds.errors import FeedError
from feeds.history import stated_values
from feeds.history.headline_tables import read_csv, read_jsonl
from feeds.history.snapshot_names import name_and_time
from feeds.history.sources import ASSUMED, MAX_BYTES, Capture, Found, Lost, ignore

NAMED = "time in the name of the snapshot"
_DOCUMENTS = {".xml", ".rss", ".atom", ".rdf"}
_JSONL = {".jsonl", ".ndjson"}
_CSV = {".csv"}
_JSON_FEED = b"jsonfeed.org/version"  # stands in the first lines of every JSON Feed


def read_paths(paths: Iterable[Path], *, lost: Callable[[Lost], object] = ignore) -> Iterator[Capture | Found]:
    """Yields what files and folders hold; one document, or one row of a table, is in memory at a time.

    A folder is read with its folders, in order of the times in the names, files without a time last; its symbolic
    links are followed only to files inside it, and hidden names are passed over.

    Args:
        paths: RSS or Atom documents, JSONL, CSV, and folders of them.
        lost: Is called with what a folder or table holds that cannot be used. A file that was named itself and cannot
            be used raises instead.

    Raises:
        FeedError: Nothing there, no such file, or a table that is none; with the line where there is one.
    """
    for path in paths:
        if path.is_dir():
            yield from _folder(path, lost)
        else:
            yield from _file(path, PurePosixPath(path.parent.resolve().name, path.name), str(path), lost)


def _folder(folder: Path, lost: Callable[[Lost], object]) -> Iterator[Capture | Found]:
    inside = folder.resolve()
    found: list[tuple[bool, str, str]] = []
    for relative in _walk(folder):
        _, seen = name_and_time(PurePosixPath(inside.name, relative))
        found.append((seen is None, seen.isoformat() if seen else "", relative))
    if not found:
        raise FeedError(str(folder), "holds no .xml, .rss, .atom, .rdf, .jsonl, .ndjson or .csv file")
    for _, _, relative in sorted(found):
        path = folder / relative
        if not path.resolve().is_relative_to(inside):
            lost(Lost(key=stated_values.printable(relative), reason="a link that leads out of the folder"))
            continue
        try:
            yield from _file(path, PurePosixPath(inside.name, relative), relative, lost)
        except FeedError as wrong:
            lost(Lost(key=wrong.feed, reason=wrong.reason))


def _walk(folder: Path) -> Iterator[str]:
    """Yields the paths of readable kinds below a folder, with "/" between their parts; links to folders stay shut."""
    for here, folders, names in os.walk(folder, followlinks=False):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            suffix = Path(name).suffix.lower()
            if name.startswith("."):
                continue
            if suffix in _DOCUMENTS | _JSONL | _CSV or (suffix == ".json" and _is_json_feed(Path(here) / name)):
                yield (Path(here) / name).relative_to(folder).as_posix()


def _file(path: Path, named: PurePosixPath, shown: str, lost: Callable[[Lost], object]) -> Iterator[Capture | Found]:
    """Reads one file; `named` is what feed and time are read from, `shown` stands in messages."""
    feed, seen = name_and_time(named)
    feed, shown = stated_values.printable(feed), stated_values.printable(shown)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise FeedError(shown, "is no file")
        kind = _kind(path)
        if kind is None:
            raise FeedError(
                shown, "is neither a feed document nor JSONL nor CSV; give .xml, .rss, .atom, .json, .jsonl, .csv"
            )
        if kind != "document":
            with path.open("rb") as file:
                yield from (read_jsonl if kind == "jsonl" else read_csv)(file, feed=feed, name=shown, lost=lost)
            return
        if status.st_size > MAX_BYTES:
            raise FeedError(shown, f"{status.st_size:,} bytes are too many; a feed has at most {MAX_BYTES:,}")
        with path.open("rb") as file:
            body = file.read(MAX_BYTES + 1)
    except OSError as wrong:
        raise FeedError(shown, f"cannot be read ({wrong.strerror}); give a file or folder that is there") from None
    if not body.strip():
        raise FeedError(shown, "is empty")
    yield Capture(
        feed=feed,
        url=stated_values.printable(named.as_posix()),
        seen=seen,
        body=body,
        provenance="import",
        rule=NAMED if seen else ASSUMED,
        # The same bytes at another time are another capture: the earlier one moves what was known when.
        key=f"file:{stated_values.digest(feed, seen.isoformat() if seen else '', body)}",
    )


def _is_json_feed(path: Path) -> bool:
    """Says whether a file is a JSON Feed; of other JSON files in a folder nothing is said."""
    try:
        return stat.S_ISREG(path.lstat().st_mode) and _kind(path) == "document"
    except OSError:
        return False


def _kind(path: Path) -> str | None:
    """Says what a file is by its name, or by its first byte where the name says nothing."""
    suffix = path.suffix.lower()
    if suffix in _DOCUMENTS:
        return "document"
    if suffix in _JSONL:
        return "jsonl"
    if suffix in _CSV:
        return "csv"
    with path.open("rb") as file:
        head = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    if head[:1] == b"<" or (head[:1] == b"{" and _JSON_FEED in head):
        return "document"
    return "jsonl" if head[:1] == b"{" else None
