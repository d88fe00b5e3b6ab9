"""Every command, flag and statistic is documented, and the terminal is as it is said to be."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from backtests import load_episode, replay
from backtests.cli import cli
from backtests.cli_reference import commands, reference
from backtests.report.text.run_report import CLAIM_HEAD
from tests.helpers.paths import ROOT

DOCS = ROOT / "docs"
GLOSSARY = (DOCS / "glossary.md").read_text(encoding="utf-8")
ALL = dict(commands(cli))


def test_the_reference_is_what_the_commands_say_of_themselves():
    """`make docs` writes it anew."""
    assert (DOCS / "cli.md").read_text(encoding="utf-8") == reference(cli), "run: make docs"


@pytest.mark.parametrize("name", ALL)
def test_every_command_has_help_with_an_example_that_names_it(name):
    """And every option says what it does."""
    command = ALL[name]
    context = click.Context(command, info_name=name)
    text = command.get_help(context)
    assert re.search(rf"Examples?:\s+(.*\n\s*)*?{name}", text), text
    unsaid = [each.name for each in command.params if isinstance(each, click.Option) and not each.help]
    assert unsaid == []


def test_every_statistic_and_column_stands_in_the_glossary():
    """What a run writes, and what it prints."""
    result = replay(load_episode("deepseek-2025"), "buy-hold")
    names = {*result.document["results"][0], *result.document["results"][0]["costs"]} - {"costs"}
    names |= {column for table in result.tables.values() for column in table.columns}
    assert sorted(name for name in names if f"`{name}`" not in GLOSSARY) == []
    assert [head for head in CLAIM_HEAD[3:] if head not in GLOSSARY] == []


def test_quiet_leaves_nothing_on_stderr_but_errors(tmp_path):
    """Before or after the verb; a mistake is still told, with exit code 2."""

    def run(*words: str):
        environment = {**os.environ, "AFTERSHOCK_TRIALS": str(tmp_path / "t")}
        return subprocess.run(
            [sys.executable, "-m", "backtests", *words], cwd=tmp_path, capture_output=True, text=True, encoding="utf-8",
            check=False, env=environment,
        )  # fmt: skip

    done = run("run", "deepseek-2025", "-s", "buy-hold", "-o", "o", "--quiet")
    assert (done.returncode, done.stderr, "buy-hold" in done.stdout) == (0, "", True)
    wrong = run("--quiet", "run", "deepsek")
    assert (wrong.returncode, "did you mean" in wrong.stderr or "unknown episode" in wrong.stderr) == (2, True)


def test_the_output_has_no_colours(tmp_path, monkeypatch):
    """Not even when a terminal is claimed: NO_COLOR has nothing to switch off."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["run", "deepseek-2025", "-s", "buy-hold", "--trials", "off", "-o", "o"], color=True)
    assert "\x1b" not in done.output


def test_the_shell_completes_verbs():
    """As click does it; `ver` gives verify."""
    done = subprocess.run(
        [Path(sys.executable).with_name("backtest")], capture_output=True, text=True, check=False,
        env={**os.environ, "_BACKTEST_COMPLETE": "bash_complete", "COMP_WORDS": "backtest ver", "COMP_CWORD": "1"},
    )  # fmt: skip
    assert "verify" in done.stdout


def test_links_between_the_documents_lead_somewhere():
    """Every docs/….md that a document names is there."""
    root = DOCS.parent
    texts = [root / "README.md", *DOCS.glob("*.md")]
    named = {
        name for path in texts for name in re.findall(r"docs/[\w-]+\.(?:md|png)", path.read_text(encoding="utf-8"))
    }
    assert [name for name in sorted(named) if not (root / name).is_file()] == []
