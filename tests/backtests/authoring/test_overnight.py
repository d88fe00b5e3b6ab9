"""Overnight jumps that nothing explains are named by `episodes check`: splits nobody listed, pence for pounds."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from backtests.authoring.overnight import overnight_jumps
from backtests.authoring.validate import check_folder
from backtests.episodes.claims import Claim
from backtests.episodes.episode import Episode, load_episode
from backtests.episodes.prices import Action, Bars, Prices
from tests.helpers.folders import edit

DAY = date(2025, 1, 22)
DEEPSEEK = load_episode("deepseek-2025")


def scaled(symbol: str, factor: float, *, to: date = date.max, **changes) -> Episode:
    """The episode with a symbol's prices times a factor from 22 January to a day."""
    bars = DEEPSEEK.prices.bars[symbol]
    row = bars.sessions.index(DAY)
    by = np.array([factor if DAY <= day <= to else 1.0 for day in bars.sessions])
    assert by[row] == factor
    prices = {name: getattr(bars, name) * by for name in ("open", "high", "low", "close")}
    made = Bars(symbol=symbol, sessions=bars.sessions, volume=bars.volume, **prices)
    return replace(DEEPSEEK, prices=Prices(bars={**DEEPSEEK.prices.bars, symbol: made}), **changes)


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (1 / 2, "like a split of 2 for 1"), (1 / 3, "3 for 1"), (1 / 7, "7 for 1"), (1 / 20, "20 for 1"),
        (2 / 3, "3 for 2"), (4 / 5, "5 for 4"), (2 / 5, "5 for 2"), (30, "1 for 30"), (8, "1 for 8"), (2, "1 for 2"),
        (100, "another unit"), (1 / 100, "another unit"), (1000, "another unit"), (1 / 1000, "another unit"),
        (2.26, "no split explains"), (0.44, "no split explains"), (61, "no split explains"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("symbol", ["INTC", "AMD"])
def test_a_factor_that_nothing_explains_is_named(symbol, factor, words):
    """With the row of prices.csv, the factor, and the remedy."""
    (line,) = overnight_jumps(scaled(symbol, factor))
    assert f"{symbol} opened at " in line
    assert words in line
    assert "prices.csv:" in line


def test_a_few_sessions_in_another_unit_are_named_where_they_begin_and_end():
    """Pence for pounds from 22 to 29 January."""
    lines = list(overnight_jumps(scaled("INTC", 100, to=date(2025, 1, 29))))
    assert len(lines) == 2
    assert all("pence for pounds" in line for line in lines)


def test_a_unit_that_changes_in_an_index_is_named_too():
    """A claim may be about it."""
    assert "another unit" in next(overnight_jumps(scaled("^GSPC", 100)))


def test_what_a_claim_a_split_or_a_dividend_explains_is_not_named():
    """A claim on that session, a split listed for prices as traded, a dividend as large as the fall."""
    claim = Claim(symbol="INTC", session=DAY, said="halved", kind="return", reported=-55, unit="pct", tolerance=3)
    assert not list(overnight_jumps(scaled("INTC", 0.45, claims=(claim,))))
    (line,) = overnight_jumps(
        scaled("INTC", 100, claims=(claim,))
    )  # a claim that the prices contradict explains nothing
    assert "another unit" in line
    split = Action(symbol="INTC", ex_date=DAY, kind="split", value=1.5)
    assert not list(overnight_jumps(scaled("INTC", 2 / 3, actions=(split,), adjusted="none")))
    close = float(DEEPSEEK.prices.bars["INTC"].close[DEEPSEEK.prices.bars["INTC"].sessions.index(DAY) - 1])
    paid = Action(symbol="INTC", ex_date=DAY, kind="dividend", value=close * 0.6)
    assert not list(overnight_jumps(scaled("INTC", 0.4, actions=(paid,))))


def test_a_fall_of_a_fifth_with_the_volume_of_news_is_no_split():
    """GE Vernova opened 19 % lower on 27 January 2025, at five times its usual volume."""
    bars = DEEPSEEK.prices.bars["GEV"]
    row = bars.sessions.index(date(2025, 1, 27))
    assert float(bars.open[row] / bars.close[row - 1]) == pytest.approx(0.808, abs=0.001)
    assert not list(overnight_jumps(DEEPSEEK))


def quiet(symbol: str, first: str):
    """Takes the volume of a symbol's bars from a day on."""

    def change(row: list[str]) -> list[str]:
        return [*row[:6], "0"] if row[0] == symbol and row[1] >= first else row

    return change


def rewrite(folder: Path, change) -> None:
    """Passes each row of prices.csv through a function; None drops the row."""
    with (folder / "prices.csv").open(newline="") as file:
        head, *rows = csv.reader(file)
    with (folder / "prices.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *filter(None, map(change, rows))])


def test_sessions_without_volume_are_named_until_a_halt_is_declared(folder):
    """The line says what to write."""
    rewrite(folder, quiet("ARM", "2025-02-20"))
    problems = [each for each in check_folder(folder) if "volume" in each]
    assert len(problems) == 1
    assert "Declare ARM,2025-02-20,2025-02-28,reason in halts.csv" in problems[0]
    (folder / "halts.csv").write_text("symbol,from,to,reason\nARM,2025-02-20,2025-02-28,news\n")
    assert not [each for each in check_folder(folder) if "volume" in each]


def test_bars_that_end_inside_the_window_are_named_until_they_are_declared(folder):
    """Delisted, renamed, or cut off by the source: the user knows."""
    rewrite(folder, lambda row: None if row[0] == "ARM" and row[1] > "2025-01-28" else row)
    (problem,) = check_folder(folder)
    assert "ARM: bars end on 2025-01-28, inside the window: delisted, renamed, or cut off by the source?" in problem
    (folder / "delistings.csv").write_text("symbol,session,value\nARM,2025-01-28,last\n")
    assert check_folder(folder) == []


def test_a_table_that_is_wrong_is_one_problem_among_the_others(folder):
    """All at once, as everything that `check` looks at."""
    (folder / "halts.csv").write_text("symbol,from,to,reason\nARM,28 January,,\n")
    edit(folder / "actions.csv", "ex_date", "date")
    assert [("halts.csv:2" in each, "actions.csv:1" in each) for each in check_folder(folder)] == [
        (False, True),
        (True, False),
    ]
