"""`backtest init` and `backtest check`: a folder that works from the start, and what is wrong in it later."""

from __future__ import annotations

import re
import shutil

import pytest
from click.testing import CliRunner

from backtests.authoring.starter import check_start, make_start
from backtests.cli import cli
from feeds.errors import InputError
from feeds.opml import catalogue, read_opml


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder that `init` made."""
    folder = tmp_path_factory.mktemp("start") / "my-test"
    make_start(folder)
    return folder


def test_what_init_makes_runs_as_it_is(made, tmp_path, monkeypatch):
    """The strategies, and the rule beside them; the first command of START.txt among them."""
    monkeypatch.chdir(made.parent)
    done = CliRunner().invoke(cli, ["run", "my-test", "-s", "my-test/my_rule.py", "-o", str(tmp_path / "run")])
    assert (done.exit_code, "MyRule" in done.stdout) == (0, True)
    assert check_start(made) == []


def test_every_command_in_start_txt_is_one(made):
    """Its verbs and options exist."""
    for line in re.findall(r"backtest (\w+(?: new| import| pull)?)([^(\n]*)", (made / "START.txt").read_text()):
        verb, rest = line[0].split(), line[1]
        shown = CliRunner().invoke(cli, [*verb, "--help"])
        assert shown.exit_code == 0
        assert all(option in shown.stdout for option in re.findall(r"--[a-z-]+", rest))


def test_the_feeds_are_those_that_ship(made):
    """Ready for `feeds import`."""
    assert read_opml((made / "feeds.opml").read_bytes(), name="feeds.opml") == catalogue()


def test_init_takes_nobodys_place(made):
    """A folder that is there stays as it is."""
    with pytest.raises(InputError, match="is there already"):
        make_start(made)


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("my_rule.py", "class MyRule(:\n", "my_rule.py:1: is no Python"),
        ("my_rule.py", "print('planted')\n", "defines no class"),
        ("feeds.opml", "<opml>", "feeds.opml"),
        ("prices.csv", "symbol,date\n", "prices.csv"),
    ],
)
def test_check_names_what_is_wrong_and_runs_nothing(made, tmp_path, file, text, words):
    """A line with the file, exit code 1; a rule is read, not run."""
    folder = shutil.copytree(made, tmp_path / "mine")
    (folder / file).write_text(text)
    done = CliRunner().invoke(cli, ["check", str(folder)])
    assert (done.exit_code, "planted" in done.output) == (1, False)
    assert any(words in line for line in done.stdout.splitlines())


def test_check_says_what_is_still_the_examples(made, monkeypatch):
    """Who wants data of their own is told which are not."""
    monkeypatch.chdir(made.parent)
    done = CliRunner().invoke(cli, ["check", "my-test"])
    assert (done.exit_code, "prices.csv is the example's" in done.stderr) == (0, True)
