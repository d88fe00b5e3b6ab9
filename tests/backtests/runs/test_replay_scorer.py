"""replay(): the scorer may be a Scorer, a name, or a function of the user's own."""

from __future__ import annotations

import pytest

from backtests import load_episode, replay
from feeds.scorers.registry import scorer_named


def gloomy(title):
    """Everything undercuts demand."""
    return -1.0


@pytest.mark.parametrize(
    ("scorer", "label"),
    [
        ("", "disruption-2024-12-31 5"),
        ("disruption-2022-12-31", "disruption-2022-12-31 5"),
        (scorer_named("disruption-2023-12-31"), "disruption-2023-12-31 5"),
        (gloomy, "gloomy 1"),
    ],
)
def test_the_run_names_the_scorer_that_was_given(scorer, label):
    """Without a name the newest vintage of before its headlines."""
    run = replay(load_episode("deepseek-2025"), "shock", scorer=scorer)
    assert run.config["scorer"] == run.document["scorer"]["name"] == label
    assert set(run.tables["scores"].records()[0]) >= {"displacement", "sentiment"}


def test_a_function_s_answers_are_the_scores_of_the_run():
    """One number for every headline, so that whoever reads them is short of what AI demand feeds."""
    run = replay(load_episode("deepseek-2025"), "shock", scorer=gloomy)
    assert {row["sentiment"] for row in run.tables["scores"].records() if row["used"]} == {-1.0}
    weights = [row["weight"] for row in run.tables["targets"].records() if row["symbol"] == "NVDA"]
    assert min(weights) < 0
    assert max(weights) <= 0
