"""Where things lie, for tests of any room."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
DATA = TESTS / "data"
EPISODES = ROOT / "backtests" / "episodes"
SHARED = ROOT.parent / "shared"  # data beside the project; tests that use them are extra and say when they are skipped
CASES = DATA / "cases"  # smallest inputs of faults that were reported
