"""The first screen of a run: a verdict, the claims, a row per strategy, the gravest objections; at most 40 lines."""

from __future__ import annotations

import dataclasses

import pytest

from backtests import load_episode, replay
from backtests.broker.terms import BrokerTerms
from backtests.engine.news import read_news
from backtests.engine.schedule import place_news
from backtests.evidence.registry import gather, report_end
from backtests.report.text.first_screen import LINES, first_screen
from backtests.report.text.run_report import distinct_results
from backtests.user_strategies.selection import standard_rules, with_baselines


@pytest.fixture(scope="module")
def run():
    """All strategies and baselines on the shipped episode, with its evidence."""
    episode = load_episode("deepseek-2025")
    rules = with_baselines(standard_rules((), {}))
    news = place_news(episode, read_news(episode), BrokerTerms())
    result = replay(episode, rules, news=news)
    gather(result, rules, episode, news)
    return result


def screen(run):
    """Its lines."""
    return first_screen(run, "A title", report_end(run.evidence, short=True)).splitlines()


def test_it_fits_a_screen_and_begins_with_the_verdict(run):
    """40 lines of 100 columns; every strategy has a row, the benchmark too."""
    lines = screen(run)
    assert (len(lines) <= LINES, max(map(len, lines)) <= 100) == (True, True)
    assert lines[0].startswith("On 2025-01-27 NVDA closed −16.97 %")
    text = "\n".join(lines)
    assert all(row["strategy"] in text for row in run.document["results"])
    assert ("17 claims: 15 confirmed, 2 contradicted" in text, "= SPY held" in text) == (True, True)


def test_variants_that_came_to_the_same_are_one_row(run):
    """Same equity in every session: one row, which names them all; others keep theirs."""
    equity = {name: tuple(rows["equity"]) for name, rows in run.equity.groupby("strategy")}
    names = [name for name, _ in distinct_results(run)]
    assert len(names) == len({(name.split(" (")[0], equity[name]) for name in equity})
    joined = [name for name in names if "include, with-cause" in name]
    same = equity["shock (include)"] == equity["shock (with-cause)"]
    assert bool(joined) == same


def test_many_strategies_are_cut_and_counted(run):
    """With forty rows the screen still fits, and says how many are left out."""
    rows = [{**row, "strategy": f"s{n}", "label": f"s{n}"} for n, row in enumerate(run.document["results"] * 4)]
    many = dataclasses.replace(run, document={**run.document, "results": rows})
    lines = screen(many)
    assert len(lines) <= LINES
    assert any("more rows: --verbose" in line for line in lines)


def test_ruin_stands_before_what_speaks_against_many():
    """The gravest first: ruin, then what hits most strategies."""
    from backtests.report.text.evidence_text import gravest_text

    def row(name, *codes):
        findings = [{"code": code, "grade": "severe", "says": f"{code} of {name}."} for code in codes]
        return {"strategy": name, "baseline": False, "findings": findings}

    text = gravest_text({"strategies": [row("a", "few"), row("b", "few", "ruin"), row("c", "costs", "few", "gaps")]})
    assert text.splitlines() == [
        "gravest objections (all: --verbose)", "− b: ruin of b.", "− a: few of a. (2 more: the like)", "− c: costs of c.",
    ]  # fmt: skip
    assert gravest_text({"strategies": [row("a")]}) == "objections: nothing severe against any strategy\n"
