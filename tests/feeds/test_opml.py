"""Lists of feeds from strangers: OPML in, OPML out, nothing declared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.errors import FeedError
from feeds.opml import FeedEntry, catalogue, read_opml, write_opml

NAMES = st.text(st.characters(min_codepoint=32, exclude_categories=("Cc", "Cs", "Cn")), min_size=1, max_size=20)


@given(
    st.lists(
        st.builds(FeedEntry, url=st.integers(0, 99).map("https://a.example/{}".format), name=NAMES),
        min_size=1,
        unique_by=lambda e: e.url,
    )
)
def test_what_is_written_is_read_back(entries):
    """Names of any characters."""
    assert read_opml(write_opml(entries).encode(), name="list") == entries


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32-be", "cp037"])
def test_declarations_are_refused_in_any_encoding(encoding):
    """A list of feeds needs none, and an encoding hides none."""
    document = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [<!ENTITY a "ha">]><opml><body><outline text="&a;"/></body></opml>'
    with pytest.raises(FeedError, match="declares a document type"):
        read_opml(document.encode(encoding), name="list")


@pytest.mark.parametrize("document", [b"", b"<opml>", b"<rss/>", b"\xff\x00", b"<opml><body/></opml>"])
def test_what_is_no_list_of_feeds_is_refused_by_name(document):
    """In one line."""
    with pytest.raises(FeedError, match="list"):
        read_opml(document, name="list")


def test_the_catalogue_that_ships_is_a_list_of_feeds():
    """English and German, every address once."""
    feeds = catalogue()
    assert {feed.language for feed in feeds} == {"en", "de"}
    assert len({feed.url for feed in feeds}) == len(feeds)
