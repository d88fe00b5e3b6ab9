"""What docs/scorers.md says is what the program does."""

from __future__ import annotations

import csv
import re
import shlex

import pytest
from click.testing import CliRunner

from backtests.cli import cli
from backtests.engine.news import read_news
from backtests.episodes.episode import load_episode
from feeds.scorers.language_model import SETTINGS
from feeds.scorers.score_rows import SUFFIXES
from feeds.scoring import Score
from tests.helpers.model_server import ModelServer
from tests.helpers.paths import ROOT

PAGE = (ROOT / "docs" / "scorers.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE, re.DOTALL))


def test_the_commands_of_the_page_run_in_their_order(tmp_path, monkeypatch):
    """With its own example, a server in the place of the model, and labels for one headline."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AFTERSHOCK_TRIALS", str(tmp_path / "trials.jsonl"))
    monkeypatch.setenv("AFTERSHOCK_ANSWERS", str(tmp_path / "answers.jsonl"))
    for name, text in EXAMPLES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    title = read_news(load_episode("quiet-2023")).items[0].headline.title
    with (tmp_path / "my_labels.csv").open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([("title", "relevance", "compute_demand"), (title, 1, -1)])
    lines = re.findall(r"^    backtest (.*)$", PAGE, re.MULTILINE)
    assert len(lines) == 9
    server = ModelServer()
    try:
        for line in lines:
            words = shlex.split(line.replace("http://127.0.0.1:11434/v1", server.url))
            assert CliRunner().invoke(cli, words, catch_exceptions=False).exit_code == 0, line
    finally:
        server.close()


@pytest.mark.parametrize("word", [*Score.__dataclass_fields__, *SUFFIXES, "AFTERSHOCK_LLM_KEY", *SETTINGS])
def test_the_page_names_every_part_setting_and_kind_of_file(word):
    """Nothing to set that is not written down."""
    names = {".csv": "CSV", ".jsonl": "JSON lines", ".parquet": "Parquet"}
    assert f"`{word}`" in PAGE or names.get(word, f"{word}=") in PAGE


def test_the_page_fits_two_screens():
    """Whoever wants to try reads it in one go."""
    assert len(PAGE.splitlines()) <= 100
