"""The scorer whose English tone is learned: what it weighs, how it is trained, what it leaves to the default."""

from __future__ import annotations

import csv
from datetime import date
from math import exp, log
from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.errors import InputError
from feeds.scoring import DEFAULT, training
from feeds.scoring.labelled import Labelled
from feeds.scoring.learned import Model, features, learned_tone, model, read_model, scorer, shares
from feeds.scoring.registry import scorer_named

LEARNED = scorer()
THINGS = ("output", "guidance", "turnover", "cash flow", "footprint", "backlog", "pipeline", "margin", "workforce")
ENDINGS = {"negative": "turns beige at", "neutral": "is discussed at", "positive": "turns teal at"}


def made_up(path: Path, *, half: str = "both", names: str = "Zorbex") -> Path:
    """A labelled file of headlines of our own; `half` leaves the other half out."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("title", "label"))
        for number in range(12):
            for thing in THINGS:
                for label, ending in ENDINGS.items():
                    title = f"The {thing} {ending} {names} in week {number}{chr(97 + number)} of the year"
                    if half == "both" or Labelled(title=title).in_check_half == (half == "check"):
                        writer.writerow((title, label))
    return path


def trained(labelled: Path, weights: Path) -> str:
    """What the training writes."""
    assert training.main([str(labelled), "--until", "2020-02-20", "--note", "our own", "--output", str(weights)]) == 0
    return weights.read_text(encoding="utf-8")


def test_probabilities_are_the_softmax_of_the_summed_weights():
    """By hand: negative 0.5 + 1, positive 0.25 − 2·0.5, neutral 0; what is not known weighs nothing."""
    made = Model(weights={"<bias>": (0.5, 0.25), "falls": (1.0, 0.0), "<tone>": (0.0, 0.5)}, facts={})
    found = shares(made, {"<bias>": 1.0, "falls": 1.0, "<tone>": -2.0, "else": 7.0})
    whole = exp(1.5) + 1 + exp(-0.75)
    assert found == pytest.approx((exp(1.5) / whole, 1 / whole, exp(-0.75) / whole))


def test_the_tone_is_positive_less_negative_and_none_where_neutral_is_likeliest():
    """With the words that pulled to its side, strongest first; the rules' own features are no words."""
    made = Model(weights={"<bias>": (0.0, 3.0), "up": (0.0, 1.0), "firmly": (-2.0, 0.0), "odd": (0.5, 0.0)}, facts={})
    value, words = learned_tone("odd firmly up", 0.0, made)
    bad, neutral, good = exp(-1.5), 1.0, exp(4.0)
    assert value == pytest.approx((good - bad) / (bad + neutral + good))
    assert words == ("firmly", "up")
    assert learned_tone("odd", 0.0, Model(weights={"odd": (-1.0, -1.0)}, facts={})) == (0.0, ())


def test_a_name_stands_as_a_dot_and_a_number_as_nought():
    """Pairs keep the place of a name; two names in a row are no pair."""
    found = features("Acme Corp's profit up 12.5%", 0.3, {"profit", "up", "0", "%"})
    assert set(found) == {
        "profit",
        "up",
        "0",
        "%",
        "· profit",
        "profit up",
        "up 0",
        "0 %",
        "<bias>",
        "<tone>",
        "<good>",
    }
    assert found["<tone>"] == 0.3
    assert "<bad>" in features("x", -0.3, ())
    assert not {"<bad>", "<good>"} & set(features("x", 0.01, ()))


def test_weights_of_the_bias_alone_give_the_shares_of_the_labels():
    """log(3/4) and log(5/4) for 3 negative, 4 neutral and 5 positive headlines."""
    rows = [("x", 0.0, label) for label in [-1] * 3 + [0] * 4 + [1] * 5]
    assert training.fit(rows, ["<bias>"])[0] == pytest.approx([log(3 / 4), log(5 / 4)], abs=0.01)


def test_weights_are_those_of_statsmodels_where_hardly_anything_is_penalised():
    """Its multinomial logit on the rules' tone, neutral as the base."""
    draw = np.random.default_rng(4)
    tones = draw.uniform(-1, 1, 800)
    labels = np.clip(np.round(tones + draw.normal(0, 0.8, 800)), -1, 1).astype(int)
    own = training.fit(
        [("x", tone, int(label)) for tone, label in zip(tones, labels, strict=True)], ["<bias>", "<tone>"]
    )
    base = np.where(labels == 0, 0, np.where(labels < 0, 1, 2))
    theirs = sm.MNLogit(base, sm.add_constant(tones)).fit(disp=0).params
    assert own == pytest.approx(np.asarray(theirs), abs=0.01)


def test_training_again_gives_the_same_bytes_and_reads_the_development_half_alone(tmp_path):
    """Labels of the check half change nothing but the digest of the file."""
    both = trained(made_up(tmp_path / "both.csv"), tmp_path / "a.tsv")
    assert trained(made_up(tmp_path / "both.csv"), tmp_path / "b.tsv") == both
    half = trained(made_up(tmp_path / "half.csv", half="development"), tmp_path / "c.tsv")
    kept = [[line for line in text.splitlines() if not line.startswith("# sha256")] for text in (both, half)]
    assert kept[0] == kept[1]


def test_what_was_trained_carries_over_to_the_other_half(tmp_path):
    """Words that no list knows are learned, with their sign and the file's facts; a name is not."""
    trained(made_up(tmp_path / "made.csv"), tmp_path / "w.tsv")
    made = read_model(tmp_path / "w.tsv")
    assert made.trained_until == date(2020, 2, 20)
    assert made.facts["source"] == "our own"
    assert learned_tone("The headcount turns teal at Acme", 0.0, made)[0] > 0.5
    assert learned_tone("The headcount turns beige at Acme", 0.0, made)[0] < -0.5
    assert learned_tone("The headcount is discussed at Acme", 0.0, made)[0] == 0
    assert not any("zorbex" in feature for feature in made.weights)


def test_a_file_without_all_three_tones_is_refused_in_one_line(tmp_path, capsys):
    """Exit code 2, nothing written; the same for a file that is none."""
    (tmp_path / "one.csv").write_text("title,label\nThe profit of Acme fell,negative\nAcme sold a house,negative\n")
    for name in ("one.csv", "none.csv"):
        code = training.main([str(tmp_path / name), "--until", "2020-02-20", "--output", str(tmp_path / "w.tsv")])
        assert code == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "w.tsv").exists()


@pytest.mark.parametrize("text", ["", "# until: 2020-01-01\nword\t1.0\n", "word\t1\t1\n", "# until: never\n"])
def test_a_file_that_holds_no_weights_is_refused(tmp_path, text):
    """By its name, with what makes one."""
    (tmp_path / "w.tsv").write_text(text)
    with pytest.raises(InputError, match=r"w\.tsv: no weights .*feeds\.scoring\.training"):
        read_model(tmp_path / "w.tsv")


@settings(deadline=None)  # the first call reads the lists
@given(
    st.text(max_size=60) | st.lists(st.sampled_from(["Nvidia", "falls", "profit", "50%", "capex", "cut"])).map(" ".join)
)
def test_every_part_but_the_tone_is_the_defaults(title):
    """A law, whatever the text; the tone stays in its range, and features are added to."""
    own, base = LEARNED.score(title, "", "", None), DEFAULT.score(title, "", "", None)
    parts = ("language", "relevance", "sentiment", "entities", "reaction", "cause")
    assert [getattr(own, part) for part in parts] == [getattr(base, part) for part in parts]
    assert -1 <= own.tone <= 1
    assert own.features[: len(base.features)] == base.features


def test_the_outlet_behind_a_title_has_no_tone():
    """As for the default."""
    title = "Lender posts wider loss as provisions climb"
    own = scorer_named("learned-tone").score
    assert own(f"{title} - Financial Times", "", "en", None).tone == own(title, "", "en", None).tone != 0


@pytest.mark.parametrize(
    "title", ["", "Nvidia bricht massiv ein und verliert Milliarden", "Nvidian osake putosi rajusti"]
)
def test_what_is_not_english_is_the_defaults(title):
    """The model has learned from English alone."""
    assert LEARNED.score(title, "", "", None) == DEFAULT.score(title, "", "", None)


@pytest.mark.parametrize(
    ("title", "sign"),
    [
        ("Quarterly profit of the chip maker more than doubles", 1),
        ("Lender posts wider loss as provisions climb", -1),
        ("Retailer to hold its annual meeting in June", 0),
    ],
)
def test_plain_business_headlines_of_our_own_get_their_sign(title, sign):
    """What ships has learned something."""
    tone = LEARNED.score(title, "", "en", None).tone
    assert (tone > 0.05) - (tone < -0.05) == sign


def test_a_day_before_the_training_cut_off_is_refused():
    """What was learned later cannot be left out of weights; a later day leaves words out of the rules as ever."""
    with pytest.raises(InputError, match=f"learned-tone knows data until {model().trained_until}"):
        LEARNED.score("Acme gains", "", "", date(2021, 1, 1))
    LEARNED.score("Acme gains", "", "", model().trained_until)


def test_the_weights_that_ship_say_where_they_come_from_and_are_small():
    """Source and licence, cut-off, size of the data; less than 400 kB."""
    facts = model().facts
    assert "MIT" in facts["source"]
    assert facts["until"] == "2022-03-08"
    path = Path(training.__file__).parent / "data" / "learned_en.tsv"
    assert path.stat().st_size < 400_000
