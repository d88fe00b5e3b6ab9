"""`backtest compare`."""

from __future__ import annotations

from pathlib import Path

import click

from feeds.errors import InputError


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN...")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path("compare.html"), show_default=True,
    help="The page to write.",
)  # fmt: skip
def compare(runs: tuple[Path, ...], output: Path) -> None:
    """Writes one offline page of several runs, beside each other on one scale.

    Each RUN is a folder that `backtest run` wrote.

    \b
    Example:
      backtest compare runs/monday runs/tuesday -o both.html
    """
    from backtests.records.folders import write_file
    from backtests.report.page import compare_page
    from backtests.runs.folder import read_run

    if len(runs) < 2:
        raise InputError("compare needs two runs or more; give the folders that `backtest run` wrote")
    names = [run.resolve().name for run in runs]
    shown = [name if names.count(name) == 1 else str(run) for name, run in zip(names, runs, strict=True)]
    _check_output(output)
    page = compare_page([(name, read_run(run)) for name, run in zip(shown, runs, strict=True)])
    try:
        write_file(output, page.encode())
    except OSError as wrong:
        raise InputError(f"{output}: cannot be written ({wrong.strerror}); choose another with -o") from None
    click.echo(f"file: {output}", err=True)


def _check_output(output: Path) -> None:
    """Makes sure that a page takes the place of nothing but an earlier page of runs.

    Raises:
        InputError: Another file is there, or the page cannot be written.
    """
    from backtests.report.page import is_compare_page

    try:
        if output.is_symlink() or (output.exists() and not is_compare_page(output.read_bytes()[:100_000])):
            raise InputError(f"{output}: is there, and no page of `backtest compare`; choose another with -o")
    except OSError as wrong:
        raise InputError(f"{output}: cannot be written ({wrong.strerror}); choose another with -o") from None
    if not output.parent.is_dir():
        raise InputError(f"{output}: cannot be written (there is no folder {output.parent}); choose another with -o")
