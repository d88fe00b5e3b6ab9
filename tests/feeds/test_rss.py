"""Feed documents: what comes in from strangers becomes plain headlines with honest times, or is lost with a reason."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds import dates, item_fields, rss
from feeds.errors import FeedError
from tests.helpers.paths import CASES


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


CASE_TITLES = {
    "bare_amp": "AT&T and S&P 500 fall after DeepSeek",
    "blank_first": "Power stocks fall as data centres need less",
    "charref_big": "Chip stocks slump",
    "charref_pair": "Chip stocks slump",
    "ctrl": "Nvidia falls",
    "gml_srs": "Chip plant opens",
    "html_entity": "Nvidia’s rout – chips fall",
    "same_guid": "Vistra and Constellation sink on doubts about power demand",
    "same_link": "Vistra and Constellation sink on doubts about power demand",
}


@pytest.mark.parametrize(("name", "title"), CASE_TITLES.items())
def test_small_faults_of_a_document_cost_no_item(name, title):
    """The file is used whole, and its titles are right."""
    parsed = rss.read(CASES / "feeds" / f"{name}.xml")
    assert [headline.title for headline in parsed.headlines][:2] == [
        "Cheap Chinese AI model triggers slump in chip stocks", title,
    ]  # fmt: skip
    assert parsed.rejects == ()
    assert bool(parsed.remarks) == (name not in {"gml_srs", "same_guid", "same_link"})


@pytest.mark.parametrize(
    ("name", "utc"),
    [
        ("slash_date", "2025-01-27T14:00:00"),
        ("zone_named", "2025-01-27T15:30:00"),
        ("zone_minus", "2025-01-27T15:30:00"),
        ("zone_paren", "2025-01-27T15:30:00"),
        ("zone_brt", "2025-01-27T15:30:00"),
        ("zone_good", "2025-01-27T15:30:00"),
        ("year_only", "2025-01-31T23:59:59"),
    ],
)
def test_dates_of_documents_are_never_too_early(name, utc):
    """The same news, its zone written in five ways."""
    (headline,) = rss.read(CASES / "feeds" / f"{name}.xml").headlines
    assert headline.published == datetime.fromisoformat(utc).replace(tzinfo=UTC)


def test_what_was_assumed_of_dates_is_counted_by_reason():
    """Each reason with the number of items; what cannot be read is no date."""
    items = [f"<title>t{n}</title><pubDate>{stated}</pubDate>" for n, stated in enumerate(
        ["27 Jan 2025 10:00", "28 Jan 2025 10:00", "27 Jan 2025 10:00 XYZ", "soon", "27 Jan 2025 10:00 GMT"])]  # fmt: skip
    parsed = rss.parse(document(*items), feed="f", seen=datetime(2025, 2, 1, tzinfo=UTC))
    assert parsed.remarks == {dates.NO_ZONE: 2, dates.UNKNOWN_ZONE: 1, dates.UNREADABLE: 1}
    assert [headline.published is None for headline in parsed.headlines] == [False, False, False, True, False]


def test_items_that_share_a_guid_or_link_are_all_kept():
    """Identity falls back to the link, then to the title; the same words twice are still one item."""
    date = "<pubDate>Mon, 27 Jan 2025 12:45:00 GMT</pubDate>"
    items = [
        f"<title>a</title><guid>g</guid><link>https://x.org/1</link>{date}",
        f"<title>a</title><guid>g</guid><link>https://x.org/2</link>{date}",
        f"<title>b</title><guid>g</guid><link>https://x.org/3</link>{date}",
        f"<title>c</title><guid>g</guid><link>https://x.org/3</link>{date}",
        f"<title>c</title><guid>g</guid><link>https://x.org/3</link>{date}",
    ]
    parsed = rss.parse(document(*items), feed="f", seen=None)
    assert [headline.title for headline in parsed.headlines] == ["a", "a", "b", "c"]
    assert [reject.reason for reject in parsed.rejects] == [rss.DUPLICATE]
    alone = rss.parse(document(items[0]), feed="f", seen=None).headlines[0]
    assert alone.id not in {headline.id for headline in parsed.headlines}  # its guid says nothing here


def test_json_feeds_are_read(tmp_path):
    """Title, words, address, dates and language; what is no JSON Feed is refused with a reason."""
    parsed = rss.read(CASES / "feeds" / "feed.json")
    (headline,) = parsed.headlines
    assert (headline.title, headline.link, headline.source) == ("Nvidia falls", "https://e.org/a/1", "B")
    assert headline.published == datetime(2025, 1, 27, 14, 10, tzinfo=UTC)
    with pytest.raises(FeedError, match="no JSON Feed"):
        rss.parse(b'{"items": []}', feed="f", seen=None)
    with pytest.raises(FeedError, match="broken JSON"):
        rss.parse(b'{"version": "https://jsonfeed.org/version/1.1", "items": [', feed="f", seen=None)
    odd = (
        b'{"version":"https://jsonfeed.org/version/1","items":[1,{"id":7,"title":["x"]},{"id":8,"title":"\\ud83d up"}]}'
    )
    parsed = rss.parse(odd, feed="f", seen=datetime(2025, 1, 27, tzinfo=UTC))
    assert ([each.title for each in parsed.headlines], len(parsed.rejects)) == (["up"], 2)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "utf-32", "cp037"])
def test_entity_declarations_are_refused_wherever_they_stand_and_in_any_encoding(encoding):
    """After more than a MiB of comment too; the words of an article declare nothing."""
    head = f'<?xml version="1.0" encoding="{encoding}"?>' if encoding == "cp037" else ""
    late = f'{head}<!-- {"x" * (1 << 20)} --><!DOCTYPE l [<!ENTITY a "ha">]><rss><channel><title>&a;</title></channel></rss>'
    with pytest.raises(FeedError, match="declares XML entities"):
        rss.parse(late.encode(encoding), feed="f", seen=None)
    article = "<title><![CDATA[How <!ENTITY works]]></title><pubDate>Mon, 27 Jan 2025 12:45:00 GMT</pubDate>"
    assert len(rss.parse(document(article), feed="f", seen=None).headlines) == 1


def test_titles_steer_no_terminal():
    """Escapes, marks of direction, ends of lines and invisible tags go at entry; what is left is shown, not obeyed."""
    title = "a&amp;#27;[31mb\u202ec\u2066d\u2028e\U000e0041f\u0085g\u00adh"
    made = one(
        f"<title>{title}</title><link>https://x.org/\u202e1</link><pubDate>Mon, 27 Jan 2025 12:45:00 GMT</pubDate>"
    )
    assert (made.title, made.link) == ("a[31mbcd e f…g\u00adh", "")
    assert item_fields.printable("a\x1b[2J\u202e\U000e0041ü\n") == r"a\u001b[2J\u202e\udb40\udc41ü\u000a"


def test_whatever_a_reader_raises_becomes_no_feed_or_a_lost_item(monkeypatch):
    """In one place, so that no document of a stranger ends a pull."""
    two = document(*(f"<title>{n}</title><pubDate>Mon, 27 Jan 2025 12:45:00 GMT</pubDate>" for n in "ab"))
    plain = item_fields.plain

    def fault(value):
        if value == "a":
            raise OverflowError
        return plain(value)

    with monkeypatch.context() as patched:
        patched.setattr(rss.item_fields, "plain", fault)
        parsed = rss.parse(two, feed="f", seen=None)
    assert [headline.title for headline in parsed.headlines] == ["b"]
    assert "OverflowError" in parsed.rejects[0].reason
    for wrong in (RuntimeError, MemoryError, RecursionError, UnicodeError, AssertionError):
        with monkeypatch.context() as patched:
            patched.setattr(rss.xml_items, "read", lambda *_, wrong=wrong: (_ for _ in ()).throw(wrong("odd")))
            with pytest.raises(FeedError, match=wrong.__name__):
                rss.parse(two, feed="f", seen=None)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: document(f"<title>{text}</title>")))
def test_any_bytes_give_headlines_rejects_or_a_feed_error(data):
    """Never another exception."""
    try:
        parsed = rss.parse(data, feed="f", seen=datetime(2025, 1, 1, tzinfo=UTC))
    except FeedError:
        return
    assert all(headline.title and headline.seen for headline in parsed.headlines)
