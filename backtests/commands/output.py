"""Prints what a command found: data to stdout, everything else to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from feeds.item_fields import printable


@contextmanager
def progress(length: int, label: str) -> Iterator[Callable[[int], None]]:
    """Shows a bar with the time left on stderr; nothing where that is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=length, label=label, file=getattr(sys.stderr, "raw", sys.stderr)) as bar:
        yield bar.update


@contextmanager
def line() -> Iterator[Callable[[str], None]]:
    """Shows one line that changes on stderr, and leaves the last of it; nothing where that is no terminal."""
    shown: list[Any] = []  # the streams it was written to

    def say(text: str) -> None:
        if sys.stderr.isatty():
            raw = getattr(sys.stderr, "raw", sys.stderr)
            raw.write(f"\r\x1b[K{printable(text)}")
            raw.flush()
            shown[:] = [raw]

    try:
        yield say
    finally:
        for raw in shown:
            raw.write("\n")


def show(text: str, document: Any, *, as_json: bool) -> None:
    """Prints text to stdout, or with `as_json` text to stderr and the document as one line of JSON to stdout."""
    click.echo(text, err=as_json, nl=False)
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, allow_nan=False))
