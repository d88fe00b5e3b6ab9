"""Reads with feedparser what our own reader takes for no feed: CDF, RSS in capitals, titles in base64.

feedparser knows more formats than anybody else, but some documents make it raise, some take it long, nothing stops it
meanwhile, and it fills half a date from today's clock. So it works in a process of its own (`main`), with limits on
processor, memory and output, and only texts come back; dates among them as they are written.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from typing import IO, Any

from feeds.errors import FeedError
from feeds.formats import xml_text
from feeds.item_fields import MAX_TEXT, Channel, Entry

MAX_SECONDS = 2  # of the processor's time
MAX_MEMORY = 512 << 20  # bytes of address space
MAX_OUTPUT = 16 << 20  # bytes
REMARK = "read by feedparser: "
_LIMITED = importlib.util.find_spec("resource") is not None  # not on Windows
_PATIENCE = 4 if _LIMITED else 1.5  # times the limit on the wall's clock: a busy machine refuses no document
_LOOK = 0.05  # seconds between two looks at the limit
_TOO_SLOW = f"takes more than {MAX_SECONDS} s of the processor"
_ENDS = {-9: _TOO_SLOW, -24: _TOO_SLOW, None: "takes too long on the clock"}  # SIGKILL and SIGXCPU are the limit's


def read(text: str, feed: str, why: str, limit: Callable[[], float]) -> Channel | None:
    """Reads a document in a process of its own.

    Args:
        text: The document, decoded, free of entity declarations.
        feed: Its name, for messages.
        why: Why no other reader reads it, for remarks and messages.
        limit: Asked again and again how many seconds reading may take.

    Returns:
        What feedparser found, None where it found no item with a title.

    Raises:
        FeedError: feedparser raised, or took too much time, memory or room.
    """
    found = _answer(text.encode("utf-8", "replace"), limit)
    if "wrong" in found:
        raise FeedError(feed, f"{why}, and feedparser {found['wrong']}; give a feed that is RSS, Atom or JSON Feed")
    entries = [Entry(*fields) for fields in found["entries"]]
    if not any(entry.title for entry in entries):
        return None
    is_whole = xml_text.closes_its_root(text)
    return Channel(
        title=found["title"],
        language=found["language"],
        entries=entries,
        remarks=Counter({f"{REMARK}{why}": 1}),
        cut=0 if is_whole else len(entries),
        broken=0 if is_whole else text.count("\n") + 1,
    )


def _answer(document: bytes, limit: Callable[[], float]) -> dict[str, Any]:
    """Asks a new process, which is ended at the limit or by whatever is raised here, Ctrl-C too."""
    try:
        # Files, since pipes of both directions that are looked at again and again block each other.
        with tempfile.TemporaryFile() as to_read, tempfile.TemporaryFile() as answer:
            to_read.write(document)
            to_read.seek(0)
            code = _run(to_read, answer, limit)
            if code != 0:
                return {"wrong": _ENDS.get(code, f"ended with code {code}")}
            answer.seek(0)
            found: dict[str, Any] = json.load(answer)
            return found
    except OSError as wrong:
        return {"wrong": f"cannot be started ({wrong.strerror})"}


def _run(to_read: IO[bytes], answer: IO[bytes], limit: Callable[[], float]) -> int | None:
    """Runs the process to its end; returns its code, None where the clock on the wall ended it."""
    start = f"import sys; sys.path[:] = {sys.path!r}; from feeds.loose_reader import main; main()"
    started = time.monotonic()
    child = subprocess.Popen(  # noqa: S603 (this very Python)
        [sys.executable, "-c", start],
        stdin=to_read,
        stdout=answer,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a Ctrl-C is for us to answer
    )
    try:
        while time.monotonic() - started < _PATIENCE * min(limit(), MAX_SECONDS):
            with contextlib.suppress(subprocess.TimeoutExpired):
                return child.wait(_LOOK)
        return None
    finally:
        child.kill()
        child.wait()


def main() -> None:
    """Reads a document from stdin within limits and writes what feedparser finds in it to stdout, as JSON."""
    _set_limits()
    answer_to, sys.stdout = sys.stdout.buffer, io.StringIO()  # whatever is printed is no answer
    try:
        output = json.dumps(texts(sys.stdin.buffer.read())).encode()
        if len(output) > MAX_OUTPUT:
            output = json.dumps({"wrong": f"finds more than {MAX_OUTPUT >> 20} MiB of text"}).encode()
    except MemoryError:
        output = json.dumps({"wrong": f"needs more than {MAX_MEMORY >> 20} MiB"}).encode()
    except Exception as wrong:  # noqa: BLE001 (whatever a stranger's document brings about)
        output = json.dumps({"wrong": f"raises {type(wrong).__name__}"}).encode()
    answer_to.write(output)
    answer_to.flush()


def _set_limits() -> None:
    if not _LIMITED:
        return
    resource = importlib.import_module("resource")
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, MAX_SECONDS),
        (resource.RLIMIT_AS, MAX_MEMORY),
    ):
        with contextlib.suppress(OSError, ValueError):  # a limit below ours stands; some systems know no such limit
            resource.setrlimit(kind, (most, most))


def texts(document: bytes) -> dict[str, Any]:
    """Returns the texts that feedparser finds in a document in UTF-8: title, language and entries, as `Entry` has them.

    Raises whatever feedparser raises. No date that it made is among them: `published` is what was written.
    """
    import feedparser

    with warnings.catch_warnings(action="ignore"):
        found = feedparser.parse(
            io.BytesIO(document),  # never an address or a path
            response_headers={"content-type": "application/xml; charset=utf-8"},
            resolve_relative_uris=False,
        )
        return {
            "title": _text(found.feed, "title"),
            "language": _text(found.feed, "language"),
            "entries": [_fields(entry) for entry in found.entries],
        }


def _fields(entry: Any) -> Entry:
    stated = next((date for name in ("published", "updated", "created") if (date := _text(entry, name))), "")
    return Entry(
        title=_text(entry, "title"),
        summary=_text(entry, "summary") or next((_text(each, "value") for each in entry.get("content") or ()), ""),
        link=_text(entry, "link"),
        id=_text(entry, "id"),
        source=_text(entry.get("source") or {}, "title"),
        stated=[stated] if stated else [],
    )


def _text(found: Any, name: str) -> str:
    value = found.get(name)
    return value[: 2 * MAX_TEXT] if isinstance(value, str) else ""
