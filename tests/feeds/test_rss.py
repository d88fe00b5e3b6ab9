"""Feed documents: what comes in from strangers becomes plain headlines with honest times, or is lost with a reason."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds import rss
from feeds.errors import FeedError


def document(*items: str, language: str = "en") -> bytes:
    """An RSS 2.0 document of raw <item> contents."""
    body = "".join(f"<item>{item}</item>" for item in items)
    return f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>Wire</title><language>{language}</language>{body}</channel></rss>'.encode()


def one(item: str, **options):
    """The only headline of a document of one item."""
    (headline,) = rss.parse(document(item), feed="f", seen=options.get("seen")).headlines
    return headline


@pytest.mark.parametrize(
    ("stated", "utc"),
    [
        ("Mon, 27 Jan 2025 12:45:00 GMT", "2025-01-27T12:45:00+00:00"),
        ("Mon, 27 Jan 2025 07:45:00 -0500", "2025-01-27T12:45:00+00:00"),
        ("Mon, 27 Jan 2025 13:45:00 +0100", "2025-01-27T12:45:00+00:00"),
        ("2025-01-27T13:45:00+01:00", "2025-01-27T12:45:00+00:00"),
    ],
)
def test_offsets_are_honoured_and_times_are_utc(stated, utc):
    """Four ways to say one moment."""
    assert one(f"<title>a</title><pubDate>{stated}</pubDate>").published.isoformat() == utc


def test_the_machines_time_zone_changes_nothing():
    """In Tokyo a GMT stamp is the same moment."""
    before = os.environ.get("TZ")
    try:
        os.environ["TZ"] = "Asia/Tokyo"
        time.tzset()
        made = one("<title>a</title><pubDate>Mon, 27 Jan 2025 12:45:00 GMT</pubDate>")
    finally:
        os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
        time.tzset()
    assert made.published == datetime(2025, 1, 27, 12, 45, tzinfo=UTC)


def test_an_undated_item_is_rejected_unless_somebody_saw_it():
    """Without `seen` it is counted as lost; with it, it is known from then on."""
    undated = document("<title>a</title>")
    lost = rss.parse(undated, feed="f", seen=None)
    assert (
        list(lost.headlines), [reject.reason for reject in lost.rejects]
    ) == ([], ["no date, and nobody saw when it appeared"])  # fmt: skip
    seen = datetime(2025, 1, 27, 14, 0, tzinfo=UTC)
    (kept,) = rss.parse(undated, feed="f", seen=seen).headlines
    assert (kept.published, kept.seen) == (None, seen)


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ("<pubDate>Mon, 27 Jan 2025 12:45:00 GMT</pubDate>", "no title"),
        ("<title>a</title><pubDate>yesterday</pubDate>", "cannot be read"),
        ("<title>a</title><pubDate>Mon, 27 Jan 0025 12:45:00 GMT</pubDate>", ""),
    ],
)
def test_one_bad_item_is_lost_and_the_others_stay(item, reason):
    """The reject names its position and why."""
    good = "<title>good</title><guid>g</guid><pubDate>Mon, 27 Jan 2025 12:45:00 GMT</pubDate>"
    parsed = rss.parse(document(item, good), feed="f", seen=None)
    assert [headline.title for headline in parsed.headlines] == ["good"]
    assert [(reject.item, reason in reject.reason) for reject in parsed.rejects] == [(1, True)]


def test_titles_are_plain_text():
    """Tags, scripts, entities and control characters go; words stay."""
    title = (
        "<title>&lt;b&gt;Nvidia&lt;/b&gt; &amp;amp; AT&amp;amp;T&lt;script&gt;alert(1)&lt;/script&gt;  up&#9;3%</title>"
    )
    assert one(f"{title}<pubDate>Mon, 27 Jan 2025 12:45:00 GMT</pubDate>").title == "Nvidia & AT&T up 3%"


@pytest.mark.parametrize("link", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "ftp://x/y"])
def test_links_are_http_or_nothing(link):
    """Nothing that a page could run."""
    assert one(f"<title>a</title><link>{link}</link><pubDate>Mon, 27 Jan 2025 12:45:00 GMT</pubDate>").link == ""


def test_the_same_item_keeps_its_identity_across_documents_and_protocols():
    """Http and https twins are one item; a second copy in a document is a duplicate."""
    date = "<pubDate>Mon, 27 Jan 2025 12:45:00 GMT</pubDate>"
    a, b = (f"<title>t</title><link>{scheme}://x.org/1</link>{date}" for scheme in ("http", "https"))
    parsed = rss.parse(document(a, b), feed="f", seen=None)
    assert (len(parsed.headlines), parsed.rejects[0].reason) == (1, "duplicate of an item before it")


def test_xml_entities_are_refused():
    """A billion laughs never begin."""
    bomb = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><rss><channel><title>&b;</title></channel></rss>'
    with pytest.raises(FeedError, match="entities"):
        rss.parse(bomb, feed="f", seen=None)
    with pytest.raises(FeedError, match="entities"):
        rss.parse(bomb.decode().encode("utf-16"), feed="f", seen=None)


@pytest.mark.parametrize("document", [b"", b"hello", b"<html><body>404</body></html>", b"\x00\xff\x13" * 99])
def test_what_is_no_feed_raises(document):
    """One class of error, with the feed's name."""
    with pytest.raises(FeedError, match="wire-1"):
        rss.parse(document, feed="wire-1", seen=None)


def test_a_document_that_breaks_off_keeps_its_items_but_a_file_is_refused(tmp_path):
    """What a fetch cut short may be worth keeping; a file that a replay stands on must be whole."""
    whole = document("<title>a</title><pubDate>Mon, 27 Jan 2025 12:45:00 GMT</pubDate>", "<title>b</title>")
    cut = whole[: whole.index(b"<title>b")]
    parsed = rss.parse(cut, feed="f", seen=None)
    assert [headline.title for headline in parsed.headlines] == ["a"]
    assert any(reject.item == 0 and "line 1" in reject.reason for reject in parsed.rejects)
    (tmp_path / "cut.xml").write_bytes(cut)
    with pytest.raises(FeedError, match=r"cut\.xml.*line 1"):
        rss.read(tmp_path / "cut.xml")


def test_seen_must_say_its_time_zone():
    """A naive datetime is refused, not guessed."""
    with pytest.raises(ValueError, match="time zone"):
        rss.parse(document(), feed="f", seen=datetime(2025, 1, 27, tzinfo=UTC).replace(tzinfo=None))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: document(f"<title>{text}</title>")))
def test_any_bytes_give_headlines_rejects_or_a_feed_error(data):
    """Never another exception."""
    try:
        parsed = rss.parse(data, feed="f", seen=datetime(2025, 1, 1, tzinfo=UTC))
    except FeedError:
        return
    assert all(headline.title and headline.seen for headline in parsed.headlines)
