"""A run that was written under earlier names is read, made again, and told apart from one that changed."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from backtests import Result
from backtests.cli import cli
from backtests.runs.earlier_names import translated, translated_file


def _rewrite(path, *pairs):
    text = path.read_text(encoding="utf-8")
    for now, earlier in pairs:
        text = text.replace(now, earlier)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def earlier(tmp_path):
    """A run as it was written before its words were changed: [book], fate, hits, rival."""
    folder = tmp_path / "run"
    words = ["run", "bard-2023", "-s", "shock", "-s", "buy-hold", "--no-baselines", "--trials", "off", "-o"]
    assert CliRunner().invoke(cli, [*words, str(folder)], catch_exceptions=False).exit_code == 0
    _rewrite(folder / "config.toml", ("[broker]", "[book]"))
    _rewrite(folder / "run_card.json", ('"broker":', '"book":'))
    _rewrite(folder / "orders.csv", (",status,", ",fate,"))
    _rewrite(folder / "scores.csv", (",features,", ",hits,"))
    for path in (folder / "metrics.json", *folder.glob("evidence/*.json")):
        _rewrite(path, ('"baseline":', '"rival":'))
    return folder


def test_it_is_read_under_todays_names(earlier):
    """Frames, figures and terms."""
    run = Result.load(earlier)
    assert "status" in run.orders
    assert "features" in run.scores
    assert list(run.metrics["baseline"]) == [False, False, False, True]
    assert run.config["broker"]["cash"] == 100_000


def test_verify_says_what_changed_and_why(earlier):
    """Exit code 1: the names differ, which is said once; what differs by them alone is told apart from what does not."""
    done = CliRunner().invoke(cli, ["verify", str(earlier)])
    assert done.exit_code == 1
    assert "written under earlier names, which are part of its hash: 'book' is now 'broker'" in done.stderr
    for name in ("orders.csv", "scores.csv", "metrics.json", "evidence/critique.json"):
        assert f"DIFFERS {name}: the same but for its earlier names" in done.stdout
    assert "DIFFERS config.toml: the same values, under earlier names" in done.stdout
    assert "line " not in done.stdout


def test_a_figure_that_changed_is_no_matter_of_names(earlier):
    """Its line is shown."""
    _rewrite(earlier / "metrics.json", ('"sessions": 10', '"sessions": 11'))
    _rewrite(earlier / "orders.csv", ("NVDA", "NVDB"))
    done = CliRunner().invoke(cli, ["verify", str(earlier)])
    assert "DIFFERS metrics.json: line" in done.stdout
    assert "DIFFERS orders.csv: line" in done.stdout


def test_names_that_a_user_gave_are_left_alone():
    """A parameter called `hits`, a strategy called `rival`."""
    row = {"rival": True, "params": {"hits": 3, "book": 1}, "returns_pct": {"rival": [1.0]}}
    assert translated(row) == {"baseline": True, "params": {"hits": 3, "book": 1}, "returns_pct": {"rival": [1.0]}}
    config = {"book": {"cash": 1.0}, "strategies": [{"name": "mine", "hits": 3}]}
    assert translated(config) == {"broker": {"cash": 1.0}, "strategies": [{"name": "mine", "hits": 3}]}


def test_a_table_is_renamed_in_its_head_alone():
    """A reason may say `fate`."""
    assert translated_file("orders.csv", b"symbol,fate,reason\nX,fate,hits\n") == b"symbol,status,reason\nX,fate,hits\n"
    assert translated_file("a.json", json.dumps("rival").encode()) == b'"rival"\n'
    assert translated_file("report.html", b"rival") == b"rival"
