"""`backtest study`."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from backtests.commands.evidence.shared import emit, input_options, read_input
from backtests.commands.output import progress
from feeds.errors import InputError

if TYPE_CHECKING:
    from backtests.evidence.event_study.event_windows import Span
    from feeds.scoring import Scorer


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
    scorer: Scorer,
    prices: Path | None,
    trust: bool,
    as_json: bool,
) -> None:
    """Measures abnormal returns in EPISODE, and whether they are more than chance.

    EPISODE is an episode, `all` (each at its key session), or the folder of a run, which then gets the result as
    evidence/study.json.

    \b
    Example:
      backtest study deepseek-2025 --event 2025-01-27
    """
    from backtests.evidence.event_study.event_study import event_study
    from backtests.evidence.event_study.event_windows import Span

    span = Span(before=before, after=after, estimation=estimation, gap=gap)
    if episode == "all":
        if days or news or prices:
            raise InputError("--event, --news and --prices belong to one episode; `study all` takes each as it ships")
        _all(model, span, benchmark, scorer, as_json=as_json)
        return
    given = read_input(episode, news, prices, scorer=scorer, trust=trust)
    found = event_study(given.episode, news=given.news, days=days, model=model, span=span, benchmark=benchmark)
    document = found.document()
    emit(given, document, as_json=as_json)


def _all(model: Any, span: Span, benchmark: str | None, scorer: Scorer, *, as_json: bool) -> None:
    """Prints the sample's row of every episode that ships, but years that hold other episodes."""
    from backtests.engine.news import read_news
    from backtests.episodes.episode import load_episode, separate_episodes
    from backtests.evidence.event_study.event_study import event_study
    from backtests.records.contamination import facts_of_news, facts_of_several, scorer_line
    from backtests.report.text.evidence_text import studies_text
    from backtests.report.text.table import wrapped

    documents: list[dict[str, Any]] = []
    facts = []
    names = separate_episodes()
    with progress(len(names), "episodes") as done:
        for name in names:
            episode = load_episode(name)
            news = read_news(episode, scorer=scorer)
            found = event_study(episode, news=news, model=model, span=span, benchmark=benchmark)
            documents.append({**found.document(), "control": episode.control})
            facts.append(facts_of_news(news, episode))
            done(1)
    together = facts_of_several(scorer.label, facts)
    click.echo(studies_text(documents), err=as_json, nl=False)
    if line := scorer_line(together):
        documents = [{**each, "scorer": together} for each in documents]
        click.echo("\n".join(wrapped(line)), err=as_json)
    if as_json:
        click.echo(json.dumps(documents, ensure_ascii=False, allow_nan=False))
