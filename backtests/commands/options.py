"""What several verbs share."""

from __future__ import annotations

from datetime import date

import click

from feeds.errors import InputError


def day(_: click.Context, parameter: click.Parameter, text: str | None) -> date | None:
    """Reads an option as a date."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"--{parameter.name} {text!r}: give a date as YYYY-MM-DD") from None
