"""What borrowing costs and whether it can be done."""

from __future__ import annotations

import dataclasses
import math
import shutil
from datetime import date

import pytest

from backtests import load_episode
from backtests.episodes.stock_loans import Loan, Loans, read_loans
from feeds.errors import InputError
from tests.helpers.markets import FREE, episode_of, flat_bars, run_script

THU, FRI, MON, TUE = date(2025, 1, 23), date(2025, 1, 24), date(2025, 1, 27), date(2025, 1, 28)
WEEKEND = [THU, FRI, MON, TUE]


def loans_of(*rows):
    """Loans of symbol X from (valid_from, rate, shares)."""
    return Loans(by_symbol={"X": tuple(Loan(valid_from=d, rate_pct=r, max_shares=n) for d, r, n in rows)})


def borrowed(replayed):
    """Every borrow fee by session."""
    return {flow.session: flow.amount for flow in replayed.flows if flow.kind == "borrow"}


def test_each_night_pays_the_rate_in_force_when_it_begins():
    """Short 50 at 100 over the weekend, 3 % until Saturday, 30 % from Sunday on: two nights at 3, one at 30."""
    loans = loans_of((date(2025, 1, 1), 3.0, math.inf), (date(2025, 1, 26), 30.0, math.inf))
    episode = episode_of({"X": flat_bars([100] * 4, WEEKEND)}, WEEKEND, loans=loans)
    fees = borrowed(run_script(episode, {1: {"X": -0.5}}))
    assert fees["2025-01-27"] == pytest.approx(-5_000 * (0.03 * 2 + 0.30 * 1) / 360)
    assert fees["2025-01-28"] == pytest.approx(-5_000 * 0.30 / 360)


def test_a_symbol_without_a_row_and_a_row_without_a_rate_are_general_collateral():
    """The book's borrow_pct counts."""
    terms = dataclasses.replace(FREE, borrow_pct=2)
    for loans in (Loans(), loans_of((date(2025, 2, 1), 50.0, math.inf)), loans_of((THU, None, math.inf))):
        episode = episode_of({"X": flat_bars([100] * 4, WEEKEND)}, WEEKEND, loans=loans)
        assert borrowed(run_script(episode, {1: {"X": -0.5}}, terms))["2025-01-28"] == pytest.approx(
            -5_000 * 0.02 / 360
        )


def test_a_short_beyond_what_can_be_located_is_refused_and_a_cover_is_not():
    """40 shares to be had: 41 are refused with that reason, 40 are sold and bought back."""
    episode = episode_of({"X": flat_bars([100] * 4, WEEKEND)}, WEEKEND, loans=loans_of((THU, None, 40.0)))
    (order,) = run_script(episode, {1: {"X": -0.41}}).orders
    assert (order.status, order.reason) == ("refused", "locate: 41 shares short, 40 to be had")
    assert [order.status for order in run_script(episode, {1: {"X": -0.40}, 2: {"X": 0.0}}).orders] == ["filled"] * 2


def test_a_locate_may_be_a_part_of_the_last_sessions_volume():
    """2 % of 1,000 shares are 20."""
    terms = dataclasses.replace(FREE, locate_pct=2)
    episode = episode_of({"X": flat_bars([100] * 4, WEEKEND)}, WEEKEND, volumes={"X": 1_000})
    assert run_script(episode, {1: {"X": -0.20}}, terms).orders[0].status == "filled"
    assert run_script(episode, {1: {"X": -0.21}}, terms).orders[0].reason == "locate: 21 shares short, 20 to be had"


def test_a_table_is_read_with_dates_rates_and_limits(tmp_path):
    """In any order of dates; an empty cell is general collateral or no limit."""
    path = tmp_path / "loans.csv"
    path.write_text(
        "symbol,valid_from,rate_pct,max_shares\nGME,2021-02-01,5,\nGME,2021-01-04,80,1000\nNVDA,2021-01-04,,0\n"
    )
    loans = read_loans(path)
    found = [loans.in_force("GME", date(2021, month, 2)) for month in (1, 2)]
    assert found == [None, Loan(valid_from=date(2021, 2, 1), rate_pct=5.0, max_shares=math.inf)]
    assert loans.rates("GME", date(2021, 1, 30).toordinal(), date(2021, 2, 3).toordinal(), 1.0) == [(80.0, 2), (5.0, 2)]
    assert loans.max_shares("NVDA", date(2022, 1, 1).toordinal()) == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("symbol,rate\nX,1\n", "columns must be"),
        ("symbol,valid_from,rate_pct\nX,2025-01-01,abc\n", ":2: 'X,2025-01-01,abc'"),
        ("symbol,valid_from,rate_pct\nX,2025-01-01,-1\n", ":2: a symbol, a rate of 0"),
        ("symbol,valid_from,rate_pct\nX,2025-01-01\n", ":2: 2 values"),
        ("symbol,valid_from,rate_pct\nX,2025-01-01,1\nX,2025-01-01,2\n", "two rows from 2025-01-01"),
        ("symbol,valid_from,rate_pct,max_shares\nX,2025-01-01,1,nan\n", ":2: a symbol"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_in_one_line(tmp_path, text, said):
    """With the file and the line."""
    path = tmp_path / "loans.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=r"loans\.csv") as refused:
        read_loans(path)
    assert said in str(refused.value)


def test_an_episode_may_bring_its_own_table(tmp_path):
    """A file loans.csv in its folder, and another one instead when asked for."""
    folder = tmp_path / "mine"
    shutil.copytree(load_episode("deepseek-2025").folder, folder)
    (folder / "loans.csv").write_text("symbol,valid_from,rate_pct\nNVDA,2025-01-01,9\n")
    (tmp_path / "other.csv").write_text("symbol,valid_from,rate_pct\nNVDA,2025-01-01,4\n")
    day = date(2025, 1, 27)
    rates = [load_episode(folder, loans=given).loans.in_force("NVDA", day).rate_pct
             for given in (None, tmp_path / "other.csv")]  # fmt: skip
    assert rates == [9, 4]
    assert "loans.csv" in load_episode(folder).sources
