"""What a notebook gets."""

from __future__ import annotations

import tomllib
from datetime import date

import pandas as pd
import pytest
from click.testing import CliRunner

from backtests import Result, load_episode, replay
from backtests.cli import cli
from backtests.report.figures import FIGURES
from feeds.errors import InputError


@pytest.fixture(scope="module")
def result():
    """A run of two strategies on the shipped episode."""
    return replay(load_episode("deepseek-2025"), ["shock", "always-short"])


def test_frames_have_rows_and_aware_times(result):
    """Every table is a pandas frame; sessions are dates, times are UTC."""
    for name in ("equity", "positions", "orders", "fills", "flows", "trades", "targets", "signals", "scores"):
        frame = getattr(result, name)
        assert isinstance(frame, pd.DataFrame)
        assert len(frame) > 0, name
    assert str(result.scores["known_at"].dt.tz) == "UTC"
    assert result.metrics.loc["shock", "final_equity"] == result.equity.query("strategy == 'shock'")["equity"].iloc[-1]


def test_cash_and_positions_are_equity_on_every_session(result):
    """To a millionth of a dollar, and the positions table sums to the positions column."""
    equity = result.equity
    assert (equity["cash"] + equity["positions"] - equity["equity"]).abs().max() < 1e-6
    held = result.positions.groupby(["strategy", "session"])["value"].sum()
    joined = equity.set_index(["strategy", "session"]).join(held).fillna({"value": 0})
    assert (joined["positions"] - joined["value"]).abs().max() < 1e-6


def test_an_independent_ledger_from_the_fills_gives_the_same_equity(result):
    """From fills, flows and the price file alone: no code of the engine."""
    closes = pd.read_csv(load_episode("deepseek-2025").folder / "prices.csv", parse_dates=["date"])
    closes = closes.pivot_table(index="date", columns="symbol", values="close")
    for strategy, days in result.equity.groupby("strategy"):
        fills = result.fills[result.fills["strategy"] == strategy]
        flows = result.flows[result.flows["strategy"] == strategy]
        for day in days.itertuples():
            done = fills[fills["session"] <= day.session]
            cash = 100_000 - (done["size"] * done["price"]).sum() - done["commission"].sum()
            cash += flows[flows["session"] <= day.session]["amount"].sum()
            shares = done.groupby("symbol")["size"].sum()
            value = (shares * closes.loc[day.session, shares.index]).sum() if len(shares) else 0
            assert day.equity == pytest.approx(cash + value, abs=1e-6)


def test_fills_are_the_sessions_open_with_slippage_against_us(result):
    """Every fill of the run, checked against the price file."""
    opens = pd.read_csv(load_episode("deepseek-2025").folder / "prices.csv", parse_dates=["date"])
    merged = result.fills.merge(opens, left_on=["session", "symbol"], right_on=["date", "symbol"])
    assert len(merged) == len(result.fills)
    expected = merged["open"] * (1 + 0.0005 * merged["size"].map(lambda size: 1 if size > 0 else -1))
    assert (merged["price"] - expected).abs().max() < 1e-9


def test_a_saved_run_loads_as_it_was(result, tmp_path):
    """Save and load: the same frames and figures, formulas in headlines disarmed on the way."""
    loaded = Result.load(result.save(tmp_path / "run"))
    for name in ("equity", "orders", "fills", "trades", "scores", "signals"):
        pd.testing.assert_frame_equal(getattr(loaded, name), getattr(result, name))
    assert loaded.document == result.document
    assert tomllib.loads((tmp_path / "run" / "config.toml").read_text())["broker"]["cash"] == 100_000


def test_what_is_no_saved_run_is_refused(tmp_path):
    """An empty folder: one line with its name."""
    with pytest.raises(InputError, match="not a saved run"):
        Result.load(tmp_path)


def test_a_headline_that_is_a_formula_or_a_script_stays_text(tmp_path):
    """`=HYPERLINK(...)` gets an apostrophe in the CSV, markup is escaped in the page."""
    (tmp_path / "n.xml").write_text(
        '<rss version="2.0"><channel><title>t</title><language>en</language><item><title>=HYPERLINK("x") AI chips'
        "</title><guid>1</guid><pubDate>Mon, 20 Jan 2025 12:00:00 GMT</pubDate></item></channel></rss>"
    )
    made = replay(load_episode("deepseek-2025", news=tmp_path / "n.xml"), "buy-hold")
    made.save(tmp_path / "run")
    assert "'=HYPERLINK" in (tmp_path / "run" / "scores.csv").read_text()
    assert Result.load(tmp_path / "run").scores["title"][0].startswith("=HYPERLINK")


def test_a_notebook_shows_tables_and_a_plot(result):
    """_repr_html_ has the claims; a figure is a picture by itself, with a line per strategy and the benchmark's."""
    assert "contradicted" in result._repr_html_()
    figure = result.plot()
    assert [line.get_label() for line in figure.axes[0].lines] == ["shock", "always-short", "SPY held"]
    assert figure._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", FIGURES)
def test_each_figure_is_drawn_of_the_runs_own_figures(result, name, tmp_path):
    """Its lines hold what the tables hold; a file is written by the command, and none is replaced."""
    axes = result.plot(name).axes[0]
    column = {"equity": "equity", "exposure": "net"}.get(name)
    if column:
        drawn = {line.get_label(): list(line.get_ydata()) for line in axes.lines}
        for label, rows in result.equity.groupby("strategy"):
            assert drawn[label] == rows[column].tolist()
    assert axes.get_title().startswith("deepseek-2025")


def test_a_figure_is_written_and_replaces_nothing(result, tmp_path):
    """`backtest plot`; an unknown figure is refused with the nearest."""
    result.save(tmp_path / "run")
    words = ["plot", str(tmp_path / "run"), "--figure", "drawdown", "-o", str(tmp_path / "x.svg")]
    assert CliRunner().invoke(cli, words, catch_exceptions=False).exit_code == 0
    assert "fall from the peak" in (tmp_path / "x.svg").read_text()
    with pytest.raises(InputError, match="is there already"):
        CliRunner().invoke(cli, words, catch_exceptions=False)
    with pytest.raises(InputError, match="did you mean 'drawdown'"):
        result.plot("drawdwon")


def test_a_window_can_be_narrowed():
    """Two sessions, two rows."""
    narrow = load_episode("deepseek-2025", start=date(2025, 1, 24), end=date(2025, 1, 27))
    assert list(replay(narrow, "buy-hold").equity["session"].dt.day) == [24, 27]


def test_unknown_settings_are_refused_in_python_too():
    """The same words as on the command line."""
    with pytest.raises(InputError, match="did you mean 'threshold'"):
        replay(load_episode("deepseek-2025"), "shock", treshold=1)
