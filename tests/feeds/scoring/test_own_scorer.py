"""A scorer of the user's own: a file with a function, asked one by one or many at once."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from backtests.cli import cli
from feeds.errors import InputError
from feeds.scoring import ScoreInput
from feeds.scoring.registry import scorer_named

ONE = """
def read(title):
    "Counts chips."
    return min(1.0, title.lower().count("chip") / 2)
read.version, read.trained_until = "3", "2024-06-30"
"""
MANY = """
def read(titles: list[str]):
    return [{"sentiment": -0.5, "displacement": 0.25, "tone": 0.5, "relevance": 0.9} for title in titles]
"""


@pytest.fixture
def scorer(tmp_path):
    """Makes a scorer from the text of a file."""

    def make(text: str, function: str = "read"):
        path = tmp_path / "mine.py"
        path.write_text(text, encoding="utf-8")
        return scorer_named(f"{path}:{function}")

    return make


def test_a_number_is_the_sentiment_and_attributes_say_the_rest(scorer):
    """Version, training cut-off and what it is about; a digest of the file makes other code another scorer."""
    mine = scorer(ONE)
    assert [each.sentiment for each in mine.scores([ScoreInput("Chip on chip"), ScoreInput("Rain")], None)] == [
        1.0,
        0.0,
    ]
    assert (mine.trained_until.isoformat(), mine.about, mine.version[:2]) == ("2024-06-30", "Counts chips.", "3-")
    assert scorer(ONE + "\n# edited").version != mine.version


def test_many_are_asked_at_once_where_the_argument_says_so(scorer):
    """And a dict holds parts of a score."""
    (scored,) = scorer(MANY).scores([ScoreInput("Nvidia falls", "", "en")], None)
    assert (scored.sentiment, scored.displacement, scored.tone, scored.relevance) == (-0.5, 0.25, 0.5, 0.9)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def read(title): return 7", "out of range"),
        ("def read(title): return float('nan')", "out of range"),
        ("def read(title): return {'mood': 1}", "give a number or a dict"),
        ("def read(title): return None", "give a number or a dict"),
        ("def read(titles: list): return []", "gave 0 answers to 1"),
        ("def other(title): return 0", "has no function 'read'"),
        ("1 / 0", "does not run .ZeroDivisionError"),
        ("def read(title): return 0\nread.trained_until = 'lately'", "must be a day"),
    ],
)
def test_what_cannot_be_a_score_is_refused_in_one_line(scorer, text, said):
    """With the file, what is wrong and what to do."""
    with pytest.raises(InputError, match=said):
        scorer(text).scores([ScoreInput("Nvidia falls")], None)


def test_a_run_is_scored_by_it_and_a_saved_run_never_runs_the_file_by_itself(tmp_path, monkeypatch):
    """Its name, digest and contamination stand in the run; what makes it anew asks for the file to be given again."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(ONE, encoding="utf-8")
    given = "run deepseek-2025 -s shock --no-baselines --scorer mine.py:read --trials off -o run --json".split()
    done = CliRunner().invoke(cli, given, catch_exceptions=False)
    facts = json.loads(done.stdout)["scorer"]
    assert facts["name"].startswith("mine.py:read 3-")
    assert facts["trained_until"] == "2024-06-30"
    said = {"audit": " 0 differed", "verify": "files came out the same", "study": "mine.py:read 3-"}
    for verb, words in said.items():
        with pytest.raises(InputError, match="look at that file and give --scorer"):
            CliRunner().invoke(cli, [verb, "run"], catch_exceptions=False)
        again = CliRunner().invoke(cli, [verb, "run", "--scorer", "mine.py:read"], catch_exceptions=False)
        assert again.exit_code == 0
        assert words in again.stdout


def test_a_vintage_is_chosen_by_its_day(tmp_path, monkeypatch):
    """The run names it; with another scorer it makes no sense."""
    monkeypatch.chdir(tmp_path)
    given = [
        "run",
        "deepseek-2025",
        "-s",
        "shock",
        "--no-baselines",
        "--vintage",
        "2022-12-31",
        "--trials",
        "off",
        "--json",
    ]
    done = CliRunner().invoke(cli, given, catch_exceptions=False)
    assert json.loads(done.stdout)["scorer"]["name"] == "disruption-2022-12-31 5"
    with pytest.raises(InputError, match="leave --scorer out"):
        CliRunner().invoke(cli, [*given, "--scorer", "disruption"], catch_exceptions=False)
