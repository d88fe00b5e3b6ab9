"""The AI-disruption axis: what is promised of each construction, English and German, in sentences of our own."""

from __future__ import annotations

import time
from datetime import date

import pytest

from feeds.scoring import score
from feeds.scoring.score import sign
from tests.helpers.paths import DATA

SIGNS = {"+": 1, "-": -1, "0": 0}


def told(name: str, mark: str) -> list[str]:
    """The titles of a file of headlines that have this mark before the first blank; dozens."""
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    found = [line.removeprefix(f"{mark} ") for line in lines if line.startswith(f"{mark} ")]
    assert len(found) > 40
    return found


@pytest.mark.parametrize("mark", list(SIGNS))
def test_headlines_of_the_supply_chain_get_their_sign(mark):
    """Capex, orders, power, curbs and their easing, cheap models, bubbles, denials, homonyms: every one of them."""
    titles = told("disruption_headlines.txt", mark)
    assert [title for title in titles if sign(score(title).sentiment) != SIGNS[mark]] == []


@pytest.mark.parametrize(
    ("said", "taken_back"),
    [
        ("Hyperscalers are slowing AI spending", "Hyperscalers are not slowing AI spending"),
        ("Meta is trimming its AI budget", "Meta isn't trimming its AI budget"),
        ("AI boom is a bubble, fund warns", "AI boom is no bubble, fund says"),
        ("Meta kürzt KI-Ausgaben", "Meta kürzt KI-Ausgaben nicht"),
    ],
)
def test_what_is_taken_back_no_longer_undercuts_demand(said, taken_back):
    """A denial of slowing is mildly good for demand."""
    assert score(said).sentiment < -0.05
    assert score(taken_back).sentiment > score(said).sentiment


@pytest.mark.parametrize(
    ("curb", "eased"),
    [
        ("US bans AI chip exports to the Gulf", "US lifts ban on AI chip exports to the Gulf"),
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


def test_each_clause_speaks_for_itself():
    """A semicolon ends a clause: the cut and the chips are not of one matter."""
    assert score("Fed cuts rates; Nvidia chips in focus", language="en").sentiment == 0


def test_a_question_says_half_and_a_how_to_nothing():
    """Asking is not reporting."""
    stated = score("AI stocks are in a bubble", language="en").sentiment
    assert stated < score("Are AI stocks in a bubble?", language="en").sentiment < 0
    assert score("How will data centers get more power?", language="en").sentiment == 0


def test_the_hits_name_the_rules():
    """So that --explain can say why."""
    assert "disruption:spending raised" in score("Meta raises capex for AI", language="en").features


@pytest.mark.parametrize(
    ("title", "known"),
    [
        ("ChatGPT in the classroom", date(2022, 11, 30)),
        ("Bard in the classroom", date(2022, 11, 30)),
        ("Stargate in the classroom", date(2025, 1, 20)),
    ],
)
def test_a_word_counts_from_its_day_on(title, known):
    """The day before, it is not known."""
    assert score(title, language="en", lexicon_as_of=known).relevance == 1
    assert score(title, language="en", lexicon_as_of=date.fromordinal(known.toordinal() - 1)).relevance == 0


@pytest.mark.parametrize(
    "text",
    [
        "cuts " * 400, "no fears less " * 140, "demand for " * 180, "a-" * 990, "cost fraction of the " * 95,
        "bricht " * 280, "$1" * 999, "A." * 999, "prefer lose " * 165, "'" * 2_000, "Nvidia " * 285,
    ],
)  # fmt: skip
def test_text_made_to_be_slow_is_scored_in_bounded_time(text):
    """Gaps are bounded and nothing backtracks without end: 2,000 characters of starts that never finish."""
    began = time.perf_counter()
    score(text, language="en")
    score(text, language="de")
    assert time.perf_counter() - began < 5
