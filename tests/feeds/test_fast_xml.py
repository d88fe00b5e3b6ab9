"""The quick way gives what feedparser gives, or steps aside."""

from __future__ import annotations

import contextlib
import socket
import time
from datetime import UTC, datetime

import pytest
from feedparser.sanitizer import _HTMLSanitizer
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds import fast_xml, rss
from feeds.errors import FeedError
from tests.helpers.paths import SHARED

SEEN = datetime(2025, 1, 27, 14, tzinfo=UTC)
DOCUMENTS = SHARED / "data" / "feeds"

WORDS = st.sampled_from(
    ["Chips", "AT&amp;T", "R&amp;D", "MB&amp;F.", "Q&amp;A,", "Johnson &amp; Sons", "a &lt; b", "&amp;nbsp;", "&amp;amp;amp;", "&#8217;s",
     "&lt;b&gt;bold&lt;/b&gt;", '<![CDATA[<p>in <a href="https://a.example/?x=1&y=2">a link</a></p>]]>', "<![CDATA[<br/>]]>",
     '<![CDATA[<img src="/a.png" alt="Größe"/>]]>', "&lt;script&gt;alert(1)&lt;/script&gt;", "<![CDATA[<div><style>p{}</style>x</div>]]>",
     "Größe", "Ã¤", "„Zitat“", "&#147;", "&#x1F680;", "\u00a0", "&amp;copy;", "&amp;RSQUO;", "&amp;AMP;", "&amp;#150;", "&lt;!-- x --&gt;", "&lt;foo&gt;", "x&gt;y", "&amp;lt;b&amp;gt;",
     "<![CDATA[A & B]]>", "<!-- a comment -->", "<![CDATA[<b>unclosed]]>", "&amp;lt", "&amp;c", "<![CDATA[]]>", "\n\t", "<b>child</b>"]
)  # fmt: skip
PLAIN = st.sampled_from(
    ["Chips fall", "Größe", "Johnson &amp; Sons", "R&amp;D,", "&amp;amp; more", "<![CDATA[<p>in a <b>tag</b></p>]]>", "„Zitat“", "AT&amp;amp;T", "&amp;rsquo;", '<![CDATA[<img alt="ü\n" src="x"/>]]>']
)  # fmt: skip
TEXTS = st.one_of(*[st.lists(PLAIN, max_size=4)] * 4, st.lists(WORDS, max_size=3)).map(" ".join)
DATES = st.sampled_from(
    ["Mon, 27 Jan 2025 12:00:00 GMT", "2025-01-27T12:00:00Z", "Mo, 27 Jan 2025 12:00:00 MEZ", "Mon Jan 27 12:00:00 2025", "", "soon"]
)  # fmt: skip
LINKS = st.sampled_from(
    [
        "https://a.example/1",
        "http:///a.example/2",
        "/relative",
        "https://a.example/?a=1&amp;b=2",
        "https://a.example/ü",
        "",
        "a&amp;amp;b",
    ]
)


def indices(count: int):
    """Mostly each once, and the plain ones, which stand first."""
    plain = st.lists(st.sampled_from(range(min(count, 7))), max_size=6, unique=True)
    return st.one_of(plain, plain, plain, st.lists(st.sampled_from(range(count)), max_size=9))


def rss_item(draw) -> str:
    """One item: its elements in any order, some twice, some with attributes."""
    permanent = draw(st.sampled_from(["", " isPermaLink='false'", " isPermaLink='true'", " isPermaLink='TRUE'"]))
    parts = [
        f"<title>{draw(TEXTS)}</title>",
        f"<description>{draw(TEXTS)}</description>",
        f"<link>{draw(LINKS)}</link>",
        f"<guid{permanent}>{draw(LINKS)}</guid>",
        f"<pubDate>{draw(DATES)}</pubDate>",
        f"<content:encoded>{draw(TEXTS)}</content:encoded>",
        f"<dc:date>{draw(DATES)}</dc:date>",
        "<dc:creator>A. Author</dc:creator>",
        f"<source url='https://s.example/'>{draw(TEXTS)}</source>",
        "<category domain='d'>c</category>",
        "<media:content url='u'><media:credit>c</media:credit></media:content>",
        "<media:content url='u'><media:title>another title</media:title></media:content>",
        "<enclosure url='https://a.example/x.mp3' length='1' type='audio/mpeg'/>",
        "<image><title>picture</title></image>",
        "<media:content url='u'><media:description type='plain'>a picture</media:description></media:content>",
        "<author>a@b.example (A)</author>",
    ]
    chosen = draw(indices(len(parts)))
    return f"<item>{''.join(parts[index] for index in chosen)}</item>"


def atom_entry(draw) -> str:
    """One entry."""
    kinds = st.sampled_from(["", ' type="text"', ' type="html"', ' type="HTML"', ' type="xhtml"'])
    relation = draw(st.sampled_from(["self", "alternate", "enclosure"]))
    page = draw(st.sampled_from(["text/html", "application/xhtml+xml", "text/plain"]))
    parts = [
        f"<title{draw(kinds)}>{draw(TEXTS)}</title>",
        f"<summary{draw(kinds)}>{draw(TEXTS)}</summary>",
        f"<content{draw(kinds)}>{draw(TEXTS)}</content>",
        f"<id>{draw(LINKS)}</id>",
        f"<link href='{draw(LINKS)}'/>",
        f"<link rel='{relation}' type='{page}' href='{draw(LINKS)}'/>",
        f"<published>{draw(DATES)}</published>",
        f"<updated>{draw(DATES)}</updated>",
        "<author><name>A</name><uri>https://a.example/</uri></author>",
        "<category term='t'/>",
    ]
    chosen = draw(indices(len(parts)))
    return f"<entry>{parts[0]}{parts[3]}{''.join(parts[index] for index in chosen)}</entry>"


@st.composite
def documents(draw) -> bytes:
    """A feed of up to three items, a little out of the ordinary."""
    head = draw(st.sampled_from(['<?xml version="1.0" encoding="UTF-8"?>\n', "<?xml version='1.0'?>", "", " "]))
    spaces = (
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:media="http://search.yahoo.com/mrss/"'
    )
    count = draw(st.integers(1, 3))
    if draw(st.booleans()):
        items = "".join(rss_item(draw) for _ in range(count))
        extra = draw(
            st.sampled_from(
                ["", "<image><title>Logo</title><url>u</url><link>l</link></image>", "<title>Second</title>"]
            )
        )
        body = f'<rss version="2.0"{spaces}><channel><title>{draw(TEXTS)}</title><language>de-DE</language>{extra}{items}</channel></rss>'
    else:
        entries = "".join(atom_entry(draw) for _ in range(count))
        language = draw(st.sampled_from(["", ' xml:lang="de"']))
        body = f'<feed xmlns="http://www.w3.org/2005/Atom"{language}><title>{draw(TEXTS)}</title>{entries}</feed>'
    return (head + body).encode()


def both(document: bytes):
    """What the quick way and what the reader of record make of a document; None where the quick way steps aside."""
    channel = fast_xml.read(document)
    if channel is None or not channel.entries:
        return None
    return rss._parsed(channel, "f", SEEN), rss._read_by_feedparser(document, "f", SEEN)


@settings(max_examples=400, deadline=None)
@given(documents())
def test_made_up_documents_read_alike(document):
    """Every field of every headline, every reject, the channel's language."""
    found = both(document)
    if found is not None:
        assert found[0] == found[1]


def test_a_plain_document_takes_the_quick_way():
    """Else the comparison above would compare nothing."""
    item = "<item><title>Größe &amp; Glanz</title><link>https://a.example/?a=1&amp;b=2</link><description><![CDATA[<p>AT&amp;T</p>]]></description></item>"
    quick, slow = both(f'<rss version="2.0"><channel><title>t</title>{item}</channel></rss>'.encode())
    assert quick == slow
    assert quick.headlines[0].summary == "AT&T"
    entry = "<entry><title type='html'>&lt;b&gt;x&lt;/b&gt;</title><id>i</id><link href='https://a.example/'/><updated>2025-01-27T12:00:00Z</updated></entry>"
    quick, slow = both(f'<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title>{entry}</feed>'.encode())
    assert quick == slow


def test_tags_that_count_as_simple_are_tags_that_the_sanitizer_keeps():
    """A dropped tag would leave two words as one."""
    names = set(fast_xml._SIMPLE.pattern.split("(?:a|")[1].split(")\n")[0].split(")(?:")[0].split("|")) - {"h[1-6]"}
    assert len(names) > 30
    assert names <= _HTMLSanitizer.acceptable_elements


def test_markup_takes_linear_time():
    """Twice the text, about twice the time, whatever it is."""
    for piece in ("<a ", '<a href="', "&amp;", "& ", "<p>", "&#1;", "<!--", "<<"):
        times = []
        for count in (2_000, 16_000):
            text = piece * count
            rounds = []
            for _ in range(3):  # the best of three: the machine may be busy
                started = time.perf_counter()
                fast_xml._SIMPLE.fullmatch(text)
                rounds.append(time.perf_counter() - started)
            times.append(min(rounds))
        assert times[1] < 32 * max(times[0], 1e-5), piece  # eight times the text; a square would be 64


@pytest.mark.skipif(not DOCUMENTS.is_dir(), reason="the shared feed documents are not beside the project")
def test_real_and_odd_documents_read_alike_and_quickly(monkeypatch):
    """Three thousand documents: no crash, none over a second, no network, and the quick way equals feedparser."""
    monkeypatch.setattr(socket, "getaddrinfo", None)
    monkeypatch.setattr(socket.socket, "connect", None)
    quick = 0
    for path in sorted(path for path in DOCUMENTS.rglob("*") if path.is_file()):
        document = path.read_bytes()
        started = time.perf_counter()
        with contextlib.suppress(FeedError):
            rss.parse(document, feed=path.name, seen=SEEN)
        assert time.perf_counter() - started < 1, path
        found = both(document) if len(document) <= rss.MAX_BYTES else None
        if found is not None:
            quick += 1
            assert found[0] == found[1], path
    assert quick > 30
