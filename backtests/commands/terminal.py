"""Keeps what strangers wrote from steering a terminal: names of files, feeds and episodes, titles, messages."""

from __future__ import annotations

from typing import Any, TextIO, cast

from feeds.item_fields import printable


class SafeStream:
    """A stream of text in which control characters and marks of direction are shown, as \\u001b, and not obeyed.

    Inside a JSON text that is the same character. Ends of lines and tabs stay. `raw` is the stream itself, for
    progress bars.
    """

    def __init__(self, stream: TextIO) -> None:
        self.raw = stream

    def write(self, text: str) -> int:
        """Writes text."""
        self.raw.write("\n".join("\t".join(map(printable, line.split("\t"))) for line in text.split("\n")))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)


def safe(stream: TextIO) -> TextIO:
    """Returns a stream that obeys nothing of what is written to it."""
    return cast("TextIO", SafeStream(stream))
