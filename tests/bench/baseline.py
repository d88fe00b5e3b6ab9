"""Compares a benchmark's ratios with those kept in baseline.json: one that fell by more than 30 % ends it with code 1.

Ratios are within one run, so that another machine gives nearly the same. `AFTERSHOCK_BENCH=keep` writes what was
measured as the new figures.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

KEPT = Path(__file__).with_name("baseline.json")
FALL = 0.3  # the part by which a ratio may be worse than the one that is kept


def compare(name: str, *, lower: Mapping[str, float] | None = None, higher: Mapping[str, float] | None = None) -> None:
    """Compares the ratios of the benchmark `name`: those that should be low, and those that should be high."""
    measured = {**(lower or {}), **(higher or {})}
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    if os.environ.get("AFTERSHOCK_BENCH") == "keep":
        kept[name] = {key: round(value, 3) for key, value in measured.items()}
        KEPT.write_text(json.dumps(kept, indent=2, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
        return
    before = kept.get(name, {})
    worse = [key for key, value in (lower or {}).items() if key in before and value > before[key] * (1 + FALL)]
    worse += [key for key, value in (higher or {}).items() if key in before and value < before[key] * (1 - FALL)]
    for key in worse:
        print(f"WORSE {name}: {key} {measured[key]:.2f}, was {before[key]:.2f}")
    sys.exit(bool(worse))
