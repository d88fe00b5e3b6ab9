"""`backtest verify`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backtests.commands.options import scorer_option
from backtests.commands.saved_runs.saved_run import scorer_of, trust_option

if TYPE_CHECKING:
    from feeds.scoring import Scorer


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@scorer_option
@trust_option
def verify(run: Path, scorer: Scorer, trust: bool) -> None:
    """Makes a run again from its folder alone and compares byte for byte.

    RUN is a folder that `backtest run` wrote. Nothing outside it is read, so it may be on another path, machine or
    day. Exit code 1 when a byte differs; the first place in each file is named.
    A folder with strategy code of its maker's own is refused without --trust.

    \b
    Example:
      backtest verify runs/20250127T143000Z-deepseek-2025-1be8ae16
    """
    from backtests.auditing.reproduction import verify as make_again
    from backtests.commands.options import aside
    from backtests.runs.folder import read_run

    scorer = scorer_of(read_run(run), scorer)
    with aside(said=False):
        found = make_again(run, trust=trust, scorer=scorer)
    for note in found.notes:
        click.echo(note, err=True)
    for line in found.differences:
        click.echo(f"DIFFERS {line}")
    same = found.files - len(found.differences)
    click.echo(f"{run}: {same} of {found.files} files came out the same, byte for byte")
    if found.differences:
        sys.exit(1)
