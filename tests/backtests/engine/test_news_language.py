"""Short headlines without a stated language: what decides, and that nothing later does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtests import load_episode
from backtests.engine.news import from_archived, read_archive, read_news
from backtests.engine.news_language import score_headlines
from feeds import Archive
from feeds.archive import Document
from feeds.headline import Headline
from feeds.scoring import DEFAULT
from tests.helpers.paths import CASES

T0 = datetime(2025, 1, 27, 10, tzinfo=UTC)
GERMAN = "Nach dem Kurssturz von gestern warten viele Anleger auf die Zahlen der Firma"
ENGLISH = "After the slump of yesterday many investors are waiting for the company's figures"
SWEDISH = "Regeringen vill att hushållen ska spara mer el under vintern"
TITLES = (
    GERMAN,
    ENGLISH,
    SWEDISH,
    "Nvidia -17%",
    "Vertiv: vertical drop",
    "Chip rout",
    "Siemens Energy",
    "AMD",
    "Sinks",
)


def head(title: str, minute: int, feed: str = "a", language: str = "") -> Headline:
    """A headline that was seen so many minutes after ten."""
    return Headline(
        id=f"{feed} {minute} {title}", feed=feed, source="s", title=title, summary="", link="", language=language,
        published=None, seen=T0 + timedelta(minutes=minute),
    )  # fmt: skip


def languages(*heads: Headline) -> list[str]:
    """In which language each is scored."""
    scored = score_headlines(heads, DEFAULT, None, timedelta(0))
    return [scored[each][1].language for each in heads]


def test_a_short_title_is_read_in_the_language_of_its_feed():
    """Of two feeds the German one makes it German; a feed that states its language needs no help."""
    short = [head("Vertiv: vertical drop", 5, feed) for feed in ("a", "b")]
    assert languages(*short, head(GERMAN, 1, "a"), head(ENGLISH, 1, "b"))[:2] == ["de", "en"]
    assert languages(head("Siemens Energy", 5, language="de"), head(ENGLISH, 1))[0] == "de"


def test_a_tie_decides_nothing_and_a_majority_does():
    """One German and one English item: what the title itself is taken for; two of three decide."""
    alone = languages(head("Siemens Energy", 5))
    assert languages(head("Siemens Energy", 5), head(GERMAN, 1), head(ENGLISH, 2))[:1] == alone
    assert languages(head("Siemens Energy", 5), head(GERMAN, 1), head(GERMAN, 2), head(ENGLISH, 3))[0] == "de"


@pytest.mark.parametrize("title", ["Nvidia -17%", "Is Nvidia doomed?", "Vertiv: vertical drop", "AMD, Nvidia slump"])
def test_a_known_company_decides_where_the_feed_says_nothing(title):
    """These were taken for Portuguese, Dutch, Swedish; where the feed is Swedish they are not taken for English."""
    assert languages(head(title, 5)) == ["en"]
    assert languages(head(title, 5), head(SWEDISH, 1))[0] != "en"


def test_where_all_titles_are_short_most_of_the_others_decide():
    """ "Sinks" alone is taken for Finnish; among English ones it is not, and it makes none of them Finnish."""
    assert languages(head("Sinks", 5)) == ["fi"]
    assert languages(head("Sinks", 5), head("Nvidia -17%", 1), head("AMD falls again", 2)) == ["en"] * 3
    assert languages(head("Nvidia sinks", 5), head("Sinks", 1)) == ["en", "fi"]


@pytest.mark.parametrize("title", ["英伟达暴跌", "Nvidia chute à Paris", "Regnet faller över Skåne"])
def test_titles_in_other_letters_or_without_a_company_are_left_alone(title):
    """They are neither English nor German, and stay so."""
    assert languages(head(title, 5))[0] not in {"en", "de"}


def test_every_short_title_of_the_case_is_read_as_with_its_language_stated():
    """The same ten titles, with and without the channel's language: the same scores."""
    stated, unstated = (
        [item.score for item in read_news(load_episode("deepseek-2025", news=CASES / "feeds" / f"{name}.xml")).items]
        for name in ("short_en", "short_nolang")
    )
    assert stated == unstated


ITEMS = st.lists(
    st.builds(head, st.sampled_from(TITLES), st.integers(0, 9), st.sampled_from("ab"), st.sampled_from(["", "", "de"])),
    max_size=8,
    unique_by=lambda each: each.id,
)


@given(items=ITEMS, minute=st.integers(0, 9), order=st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_what_becomes_known_later_decides_nothing_and_no_order_does(items, minute, order):
    """Scored with the future and without it, in any order, what was known by then has one language and one score."""
    known = [each for each in items if each.seen <= T0 + timedelta(minutes=minute)]
    then = score_headlines(known, DEFAULT, None, timedelta(0))
    mixed = order.sample(items, len(items))
    assert {
        each: found for each, found in score_headlines(mixed, DEFAULT, None, timedelta(0)).items() if each in then
    } == then


def test_an_archive_stores_no_score_that_hangs_on_other_items(tmp_path):
    """A replay of a longer time knows other items of the feed; both say what theirs do, whichever was first."""
    late, early = head("Nvidia -17%", 5), replace(head(GERMAN, -50 * 24 * 60), id="x")
    with Archive(tmp_path / "a.sqlite") as archive:
        for each in (early, late):
            document = Document(feed="a", url="a", at=each.seen, hash="", provenance="import", rule="r", key=each.id)
            archive.record(document, [each])
        episode = load_episode("deepseek-2025")
        first = read_archive(episode, archive)[1].items
        rows = [("import", each) for each in (early, late)]
        longer = from_archived(episode, rows)[1].items
        assert read_archive(episode, archive)[1].items == first
    assert [item.score.language for item in first] == ["en"]
    assert [item.score.language for item in longer] == ["de", "de"]
