"""Prints what a command found: data to stdout, everything else to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click


@contextmanager
def progress(length: int, label: str) -> Iterator[Callable[[int], None]]:
    """Shows a bar with the time left on stderr; nothing where that is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=length, label=label, file=getattr(sys.stderr, "raw", sys.stderr)) as bar:
        yield bar.update


def show(text: str, document: Any, *, as_json: bool) -> None:
    """Prints text to stdout, or with `as_json` text to stderr and the document as one line of JSON to stdout."""
    click.echo(text, err=as_json, nl=False)
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, allow_nan=False))
