"""Scores of headlines: sentences of our own, none of a publisher's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.scoring import plain_vader, score
from feeds.scoring.novelty import same_story_weights


def test_plunging_shares_are_bad_news_although_plain_vader_likes_shares():
    """The reason for the overlay: unmodified VADER gives this title a positive score."""
    title = "Nvidia shares plunge"
    assert plain_vader(title) > 0.2
    assert score(title, language="en").tone < -0.3


def test_german_articles_and_past_tense_are_not_words_of_death():
    """English VADER reads "die" and "war" as -2.9; the German route knows better."""
    title = "Die Messe war für die Besucher geöffnet"
    assert plain_vader(title) < -0.5
    assert score(title, language="de").tone == 0


@pytest.mark.parametrize(
    ("title", "sign"),
    [
        ("Nvidia shares plummet", -1),
        ("Broadcom beats estimates and soars", 1),
        ("No reason to panic over chip stocks", 1),
        ("Investors shrug off AI fears", 1),
        ("Chip selloff overblown, says analyst", 1),
        ("Micron cuts its revenue forecast", -1),
    ],
)
def test_english_tone(title, sign):
    """Finance words, negations and phrases."""
    assert score(title, language="en").tone * sign > 0.05


@pytest.mark.parametrize(
    ("title", "sign"),
    [
        ("Nvidias Aktie bricht massiv ein", -1),
        ("Kurssturz an der Börse", -1),
        ("Siemens Energy legt kräftig zu", 1),
        ("Sorgen um KI sind übertrieben", 1),
        ("Kein Grund zur Panik", 1),
        ("Gewinnwarnung bei Chiphersteller", -1),
    ],
)
def test_german_tone(title, sign):
    """Separated verbs, compounds by their head, negations."""
    assert score(title, language="de").tone * sign > 0.05


@pytest.mark.parametrize(
    ("title", "language", "sign"),
    [
        ("A stunning AI model trained at a fraction of the cost", "en", -1),
        ("Cheap Chinese chatbot rivals the leaders", "en", -1),
        ("Washington tightens export controls on AI chips", "en", -1),
        ("Microsoft cancels data center leases", "en", -1),
        ("Günstiges KI-Modell aus China überrascht", "de", -1),
        ("Meta raises capex to build giant AI data centers", "en", 1),
        ("Amazon signs nuclear power deal for data centers", "en", 1),
        ("Shortage of AI chips as demand for GPUs soars", "en", 1),
        ("Microsoft investiert 80 Milliarden Dollar in Rechenzentren", "de", 1),
        ("Minister opens a new swimming pool", "en", 0),
        ("Nvidia shares plunge 17%", "en", 0),
    ],
)
def test_the_disruption_axis_is_about_demand_for_compute_and_not_about_mood(title, language, sign):
    """Praise of a cheap model undercuts demand; a bare price move says nothing about it."""
    value = score(title, language=language).sentiment
    assert (value > 0.05) - (value < -0.05) == sign


def test_praise_and_disruption_are_two_axes():
    """Good in tone, bad for chips."""
    scored = score("A brilliant breakthrough: AI model trained at a fraction of the cost", language="en")
    assert scored.tone > 0.3
    assert scored.sentiment < -0.3


@pytest.mark.parametrize(
    ("title", "reaction", "cause"),
    [
        ("Nvidia shares plunge 17%", True, False),
        ("Chip stocks slump after cheap Chinese AI model", True, True),
        ("Meta raises capex to $65bn for AI", False, False),
    ],
)
def test_reports_of_a_price_move_are_marked_with_or_without_their_cause(title, reaction, cause):
    """So that a rule may leave out what the market has done already."""
    scored = score(title, language="en")
    assert (scored.reaction, scored.cause) == (reaction, cause)


def test_two_companies_that_move_apart_get_two_directions():
    """Clause by clause."""
    found = {each.symbol: each.direction for each in score("Nvidia falls as Broadcom gains", language="en").entities}
    assert found == {"NVDA": -1, "AVGO": 1}


@pytest.mark.parametrize(
    ("title", "symbols"),
    [
        ("Constellation Brands sells more beer", {"STZ"}),
        ("Drought in the Amazon rainforest", set()),
        ("He broke his arm", set()),
        ("Nvidias Umsatz wächst", {"NVDA"}),
        ("GE Vernova and Vistra sign contracts", {"GEV", "VST"}),
    ],
)
def test_names_are_companies_only_where_nothing_vetoes_it(title, symbols):
    """Homonyms stay out, the German genitive stays in."""
    assert {each.symbol for each in score(title).entities} == symbols


def test_other_languages_are_named_and_score_nothing():
    """Swedish is not taken for German."""
    scored = score("Bolagets vinst ökade kraftigt under det fjärde kvartalet och aktien steg på börsen")
    assert (scored.language, scored.tone, scored.relevance) == ("sv", 0, 0)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300), st.sampled_from(["en", "de"]))
def test_every_part_stays_in_its_range(text, language):
    """Whatever the text."""
    scored = score(text, language=language)
    assert -1 <= scored.sentiment <= 1
    assert -1 <= scored.tone <= 1
    assert -1 <= scored.displacement <= 1
    assert 0 <= scored.relevance <= 1
    assert all(0 <= each.salience <= 1 and each.direction in {-1, 0, 1} for each in scored.entities)


@pytest.mark.parametrize("text", ["", " ", "\x00\x01", "😀" * 50, "a" * 1_000_000, "\u202eevil", "the " * 300_000])
def test_odd_texts_are_scored_in_bounded_time(text):
    """A megabyte is cut at 2,000 characters; nothing raises."""
    assert -1 <= score(text, text, language="en").tone <= 1


def test_repeats_of_a_story_weigh_less_and_later_ones_change_nothing():
    """1, 0.75 for a copy within a day, 1 again after it; another story weighs 1."""
    start = datetime(2025, 1, 27, 8, 0, tzinfo=UTC)
    texts = ["Cheap model rattles chipmakers worldwide", "Cheap model rattles chipmakers again", "Rain in Bavaria",
             "Cheap model rattles chipmakers worldwide"]  # fmt: skip
    times = [start, start + timedelta(hours=1), start + timedelta(hours=2), start + timedelta(hours=48)]
    weights = same_story_weights(texts, times)
    assert weights == [1, 0.75, 1, 1]
    assert same_story_weights(texts[:2], times[:2]) == weights[:2]


@given(st.lists(st.text("abc ", min_size=3, max_size=20), max_size=12), st.integers(0, 12))
def test_a_weight_depends_only_on_headlines_before_it(texts, cut):
    """A law: appending later items never changes earlier weights."""
    start = datetime(2025, 1, 27, tzinfo=UTC)
    times = [start + timedelta(hours=5 * number) for number in range(len(texts))]
    assert same_story_weights(texts[:cut], times[:cut]) == same_story_weights(texts, times)[:cut]


def test_three_reports_of_one_companys_plan_are_one_story():
    """A shared topic makes one story even where the words differ."""
    start = datetime(2025, 1, 24, 15, 0, tzinfo=UTC)
    topics = [frozenset({"META+"})] * 3
    times = [start + timedelta(minutes=30 * number) for number in range(3)]
    assert same_story_weights(["aaa bbb", "ccc ddd", "eee fff"], times, topics) == [1, 0.75, 0.5625]
