"""`backtest claim`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from backtests.commands.options import json_option
from backtests.commands.output import show
from feeds.errors import InputError


@click.command(context_settings={"ignore_unknown_options": True})  # -17 is a number, not an option
@click.argument("symbol", required=False)
@click.argument("session", required=False)
@click.argument("reported", required=False)
@click.option("--kind", metavar="KIND", help="return (default with a number), massive, down, up, move, record, level …")
@click.option("--since", metavar="DATE", help="Of a move: the session whose close it starts from.")
@click.option("--record", metavar="NAME", help="Of a record: high, low, rise or fall.")
@click.option("--tolerance", metavar="X", help="Without, one unit of the last digit reported.")
@click.option("--said", metavar="TEXT", help="The words of the report.")
@click.option("--source", metavar="URL", help="Where they stand.")
@click.option("--shares", multiple=True, metavar="SYMBOL=N", help="Shares outstanding, for value_lost and rank.")
@click.option("--prices", type=click.Path(path_type=Path), help="Daily bars, CSV or Parquet; else a shipped episode's.")
@click.option("--list", "listed", type=click.Path(path_type=Path), metavar="FILE", help="A CSV of claims instead.")
@click.option("--keep", type=click.Path(path_type=Path), metavar="FILE", help="Add the claim to a CSV of claims.")
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE", help="Draw the closes around the session.")
@json_option
def claim(
    symbol: str | None,
    session: str | None,
    reported: str | None,
    shares: tuple[str, ...],
    prices: Path | None,
    listed: Path | None,
    keep: Path | None,
    plot: Path | None,
    as_json: bool,
    **given: str | None,
) -> None:
    """Checks what a newspaper said of SYMBOL on SESSION against prices alone; exit code 1 unless it is confirmed.

    \b
    Example:
      backtest claim NVDA 2025-01-27 -17
      backtest claim NVDA 2025-01-27 -589 --kind value_lost --tolerance 15
      backtest claim NVDA 2025-01-27 -17 --prices bars.csv --said "Nvidia lost 17 %" --keep claims.csv
      backtest claim --list claims.csv --prices bars.csv
    """
    from backtests.authoring.reported_claims import (
        all_confirmed,
        check_report,
        draw_report,
        keep_report,
        price_file,
        read_reports,
        shares_given,
    )
    from backtests.report.text.claim_text import report_text

    row = {name: value for name, value in given.items() if value is not None}
    if listed is not None:
        if symbol or row or keep or plot:
            raise InputError("--list takes its claims from the file; leave the others out")
        rows = read_reports(listed)
    elif symbol is None or session is None:
        raise InputError("claim needs a symbol and a session: backtest claim NVDA 2025-01-27 -17; or --list FILE")
    else:
        unknown = next((each for each in (symbol, session) if each.startswith("-")), None)
        if unknown or (reported or "").startswith("--"):
            raise InputError(f"no option {unknown or reported}; see --help")
        row |= {"symbol": symbol, "session": session, **({"reported": reported} if reported else {})}
        rows = [("claim", row)]
    outstanding = shares_given(shares)
    quotes = [price_file(prices, outstanding, rows[0][1])]
    quotes += [quotes[0] if prices else price_file(None, outstanding, each) for _, each in rows[1:]]
    found = [check_report(each, held, place) for (place, each), held in zip(rows, quotes, strict=True)]
    if plot is not None:
        draw_report(found[0], quotes[0], plot)
    if keep is not None:
        keep_report(keep, row)
    documents = [each.document() for each in found]
    names = ", ".join(dict.fromkeys(each.name for each in quotes))
    show(report_text(documents, names), {"claims": documents, "prices": names}, as_json=as_json)
    if not all_confirmed(found):
        sys.exit(1)
