"""The page of years: drawn by weeks, listed by month, and short enough to open; that of weeks is as ever."""

from __future__ import annotations

import csv
import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtests import load_episode, replay
from backtests.evidence.registry import gather
from backtests.report.page.years import months, weeks
from backtests.user_strategies.selection import standard_rules


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run of two strategies over the four years, with its evidence."""
    from backtests.engine.news import read_news

    episode = load_episode("ai-2022-2026")
    news, rules = read_news(episode), standard_rules(("shock", "gap-only"))
    result = replay(episode, rules, news=news)
    gather(result, rules, episode, news)
    return result.save(tmp_path_factory.mktemp("years") / "run")


def part(folder, name):
    """A section of the page."""
    text = (folder / "report.html").read_text(encoding="utf-8")
    return re.search(rf'<section id="{name}".*?</section>', text, re.DOTALL)[0]


def rows(folder, name):
    """A table of the run, read without the program."""
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_four_years_are_one_line_for_each_symbol(folder):
    """Weekly closes in the drawing of the whole window, wide and narrow; the axis has years."""
    drawings = re.findall(r'<svg[^>]*aria-label="The whole window.*?</svg>', part(folder, "news"), re.DOTALL)
    assert len(drawings) == 2
    symbols = {row["symbol"] for row in rows(folder, "bars.csv")}
    for drawn in drawings:
        lines = re.findall(r'<g class="price[^"]*" data-symbol="([^"]+)">(.*?)</g>', drawn, re.DOTALL)
        assert {symbol for symbol, _ in lines} <= symbols
        assert {len(re.findall(r'<polyline points="([^"]+)" class="weeks"', line)) for _, line in lines} == {1}
        assert {"Jan 2023", "Jan 2024", "Jan 2025"} <= set(re.findall(r">([A-Z][a-z]{2} 20\d\d)<", drawn))


def test_every_month_says_how_many_headlines_it_has_and_where_the_rest_is(folder):
    """Counted from scores.csv."""
    text = part(folder, "news")
    months_of = [row["known_at"][:7] for row in rows(folder, "scores.csv") if row["used"] == "True"]
    for month in sorted(set(months_of)):
        count, name = months_of.count(month), f"{date.fromisoformat(month + '-01'):%B %Y}"
        body = re.search(rf"<summary>{name}: {count:,} headlines? about AI</summary>(.*?)</details>", text, re.DOTALL)[
            1
        ]
        assert body.count("<tr>") - 1 == min(count, 10)
        assert (f"{count - 10:,} weaker headlines are in scores.csv" in body) == (count > 10)


def test_long_lists_of_trades_name_the_file_with_the_rest(folder):
    """The forty that made or lost most; every one is in trades.csv."""
    mine = [row for row in rows(folder, "trades.csv") if row["strategy"] == "gap-only"]
    text = part(folder, "trades")
    shown = re.search(r"Trades of gap-only;.*?</table>", text, re.DOTALL)[0]
    assert shown.count("<tr>") - 1 == 40
    assert f"{len(mine) - 40:,} trades that made or lost less are in trades.csv" in text


def test_the_page_of_years_opens_like_a_page(folder):
    """At most 3 MB, evidence on one line each where it is long."""
    assert (folder / "report.html").stat().st_size < 3e6
    for path in (folder / "evidence").glob("*.json"):
        lines = path.read_text(encoding="utf-8").count("\n")
        assert (lines == 1) == (path.stat().st_size > 1_000_000), path.name


def test_a_page_of_weeks_is_drawn_session_by_session(tmp_path):
    """No week, no month, no rest."""
    text = (replay(load_episode("quiet-2023"), "shock").save(tmp_path / "run") / "report.html").read_text()
    assert 'class="weeks"' not in text
    assert "Headlines by month" not in text
    assert "headlines as a table" in text


@given(st.integers(0, 3000), st.integers(1, 900))
def test_weeks_hold_every_session_once_and_end_where_the_calendar_does(start, count):
    """Law: ranges one after the other, each within one ISO week."""
    days = [(date(2020, 1, 1) + timedelta(days=start + n)).isoformat() for n in range(count)]
    found = weeks(days)
    assert [place for week in found for place in week] == list(range(count))
    names = [{date.fromisoformat(days[place]).isocalendar()[:2] for place in week} for week in found]
    assert all(len(each) == 1 for each in names)
    assert len(set.union(*names)) == len(found)


@given(st.integers(0, 2_000_000_000), st.integers(0, 400_000_000))
def test_months_are_all_first_days_within_a_span(start, length):
    """Law: in order, on a first, no month left out."""
    found = months(start, start + length)
    assert all(start <= day.timestamp() <= start + length and day.day == 1 for day in found)
    counts = [day.year * 12 + day.month for day in found]
    assert counts == list(range(counts[0], counts[0] + len(counts))) if counts else length < 31 * 86400
