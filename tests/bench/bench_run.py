"""Speed as ratios within one go: the whole job and `--help` against the imports that nothing can avoid.

Medians of five, taken in turns, so that a slow moment of the machine meets all alike. Nothing here is a test.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from baseline import compare

ROUNDS = 5
BACKTEST = str(Path(sys.executable).with_name("backtest"))


def wall(command: list[str]) -> float:
    """Wall time of a command in seconds."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Measures and prints."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AFTERSHOCK_TRIALS"] = f"{folder}/trials.jsonl"  # a benchmark is no trial
        commands = {
            "import pandas, backtrader": [sys.executable, "-c", "import pandas, backtrader"],
            "backtest run deepseek-2025": [BACKTEST, "run", "deepseek-2025", "--force", "-o", f"{folder}/run"],
            "backtest --help": [BACKTEST, "--help"],
        }
        targets = {"backtest run deepseek-2025": "at most 2.5, better 1.8", "backtest --help": "at most 0.5"}
        for command in commands.values():
            wall(command)  # warm the file cache
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                times[name].append(wall(command))
    medians = {name: statistics.median(each) for name, each in times.items()}
    base = medians["import pandas, backtrader"]
    for name, seconds in medians.items():
        target = f"  (target: {targets[name]})" if name in targets else ""
        print(f"{name:30} {seconds:6.3f} s  {seconds / base:5.2f} x imports{target}")
    compare("run", lower={name: seconds / base for name, seconds in medians.items() if seconds != base})


if __name__ == "__main__":
    main()
