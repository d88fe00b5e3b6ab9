"""Extra: the figures of docs/scoring.md on labelled headlines beside the project do not get worse unseen."""

from __future__ import annotations

from functools import cache

import pytest

from feeds.scoring import DEFAULT
from feeds.scoring.benchmark import answers, report
from feeds.scoring.labelled import read_labelled
from tests.helpers.paths import SHARED

SETS = SHARED / "data" / "labelled"
FLOORS = [  # set, declared language, axis, figure, floor on the check half, floor on all
    ("sentfin_entities", "en", "tone", "macro_f1", 0.77, 0.78),
    ("sentfin_entities", "en", "direction where two differ", "accuracy", 0.68, 0.75),
    ("fiqa2018_task1_headline", "en", "score", "r", 0.69, 0.72),
    ("german_news_headlines_donvieti", "de", "tone", "macro_f1", 0.46, 0.48),
    ("real_headlines_dev", "", "compute_demand", "macro_f1", 0.73, 0.74),
    ("ai_disruption_dev", "", "compute_demand", "macro_f1", 0.84, 0.82),
    ("ai_disruption_dev", "", "tone", "macro_f1", 0.68, 0.68),
    ("episodes_2023", "", "tone", "macro_f1", 0.58, 0.66),
    ("episodes_2023", "", "reaction", "macro_f1", 0.84, 0.85),
    ("episodes_2023", "", "entities", "accuracy", 0.59, 0.69),
    ("sentfin_entities", "en", "direction", "accuracy", 0.73, 0.74),
]


def labelled(name):
    """The file of labelled headlines, where there is one."""
    path = SETS / f"{name}.csv"
    if not path.is_file():
        pytest.skip(f"no {path.name} beside the project")
    return path


@cache
def halves_of(path, language):
    """The report on a file, which is scored once for all its figures."""
    return report(answers(read_labelled(path, feeds=(), declared=language), DEFAULT))


@pytest.mark.parametrize(("name", "language", "axis", "figure", "check", "whole"), FLOORS)
def test_a_figure_stays_above_its_floor(name, language, axis, figure, check, whole):
    """On the half nothing was tuned on, and on all."""
    halves = halves_of(labelled(name), language)[axis]
    assert halves["check"]["scorer"][figure] >= check
    assert halves["all"]["scorer"][figure] >= whole
