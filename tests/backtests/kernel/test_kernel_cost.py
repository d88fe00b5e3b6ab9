"""The plot of the compiled engine's cost, without measuring anything."""

from __future__ import annotations

import dataclasses

import pytest

from tests.bench.kernel_cost import Cost, draw

COST = Cost(axis="sessions", sizes=(100, 200, 400), seconds=(0.03, 0.05, 0.09))


def test_the_fitted_line_is_the_one_through_the_points():
    """10 ms and 200 µs for each session, and nothing left over."""
    assert COST.line == pytest.approx((0.01, 0.0002, 1.0))
    assert " ".join(COST.words().split()).startswith("cost by sessions 10.0 ms + 200.0 µs each, R² 1.0000")


def test_the_same_figures_make_the_same_picture(tmp_path):
    """Byte for byte, it says what it shows, and no point of the slower panel is cut off."""
    slower = dataclasses.replace(COST, axis="symbols", seconds=(0.03, 0.1, 0.27))
    for name in ("a.svg", "b.svg"):
        draw([COST, slower, COST], tmp_path / name)
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert text == (tmp_path / "b.svg").read_text(encoding="utf-8")
    assert "200 µs each, R² 1.0000" in text
    assert ">250<" in text  # a tick of milliseconds
