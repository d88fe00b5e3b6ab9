"""Scores beside headlines: added by scorer, never overwritten, equal to scoring anew."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime, timedelta

import pytest

from feeds.archive import Archive, Document
from feeds.headline import Headline
from feeds.scoring import DEFAULT, Score, Scorer

T0 = datetime(2025, 1, 27, 12, 0, tzinfo=UTC)
TITLES = ("Nvidia falls as Broadcom gains", "Meta raises capex for AI data centers", "Regen in Bayern", "")


@pytest.fixture
def archive(tmp_path):
    """An archive of three headlines."""
    with Archive(tmp_path / "a.sqlite") as opened:
        heads = [
            Headline(id=str(n), feed="f", source="S", title=title, summary="", link="", language="", published=None,
                     seen=T0 + timedelta(minutes=n))
            for n, title in enumerate(TITLES[:3])
        ]  # fmt: skip
        opened.record(Document(feed="f", url="f", at=T0, hash="", provenance="live", rule="seen"), heads)
        yield opened


def scored(archive: Archive) -> dict[int, Score]:
    """All headlines, scored."""
    held = archive.history(None, T0 + timedelta(days=1))
    return {each.row: DEFAULT.score(each.headline.title, "", "", None) for each in held}


def test_what_is_stored_is_read_back_equal(archive):
    """To the last digit, entities and features too; a score without features as well."""
    scores = scored(archive)
    scores[max(scores)] = Score(language="en", relevance=0.0, sentiment=0.0, tone=0.0)
    assert archive.store_scores(scores, DEFAULT.key) == 3
    assert archive.scores(list(scores), DEFAULT.key) == scores


def test_scoring_again_adds_and_never_overwrites(archive):
    """The same scorer's first word stands; another version's stands beside it."""
    scores = scored(archive)
    archive.store_scores(scores, DEFAULT.key)
    other = {row: Score(language="en", relevance=0.0, sentiment=0.0, tone=1.0) for row in scores}
    assert archive.store_scores(other, DEFAULT.key) == 0
    assert archive.store_scores(other, "another 1") == 3
    assert archive.verify() == []
    assert archive.scores(list(scores), DEFAULT.key) == scores
    assert archive.scores(list(scores), "another 1") == other


def test_scores_of_another_day_of_the_words_are_not_taken(archive):
    """A run that leaves out later words does not get scores made with them."""
    scores = scored(archive)
    archive.store_scores(scores, DEFAULT.key)
    assert archive.scores(list(scores), DEFAULT.key, date(2025, 1, 19)) == {}


@pytest.mark.parametrize("statement", ["UPDATE scores SET score = '{}'", "DELETE FROM scores"])
def test_a_stored_score_cannot_be_changed(archive, statement):
    """By trigger."""
    archive.store_scores(scored(archive), DEFAULT.key)
    with pytest.raises(sqlite3.DatabaseError, match="append-only"):
        archive._connection.execute(statement)


def test_a_scorers_key_tells_its_versions_apart():
    """Name and version are in it."""
    one, two = (Scorer(name="s", version=version, score=DEFAULT.score) for version in "12")
    assert one.key != two.key
    assert one.key.startswith("s 1 ")
