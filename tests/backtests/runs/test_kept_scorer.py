"""The file behind a run's scores: on an archive, in other processes, and in the hands of strangers."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import timedelta

import pytest
from click.testing import CliRunner

from backtests import load_episode, replay
from backtests.cli import cli
from backtests.engine.news import read_archive, read_news
from feeds.archive import Archive, Document
from feeds.errors import InputError
from feeds.scorers.registry import scorer_named

EPISODE = "quiet-2023"


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """A run by scores from a file that is gone by now: its folder."""
    place = tmp_path_factory.mktemp("scored")
    titles = {item.headline.title for item in read_news(load_episode(EPISODE)).items}
    rows = [json.dumps({"title": title, "sentiment": -0.9}) for title in sorted(titles)]
    (place / "mine.jsonl").write_text("\n".join(rows), encoding="utf-8")
    given = f"run {EPISODE} -s shock --no-baselines --trials off --scores {place}/mine.jsonl -o {place}/run"
    assert CliRunner().invoke(cli, given.split(), catch_exceptions=False).exit_code == 0
    return place


def test_an_archive_is_scored_from_the_file_and_keeps_nothing_of_it(scored, tmp_path):
    """The file is where the scores lie; a changed one must not meet stored ones."""
    episode = load_episode(EPISODE)
    scorer = scorer_named(str(scored / "mine.jsonl"))
    opening = episode.sessions.opens[episode.window[0]]
    heads = [replace(item.headline, seen=opening) for item in read_news(episode).items]
    document = Document(feed="a", url="a", at=opening, hash="", provenance="import", rule="r", key="k")
    with Archive(tmp_path / "a.sqlite") as archive:
        archive.record(document, heads)
        _, news = read_archive(episode, archive, scorer=scorer)
        rows = [each.row for each in archive.history(opening - timedelta(1), opening + timedelta(1))]
        assert len(rows) == len(heads)
        assert archive.scores(rows, scorer.key, None) == {}
    assert {item.score.sentiment for item in news.items} == {-0.9}


def test_other_processes_find_the_file_and_how_to_take_it(scored, tmp_path):
    """A sweep on two workers scores as one process does."""
    found = []
    for workers in ("1", "2"):
        given = f"sweep {EPISODE} -s shock --grid hold=1,3 --replay --trials off --json --missing default --workers {workers}"
        given += f" --scores {scored}/mine.jsonl -o {tmp_path}/{workers}"
        done = CliRunner().invoke(cli, given.split(), catch_exceptions=False)
        assert done.exit_code == 0
        found.append({key: value for key, value in json.loads(done.stdout).items() if key != "file"})
    assert found[0]["scorer"]["name"].startswith("mine.jsonl+default ")
    assert found[0] == found[1]


def test_a_notebook_may_name_the_file(scored):
    """replay(scorer=…) takes whatever --scorer does."""
    run = replay(load_episode(EPISODE), "shock", scorer=str(scored / "mine.jsonl"))
    assert run.config["scorer_source"]["file"] == "inputs/scorer/mine.jsonl"
    assert {row["sentiment"] for row in run.tables["scores"].records()} == {-0.9}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kind": "magic"}, "knows no scorer of the kind 'magic'"),
        ({"kind": "answers"}, "does not say the scorer's 'model'"),
        ({"settings": {"missing": "guess"}}, "--missing 'guess'"),
        ({"sha256": "0" * 64}, "its hash is another"),
        ({"file": "inputs/scorer/other.csv"}, "cannot be read"),
        ({"file": "../../mine.jsonl"}, "should be a text like"),
        ({"kind": "code"}, "say --trust"),
    ],
)
def test_a_stranger_s_run_that_names_another_file_is_refused_in_one_line(scored, tmp_path, change, says):
    """Nothing outside the folder is read, nothing in it is run."""
    folder = shutil.copytree(scored / "run", tmp_path / "run")
    card = json.loads((folder / "run_card.json").read_text())
    card["config"]["scorer_source"] |= change
    (folder / "run_card.json").write_text(json.dumps(card))
    with pytest.raises(InputError, match=says):
        CliRunner().invoke(cli, ["verify", str(folder)], catch_exceptions=False)
