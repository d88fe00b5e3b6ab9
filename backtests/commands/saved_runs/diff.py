"""`backtest diff`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click


@click.command()
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def diff(first: Path, second: Path, as_json: bool) -> None:
    """Says why two runs differ: in data, configuration, scorer, code, and what came out.

    FIRST and SECOND are folders that `backtest run` wrote. Exit code 1 when they differ.

    \b
    Example:
      backtest diff runs/monday runs/tuesday
    """
    from backtests.records.run_diff import differences
    from backtests.runs.folder import read_run

    found = differences(read_run(first), read_run(second))
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        for part, lines in found.items():
            click.echo(f"{part}: {'the same' if not lines else ''}".rstrip())
            for line in lines:
                click.echo(f"    {line}")
    if any(found.values()):
        sys.exit(1)
