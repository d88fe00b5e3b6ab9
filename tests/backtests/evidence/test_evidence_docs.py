"""The page on evidence, and what a notebook finds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import backtests
import backtests.evidence.critique
from backtests.cli import cli
from backtests.evidence.delay_ladder import RUNGS
from backtests.evidence.placebo.draws import KINDS
from tests.helpers.paths import ROOT

PAGE = (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("verb", ["study", "delay", "placebo", "attribute", "trials", "run"])
def test_every_option_of_a_verb_named_on_the_page_exists(verb):
    """And the page names every verb."""
    shown = CliRunner().invoke(cli, [verb, "--help"], catch_exceptions=False).output
    assert f"backtest {verb}" in PAGE or f"`{verb}`" in PAGE
    for line in re.findall(rf"`backtest {verb}([^`]*)`", PAGE):
        for option in re.findall(r"--[a-z-]+", line):
            assert option in shown


def test_the_page_names_every_kind_test_and_finding():
    """What a document may hold has its line on the page."""
    names = [*KINDS, "Kolari–Pynnönen", "adjusted Patell", "BMP", "Corrado", "PSR", "DSR", "PBO", "no-trades"]
    names += [*re.findall(r'code="([a-z-]+)"', Path(backtests.evidence.critique.__file__).read_text(encoding="utf-8"))]
    assert [name for name in names if name not in PAGE] == []
    assert all(word in PAGE for word in ("5 minutes", "1 hour", "next open", "next close"))
    assert len(RUNGS) == 8


def test_a_notebook_finds_the_evidence_under_the_package():
    """`from backtests import event_study, delay_ladder, placebo`."""
    for name in ("event_study", "delay_ladder", "placebo"):
        assert callable(getattr(backtests, name))
        assert name in backtests.__all__
