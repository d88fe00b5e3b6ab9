"""The masked twin and the flawless reading: what hangs on names, and what on misreading."""

from __future__ import annotations

import csv
import json

import pytest
from click.testing import CliRunner

from backtests.broker.terms import BrokerTerms
from backtests.cli import cli
from backtests.engine.news import read_news
from backtests.episodes.episode import load_episode
from backtests.evidence.twins.flawless_twin import MISREADING, flawless_twin
from backtests.evidence.twins.masked_twin import masked_twin
from feeds.errors import InputError
from feeds.scorers.own_scorer import made
from feeds.scorers.registry import scorer_named
from feeds.scoring import DEFAULT
from strategies.registry import make_rule

EPISODE = "chatgpt-may-2023"


@pytest.fixture(scope="module")
def episode():
    """The window's news and prices."""
    return load_episode(EPISODE)


@pytest.fixture(scope="module")
def direction(episode):
    """Returns +1 where what is traded rose over the window, else -1: what a model could remember of these weeks."""
    window = [episode.sessions.sessions[row] for row in episode.window]
    moves = []
    for symbol in episode.tradable:
        bars = episode.prices.bars[symbol]
        closes = dict(zip(bars.sessions, bars.close, strict=True))
        if window[0] in closes and window[-1] in closes:
            moves.append(closes[window[-1]] / closes[window[0]] - 1)
    return 1.0 if sum(moves) > 0 else -1.0


FAMOUS = ("Nvidia", "NVIDIA", "Microsoft", "Google", "Alphabet", "OpenAI", "ChatGPT", "Meta", "Amazon")


def remembering(direction):
    """A scorer that reads nothing, and knows what became of those who are famous."""
    return made("remembers", lambda title: direction if any(name in title for name in FAMOUS) else 0.0)


def twin(episode, scorer):
    """Returns the masked twin of `shock` by a scorer."""
    news = read_news(episode, scorer=scorer)
    return masked_twin(episode, news, [make_rule("shock")], BrokerTerms(), scorer.before(episode.start))


def test_a_scorer_that_remembers_names_loses_its_edge(episode, direction):
    """It knows what became of whom in these weeks; of roles it knows nothing, so that masked it never trades."""
    document = twin(episode, remembering(direction))
    (row,) = document["strategies"]
    assert row["return_pct"] > 1
    assert row["masked_return_pct"] == 0.0
    assert "Gains with names and not without them: shock." in document["notes"]


def test_the_default_hardly_hangs_on_names(episode):
    """Names are roles in its features: no sign is turned, one sentiment in eight moves at all."""
    document = twin(episode, DEFAULT)
    part = {each["part"]: each for each in document["parts"]}["sentiment"]
    assert document["with_names"] > 60
    assert (part["sign_flips"], part["changed_share"] < 0.15, part["mean_absolute_change"] < 0.04) == (0, True, True)


def test_a_scorer_that_reads_words_alone_does_not_move_at_all(episode):
    """What counts no name gives the same scores and the same profit."""
    document = twin(episode, made("words", lambda title: 0.9 if "chip" in title.lower().split() else 0.0))
    (row,) = document["strategies"]
    assert all(each["mean_absolute_change"] == 0 for each in document["parts"])
    assert row["return_pct"] == row["masked_return_pct"]


def test_a_file_of_scores_cannot_read_masked_headlines(episode, tmp_path):
    """It holds what was said of the headlines as they are."""
    (tmp_path / "s.csv").write_text("title,sentiment\nx,1\n")
    with pytest.raises(InputError, match="cannot read masked headlines; give the scorer that made it"):
        twin(episode, scorer_named(str(tmp_path / "s.csv")))


def labels_of(episode, path, sign):
    """Labels every headline of an episode that the default scorer takes for AI news, all alike."""
    items = read_news(episode).items
    with path.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["id", "lang", "title", "relevance", "compute_demand", "entities"])
        rows.writerows(["x", "en", each.headline.title, 1, sign, '{"NVDA": 1}'] for each in items if each.used)
    return len({each.headline.title for each in items if each.used})


def test_a_strategy_that_gains_where_the_flawless_reading_loses_is_told_so(episode, direction, tmp_path):
    """A scorer that is wrong throughout, and lucky; the flawless reading has a row of its own, marked."""
    news = read_news(episode, scorer=remembering(direction))
    with (tmp_path / "labels.csv").open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["title", "lang", "relevance", "compute_demand"])
        rows.writerows([each.headline.title, "en", 1, int(-direction)] for each in news.items if each.used)
    document = flawless_twin(episode, news, [make_rule("shock")], BrokerTerms(), str(tmp_path / "labels.csv"))
    (row,) = document["strategies"]
    assert row["return_pct"] > 0 > row["flawless_return_pct"]
    assert row["says"] == MISREADING
    assert 0 < document["labelled"] <= document["headlines"] == len(news.items)


def test_labels_that_say_what_was_read_change_nothing(episode, tmp_path):
    """The same signs and strengths, the same profit."""
    news = read_news(episode, scorer=made("up", lambda _: 1.0))
    with (tmp_path / "labels.csv").open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["title", "lang", "relevance", "compute_demand"])
        rows.writerows([each.headline.title, each.score.language, 1, 1] for each in news.items)
    document = flawless_twin(episode, news, [make_rule("shock")], BrokerTerms(), str(tmp_path / "labels.csv"))
    (row,) = document["strategies"]
    assert (row["return_pct"], row["says"], document["signs_corrected"]) == (row["flawless_return_pct"], "", 0)


def test_labels_of_other_headlines_are_refused(episode):
    """Those that ship are of no headline of this episode."""
    with pytest.raises(InputError, match=rf"--labels labels: labels none of the \d+ headlines of {EPISODE}"):
        flawless_twin(episode, read_news(episode), [make_rule("shock")], BrokerTerms(), "labels")


def test_scores_that_are_labels_are_marked_as_a_flawless_reading(episode, tmp_path, monkeypatch):
    """In the name of the scorer and in a note with N of M."""
    monkeypatch.chdir(tmp_path)
    count = labels_of(episode, tmp_path / "mine.csv", 1)
    given = f"run {EPISODE} -s shock --no-baselines --trials off --scores mine.csv --json".split()
    done = CliRunner().invoke(cli, given, catch_exceptions=False)
    document = json.loads(done.stdout)
    assert document["scorer"]["name"].startswith("labels:mine.csv ")
    total = document["headlines"]["total"] - document["headlines"]["rejected"]
    (note,) = [each for each in document["notes"] if "flawless" in each]
    assert note.startswith("A flawless reading of ")
    assert note.endswith(" headlines, which nobody had; not a strategy.")
    assert count <= int(note.split()[4].replace(",", "")) <= total


@pytest.mark.parametrize("verb", ["masked", "flawless"])
def test_both_are_added_to_a_run_shown_on_its_page_and_taken_over_by_verify(verb, episode, tmp_path, monkeypatch):
    """Like all evidence that is asked for."""
    monkeypatch.chdir(tmp_path)
    labels_of(episode, tmp_path / "mine.csv", 1)
    words = ["--labels", "mine.csv"] if verb == "flawless" else []
    run = f"run {EPISODE} -s shock --no-baselines --trials off -o out".split()
    for each in (run, [verb, "out", *words]):
        assert CliRunner().invoke(cli, each, catch_exceptions=False).exit_code == 0
    title = {"masked": "With names masked", "flawless": "A flawless reading"}[verb]
    assert f"<h3>{title}</h3>" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    found = CliRunner().invoke(cli, ["verify", "out"], catch_exceptions=False)
    assert found.exit_code == 0
    assert f"taken as it stands, not made again: evidence/{verb}.json" in found.stderr


def test_the_printed_rows_fit_a_terminal_and_mark_the_flawless_one(episode, tmp_path):
    """At most a hundred columns."""
    labels_of(episode, tmp_path / "labels.csv", -1)
    given = ["flawless", EPISODE, "-s", "shock", "-s", "drift", "--labels", str(tmp_path / "labels.csv")]
    lines = CliRunner().invoke(cli, given, catch_exceptions=False).stdout.splitlines()
    assert [line for line in lines if len(line) > 100] == []
    assert sum("[flawless] " in line for line in lines) == 4  # three variants of shock, and drift
