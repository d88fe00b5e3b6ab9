"""What the documents say is what the program does."""

from __future__ import annotations

import dataclasses
import re
import shlex
import subprocess
import sys

import pytest
from click.testing import CliRunner

from backtests.authoring.starter import make_start
from backtests.broker.terms import BrokerTerms
from backtests.cli import cli
from strategies.registry import rule_names, rules
from strategies.sized_rule import SizedRule
from tests.helpers.paths import ROOT

FEEDS = (ROOT / "docs" / "feeds.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
RULES = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", RULES, re.DOTALL))


def test_the_output_in_the_readme_is_the_programs(tmp_path):
    """Every line of README's block is printed by the run it shows."""
    done = subprocess.run(
        [sys.executable, "-m", "backtests", "run", "deepseek-2025", "--trials", "trials.jsonl", "-o", "out"],
        cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=True,
    )  # fmt: skip
    block = re.search(r"```text\n(.*?)```", README, re.DOTALL)[1]
    assert [line for line in block.splitlines() if line not in done.stdout.splitlines()] == []


@pytest.mark.parametrize("line", re.findall(r"^    \.venv/bin/backtest (.*)$", README, re.MULTILINE))
def test_the_commands_in_the_readme_are_valid(line, tmp_path, monkeypatch):
    """Each runs, with empty stand-ins for the reader's own files where it names some."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AFTERSHOCK_ARCHIVE", str(tmp_path / "archive.sqlite"))
    if "my-feeds" in line or "my-prices" in line:
        episode = ROOT / "backtests" / "episodes" / "deepseek-2025"
        (tmp_path / "my-feeds").mkdir(exist_ok=True)
        (tmp_path / "my-feeds" / "a.xml").write_bytes((episode / "news.de.xml").read_bytes())
        (tmp_path / "my-prices.csv").write_bytes((episode / "prices.csv").read_bytes())
    for name, text in EXAMPLES.items():
        (tmp_path / name).write_text(text)
    if "my-test" in line and not line.startswith("init"):
        make_start(tmp_path / "my-test")
    if "runs/mine" in line and not line.startswith("run "):
        CliRunner().invoke(cli, ["run", "deepseek-2025", "-s", "buy-hold", "-o", "runs/mine"], catch_exceptions=False)
    done = CliRunner().invoke(cli, shlex.split(line, comments=True), catch_exceptions=False)
    assert done.exit_code == 0


@pytest.mark.parametrize("line", re.findall(r"^    backtest (.*)$", RULES, re.MULTILINE))
def test_the_commands_in_the_page_on_rules_run(line, tmp_path, monkeypatch):
    """With its own examples; the second one stands for the first too."""
    monkeypatch.chdir(tmp_path)
    for name, text in EXAMPLES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setenv("AFTERSHOCK_TRIALS", str(tmp_path / "trials.jsonl"))
    for words in (
        line,
        line.replace("my_rule.py:MyRule", "my_strategy.py").replace("my_rule.py --set fall=0.03", "my_strategy.py"),
    ):
        assert CliRunner().invoke(cli, shlex.split(words), catch_exceptions=False).exit_code == 0


def test_the_page_on_rules_explains_every_rule_and_names_its_own_parameters():
    """A new rule without half a page fails here."""
    shared = {field.name for field in dataclasses.fields(SizedRule)}
    for name, rule in rules().items():
        assert f"## {name}\n" in RULES or f"**{name}**" in RULES, name
        assert [
            each
            for each in rule.parameter_names()
            if each not in shared and f"`{each}`" not in RULES and f"`{each}=" not in RULES
        ] == []
    assert [name for name in shared if f"`{name}`" not in RULES and f"`{name}=" not in RULES] == []


@pytest.mark.parametrize("line", re.findall(r"^backtest (feeds .*?)(?: +#.*)?$", FEEDS, re.MULTILINE))
def test_the_commands_in_the_page_on_feeds_are_valid(line):
    """Each verb and option exists; --help in place of the network."""
    words = shlex.split(line)
    done = CliRunner().invoke(cli, [*words[:2], "--help"], catch_exceptions=False)
    assert done.exit_code == 0
    for option in [word for word in words if word.startswith("--")]:
        assert option in done.output


def test_the_readme_names_every_strategy_shown():
    """What every term of the broker does stands in docs/broker.md (below)."""
    assert [name for name in rule_names() if name not in README] == []


def test_the_page_on_the_book_has_every_term_with_its_default():
    """A row of its table for each; numbers as they are in the code."""
    page = (ROOT / "docs/broker.md").read_text(encoding="utf-8")
    table = dict(re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", page, re.MULTILINE))
    for field in dataclasses.fields(BrokerTerms):
        shown = table[field.name].replace(",", "")
        assert shown == (f"{field.default:g}" if isinstance(field.default, float) else str(field.default).lower())


def test_the_python_example_of_the_readme_runs():
    """As it stands there."""
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)[1]
    scope = {}
    exec(compile(code, "README.md", "exec"), scope)  # noqa: S102 (our own document)
    assert len(scope["result"].metrics) == 1
