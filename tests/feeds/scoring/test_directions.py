"""Which way a named company or asset goes."""

from __future__ import annotations

import pytest

from feeds.scoring import score
from feeds.scoring.companies.directions import direction, target_tone


@pytest.mark.parametrize(
    ("title", "up", "down"),
    [
        ("Acme falls as Bolt gains", "Bolt", "Acme"),
        ("Acme up, Bolt down", "Acme", "Bolt"),
        ("Acme overtakes Bolt in chip sales", "Acme", "Bolt"),
        ("Acme loses market to Bolt", "Bolt", "Acme"),
        ("Acme beats rival Bolt", "Acme", "Bolt"),
        ("Acme hit by Bolt outage; Cargo soars", "Cargo", "Acme"),
        ("Weak yen lifts Acme", "Acme", "yen"),
        ("Acme deal a blow to Bolt, a boost for Cargo", "Cargo", "Bolt"),
        ("Prefer Acme to Bolt, says broker", "Acme", "Bolt"),
        ("Silver slips while gold shines", "gold", "Silver"),
    ],
)
def test_two_that_move_apart_get_two_directions(title, up, down):
    """By clause, verb, passive and comparison."""
    assert (direction(title, up), direction(title, down)) == (1, -1)


def test_a_list_goes_one_way():
    """All of it."""
    assert [direction("Acme, Bolt and Cargo tumble", name) for name in ("Acme", "Bolt", "Cargo")] == [-1, -1, -1]


@pytest.mark.parametrize(
    ("language", "title", "directions"),
    [
        ("de", "Nvidia bricht ein, Broadcom legt zu", {"NVDA": -1, "AVGO": 1}),
        ("de", "AMD überholt Intel", {"AMD": 1, "INTC": -1}),
        ("en", "Nvidia falls as Broadcom gains", {"NVDA": -1, "AVGO": 1}),
        ("en", "More rules for AI, says Microsoft", {"MSFT": 0}),
        ("en", "NVIDIA SOARS", {"NVDA": 1}),
    ],
)
def test_companies_of_a_headline_get_their_directions(language, title, directions):
    """German too; whoever only speaks goes nowhere."""
    assert {each.symbol: each.direction for each in score(title, language=language).entities} == directions


def test_the_tone_towards_a_target_turns_where_the_target_goes_the_other_way():
    """It keeps its size."""
    title = "Acme falls as Bolt gains"
    assert target_tone(title, "Acme") < 0 < target_tone(title, "Bolt")


@pytest.mark.parametrize(
    "title",
    [
        "Meta-analysis of sleep studies", "Rot-Weiss Essen schlägt RWE-Rivalen: RWE jubelt im Stadion",
        "Macular degeneration: new AMD drug", "The Oracle of Omaha speaks", "Amazon deforestation slows",
        "Apple harvest begins", "SpaceX adds satellites to its constellation: Constellation grows", "RKI warnt vor Grippe",
    ],
)  # fmt: skip
def test_homonyms_are_no_companies(title):
    """Analysis, football, eye disease, oracle, river, fruit, satellites."""
    assert score(title).entities == ()


def test_the_source_after_a_colon_goes_nowhere():
    """It says what is said of another."""
    title = "Acme to outperform peers this year: Bolt Research"
    assert (direction(title, "Acme"), direction(title, "Bolt Research")) == (1, 0)


@pytest.mark.parametrize(
    ("title", "directions"),
    [
        ("Broadcom to supply Meta with custom chips", {"AVGO": 1, "META": 0}),
        ("Nvidia rival Cerebras delays listing", {"NVDA": 0}),
        ("Former Google engineer charged with theft", {"GOOGL": 0}),
        ("Scams spread on WhatsApp", {"META": 0}),
        ("Spectators at the Google trial complain", {"GOOGL": 0}),
        ("Microsoft uncovers hackers from abroad", {"MSFT": 0}),
        ("Microsoft reports record sales", {"MSFT": 1}),
        ("Record sales at chip makers, Microsoft reports", {"MSFT": 0}),
        ("Intel says its profit slumped", {"INTC": -1}),
        ("Kindle sales slump", {"AMZN": -1}),
        ("Broken windows cost town millions", {}),
        ("UPDATE 1-Nvidia beats estimates", {"NVDA": 1}),
        ("Nvidia beats estimates - The New York Times", {"NVDA": 1}),
    ],
)
def test_who_is_meant_and_who_is_but_named(title, directions):
    """A supplier gains by a deal, a buyer goes nowhere; rivals, places, speakers and outlets are not meant; products are."""
    assert {each.symbol: each.direction for each in score(title, language="en").entities} == directions
