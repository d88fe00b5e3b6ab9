"""backtest.toml beside an episode's data holds options of `run`; the command line wins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from backtests.authoring.starter import make_start
from backtests.cli import cli
from feeds.errors import InputError


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A folder of data, and the test in the folder above it."""
    make_start(tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "mine"


def run(*arguments: str):
    """Runs the folder; returns the card's configuration and where options came from."""
    done = CliRunner().invoke(cli, ["run", "mine", "--no-baselines", "-o", "out", "--force", *arguments])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    card = json.loads(Path("out/run_card.json").read_text(encoding="utf-8"))
    return card["config"], card.get("options")


def test_the_file_says_and_the_command_line_wins(mine):
    """Each option by itself; pairs of --set add up. The card keeps what came from the file."""
    (mine / "backtest.toml").write_text(
        'cash = 5000\nstrategy = "drift"\nset = { threshold = 0.8, slippage_bps = 7 }\nstart = "2025-01-23"\n'
    )
    config, options = run()
    (drift,) = config["strategies"]
    assert (config["broker"]["cash"], drift["name"], drift["threshold"], config["start"]) == (
        5000, "drift", 0.8, "2025-01-23",
    )  # fmt: skip
    assert options == {"backtest.toml": {
        "cash": "5000", "strategies": "drift", "settings": "threshold=0.8 slippage_bps=7", "start": "2025-01-23",
    }}  # fmt: skip
    config, options = run("--cash", "9000", "-s", "shock", "--set", "threshold=0.6")
    assert {(each["name"], each["threshold"]) for each in config["strategies"]} == {("shock", 0.6)}
    assert config["broker"]["cash"] == 9000
    assert (config["broker"]["slippage_bps"], set(options["backtest.toml"])) == (7, {"start", "settings"})


def test_paths_are_those_beside_the_file(mine):
    """So that the folder can be moved as a whole."""
    (mine / "bars.csv").write_bytes((mine / "prices.csv").read_bytes())
    (mine / "backtest.toml").write_text('prices = "bars.csv"\nstrategy = "shock"\n')
    assert "bars.csv" in run()[0]["sources"]


def test_code_that_a_folder_names_is_run_on_trust_alone(mine):
    """The folder may be somebody else's."""
    (mine / "backtest.toml").write_text('strategy = ["my_rule.py"]\n')
    with pytest.raises(InputError, match=r"names .*my_rule.py.*--trust"):
        run()
    assert run("--trust")[0]["strategies"][0]["name"] == "MyRule"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cahs = 1", "'cahs' is no option; did you mean 'cash'"),
        ('output = "x"', "'output' can be given on the command line alone"),
        ('trials = "off"', "'trials' can be given on the command line alone"),
        ("no-baselines = 3", "no-baselines must be true or false"),
        ("cash = [1, 2]", "cash must be one value"),
        ("cash = ", "is no TOML"),
        ("x = " + "[" * 5_000, "is no TOML"),
        ("#" * 70_000, "is larger than"),
        ('scorer = "http://127.0.0.1:1/v1#x"', "add --trust"),
    ],
)
def test_a_wrong_file_is_one_clear_line(mine, text, words):
    """With the file's name and what to do; nothing ran."""
    (mine / "backtest.toml").write_text(text)
    with pytest.raises(InputError, match=f"backtest.toml: .*{words}"):
        run()
