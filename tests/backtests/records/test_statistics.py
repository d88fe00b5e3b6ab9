"""A statistic is one row: it reaches JSON, frame, terminal, page and saved run from there."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from backtests import Result, load_episode, replay
from backtests.records import metrics
from backtests.records.metrics import STATISTICS, Statistic
from backtests.report.text.run_report import result_table, text_report
from backtests.runs.folder import page_of
from tests.helpers.paths import ROOT

GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
TURNOVER = Statistic(
    key="turnover_usd", unit="US dollars", heading="turnover", says="sum of all fills, bought and sold",
    formula=lambda run: sum(abs(fill.size * fill.price) for fill in run.fills),
)  # fmt: skip


@pytest.fixture
def result():
    """A run whose fills are known: buy and hold."""
    return lambda: replay(load_episode("deepseek-2025"), "buy-hold")


def test_one_row_reaches_json_frame_terminal_and_page(monkeypatch, result, tmp_path):
    """The turnover added up from fills.csv, in all four places and in the run read back."""
    monkeypatch.setattr(metrics, "STATISTICS", (*STATISTICS, TURNOVER))
    made = result()
    turnover = (made.fills["size"] * made.fills["price"]).abs().sum()
    assert made.document["results"][0]["turnover_usd"] == pytest.approx(turnover)
    assert made.metrics.loc["buy-hold", "turnover_usd"] == pytest.approx(turnover)
    for text in (text_report(made, ""), page_of(made), made._repr_html_()):
        assert "turnover" in text
        assert f"{turnover:,.0f}" in text
    assert Result.load(made.save(tmp_path / "run")).document == made.document


def test_a_run_made_before_a_statistic_shows_a_dash(monkeypatch, result):
    """Its table has the column and no figure."""
    made = result()
    monkeypatch.setattr(metrics, "STATISTICS", (*STATISTICS, TURNOVER))
    for short in (False, True):
        head, (rows,) = result_table(made, short=short)
        assert (head[-1], rows[0][-1]) == ("turnover", "–")


def test_dividends_are_printed_as_on_a_brokers_statement(result):
    """Received: positive in the table; the JSON holds a cost, so it is negative there."""
    made = result()
    for cost, printed in ((-12.0, "+12"), (34.0, "−34")):
        made.document["results"][0]["costs"]["dividends"] = cost
        head, (rows,) = result_table(made)
        assert rows[0][head.index("divid.")] == printed


def test_a_terminals_table_has_one_column_of_costs_a_page_each(result):
    """1,234.4 + 2 + 3 dollars; the benchmark pays none."""
    made = result()
    made.document["results"][0]["costs"] |= {"commission": 1234.4, "slippage": 2.0, "borrow": 3.0}
    head, (rows,) = result_table(made, short=True)
    assert [row[head.index("costs")] for row in rows] == ["1,239", "–"]
    assert {"comm.", "slipp.", "borrow"} <= set(result_table(made)[0])


@pytest.mark.parametrize("statistic", STATISTICS, ids=lambda each: each.key)
def test_the_glossary_says_of_each_statistic_what_its_row_says(statistic):
    """Name, unit and meaning, word for word."""
    assert f"| `{statistic.key}` | {statistic.unit} | {statistic.says} |" in GLOSSARY


def test_the_glossary_names_no_statistic_that_no_run_has():
    """Its first table is the rows of a run's results and nothing else."""
    table = GLOSSARY.split("## Figures of a strategy")[1].split("##")[0]
    others = {"params", "label", "strategy", "baseline", "key_session_fills"}
    named = set(re.findall(r"`(\w+)`", "\n".join(line.split("|")[1] for line in table.splitlines() if "|" in line)))
    assert named - others == {each.key for each in STATISTICS}


def test_a_group_of_statistics_is_an_object_of_its_name():
    """`costs` holds commission; a row without it is a run that was made without."""
    commission = next(each for each in STATISTICS if each.key == "commission")
    assert commission.of({"costs": {"commission": 3.0}}) == 3.0
    assert commission.of({}) is None
    assert replace(commission, group="").of({"commission": 4.0}) == 4.0
