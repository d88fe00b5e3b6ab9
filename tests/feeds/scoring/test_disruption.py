"""The AI-disruption axis: how many headlines of our own get their sign, and what holds of each construction."""

from __future__ import annotations

import time

import pytest

from feeds.scoring import score, score_many
from feeds.scoring.score import ScoreInput, sign
from tests.helpers.paths import DATA

SIGNS = {"+": 1, "-": -1, "0": 0}


def titles_of(name: str, mark: str) -> list[str]:
    """The titles of a file of headlines that have this mark before the first blank; dozens."""
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    found = [line.removeprefix(f"{mark} ") for line in lines if line.startswith(f"{mark} ")]
    assert len(found) > 40
    return found


@pytest.mark.parametrize(("mark", "right", "opposite"), [("+", 0.80, 0.06), ("-", 0.78, 0.08), ("0", 0.92, 0.0)])
def test_headlines_of_the_supply_chain_get_their_sign(mark, right, opposite):
    """Capex, orders, power, curbs and their easing, cheap models, bubbles: the model saw none of these 1,205."""
    titles = titles_of("disruption_headlines.txt", mark)
    said = [sign(scored.sentiment) for scored in score_many([ScoreInput(title) for title in titles])]
    assert said.count(SIGNS[mark]) >= right * len(said)
    assert mark == "0" or said.count(-SIGNS[mark]) <= opposite * len(said)


@pytest.mark.parametrize(
    ("said", "taken_back"),
    [
        ("Hyperscalers are slowing AI spending", "Hyperscalers are not slowing AI spending"),
        ("AI boom is a bubble, fund warns", "AI boom is no bubble, fund says"),
        ("Meta kürzt KI-Ausgaben", "Meta kürzt KI-Ausgaben nicht"),
    ],
)
def test_what_is_taken_back_undercuts_demand_less(said, taken_back):
    """A denial of slowing is no slowing."""
    assert score(said).sentiment < -0.05
    assert score(taken_back).sentiment > score(said).sentiment


@pytest.mark.parametrize(
    ("curb", "eased"),
    [
        ("Town imposes moratorium on data centers", "Governor vetoes moratorium on data centers"),
        ("USA verschärfen Exportregeln für KI-Chips", "USA lockern Exportregeln für KI-Chips"),
    ],
)
def test_a_curb_undercuts_demand_and_its_easing_builds_it_up(curb, eased):
    """Both signs of the same matter."""
    assert score(curb).sentiment < -0.05
    assert score(eased).sentiment > 0.05


@pytest.mark.parametrize(
    "title",
    [
        "Microsoft shares slide 5%",
        "Meta stock jumps after results",
        "Amazon opens new warehouse",
        "Google fined in France",
    ],
)
def test_a_spender_is_no_supplier(title):
    """What happens to a spender's shares or shops is no sign unless its spending changes."""
    assert score(title, language="en").sentiment == 0


def test_the_features_name_what_pulled():
    """So that --explain can say why."""
    assert any(name.startswith("disruption:") for name in score("Meta raises capex for AI", language="en").features)


@pytest.mark.parametrize(
    "text",
    [
        "cuts " * 400, "no fears less " * 140, "demand for " * 180, "a-" * 990, "cost fraction of the " * 95,
        "bricht " * 280, "$1" * 999, "A." * 999, "prefer lose " * 165, "'" * 2_000, "Nvidia " * 285, "; AI cuts" * 200,
    ],
)  # fmt: skip
def test_text_made_to_be_slow_is_scored_in_bounded_time(text):
    """Gaps are bounded and nothing backtracks without end: 2,000 characters of starts that never finish."""
    began = time.process_time()
    score(text, language="en")
    score(text, language="de")
    assert time.process_time() - began < 5
