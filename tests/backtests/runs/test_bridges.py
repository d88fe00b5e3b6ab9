"""A run handed to quantstats, pyfolio, alphalens, Arrow and Parquet is read there as it is here."""

from __future__ import annotations

import math
import warnings
from datetime import UTC, date, datetime

import numpy as np
import pytest
from click.testing import CliRunner
from pyarrow import parquet

from backtests import load_episode, replay
from backtests.cli import cli
from backtests.records.record import TABLES
from feeds.errors import InputError


@pytest.fixture(scope="module")
def run():
    """Two strategies and two years' sessions."""
    episode = load_episode("deepseek-2025", start=date(2024, 11, 1), end=date(2025, 2, 14))
    return replay(episode, ["shock", "buy-hold"])


def test_returns_compound_to_the_return(run):
    """Of the first that is no baseline, or of the one named; an unknown one is refused."""
    for label, found in (("shock", run.returns()), ("buy-hold", run.returns("buy-hold"))):
        whole = run.metrics.loc[label, "return_pct"]
        assert (found.name, found.index.tz) == (label, None)
        assert math.prod(1 + found) == pytest.approx(1 + whole / 100, rel=1e-12)
    with pytest.raises(InputError, match="did you mean 'shock'"):
        run.returns("shok")


def test_quantstats_says_what_we_say(run):
    """Sharpe ratio and maximum drawdown to 1e-12; the benchmark on the same days."""
    from quantstats import stats

    returns, benchmark = run.to_quantstats("buy-hold")
    row = run.metrics.loc["buy-hold"]
    assert stats.sharpe(returns) == pytest.approx(row["sharpe"], rel=1e-12)
    assert stats.max_drawdown(returns) * 100 == pytest.approx(row["max_drawdown_pct"], rel=1e-12)
    assert (list(benchmark.index), benchmark.name) == (list(returns.index), "SPY")


def test_pyfolio_finds_positions_and_transactions_of_one_account(run):
    """Its gross exposure is ours, and its turnover is of our fills."""
    returns, positions, transactions = run.to_pyfolio("shock")
    assert (str(returns.index.tz), str(positions.index.tz), str(transactions.index.tz)) == ("UTC",) * 3
    equity = run.equity[run.equity["strategy"] == "shock"]
    assert positions.sum(axis="columns").tolist() == pytest.approx(equity["equity"].tolist(), rel=1e-12)
    fills = run.fills[run.fills["strategy"] == "shock"]
    assert (transactions["amount"] * transactions["price"]).sum() == pytest.approx(
        (fills["size"] * fills["price"]).sum(), rel=1e-12
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pyfolio = pytest.importorskip("pyfolio")
        gross = pyfolio.pos.get_percent_alloc(positions).drop(columns="cash").abs().sum(axis="columns")
    assert gross.tolist() == pytest.approx(equity["gross"].tolist(), abs=1e-12)


def test_alphalens_measures_the_signal_from_the_open_it_was_known_for(run):
    """Its forward return of one session is ours from open to open; the factor is signal times exposure."""
    factor, prices = run.to_alphalens()
    opens = run.bars.pivot_table(index="session", columns="symbol", values="open")
    day = prices.index[-2]
    assert prices.loc[day, "NVDA"] == opens.loc[day.tz_localize(None), "NVDA"]
    signals = run.signals.set_index("session")["sentiment_with_cause"]
    assert factor[(day, "NVDA")] == pytest.approx(signals[day.tz_localize(None)])  # whose exposure is 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alphalens = pytest.importorskip("alphalens")
        data = alphalens.utils.get_clean_factor_and_forward_returns(
            factor, prices, periods=(1,), quantiles=None, bins=[-np.inf, 0, np.inf], max_loss=1.0
        )
    found = data.loc[(day, "NVDA")]
    after = opens.iloc[-1]["NVDA"] / opens.iloc[-2]["NVDA"] - 1
    assert (found.iloc[0], found["factor"]) == (pytest.approx(after, rel=1e-12), factor[(day, "NVDA")])


def test_every_table_is_the_same_in_parquet(run, tmp_path):
    """Names, rows, types: dates are dates, times have their zone, figures keep every bit."""
    folder = run.to_parquet(tmp_path / "tables")
    assert sorted(path.stem for path in folder.iterdir()) == sorted(TABLES)
    for name, table in run.tables.items():
        read = parquet.read_table(folder / f"{name}.parquet")
        assert (read.num_rows, tuple(read.column_names)) == (len(table.rows), table.columns)
    fills = parquet.read_table(folder / "fills.parquet").to_pylist()
    assert [each["price"] for each in fills] == [row["price"] for row in run.tables["fills"].records()]
    assert fills[0]["session"] == date.fromisoformat(run.tables["fills"].records()[0]["session"])
    known = parquet.read_table(folder / "scores.parquet")["known_at"].to_pylist()
    given = [datetime.fromisoformat(row["known_at"]) for row in run.tables["scores"].records()]
    assert [each.astimezone(UTC) for each in known] == given
    with pytest.raises(InputError, match="choose another"):
        run.to_parquet(folder)


def test_run_writes_parquet_beside_its_files(tmp_path):
    """`--export parquet`; the folder is still a run, and may be replaced."""
    words = ["run", "deepseek-2025", "-s", "shock", "--no-baselines", "--export", "parquet", "-o", str(tmp_path / "r")]
    for extra in ([], ["--force"]):
        assert CliRunner().invoke(cli, [*words, *extra], catch_exceptions=False).exit_code == 0
    assert (tmp_path / "r" / "parquet" / "equity.parquet").is_file()
    assert CliRunner().invoke(cli, ["tearsheet", str(tmp_path / "r")]).exit_code == 0
