"""`backtest study`."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

import click

from backtests.commands.evidence import emit, input_options, read_input
from feeds.errors import InputError


def _days(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> tuple[date, ...]:
    try:
        return tuple(date.fromisoformat(text) for text in texts)
    except ValueError:
        raise InputError(f"--event {', '.join(texts)}: give dates as YYYY-MM-DD") from None


@click.command()
@click.argument("episode")
@click.option(
    "--event", "days", multiple=True, callback=_days, metavar="DATE",
    help="The event's day (repeatable); the episode's key session without.",
)  # fmt: skip
@click.option(
    "--model", type=click.Choice(["market", "market-adjusted", "mean-adjusted"]), default="market", show_default=True,
    help="What a return is measured against.",
)  # fmt: skip
@click.option("--benchmark", metavar="SYMBOL", help="Another benchmark than the episode's.")
@click.option("--before", type=int, default=5, show_default=True, help="Sessions of the window before the event.")
@click.option("--after", type=int, default=5, show_default=True, help="Sessions of the window after it.")
@click.option("--estimation", type=int, default=120, show_default=True, help="Sessions to estimate the model from.")
@click.option("--gap", type=int, default=10, show_default=True, help="Sessions left out before the window.")
@input_options
def study(
    episode: str,
    days: tuple[date, ...],
    model: Literal["market", "market-adjusted", "mean-adjusted"],
    benchmark: str | None,
    before: int,
    after: int,
    estimation: int,
    gap: int,
    news: Path | None,
    prices: Path | None,
    as_json: bool,
) -> None:
    """Event study of EPISODE: abnormal returns, and whether they are more than chance.

    EPISODE is an episode or the folder of a run, which then gets the result as evidence/study.json.

    \b
    Example:
      backtest study deepseek-2025 --event 2025-01-27
    """
    from backtests.evidence.events import Span
    from backtests.evidence.study import event_study
    from backtests.evidence.words import study_text

    given = read_input(episode, news, prices)
    span = Span(before=before, after=after, estimation=estimation, gap=gap)
    found = event_study(given.episode, news=given.news, days=days, model=model, span=span, benchmark=benchmark)
    document = found.document()
    emit(given, document, study_text(document), as_json=as_json)
