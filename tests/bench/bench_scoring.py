"""The default scorer against vaderSentiment's `polarity_scores`, on the same headlines, one core, one run.

As files, tables and archives are scored, many headlines at a time; then headline by headline, in a process of its own.
With ../shared there: 20,000 real headlines. Without: those of the episodes that ship, repeated with a number in each, so
that no word is met for the first time only. With `--memory` also: what a million headlines leave in memory.
"""

from __future__ import annotations

import csv
import gc
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from baseline import compare
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from feeds import rss
from feeds.scoring import DEFAULT, ScoreInput

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
COUNT = 20_000
TURN = 2_000
TURNS = 2  # of two processes against one: other work on the machine meets both
BASE = "vaderSentiment polarity_scores"
SCORER = "whole default scorer"
WARM = [  # loads lists and models
    "Nvidia falls on fears", "Der Kurs von Siemens sinkt", "La bolsa cae por el temor a una recesión",
    "Las acciones suben hoy", "Le marché recule encore", "Aktier faller kraftigt", "Mercati in calo", "Pörssi laski",
]  # fmt: skip


def headlines() -> tuple[str, list[str]]:
    """Where they come from, and 20,000 of them in a fixed order of chance."""
    real = (("labelled/sentfin_entities.csv", "text"), ("news/headlines_2025_timed.csv", "title"))
    found: list[str] = []
    for name, column in real:
        if (DATA / name).is_file():
            with (DATA / name).open(encoding="utf-8", newline="") as file:
                found += [row[column] for row in csv.DictReader(file) if row[column]]
    source = "real headlines"
    distinct = len(set(found))
    if not found:
        source = "headlines of the shipped episodes, repeated with a number"
        paths = sorted((ROOT / "backtests" / "episodes").glob("*/news.*.xml"))
        own = [headline.title for path in paths for headline in rss.read(path).headlines]
        found = [f"{title} {number}" for number in range(COUNT // len(own) + 1) for title in own]
        distinct = len(set(found))
    random.Random(1).shuffle(found)
    return f"{source} ({distinct:,} different ones)", found[:COUNT]


def seconds(work: Callable[[list[str]], object], lines: list[str]) -> float:
    """Processor time of one pass."""
    started = time.process_time()
    work(lines)
    return time.process_time() - started


def in_turns(works: dict[str, Callable[[list[str]], object]], lines: list[str]) -> dict[str, float]:
    """Processor time of each, two thousand headlines at a time, so that a slow moment of the machine meets all alike."""
    spent = dict.fromkeys(works, 0.0)
    for start in range(0, len(lines), TURN):
        for name, work in works.items():
            spent[name] += seconds(work, lines[start : start + TURN])
    return spent


def report(spent: dict[str, float], count: int) -> None:
    """Prints what each took, and how many times the time of the package that is."""
    for name, taken in spent.items():
        target = "" if name == BASE else "  (target: at most 4)"
        print(f"{name:47} {taken / count * 1e6:7.1f} us a headline  {taken / spent[BASE]:5.2f} x its time{target}")


def workers(lines: list[str]) -> float:
    """Measures how much quicker two processes are than one, in turns, the start of Python and its lists taken off both."""
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "small.txt", Path(folder) / "large.txt"
        small.write_text("\n".join(lines[:100]) + "\n", encoding="utf-8")
        repeated = [f"{' '.join(line.split())} {turn}" for turn in range(3) for line in lines]  # none is remembered
        large.write_text("\n".join(repeated) + "\n", encoding="utf-8")
        taken = {"1": 0.0, "2": 0.0}
        for _ in range(TURNS):
            for count in taken:
                taken[count] += elapsed(large, count) - elapsed(small, count)
    one, two = (spent / TURNS for spent in taken.values())
    print(
        f"{len(repeated):,} headlines by two processes {two:.1f} s, by one {one:.1f} s: {one / two:.2f} x  "
        "(target: at least 1.8, where two cores are free)"
    )
    return one / two


def elapsed(path: Path, workers: str) -> float:
    """Seconds that `backtest score` takes for the lines of a file."""
    command = [sys.executable, "-m", "backtests", "score", "--input", str(path), "--json", "--workers", workers]
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def memory(lines: list[str]) -> None:
    """What a million headlines, each with a word of its own, add to the memory after the first 600,000."""

    def peak() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    before = 0.0
    for turn in range(1_000_000 // len(lines)):
        DEFAULT.scores([ScoreInput(f"{line} x{turn}y{index}") for index, line in enumerate(lines)], None)
        if turn == 600_000 // len(lines):
            before = peak()
    print(f"a million headlines: {peak():.0f} MiB at the most, {before:.0f} after 600,000  (target: flat)")


def loading() -> float:
    """Measures what the first score costs beside importing pandas, each in processes of its own, in turns."""
    codes = {
        "pandas": "import pandas",
        "scorer": "from feeds.scoring import score; score('Nvidia falls', language='en')",
    }
    spent = {name: [elapsed_python(code) for _ in range(5)] for name, code in codes.items()}
    start = min(elapsed_python("pass") for _ in range(5))
    pandas, scorer = (min(times) - start for times in spent.values())
    ratio = f"{scorer / pandas:.2f}  (target: at most 0.25)"
    print(f"first score {scorer * 1e3:.0f} ms, import pandas {pandas * 1e3:.0f} ms: {ratio}")
    return scorer / pandas


def elapsed_python(code: str) -> float:
    """Seconds that a Python takes to run a line."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - started


def alone(flag: str) -> None:
    """Measures in a process of its own, where words are met anew."""
    subprocess.run([sys.executable, __file__, flag], check=True)


def main() -> None:
    """Measures and prints."""
    source, lines = headlines()
    package = SentimentIntensityAnalyzer()
    works: dict[str, Callable[[list[str]], object]] = {
        BASE: lambda lines: [package.polarity_scores(line) for line in lines],
    }
    if "--one-by-one" in sys.argv:
        works[f"{SCORER}, one by one"] = lambda lines: [DEFAULT.score(line, "", "", None) for line in lines]
    else:
        works[SCORER] = lambda lines: DEFAULT.scores([ScoreInput(line) for line in lines], None)
    for work in works.values():
        work(WARM)
    gc.collect()
    spent = in_turns(works, lines)
    if "--one-by-one" in sys.argv:
        report(spent, len(lines))
        return
    print(f"{len(lines):,} {source}")
    report(spent, len(lines))
    alone("--one-by-one")
    two = workers(lines)
    if "--memory" in sys.argv:
        memory(lines)
    slower = {"a headline, of polarity_scores": spent[SCORER] / spent[BASE], "first score, of import pandas": loading()}
    compare("scoring", lower=slower, higher={"two processes, times one": two})


if __name__ == "__main__":
    main()
