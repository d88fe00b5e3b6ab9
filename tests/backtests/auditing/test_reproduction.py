"""A run is made again from its folder alone, and two runs say why they differ."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import date

import pytest
from click.testing import CliRunner

from backtests import load_episode, replay
from backtests.auditing.reproduction import verify
from backtests.cli import cli
from backtests.records.run_diff import differences
from backtests.runs.folder import read_run
from backtests.runs.inputs import archived_text, read_archived
from feeds.errors import InputError
from feeds.rss import read
from tests.helpers.paths import ROOT

EPISODE = ROOT / "backtests" / "episodes" / "deepseek-2025"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run from the command line, of three strategies."""
    folder = tmp_path_factory.mktemp("made") / "run"
    words = ["run", "deepseek-2025", "-s", "shock", "-s", "gap-only", "-s", "buy-hold"]
    done = CliRunner().invoke(cli, [*words, "--trials", "off", "-o", str(folder)], catch_exceptions=False)
    assert done.exit_code == 0
    return folder


def test_a_run_is_reproduced_on_another_path_and_in_another_time_zone(run, tmp_path):
    """The folder is moved, the machine's zone is another: every byte comes out the same, exit code 0."""
    moved = tmp_path / "elsewhere" / "x"
    shutil.copytree(run, moved)
    done = subprocess.run(
        [sys.executable, "-m", "backtests", "verify", str(moved)],
        cwd=tmp_path, capture_output=True, text=True, check=False, env={**os.environ, "TZ": "Asia/Tokyo"},
    )  # fmt: skip
    assert (done.returncode, "byte for byte" in done.stdout) == (0, True), done.stdout + done.stderr


def test_a_run_on_files_of_ones_own_is_reproduced_when_they_are_gone(tmp_path):
    """News and prices that are deleted after the run: the folder holds them."""
    for name, own in (("news.de.xml", "n.xml"), ("prices.csv", "p.csv")):
        shutil.copy(EPISODE / name, tmp_path / own)
    episode = load_episode("deepseek-2025", news=tmp_path / "n.xml", prices=tmp_path / "p.csv")
    folder = replay(episode, ["shock", "buy-hold"]).save(tmp_path / "run")
    for own in ("n.xml", "p.csv"):
        (tmp_path / own).unlink()
    assert verify(folder).differences == ()


def test_a_run_on_an_archive_is_reproduced_without_the_archive(tmp_path, monkeypatch):
    """The run keeps what the archive held; the archive is deleted."""
    archive = tmp_path / "a.sqlite"
    monkeypatch.setenv("AFTERSHOCK_ARCHIVE", str(archive))
    words = ["run", "deepseek-2025", "-s", "shock", "--news", "archive", "--trials", "off", "-o", str(tmp_path / "run")]
    for line in (["feeds", "import", str(EPISODE / "news.de.xml")], words):
        assert CliRunner().invoke(cli, line, catch_exceptions=False).exit_code == 0
    for path in tmp_path.glob("a.sqlite*"):
        path.unlink()
    assert verify(tmp_path / "run").differences == ()


def test_a_changed_byte_is_found_and_named(run, tmp_path):
    """Exit code 1, the file and the line."""
    shutil.copytree(run, tmp_path / "run")
    fills = tmp_path / "run" / "fills.csv"
    fills.write_text(fills.read_text().replace("NVDA", "NVDB", 1))
    done = CliRunner().invoke(cli, ["verify", str(tmp_path / "run")])
    assert done.exit_code == 1
    assert "DIFFERS fills.csv: line " in done.output


def test_a_changed_input_is_refused(run, tmp_path):
    """A run on other prices is another run."""
    shutil.copytree(run, tmp_path / "run")
    (prices,) = (tmp_path / "run").rglob("prices.csv")
    prices.write_text(prices.read_text().replace("142.62", "142.63"))
    with pytest.raises(InputError, match=r"prices\.csv among its inputs is not the one"):
        verify(tmp_path / "run")


def test_inputs_that_change_under_a_run_are_noticed_when_it_is_saved(tmp_path):
    """Between reading and saving."""
    shutil.copy(EPISODE / "news.de.xml", tmp_path / "n.xml")
    made = replay(load_episode("deepseek-2025", news=tmp_path / "n.xml"), "buy-hold")
    (tmp_path / "n.xml").write_text("<rss/>")
    with pytest.raises(InputError, match="has changed since the run read it"):
        made.save(tmp_path / "run")


def test_what_an_archive_held_survives_writing_and_reading(tmp_path):
    """Every field, times with their zone."""
    held = [("live", each) for each in read(EPISODE / "news.de.xml").headlines]
    (tmp_path / "h.jsonl").write_text(archived_text(held), encoding="utf-8")
    assert read_archived(tmp_path / "h.jsonl") == held


def test_two_runs_say_why_they_differ(run, tmp_path):
    """A source, a strategy: each named once, and what came of it."""
    episode = load_episode("deepseek-2025", news=EPISODE / "news.de.xml")
    found = differences(read_run(run), read_run(replay(episode, ["shock", "gap-only"]).save(tmp_path / "other")))
    assert found["data"] == ["news.en.xml: only in the first"]
    assert any(line.startswith("buy-hold") and "only in the first" in line for line in found["configuration"])
    assert (found["scorer"], found["code"]) == ([], [])
    assert found["results"]


def test_a_run_does_not_differ_from_itself(run):
    """Exit code 0, "the same" five times; with --json empty lists."""
    done = CliRunner().invoke(cli, ["diff", str(run), str(run)])
    assert (done.exit_code, done.output.count("the same")) == (0, 5)
    told = json.loads(CliRunner().invoke(cli, ["diff", str(run), str(run), "--json"]).output)
    assert set(told) == {"data", "configuration", "scorer", "code", "results"}


def test_several_runs_stand_on_one_page(run, tmp_path):
    """Both names, one file, the same policy as a run's own page."""
    other = replay(load_episode("deepseek-2025"), "shock").save(tmp_path / "second")
    done = CliRunner().invoke(cli, ["compare", str(run), str(other), "-o", str(tmp_path / "c.html")])
    page = (tmp_path / "c.html").read_text(encoding="utf-8")
    assert done.exit_code == 0
    assert all(words in page for words in ("second", "shock (include) · run", "Content-Security-Policy"))


def test_several_runs_on_the_same_news_share_one_timeline(tmp_path):
    """A shorter window saw other prices: then the page says where to look."""
    runs = {
        name: replay(load_episode("deepseek-2025", end=end), "buy-hold").save(tmp_path / name)
        for name, end in (("a", None), ("b", None), ("short", date(2025, 1, 28)))
    }
    pages = []
    for others in (("a", "b"), ("a", "short")):
        words = ["compare", *(str(runs[name]) for name in others), "-o", str(tmp_path / "c.html")]
        assert CliRunner().invoke(cli, words, catch_exceptions=False).exit_code == 0
        pages.append((tmp_path / "c.html").read_text(encoding="utf-8"))
    assert [page.count('id="headlines"') for page in pages] == [1, 0]
    assert "no one timeline" in pages[1]
