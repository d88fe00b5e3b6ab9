"""`backtest score`."""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backtests.commands.options import day, scorer_option
from feeds.errors import InputError

if TYPE_CHECKING:
    from feeds.scoring import Score, Scorer

_BLOCK = 1 << 17  # bytes of lines that are scored at a time
_LONGEST_LINE = 1 << 20  # bytes
_AHEAD = 2  # blocks that lie ready for each process


@click.command()
@click.argument("text", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per headline and line.")
@click.option("--explain", is_flag=True, help="Show which words did it.")
@click.option(
    "--input", "source", type=click.Path(path_type=Path), metavar="FILE", help="A headline per line; - is stdin."
)
@click.option(
    "--workers", type=click.IntRange(1, 64), default=1, show_default=True, metavar="N",
    help="Processes that score a file or stdin; the output is the same.",
)  # fmt: skip
@click.option("--lexicon-as-of", callback=day, metavar="DATE", help="Leave out words learned after DATE.")
@scorer_option
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
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="DIR",
    help="Score the Parquet tables that --input names (like 'news/*.parquet') into files of this folder.",
)  # fmt: skip
@click.option("--engine", default="processes", show_default=True, help="With --output: processes, or dask.")
@click.option("--scheduler", default="", metavar="ADDRESS", help="With --engine dask: tcp://HOST:PORT of a scheduler.")
def score(
    text: str | None,
    as_json: bool,
    explain: bool,
    source: Path | None,
    workers: int,
    lexicon_as_of: date | None,
    scorer: Scorer,
    benchmark: Path | None,
    feed_files: tuple[Path, ...],
    language: str,
    half: str,
    errors: int,
    output: Path | None,
    engine: str,
    scheduler: str,
) -> None:
    """Scores TEXT, or a headline per line of a file or stdin; or measures the scorer with --benchmark.

    With --output it scores Parquet tables (columns title and, if there, summary, language, id, published), a file of
    scores for each; killed, the same command goes on.

    \b
    Example:
      backtest score "Cheap Chinese model casts doubt on AI chip demand" --explain
      backtest score --input headlines.txt --json --workers 2
      backtest score --benchmark labelled.csv
      backtest score --input 'news/*.parquet' --output scores/ --engine dask --workers 4

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
    if output is not None:
        if text is not None or benchmark is not None or source is None or explain:
            raise InputError("--output scores the tables that --input names; leave TEXT, --benchmark, --explain out")
        _bulk(source, output, scorer, lexicon_as_of, engine, workers, scheduler, as_json=as_json)
        return
    if scheduler or engine != "processes":
        raise InputError("--engine and --scheduler score tables: give --input 'news/*.parquet' --output scores/")
    if benchmark is not None:
        if text is not None:
            raise InputError("--benchmark measures a file; leave TEXT out")
        _benchmark(benchmark, feed_files, language, scorer, lexicon_as_of, half, errors, as_json=as_json)
        return
    if text is not None and source is not None:
        raise InputError("give TEXT or --input FILE, not both")
    how = _How(scorer=scorer.name, language=language, lexicon_as_of=lexicon_as_of, as_json=as_json, explain=explain)
    if text is not None:
        click.echo(how.lines([text])[0])
        return
    for scored in _scored(_blocks(source), how, workers):
        click.echo(scored, nl=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _How:
    """How lines are scored and written; goes to worker processes."""

    scorer: str
    language: str
    lexicon_as_of: date | None
    as_json: bool
    explain: bool

    def block(self, raw: bytes) -> bytes:
        """What is printed for lines of UTF-8 that are not blank; bytes that are none become replacement characters."""
        lines = [line.rstrip("\r") for line in raw.decode("utf-8", errors="replace").split("\n")]
        return "".join([f"{shown}\n" for shown in self.lines([line for line in lines if line.strip()])]).encode()

    def lines(self, lines: list[str]) -> list[str]:
        """What is printed for each headline."""
        from feeds.scoring import ScoreInput
        from feeds.scoring.registry import scorer_named

        scorer = scorer_named(self.scorer)
        scores = scorer.scores([ScoreInput(line, "", self.language) for line in lines], self.lexicon_as_of)
        return [self._shown(line, scored, scorer) for line, scored in zip(lines, scores, strict=True)]

    def _shown(self, text: str, scored: Score, scorer: Scorer) -> str:
        parts: list[str] = []
        if self.explain:
            explain = scorer.explain or (lambda *_: [f"scorer {scorer.label} explains nothing"])
            parts = explain(text, self.language, self.lexicon_as_of)
        if self.as_json:
            plain = _plain(text, scored)
            return json.dumps({**plain, "explanation": parts} if self.explain else plain, ensure_ascii=False)
        return "\n".join((_human(text, scored), *(f"    {part}" for part in parts)))


def _scored(blocks: Iterator[bytes], how: _How, workers: int) -> Iterator[bytes]:
    """Scores blocks of lines, in their order; only so many are held at once.

    Raises:
        InputError: A process was killed from outside.
    """
    if workers == 1:
        yield from map(how.block, blocks)
        return
    import gc
    from concurrent.futures import Future, ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    yield from map(how.block, islice(blocks, 1))  # which loads the lists: forked processes have them then
    gc.freeze()  # the collector leaves alone what they share, so that it stays shared
    with ProcessPoolExecutor(workers) as pool:
        waiting: deque[Future[bytes]] = deque()
        try:
            for block in blocks:
                waiting.append(pool.submit(how.block, block))
                if len(waiting) > _AHEAD * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise InputError("a worker process was killed; run the command again") from None
        finally:
            gc.unfreeze()


def _blocks(source: Path | None) -> Iterator[bytes]:
    """Whole lines of a file or stdin, many at a time.

    A line of a megabyte is no headline: what stands beyond that is passed over.
    """
    begun = b""
    try:
        with sys.stdin.buffer if source in {None, Path("-")} else Path(str(source)).open("rb") as file:
            while read := file.read(_BLOCK):
                first, end, more = read.partition(b"\n")
                begun = (begun + first)[:_LONGEST_LINE]
                if end:
                    whole, end, rest = more.rpartition(b"\n")
                    yield begun + b"\n" + whole + end
                    begun = rest
        if begun:
            yield begun
    except OSError as wrong:
        raise InputError(
            f"{source}: cannot be read ({wrong.strerror}); give a text file, a headline per line"
        ) from None


def _bulk(
    source: Path, output: Path, scorer: Scorer, lexicon_as_of: date | None, engine: str, workers: int, scheduler: str,
    *, as_json: bool,
) -> None:  # fmt: skip
    import glob

    from backtests.batch.pools import make_pool
    from backtests.batch.score_tables import score_tables

    paths = sorted(Path(name) for name in glob.glob(str(source)))  # noqa: PTH207 (the pattern may be absolute)
    pool = make_pool(engine, workers=workers, scheduler=scheduler)
    total = score_tables(paths, output, pool, scorer=scorer, lexicon_as_of=lexicon_as_of)
    document = {"files": len(paths), "headlines": total, "output": str(output)}
    click.echo(json.dumps(document) if as_json else f"{total:,} headlines of {len(paths)} files: {output}")


def _benchmark(
    path: Path,
    feed_files: tuple[Path, ...],
    language: str,
    scorer: Scorer,
    lexicon_as_of: date | None,
    half: str,
    errors: int,
    *,
    as_json: bool,
) -> None:
    """Measures and prints; the check half's errors are shown only where it is asked for, so that nobody tunes on it."""
    from feeds.scoring.benchmark import HALVES, SPLIT, answers, report, text_report
    from feeds.scoring.labelled import read_labelled

    rows = read_labelled(path, feeds=feed_files, declared=language)
    found = answers(rows, scorer, lexicon_as_of=lexicon_as_of)
    figures = report(found)
    wrong = [each for each in found if each.wrong and each.check == (half == "check") and "score" not in each.axis]
    if as_json:
        document = {
            "file": path.name, "headlines": len(rows), "scorer": scorer.label, "split": SPLIT,
            "figures": figures,
            "errors": [
                {"axis": each.axis, "text": each.text, "about": each.about, "label": each.label, "said": each.said,
                 "features": list(each.features)}
                for each in wrong
            ],
        }  # fmt: skip
        click.echo(json.dumps(document, ensure_ascii=False))
        return
    checks = sum(row.in_check_half for row in rows)
    click.echo(
        f"{path.name}: {len(rows):,} headlines, {scorer.label}; development half "
        f"{len(rows) - checks:,}, check half {checks:,}, {SPLIT}"
    )
    click.echo(text_report(figures, (*HALVES, "all") if half == "both" else (half,)), nl=False)
    shown: dict[str, int] = {}
    for each in wrong:
        shown[each.axis] = shown.get(each.axis, 0) + 1
        if shown[each.axis] <= errors:
            about = f" {each.about}" if each.about else ""
            click.echo(
                f"wrong {each.axis}{about}: label {each.label}, said {each.said}: {each.text}  "
                f"[{', '.join(each.features)}]"
            )


def _plain(text: str, scored: Score) -> dict[str, Any]:
    return {
        "text": text,
        "language": scored.language,
        "relevance": scored.relevance,
        "sentiment": scored.sentiment,
        "displacement": scored.displacement,
        "tone": scored.tone,
        "entities": [
            {"symbol": each.symbol, "direction": each.direction, "salience": each.salience} for each in scored.entities
        ],
        "reaction": scored.reaction,
        "cause": scored.cause,
        "features": list(scored.features),
    }


def _human(text: str, scored: Score) -> str:
    companies = " ".join(f"{each.symbol}:{each.direction:+d}" for each in scored.entities) or "–"
    return (
        f"{scored.language}  relevance {scored.relevance:.2f}  disruption {scored.sentiment:+.2f}  "
        f"displacement {scored.displacement:+.2f}  "
        f"tone {scored.tone:+.2f}  {companies}  {'reaction  ' if scored.reaction else ''}{text}"
    )
