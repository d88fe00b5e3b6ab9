"""A run's folder from a stranger: its code runs only when it is trusted, and nothing outside the folder is touched."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from datetime import date

import pytest
from click.testing import CliRunner

from backtests import Result, load_episode, replay
from backtests.cli import cli

VERBS = ("verify", "audit", "study", "delay", "placebo", "attribute")
RULE = """
import pathlib
import numpy as np
from strategies import Rule

pathlib.Path({mark!r}).touch()

class Theirs(Rule):
    def observe(self, view):
        return (np.zeros(len(view.symbols)),)

    def step(self, state, rows):
        return rows[0]
"""


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """The folder of a run with a strategy of its maker's own, and the file that shows that its code ran."""
    place = tmp_path_factory.mktemp("theirs")
    mark = place / "it-ran"
    (place / "rule.py").write_text(RULE.format(mark=str(mark)))
    episode = load_episode("deepseek-2025", start=date(2025, 1, 24), end=date(2025, 1, 29))
    folder = replay(episode, str(place / "rule.py")).save(place / "run")
    mark.unlink()
    return folder, mark


@pytest.fixture
def copied(theirs, tmp_path):
    """A copy of it to change."""
    return shutil.copytree(theirs[0], tmp_path / "run")


def ask(*words):
    """Asks the command line."""
    return CliRunner().invoke(cli, [str(each) for each in words])


def change_card(folder, change):
    """Changes the configuration on a run's card."""
    card = json.loads((folder / "run_card.json").read_text())
    change(card["config"])
    (folder / "run_card.json").write_text(json.dumps(card))


@pytest.mark.parametrize("verb", VERBS)
def test_code_in_the_folder_of_a_run_does_not_run_unless_it_is_trusted(theirs, verb):
    """The refusal names file, class and SHA-256 of what would have run."""
    folder, mark = theirs
    done = ask(verb, folder)
    code = next((folder / "code").rglob("rule.py"))
    wrong = str(done.exception)
    assert not mark.exists()
    assert all(
        each in wrong for each in ("--trust", "rule.py", "class Theirs", hashlib.sha256(code.read_bytes()).hexdigest())
    )


@pytest.mark.parametrize("verb", ["verify", "study"])
def test_code_that_is_trusted_runs(theirs, copied, verb):
    """The same folder with --trust: it runs, and it is said what ran."""
    _, mark = theirs
    done = ask(verb, copied, "--trust")
    assert (done.exit_code, mark.exists()) == (0, True), done.output
    assert "its own code: code/" in done.output
    mark.unlink()


@pytest.mark.parametrize(
    "place", ["{mark}.py", "code/../../rule.py", "../rule.py", "code/0123abcd/../../x.py", "rule.py"]
)
@pytest.mark.parametrize("verb", VERBS)
def test_a_card_that_names_code_elsewhere_is_refused_even_when_trusted(theirs, copied, verb, place):
    """An absolute path, a way up, or a file beside the run."""
    _, mark = theirs
    outside = copied.parent / "rule.py"
    outside.write_text(RULE.format(mark=str(mark)))
    place = place.format(mark=copied.parent / "rule")
    change_card(copied, lambda config: config["strategies"][0].update(code=place))
    done = ask(verb, copied, "--trust")
    assert "code: is something else" in str(done.exception)
    assert not mark.exists()


@pytest.mark.parametrize("verb", VERBS)
def test_a_strategy_without_code_is_a_name_and_never_a_file(theirs, copied, verb):
    """`name` is an absolute path of a file, and no code is named."""
    _, mark = theirs
    outside = copied.parent / "rule.py"
    outside.write_text(RULE.format(mark=str(mark)))
    change_card(copied, lambda config: config.update(strategies=[{"name": f"{outside}:Theirs"}]))
    assert "unknown rule" in str(ask(verb, copied, "--trust").exception).replace("unknown strategy", "unknown rule")
    assert not mark.exists()


@pytest.mark.parametrize("name", ["run_card.json", "scores.csv", "inputs/news", "evidence/gaps.json", "inputs/x.csv"])
def test_a_link_out_of_the_folder_is_refused(copied, tmp_path, name):
    """A file or a folder of the run that is a link to somewhere else."""
    (tmp_path / "private").mkdir()
    path = copied / name
    path.parent.mkdir(exist_ok=True)
    shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    path.symlink_to(tmp_path / "private")
    assert "is a link out of the folder" in str(ask("diff", copied, copied).exception)


def test_a_pipe_in_the_folder_is_refused_and_not_waited_for(copied):
    """Nobody writes into it."""
    (copied / "scores.csv").unlink()
    os.mkfifo(copied / "scores.csv")
    assert "scores.csv is no plain file" in str(ask("verify", copied).exception)


@pytest.mark.parametrize("episode", ["/etc", "../elsewhere", "a/b", ""])
def test_the_episode_of_a_run_is_a_name_whose_files_lie_among_its_inputs(copied, episode):
    """A path in its place is refused."""
    change_card(copied, lambda config: config.update(episode=episode))
    assert "config.episode: is something else" in str(ask("study", copied, "--trust").exception)


def test_text_of_a_run_stays_text_on_its_page(tmp_path):
    """A verdict that is a script is shown, not run."""
    episode = load_episode("deepseek-2025", start=date(2025, 1, 24), end=date(2025, 1, 29))
    run = replay(episode, "buy-hold").save(tmp_path / "run")
    document = json.loads((run / "metrics.json").read_text())
    document["claims"][0]["verdict"] = "<script>alert(1)</script>"
    (run / "metrics.json").write_text(json.dumps(document))
    assert ask("study", run).exit_code == 0
    assert "<script>alert" not in (run / "report.html").read_text()


def test_a_run_that_is_read_and_saved_again_keeps_its_code(theirs, tmp_path):
    """Every file but the page's, which stays the same too."""
    again = Result.load(theirs[0]).save(tmp_path / "again")
    files = {path.relative_to(again): path.read_bytes() for path in again.rglob("*") if path.is_file()}
    assert any(name.parts[0] == "code" for name in files)
    assert files == {path.relative_to(theirs[0]): path.read_bytes() for path in theirs[0].rglob("*") if path.is_file()}
