"""The pipeline: many at once, features, weights added up, other languages, and what prevails over a head."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from feeds.errors import InputError
from feeds.scoring import ScoreInput, plain_vader, score, score_many
from feeds.scoring.explain import explain
from feeds.scoring.features.parts import take_apart
from feeds.scoring.heads.model import COLUMNS, VINTAGES, model, read_model, signed, write_model
from feeds.scoring.text.clauses import bare
from feeds.scoring.train import read_labels


def test_many_headlines_at_once_have_the_scores_of_each():
    """In their order, repeats among them; and none for none."""
    rows = read_labels()[:600:2] * 2
    texts = [ScoreInput(row.title, "", row.language) for row in rows]
    assert score_many(texts) == [score(text.title, language=text.language) for text in texts]
    assert score_many([]) == []


@pytest.mark.parametrize("title", ["Nvidia falls as cheap model casts doubt on AI", "KI-Boom treibt Chipnachfrage"])
def test_a_score_is_the_sum_of_its_features_weights(title):
    """Added up one by one, in the order of the explanation."""
    weights = model("all")
    parts = take_apart(title, "de" if "KI" in title else "en")
    added = sum(pull for pull, _ in weights.pulls(parts, "relevance"))
    added += float(weights.weights[weights.places["<bias>"], COLUMNS.index("relevance")])
    assert score(title).relevance == pytest.approx(1 / (1 + np.exp(-added)), abs=2e-4)


@given(st.floats(-30, 30), st.floats(-30, 30))
def test_a_sign_is_said_only_where_it_leads(bad, good):
    """By the definition of softmax with three classes, neutral's log odds being 0."""
    value = signed([bad, good])
    assert value == 0 if max(bad, good) <= 0 else abs(value) <= 1
    if abs(value) >= 0.05:
        assert (value > 0) == (good > bad)


@given(st.floats(-30, 30), st.floats(-30, 30), st.floats(0, 5))
def test_no_sign_is_said_where_both_are_nearly_as_likely(bad, good, apart):
    """Within the margin nothing; beyond it what is said without a margin."""
    assert signed([bad, good], apart) == (0 if abs(good - bad) < apart else signed([bad, good]))


def test_names_of_companies_stand_as_their_role():
    """What is learned of one supplier holds for another."""
    one, other = (take_apart(f"{name} cuts its forecast", "en").features for name in ("Nvidia", "Marvell"))
    assert {"[chip]", "[chip] cuts"} <= set(one) & set(other)
    assert set(one) ^ set(other) <= {
        "name nvidia",
        "name marvell",
        "is leader",
        *(each for each in one if "leader" in each),
    }


@pytest.mark.parametrize(
    ("title", "sign"),
    [
        ("DeepSeek's cheap model will not hurt chip demand", 1),
        ("Analysts doubt that cheap AI will hurt Nvidia", 1),
        ("Cheap AI models are good for Nvidia", 1),
        ("DeepSeek: Billige KI drückt Nachfrage nach Chips nicht", 1),
        ("Court blocks export ban on AI chips", 1),
        ("Judge suspends ban on Nvidia chips", 1),
        ("Cheap model hurts chip demand", -1),
        ("US bans export of AI chips", -1),
        ("Kindly stop the selling, investors tell Nvidia", 0),
    ],
)
def test_a_denial_prevails_over_the_head(title, sign):
    """Rules are written for denials and reversals, of which the labels hold few."""
    value = score(title).sentiment
    assert (value >= 0.05) - (value <= -0.05) == sign


def test_of_news_that_is_not_about_ai_the_analyzer_speaks():
    """The heads learned from news of AI."""
    scored = score("Brewer narrows loss", language="en")
    assert (scored.relevance, scored.sentiment, scored.displacement) == (0, 0, 0)
    assert scored.tone == take_apart("Brewer narrows loss", "en").tone > 0


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_plain_vader_is_the_packages(text):
    """Its own analyzer with its own words."""
    assert plain_vader(text) == SentimentIntensityAnalyzer().polarity_scores(text)["compound"]


@pytest.mark.parametrize("title", ["Nvidia beats estimates - Reuters", "UPDATE 1-Nvidia beats estimates"])
def test_the_explanation_is_of_what_was_scored(title):
    """Without what agencies put before a title and portals behind it."""
    assert explain(title) == explain(bare(title)) != []


def test_ai_takes_an_incumbents_business_is_an_axis_of_its_own():
    """Software sold off for fear of AI: displacement, and no word of less compute."""
    scored = score("Software stocks sink on fears that AI will replace them")
    assert scored.displacement < -0.3


def test_weights_are_read_as_they_were_written(tmp_path):
    """To half a unit of the eight bits; what pulls nowhere is left out."""
    weights = np.zeros((3, len(COLUMNS)), dtype=np.float32)
    weights[0], weights[2, 1] = np.linspace(-1, 1, len(COLUMNS)), 0.5
    write_model(tmp_path / "w.bin", ["a", "nothing", "b"], weights, {"until": "2025-01-01"})
    read = read_model(tmp_path / "w.bin")
    assert list(read.places) == ["a", "b"]
    assert read.weights[:-1] == pytest.approx(weights[[0, 2]], abs=0.5 / 127 + 1e-6)


@pytest.mark.parametrize("vintage", VINTAGES)
def test_features_stand_in_order(vintage):
    """So that those of letters stand together; each has its row."""
    weights = model(vintage)
    assert list(weights.names) == sorted(set(weights.names))
    rows = {name: row for row, name in enumerate(weights.names) if name[0] != "~"}
    assert weights.places == rows
    assert 1000 < len(rows) < len(weights.names)


@pytest.mark.parametrize("raw", [b"", b"no weights", bytes(100)])
def test_a_file_that_holds_no_weights_is_refused(raw, tmp_path: Path):
    """By name, with what makes them."""
    (tmp_path / "w.bin").write_bytes(raw)
    with pytest.raises(InputError, match=r"no weights .*feeds\.scoring\.train"):
        read_model(tmp_path / "w.bin")
