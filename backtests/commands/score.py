"""`backtest score`."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backtests.commands.options import day
from feeds.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from feeds.scoring import Score


@click.command()
@click.argument("text", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per headline and line.")
@click.option("--lexicon-as-of", callback=day, metavar="DATE", help="Leave out words learned after DATE.")
@click.option(
    "--benchmark", type=click.Path(path_type=Path), metavar="FILE.csv",
    help="Measure the scorer, and plain VADER, on labelled headlines; columns below.",
)  # fmt: skip
@click.option(
    "--feeds", "feed_files", multiple=True, type=click.Path(path_type=Path, exists=True), metavar="PATH",
    help="With --benchmark: feed files, or folders of them, that hold the headlines of its `guid` column (repeatable).",
)  # fmt: skip
@click.option("--language", default="", metavar="CODE", help="What the channel says it is written in: en or de.")
@click.option(
    "--half", type=click.Choice(["development", "check", "both"]), default="both", show_default=True,
    help="With --benchmark: which half to print.",
)  # fmt: skip
@click.option(
    "--errors", type=click.IntRange(min=0), default=20, show_default=True, metavar="N",
    help="With --benchmark: how many errors to print per label (of the development half, unless --half check).",
)  # fmt: skip
def score(
    text: str | None,
    as_json: bool,
    lexicon_as_of: date | None,
    benchmark: Path | None,
    feed_files: tuple[Path, ...],
    language: str,
    half: str,
    errors: int,
) -> None:
    """Scores TEXT, or one headline per line of stdin; or measures the scorer with --benchmark.

    \b
    Example:
      backtest score "Cheap Chinese model casts doubt on AI chip demand" --json
      backtest score --benchmark labelled.csv

    A labelled file is CSV with a header; what it measures follows from its columns:

    \b
    title or text        the headline; or guid, and --feeds to look the headline up in
    summary              further text
    lang                 the channel's language; told to the scorer
    language             the true language: en, de or another code; measured, not told
    tone, or label       -1/0/1 or negative/neutral/positive: tone of the headline
    compute_demand       -1/0/1: the AI-disruption sentiment
    relevance, reaction  0/1
    entities             a JSON object of symbols and directions: {"NVDA": -1}
    entity with label    one row per named company: label is its direction, and the
                         headline's tone where it names this company alone
    score                a number: Pearson's r with the tone

    An empty field is no label; other columns are left alone. A headline belongs to the development or the check half
    by the CRC-32 of its title. A sign counts from 0.05 on, relevance from 0.5 on.
    """
    if benchmark is not None:
        if text is not None:
            raise InputError("--benchmark measures a file; leave TEXT out")
        _benchmark(benchmark, feed_files, language, lexicon_as_of, half, errors, as_json=as_json)
        return
    from feeds.scoring import score as score_text

    lines: Iterable[str] = [text] if text is not None else _stdin_lines()
    for line in lines:
        if not line.strip() and text is None:
            continue
        scored = score_text(line, language=language, lexicon_as_of=lexicon_as_of)
        click.echo(json.dumps(_plain(line, scored), ensure_ascii=False) if as_json else _human(line, scored))


def _benchmark(
    path: Path,
    feed_files: tuple[Path, ...],
    language: str,
    lexicon_as_of: date | None,
    half: str,
    errors: int,
    *,
    as_json: bool,
) -> None:
    """Measures and prints; the check half's errors are shown only where it is asked for, so that nobody tunes on it."""
    from feeds.scoring import DEFAULT
    from feeds.scoring.benchmark import HALVES, SPLIT, answers, report, text_report
    from feeds.scoring.labelled import read_labelled

    rows = read_labelled(path, feeds=feed_files, declared=language)
    found = answers(rows, DEFAULT, lexicon_as_of=lexicon_as_of)
    figures = report(found)
    wrong = [each for each in found if each.wrong and each.check == (half == "check") and "score" not in each.axis]
    if as_json:
        document = {
            "file": path.name, "headlines": len(rows), "scorer": f"{DEFAULT.name} {DEFAULT.version}", "split": SPLIT,
            "figures": figures,
            "errors": [
                {"axis": each.axis, "text": each.text, "about": each.about, "label": each.label, "said": each.said,
                 "hits": list(each.hits)}
                for each in wrong
            ],
        }  # fmt: skip
        click.echo(json.dumps(document, ensure_ascii=False))
        return
    checks = sum(row.in_check_half for row in rows)
    click.echo(
        f"{path.name}: {len(rows):,} headlines, {DEFAULT.name} {DEFAULT.version}; development half "
        f"{len(rows) - checks:,}, check half {checks:,}, {SPLIT}"
    )
    click.echo(text_report(figures, (*HALVES, "all") if half == "both" else (half,)), nl=False)
    shown: dict[str, int] = {}
    for each in wrong:
        shown[each.axis] = shown.get(each.axis, 0) + 1
        if shown[each.axis] <= errors:
            about = f" {each.about}" if each.about else ""
            click.echo(
                f"wrong {each.axis}{about}: label {each.label}, said {each.said}: {each.text}  [{', '.join(each.hits)}]"
            )


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
