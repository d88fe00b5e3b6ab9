"""Vintages: weights learned only from headlines of before a day, and the choice among them."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest

from feeds.errors import InputError
from feeds.scoring import DEFAULT, Score, Scorer, score
from feeds.scoring.model import VINTAGES, model, path_of
from feeds.scoring.registry import scorer_named, vintage_named
from feeds.scoring.train import features_of, read_labels, trained, write_model


@pytest.mark.parametrize(
    ("start", "as_of", "vintage"),
    [
        (date(2023, 2, 1), None, "2022-12-31"),
        (date(2025, 1, 13), None, "2024-12-31"),
        (date(2025, 1, 13), date(2024, 6, 1), "2023-12-31"),
        (date(2024, 12, 31), None, "2023-12-31"),  # the day itself may be of the episode
        (date(2025, 1, 1), None, "2024-12-31"),
        (date(2027, 1, 4), None, "all"),
        (date(2022, 1, 3), None, "2022-12-31"),  # none was over: the earliest, which the result calls contaminated
    ],
)
def test_a_replay_takes_the_newest_vintage_that_was_over_before_it(start, as_of, vintage):
    """So that the default scorer cannot have read the episode."""
    assert DEFAULT.before(start, as_of) is vintage_named(vintage)


def test_a_vintage_learned_from_no_headline_after_its_day():
    """By the number of headlines it says it learned from, counted in the labels."""
    rows = read_labels()
    for vintage in VINTAGES[:-1]:
        day = date.fromisoformat(vintage)
        assert model(vintage).facts["headlines"] == sum(row.day <= day for row in rows)
        assert model(vintage).trained_until == day == vintage_named(vintage).trained_until
    assert model("all").trained_until == DEFAULT.trained_until == max(row.day for row in rows)


def test_training_again_gives_the_shipped_bytes(tmp_path):
    """The earliest vintage, twice: anybody can train the weights again."""
    day = date(2022, 12, 31)
    rows = [row for row in read_labels() if row.day <= day]
    facts = {key: value for key, value in model(day.isoformat()).facts.items() if key not in {"features", "units"}}
    for name in ("one", "two"):
        write_model(tmp_path / name, *trained(rows, features_of(rows, day)), facts)
    digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in tmp_path.iterdir()}
    assert digests == {hashlib.sha256(path_of(day.isoformat()).read_bytes()).hexdigest()}


def test_weights_of_all_vintages_take_less_than_a_megabyte_and_a_half():
    """In the wheel, which cannot pack them further."""
    assert sum(path_of(vintage).stat().st_size for vintage in VINTAGES) < 1_500_000


def test_a_vintage_cannot_forget_and_says_so():
    """A day before its last is refused; the default takes an earlier vintage instead, or none."""
    with pytest.raises(InputError, match="learned from headlines until 2024-12-31 and cannot forget"):
        vintage_named("2024-12-31").score("Nvidia falls", "", "en", date(2024, 6, 1))
    with pytest.raises(InputError, match="the first vintage is 2022-12-31"):
        score("Nvidia falls", lexicon_as_of=date(2022, 1, 1))
    title = "Chip demand soars on AI"
    assert score(title, lexicon_as_of=date(2024, 6, 1)) == vintage_named("2023-12-31").score(title, "", "", None)


def test_an_unknown_vintage_is_refused_with_those_there_are():
    """In one line."""
    with pytest.raises(InputError, match="--vintage 2021-12-31: there is none; give one of 2022-12-31"):
        vintage_named("2021-12-31")


def test_a_vintage_is_a_scorer_by_its_name():
    """Which results carry."""
    assert scorer_named("disruption-2024-12-31 5") is vintage_named("2024-12-31")


def test_a_scorer_without_vintages_stays_itself():
    """Whatever the episode."""
    plain = Scorer(name="x", version="1", score=lambda *_: Score(language="en", relevance=0.0, sentiment=0.0, tone=0.0))
    assert plain.before(date(2025, 1, 1)) is plain


def test_a_word_learned_after_a_vintage_is_no_feature_of_it():
    """ "Stargate" is a data centre from January 2025 on; the vintage of 2024 knows no such class for it."""
    title = "Stargate in the classroom"
    told = {name: " ".join(vintage_named(name).explain(title, "en", None)) for name in ("2024-12-31", "all")}
    assert "is data centre" in told["all"]
    assert "is data centre" not in told["2024-12-31"]
