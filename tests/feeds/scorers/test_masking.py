"""Names become roles: one name one placeholder, in both languages, and nothing else of a headline moves."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.scorers.masking import Mask
from feeds.scoring.lists import names


@pytest.mark.parametrize(
    ("language", "title", "masked"),
    [
        ("en", "Nvidia falls on DeepSeek's R1", "Chipmaker A falls on Chinese AI Lab A's AI Model A"),
        ("de", "Nvidia fällt wegen DeepSeek", "Chiphersteller A fällt wegen Chinesisches KI-Labor A"),
        ("en", "Sam Altman says OpenAI needs H100s", "Person A says AI Lab A needs AI Chip As"),
        ("en", "Trump bans Nvidia, NVIDIA and AMD chips", "Politician A bans Chipmaker A, Chipmaker A and Chipmaker B chips"),
        ("en", "Meta lifts capex in 2025, Facebook says", "Hyperscaler A lifts capex in Year A, Hyperscaler A says"),
        ("en", "On January 27, 2025 and 27 Jan: 3,000 jobs, $2020", "On Date A and 27 Jan: 3,000 jobs, $2020"),
        ("de", "Am 27. Januar 2025 und am 27.1.2025", "Am Datum A und am Datum B"),
        ("en", "Windows users get Copilot on their iPhones", "Product A users get AI Model A on their Product B"),
        ("en", "The May report may come in March", "The May report may come in March"),
        ("en", "Apple pie harvest", "Apple pie harvest"),  # the entity table's veto
        ("en", "Chipmakers and hyperscalers rally", "Chipmakers and hyperscalers rally"),
    ],
)  # fmt: skip
def test_a_name_becomes_its_role(language, title, masked):
    """What is no name stays."""
    assert Mask().mask(title, "", language).title == masked


def test_a_name_has_one_placeholder_in_all_headlines_of_an_episode():
    """In both languages, under each of its names, in titles and summaries."""
    mask = Mask()
    first = mask.mask("AMD and Nvidia gain", "", "en")
    later = mask.mask("Jensen Huang lobt Advanced Micro Devices", "Nvidias Chef", "de")
    assert first.title == "Chipmaker A and Chipmaker B gain"
    assert (later.title, later.summary) == ("Person A lobt Chiphersteller A", "Chiphersteller Bs Chef")
    assert mask.names == {"Chipmaker A": "AMD", "Chipmaker B": "NVDA", "Person A": "Jensen Huang"}


PLAIN = sorted({each.name for each in names() if each.veto is None and each.name.isalpha()})


@given(st.lists(st.sampled_from(PLAIN), min_size=1, max_size=60))
def test_no_two_names_share_a_placeholder_and_none_has_two(found):
    """A bijection between those named and the placeholders, however many there are."""
    mask = Mask()
    titles = [mask.mask(f"{name} gains", "", "en").title.removesuffix(" gains") for name in found]
    assert set(titles) == set(mask.names)
    assert len(set(mask.names.items())) == len(set(titles))
    by_title: dict[str, set[str]] = {}
    for title, name in zip(titles, found, strict=True):
        by_title.setdefault(title, set()).add(name)
    owners = [owner for group in by_title.values() for owner in group]
    assert len(owners) == len(set(owners))  # none stands under two placeholders
    again = Mask()
    assert [again.mask(f"{name} gains", "", "en").title.removesuffix(" gains") for name in found] == titles


@given(st.text(max_size=200))
def test_a_text_without_capitals_or_digits_is_never_touched(text):
    """Names are written with capitals, dates with digits."""
    bare = re.sub(r"[\d]", "", text.lower())
    if "groq" not in bare and "iphone" not in bare:
        masked = Mask().mask(bare, "", "en")
        assert masked.title == bare or masked.names  # xAI, iOS, von der Leyen begin small
