"""`backtest tearsheet`."""

from __future__ import annotations

from pathlib import Path

import click

from backtests.commands.options import json_option
from backtests.commands.output import show
from feeds.errors import InputError


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@json_option
def tearsheet(run: Path, as_json: bool) -> None:
    """Prints the tear sheet of a saved RUN: by year, at what risk, how traded, and what of it the market made.

    \b
    Example:
      backtest tearsheet runs/my-run
    """
    from backtests.report.text.tear_sheet_text import tear_sheet_text
    from backtests.runs.folder import read_run

    document = read_run(run).evidence.get("tear_sheet")
    if document is None:
        raise InputError(f"{run}: holds no tear sheet; it was made before runs had one: run again")
    show(tear_sheet_text(document), document, as_json=as_json)
