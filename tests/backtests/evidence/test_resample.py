"""Other samples of the same news: what is drawn together, what a misreading is, and what the result says."""

from __future__ import annotations

import dataclasses
import json
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from backtests import load_episode, replay
from backtests.batch.news_versions import NEVER, used_items
from backtests.broker.terms import BrokerTerms
from backtests.cli import cli
from backtests.engine.market import make_market
from backtests.engine.news import read_news
from backtests.engine.rule_run import run_rule
from backtests.evidence.news_samples import SHORT, resample, short_form
from backtests.evidence.resample_draws import cells_of, kept, redrawn, versions_of
from backtests.evidence.resample_misread import read_misread
from feeds.errors import InputError
from feeds.scoring import DEFAULT
from strategies.registry import make_rule
from tests.backtests.evidence.test_attribution import DISRUPTS
from tests.helpers.markets import episode_of, flat_bars, news_of, no_news, weekdays


@pytest.fixture(scope="module")
def world():
    """The episode that ships, its news, and `shock`."""
    episode = load_episode("deepseek-2025")
    return episode, read_news(episode), make_rule("shock")


def told(*reports):
    """News of (title, source, hours after the first midnight), and its episode."""
    days = weekdays(12)
    bars = {name: flat_bars([100.0] * 12, days) for name in ("SPY", "NVDA")}
    episode = episode_of(bars, days, sectors={"funds": ("SPY",), "chips": ("NVDA",)})
    first = datetime(2025, 1, 3, tzinfo=UTC)
    news = news_of(episode, *((title, first + timedelta(hours=at), DISRUPTS) for title, _, at in reports))
    items = [
        dataclasses.replace(item, headline=dataclasses.replace(item.headline, source=source))
        for item, (_, source, _) in zip(news.items, reports, strict=True)
    ]
    return episode, dataclasses.replace(news, items=tuple(items))


def test_a_cell_is_a_source_on_a_day_and_a_story_goes_with_its_first_report():
    """The repeat by the second paper is in the first paper's cell; other news of the second paper is in its own."""
    _, news = told(
        ("Cheap model rattles chip makers", "A", 1), ("Cheap model rattles chip makers again", "B", 2),
        ("Lawsuit over training data", "B", 3), ("Utility doubts power demand", "A", 4),
        ("Robots learn to fold shirts", "A", 30),
    )  # fmt: skip
    cells = cells_of(news.items)
    assert cells.cell.tolist() == [0, 0, 1, 0, 2]
    assert (cells.count, cells.stories) == (3, 4)


@given(st.integers(0, 99), st.lists(st.integers(0, 5), min_size=1, max_size=20))
def test_cells_are_drawn_whole_and_as_many_as_there_are(seed, sources):
    """Headlines of a cell count equally often; drawn with replacement the counts of the cells add up to the cells."""
    _, news = told(*((f"word{number} thing{number}", f"s{each}", number) for number, each in enumerate(sources)))
    cells = cells_of(news.items)
    for counts in (redrawn(np.random.default_rng(seed), cells, 4), kept(np.random.default_rng(seed), cells, 4, 0.5)):
        for cell in range(cells.count):
            mine = counts[:, cells.cell == cell]
            assert (mine == mine[:, :1]).all()
    first = [cells.cell.tolist().index(cell) for cell in range(cells.count)]
    assert (redrawn(np.random.default_rng(seed), cells, 4)[:, first].sum(axis=1) == cells.count).all()


def test_a_headline_that_is_drawn_twice_counts_twice():
    """Two columns with its session; a sample that holds it once has one of them, a sample without it neither."""
    _, news = told(("Cheap model rattles chip makers", "A", 1))
    doubled, versions = versions_of(news, cells_of(news.items), np.array([[2], [1], [0]]))
    session = news.items[0].session
    assert [item.headline.title for item in doubled.items] == ["Cheap model rattles chip makers"] * 2
    assert versions.rows.tolist() == [[session, session], [session, NEVER], [NEVER, NEVER]]


def test_the_news_as_it_is_makes_what_the_run_makes(world):
    """Return and position on the key session, to the last digits; a sample of it with every cell once, too."""
    episode, news, rule = world
    row = resample(episode, news, [rule], n=2, keep=()).document()["strategies"][0]
    run = replay(episode, rule, news=news)
    assert row["return_pct"] == pytest.approx(run.document["results"][0]["return_pct"], rel=1e-9)
    targets = run.tables["targets"]
    at = {name: targets.columns.index(name) for name in targets.columns}
    key = episode.key_session.isoformat()
    last = max(each[at["session"]] for each in targets.rows if each[at["session"]] <= key)
    net = sum(each[at["weight"]] for each in targets.rows if each[at["session"]] == last)
    assert row["key_session_net_weight"] == pytest.approx(net)


def test_samples_come_from_the_seed_alone_whatever_the_workers(world):
    """The same bytes with one and two workers; others with another seed."""
    episode, news, rule = world
    one, two, other = (
        json.dumps(resample(episode, news, [rule], n=300, keep=(0.5,), workers=w, seed=s).document())
        for w, s in ((1, 4), (2, 4), (1, 5))
    )
    assert one == two != other


def test_more_news_narrows_the_result(world):
    """Of nine tenths of the cells the middle half of the returns is narrower than of three tenths."""
    episode, news, rule = world
    few, many = resample(episode, news, [rule], n=400, keep=(0.3, 0.9)).document()["strategies"][0]["kept"]
    widths = [each["quantiles_pct"]["75"] - each["quantiles_pct"]["25"] for each in (few, many)]
    assert widths[1] < widths[0] / 2
    assert few["headlines"] < many["headlines"] < len(used_items(news))


def test_the_share_of_the_other_sign_counts_samples_that_earned_where_the_run_lost():
    """One headline, right or absent: by hand, samples without it earn nothing and have no sign."""
    episode, news = told(("Cheap model rattles chip makers", "A", 1), ("Utility doubts power demand", "B", 30))
    row = resample(episode, news, [make_rule("shock")], n=50, keep=()).document()["strategies"][0]
    drawn = row["resampled"]
    assert drawn["key_session"]["long_share"] == 0
    assert 0 <= drawn["other_sign_share"] <= 1
    assert drawn["headlines"] == pytest.approx(2)


# Misreading


def table(folder, rows):
    """A confusion table."""
    path = folder / "table.csv"
    path.write_text("truth,read,count\n" + "".join(f"{a},{b},{c}\n" for a, b, c in rows))
    return path


PERFECT = [(-1, -1, 5), (0, 0, 5), (1, 1, 5)]


def test_a_scorer_without_errors_reads_every_sample_alike(tmp_path, world):
    """The result is that without misreading, to the last bit."""
    episode, news, rule = world
    items = used_items(news)
    news = dataclasses.replace(news, items=items)
    perfect = read_misread(table(tmp_path, PERFECT), items, DEFAULT)
    plain, read = (
        resample(episode, news, [rule], n=40, keep=(), misread=each).document()["strategies"][0]
        for each in (None, perfect)
    )
    assert read == plain


def test_errors_are_drawn_at_the_rate_of_the_table(tmp_path):
    """A scorer that is right in 8 of 10: P(read again as it was) = 0.8² + 0.1² + 0.1² = 0.66, and so it comes."""
    rows = [(truth, read, 8 if truth == read else 1) for truth in (-1, 0, 1) for read in (-1, 0, 1)]
    _, news = told(("Cheap model rattles chip makers", "A", 1))
    misread = read_misread(table(tmp_path, rows), news.items, DEFAULT)
    assert misread.chances[0] == pytest.approx([0.66, 0.17, 0.17])
    found = misread.readings(news.items[0], 20_000, np.random.default_rng(1))
    shares = {float(np.sign(item.score.sentiment)): holds.mean() for item, holds in found}
    assert shares == pytest.approx({-1.0: 0.66, 0.0: 0.17, 1.0: 0.17}, abs=0.02)


def test_a_table_is_made_of_labelled_headlines_with_the_scorer_at_hand(tmp_path, world):
    """Counted by hand from the scorer's own reading of three titles and the labels given to them."""
    episode, news, _ = world
    path = tmp_path / "labelled.csv"
    used = [item for item in news.items if item.used and item.score.language == "en"]
    titles = [next(i.headline.title for i in used if np.sign(i.score.sentiment) == sign) for sign in (-1, 1)]
    other = next(item.headline.title for item in news.items if item.score.relevance == 0)
    rows = [f'"{title}",{label}' for title, label in zip((titles[0], other, titles[1]), (-1, 0, 1), strict=True)]
    path.write_text("title,compute_demand\n" + "\n".join(rows) + "\n")
    assert read_misread(path, news.items, DEFAULT.before(episode.start)).chances.tolist() == np.eye(3).tolist()


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([(-1, -1, 5), (0, 0, 5)], "must be the truth and the reading"),
        ([*PERFECT, (2, 0, 1)], "-1, 0 or 1"),
        ([*PERFECT, (0, 0, -1)], "0 or more"),
    ],
)
def test_a_wrong_table_is_one_line(tmp_path, rows, says):
    """What is wrong, and in which file."""
    with pytest.raises(InputError, match=says):
        read_misread(table(tmp_path, rows), [], DEFAULT)


# Command, short form, speed


def test_the_command_prints_each_strategy_and_keeps_the_document_in_a_runs_folder(tmp_path, monkeypatch):
    """Text of 100 columns, one JSON object, evidence/resample.json; options out of range are one line."""
    monkeypatch.chdir(tmp_path)
    run = ["run", "deepseek-2025", "-s", "shock", "--set", "reactions=with-cause", "--trials", "off", "-o", "out"]
    CliRunner().invoke(cli, run, catch_exceptions=False)
    done = CliRunner().invoke(
        cli, ["resample", "out", "-n", "50", "--keep", "0.2:0.8:2", "--json"], catch_exceptions=False
    )
    document = json.loads(done.stdout)
    assert [each["share"] for each in document["strategies"][0]["kept"]] == [0.2, 0.8]
    assert max(map(len, done.stderr.splitlines())) <= 100
    assert json.loads((tmp_path / "out" / "evidence" / "resample.json").read_text()) == document
    assert "Another sample of the same news" in (tmp_path / "out" / "report.html").read_text()
    for wrong in (["--keep", "1.5"], ["--keep", "a:b:c"], ["-n", "1"], ["--misread", "nowhere.csv"]):
        with pytest.raises(InputError):
            CliRunner().invoke(cli, ["resample", "deepseek-2025", "-s", "shock", *wrong], catch_exceptions=False)


def test_the_short_form_says_the_middle_and_the_other_sign_of_what_reads_news(world):
    """By label; buy-hold reads none, and an episode without headlines has nothing to say."""
    episode, news, rule = world
    found = short_form(episode, news, [rule, make_rule("buy-hold")])
    whole = resample(episode, news, [rule], n=SHORT, keep=()).document()["strategies"][0]["resampled"]
    assert found == {
        "shock": {
            "low_pct": whole["quantiles_pct"]["5"],
            "high_pct": whole["quantiles_pct"]["95"],
            "other_sign_share": whole["other_sign_share"],
        }
    }
    assert short_form(episode, no_news(), [rule]) == {}


def test_two_thousand_samples_take_no_longer_than_twenty_replays(world):
    """In processor time of one core, the quickest of three tries each."""
    episode, news, rule = world
    market = make_market(episode, news)
    resample(episode, news, [rule], n=2, keep=())  # compiles

    def spent(work):
        times = []
        for _ in range(3):
            start = time.process_time()
            work()
            times.append(time.process_time() - start)
        return min(times)

    twenty = spent(lambda: [run_rule(episode, market, rule, BrokerTerms()) for _ in range(20)])
    assert spent(lambda: resample(episode, news, [rule], n=2_000, keep=())) < twenty
