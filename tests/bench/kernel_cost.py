"""Whether the compiled engine's cost is a straight line in combinations, sessions and symbols: measured, fitted, drawn."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

BASE = {"combinations": 400, "sessions": 126, "symbols": 10}
FACTORS = (1, 2, 3, 4, 6, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Seconds of one thread for each size along one axis, the others at their base."""

    axis: str
    sizes: tuple[int, ...]
    seconds: tuple[float, ...]

    @property
    def line(self) -> tuple[float, float, float]:
        """Seconds at size 0, seconds for each more, and R² of the least squares."""
        slope, start = np.polyfit(self.sizes, self.seconds, 1)
        return float(start), float(slope), float(np.corrcoef(self.sizes, self.seconds)[0, 1] ** 2)

    def words(self) -> str:
        """One line to print."""
        start, slope, fit = self.line
        points = ", ".join(f"{size}: {took * 1e3:.0f}" for size, took in zip(self.sizes, self.seconds, strict=True))
        return f"cost by {self.axis:13} {start * 1e3:.1f} ms + {slope * 1e6:.1f} µs each, R² {fit:.4f}   ({points} ms)"


def measure(market: Callable[[int, int], Any], combinations: Callable[[int], list[Any]]) -> list[Cost]:
    """Times a grid of each size by the processor's clock, the quickest of five; every run is warm."""
    from backtests.broker.terms import BrokerTerms
    from backtests.kernel import Compiled

    terms, found = BrokerTerms(borrow_pct=0), []
    for axis in BASE:
        sizes, seconds = [], []
        for factor in FACTORS:
            here = {name: value * factor if name == axis else value for name, value in BASE.items()}
            engine, rules = Compiled(*market(here["symbols"], here["sessions"])), combinations(here["combinations"])
            engine.run(rules[:40], [terms] * 40)
            took = []
            for _ in range(5):
                start = time.process_time()
                engine.run(rules, [terms] * len(rules))
                took.append(time.process_time() - start)
            sizes.append(here[axis])
            seconds.append(min(took))
        found.append(Cost(axis=axis, sizes=tuple(sizes), seconds=tuple(seconds)))
    return found


def draw(costs: list[Cost], path: Path) -> None:
    """Draws points and fitted lines side by side; the same figures give the same bytes of SVG."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "aftershock", "svg.fonttype": "none", "font.family": "sans-serif"}):
        top = max(took for cost in costs for took in cost.seconds) * 1.06e3
        figure = Figure(figsize=(9, 3.2), layout="constrained")
        for axes, cost in zip(figure.subplots(1, len(costs), sharey=True), costs, strict=True):
            start, slope, fit = cost.line
            ends = np.array([0, max(cost.sizes)])
            axes.plot(ends, (start + slope * ends) * 1e3, color="#2a6f97", linewidth=1.2, label="least squares")
            axes.plot(cost.sizes, np.array(cost.seconds) * 1e3, "o", color="#c1121f", markersize=5, label="measured")
            axes.set(title=f"{slope * 1e6:,.3g} µs each, R² {fit:.4f}", xlabel=cost.axis, xlim=(0, None), ylim=(0, top))
            axes.title.set_fontsize("medium")
            axes.grid(alpha=0.3)
            held = ", ".join(f"{value} {name}" for name, value in BASE.items() if name != cost.axis)
            axes.text(0.97, 0.05, held, transform=axes.transAxes, ha="right", fontsize="small", color="#555555")
        figure.axes[0].set_ylabel("milliseconds, one thread")
        figure.axes[0].legend(fontsize="small", frameon=False)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)
