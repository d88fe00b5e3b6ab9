"""`backtest score`."""

from __future__ import annotations

import json
import sys
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from backtests.commands.options import day

if TYPE_CHECKING:
    from collections.abc import Iterable

    from feeds.scoring import Score


@click.command()
@click.argument("text", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per headline and line.")
@click.option("--lexicon-as-of", callback=day, metavar="DATE", help="Leave out words learned after DATE.")
def score(text: str | None, as_json: bool, lexicon_as_of: date | None) -> None:
    """Scores TEXT, or one headline per line of stdin.

    \b
    Example:
      backtest score "Cheap Chinese model casts doubt on AI chip demand" --json
    """
    from feeds.scoring import score as score_text

    lines: Iterable[str] = [text] if text is not None else _stdin_lines()
    for line in lines:
        if not line.strip() and text is None:
            continue
        scored = score_text(line, lexicon_as_of=lexicon_as_of)
        click.echo(json.dumps(_plain(line, scored), ensure_ascii=False) if as_json else _human(line, scored))


def _stdin_lines() -> Iterable[str]:
    """Lines of stdin as UTF-8 whatever the locale says; bytes that are none become replacement characters."""
    for line in sys.stdin.buffer:
        yield line.decode("utf-8", errors="replace").rstrip("\r\n")


def _plain(text: str, scored: Score) -> dict[str, Any]:
    return {
        "text": text,
        "language": scored.language,
        "relevance": scored.relevance,
        "sentiment": scored.sentiment,
        "tone": scored.tone,
        "entities": [
            {"symbol": each.symbol, "direction": each.direction, "salience": each.salience} for each in scored.entities
        ],
        "reaction": scored.reaction,
        "cause": scored.cause,
        "hits": list(scored.hits),
    }


def _human(text: str, scored: Score) -> str:
    companies = " ".join(f"{each.symbol}:{each.direction:+d}" for each in scored.entities) or "–"
    return (
        f"{scored.language}  relevance {scored.relevance:.2f}  disruption {scored.sentiment:+.2f}  "
        f"tone {scored.tone:+.2f}  {companies}  {'reaction  ' if scored.reaction else ''}{text}"
    )
