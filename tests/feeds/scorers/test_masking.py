"""Names become roles: one name one placeholder, in both languages, and nothing else of a headline moves."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.scorers.masking import Mask
from feeds.scoring.features.parts import take_apart
from feeds.scoring.text.lists import names


@pytest.mark.parametrize(
    ("title", "masked"),
    [
        ("Nvidia falls on DeepSeek's R1", "AIChipCo A falls on ChinaLabCo A's ChinaModel A"),
        ("Nvidia fällt wegen DeepSeek", "AIChipCo A fällt wegen ChinaLabCo A"),
        ("Sam Altman says OpenAI needs H100s", "TechBoss A says AILabCo A needs AIChip As"),
        ("Trump bans Nvidia, NVIDIA and AMD chips", "Politician A bans AIChipCo A, AIChipCo A and AIChipCo B chips"),
        ("Meta lifts capex in 2025, Facebook says", "CloudCo A lifts capex in Year A, CloudCo A says"),
        ("On January 27, 2025 and 27 Jan: 3,000 jobs, $2020", "On Date A and 27 Jan: 3,000 jobs, $2020"),
        ("Am 27. Januar 2025 und am 27.1.2025", "Am Date A und am Date B"),
        ("Windows users get Copilot on their iPhones", "Product A users get AIModel A on their Product B"),
        ("The May report may come in March", "The May report may come in March"),
        ("Apple pie harvest", "Apple pie harvest"),  # the entity table's veto
        ("Chipmakers and hyperscalers rally", "Chipmakers and hyperscalers rally"),
    ],
)
def test_a_name_becomes_its_role(title, masked):
    """What is no name stays."""
    assert Mask().mask(title).title == masked


def test_a_name_has_one_placeholder_in_all_headlines_of_an_episode():
    """In both languages, under each of its names, in titles and summaries."""
    mask = Mask()
    first = mask.mask("AMD and Nvidia gain")
    later = mask.mask("Jensen Huang lobt Advanced Micro Devices", "Nvidias Chef")
    assert first.title == "AIChipCo A and AIChipCo B gain"
    assert (later.title, later.summary) == ("TechBoss A lobt AIChipCo A", "AIChipCo Bs Chef")
    assert mask.names == {"AIChipCo A": "AMD", "AIChipCo B": "NVDA", "TechBoss A": "Jensen Huang"}


@pytest.mark.parametrize(
    ("name", "role"),
    [("Nvidia", "[chip]"), ("Intel", "[chip]"), ("Microsoft", "[cloud]"), ("CoreWeave", "[landlord]"),
     ("OpenAI", "[lab]"), ("DeepSeek", "[challenger]"), ("ChatGPT", "[model]"), ("Salesforce", "[incumbent]"),
     ("Vistra", "[utility]"), ("Altman", "[person]")],
)  # fmt: skip
def test_the_default_scorer_reads_a_masked_name_as_the_role_of_the_name(name, role):
    """Its lists know the placeholders."""
    assert role in take_apart(f"{name} falls", "en").words
    assert role in take_apart(Mask().mask(f"{name} falls").title, "en").words


PLAIN = sorted({each.name for each in names() if each.veto is None and each.name.isalpha()})


@given(st.lists(st.sampled_from(PLAIN), min_size=1, max_size=60))
def test_no_two_names_share_a_placeholder_and_none_has_two(found):
    """A bijection between those named and the placeholders, however many there are."""
    mask = Mask()
    titles = [mask.mask(f"{name} gains").title.removesuffix(" gains") for name in found]
    assert set(titles) == set(mask.names)
    assert len(set(mask.names.items())) == len(set(titles))
    by_title: dict[str, set[str]] = {}
    for title, name in zip(titles, found, strict=True):
        by_title.setdefault(title, set()).add(name)
    owners = [owner for group in by_title.values() for owner in group]
    assert len(owners) == len(set(owners))  # none stands under two placeholders
    again = Mask()
    assert [again.mask(f"{name} gains").title.removesuffix(" gains") for name in found] == titles


@given(st.text(max_size=200))
def test_a_text_without_capitals_or_digits_is_never_touched(text):
    """Names are written with capitals, dates with digits."""
    bare = re.sub(r"[\d]", "", text.lower())
    if "groq" not in bare and "iphone" not in bare:
        masked = Mask().mask(bare)
        assert masked.title == bare or masked.names  # xAI, iOS, von der Leyen begin small
