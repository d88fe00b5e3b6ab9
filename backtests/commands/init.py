"""`backtest init`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Makes FOLDER, a working start for data of your own: prices, news, feeds, a rule, and what to type.

    \b
    Example:
      backtest init my-test
      backtest run my-test --strategy my-test/my_rule.py
    """
    from backtests.authoring.starter import make_start

    make_start(folder)
    click.echo(f"{folder}: a working start; {folder / 'START.txt'} says what to type", err=True)
    click.echo(f"backtest run {folder}")
