"""Our VADER with an empty overlay is vaderSentiment, to the last digit."""

from __future__ import annotations

from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from feeds.scoring.vader import Vader, package_words
from tests.helpers.vader_texts import texts


@cache
def both() -> tuple[SentimentIntensityAnalyzer, Vader]:
    """The package's and ours."""
    return SentimentIntensityAnalyzer(), Vader(package_words())


def test_made_up_texts_score_alike():
    """Emojis, capitals, punctuation, idioms, "but", fuzz: all four figures."""
    theirs, ours = both()
    wrong = [text for text in texts(6_000, seed=1) if theirs.polarity_scores(text) != ours.polarity_scores(text)]
    assert wrong == []


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=200))
def test_any_text_scores_alike(text):
    """Whatever the characters."""
    theirs, ours = both()
    assert theirs.polarity_scores(text) == ours.polarity_scores(text)
    assert ours.compound(text) == theirs.polarity_scores(text)["compound"]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            "not never so without doubt but good BAD kind of no nor great least at very :) n't isn't !".split()
        ),
        max_size=9,
    )
)
def test_turns_of_phrase_score_alike(words):
    """Where the package's rules meet."""
    theirs, ours = both()
    text = " ".join(words)
    assert theirs.polarity_scores(text) == ours.polarity_scores(text)


def test_each_hit_says_what_it_adds():
    """A word's listed valence, and what a negation made of it."""
    found = Vader({"fine": 2.0}).read("not fine")
    assert [(hit.word, hit.listed, hit.valence) for hit in found] == [("fine", 2.0, 2.0 * -0.74)]
