"""`backtest plot`."""

from __future__ import annotations

from pathlib import Path

import click

from feeds.errors import InputError


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--figure", "name", default="equity", show_default=True,
              help="equity, drawdown, exposure, trades or headlines.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="FILE.png, .svg or .pdf.")
@click.option("--force", is_flag=True, help="Replace the file that is there.")
def plot(run: Path, name: str, output: Path, force: bool) -> None:
    """Draws a figure of a saved RUN into a file (needs matplotlib).

    \b
    Example:
      backtest plot runs/my-run --figure drawdown -o drawdown.png
    """
    from backtests.report.figures import draw
    from backtests.runs.folder import read_run

    if output.exists() and not force:
        raise InputError(f"{output}: is there already; choose another, or --force")
    figure = draw(read_run(run), name)
    try:
        figure.savefig(output, dpi=150)
    except (OSError, ValueError) as wrong:
        raise InputError(f"{output}: {wrong}; give FILE.png, .svg or .pdf in a folder that is there") from None
    click.echo(f"file: {output}", err=True)
