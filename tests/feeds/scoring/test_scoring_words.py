"""Runs that leave out later words, and the audit of them."""

from __future__ import annotations

import json

from click.testing import CliRunner

from backtests.cli import cli


def test_a_run_can_leave_out_words_learned_later_and_its_audit_does_too(tmp_path, monkeypatch):
    """An earlier vintage scores, which knows neither weights nor words of later; no decision differs when audited."""
    monkeypatch.chdir(tmp_path)
    arguments = ["run", "deepseek-2025", "-s", "shock", "--no-baselines", "--json", "--trials", "off"]
    documents = []
    for name, more in (("all", []), ("then", ["--lexicon-as-of", "2024-06-30"])):
        done = CliRunner().invoke(cli, [*arguments, *more, "-o", name], catch_exceptions=False)
        documents.append(json.loads(done.stdout))
    assert [each["scorer"]["name"] for each in documents] == ["disruption-2024-12-31 5", "disruption-2023-12-31 5"]
    assert json.loads((tmp_path / "then" / "run_card.json").read_text())["config"]["lexicon_as_of"] == "2024-06-30"
    assert CliRunner().invoke(cli, ["audit", "then"], catch_exceptions=False).exit_code == 0
