"""Documents of strangers, whole, broken and hostile: what feedparser finds in the real ones, in linear time, and no crash."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from html import escape

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds import item_fields, rss
from feeds.errors import FeedError
from feeds.formats import json_feed, xml_text
from tests.helpers.paths import CASES, EPISODES, SHARED

SEEN = datetime(2025, 1, 27, 14, tzinfo=UTC)
DOCUMENTS = SHARED / "data" / "feeds"
DATE = "<pubDate>Mon, 27 Jan 2025 14:00:00 GMT</pubDate>"
WORDS = st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")), min_size=1, max_size=40)


def channel(items: str, *, head: str = '<?xml version="1.0" encoding="UTF-8"?>') -> str:
    """An RSS document."""
    return f'{head}<rss version="2.0"><channel><title>Paper</title>{items}</channel></rss>'


def parse(document: str | bytes):
    """What a document holds."""
    data = document.encode() if isinstance(document, str) else document
    return rss.parse(data, feed="f", seen=SEEN)


def by_feedparser(document: bytes) -> list[tuple[str, str]]:
    """Titles and links as the best known reader gives them, in our plain text."""
    found = feedparser.parse(document, resolve_relative_uris=False).entries
    return [(item_fields.plain(each.get("title", "")), item_fields.link(each.get("link", ""))) for each in found]


@settings(max_examples=100, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=5), st.booleans())
def test_titles_are_what_feedparser_reads(titles, is_atom):
    """Of RSS and of Atom, whatever the words."""
    if is_atom:
        items = "".join(f"<entry><id>{n}</id><title>{escape(escape(t))}</title></entry>" for n, t in enumerate(titles))
        document = f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Paper</title>{items}</feed>'
    else:
        document = channel(
            "".join(f"<item><guid>{n}</guid><title>{escape(t)}</title></item>" for n, t in enumerate(titles))
        )
    expected = [title for title, _ in by_feedparser(document.encode()) if title]
    assert [headline.title for headline in parse(document).headlines] == expected


@pytest.mark.skipif(not DOCUMENTS.is_dir(), reason="the shared feed documents are not beside the project")
def test_real_documents_read_as_by_feedparser_and_odd_ones_quickly(monkeypatch):
    """Three thousand documents: no crash, none over a second of the processor, no network."""
    monkeypatch.setattr(socket, "getaddrinfo", None)
    monkeypatch.setattr(socket.socket, "connect", None)
    compared = 0
    for path in sorted(path for path in DOCUMENTS.rglob("*") if path.is_file()):
        document = path.read_bytes()
        started = time.process_time()
        try:
            headlines = parse(document).headlines
        except FeedError:
            headlines = ()
        assert time.process_time() - started < 1, path
        if "real" in path.parts:
            compared += 1
            known = dict.fromkeys((each.title, each.link) for each in headlines)
            assert list(known) == list(dict.fromkeys(by_feedparser(document))), path
    assert compared > 30


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "iso-8859-15", "cp1251", "shift-jis", "cp037"]
)
def test_encodings_are_what_a_document_says(encoding):
    """By its mark or its declaration."""
    title = {"cp1251": "Акции", "shift-jis": "株価"}.get(encoding, "Größe")
    document = channel(f"<item><title>{title}</title></item>", head=f'<?xml version="1.0" encoding="{encoding}"?>')
    assert parse(document.encode(encoding)).headlines[0].title == title


def test_bytes_that_are_no_utf8_are_windows_characters():
    """Also where only one item of a document has them, and where Latin-1 is declared of UTF-8."""
    document = (
        channel("<item><title>Größe</title></item>", head="")
        .encode()
        .replace(b"</title></item>", b" \x84x\x93</title></item>")
    )
    assert parse(document).headlines[0].title == "Größe „x“"
    wrong = channel("<item><title>Größe</title></item>", head='<?xml version="1.0" encoding="iso-8859-1"?>').encode()
    assert parse(wrong).headlines[0].title == "Größe"
    assert parse(wrong.decode().encode("latin-1")).headlines[0].title == "Größe"


@pytest.mark.parametrize(
    ("item", "title"),
    [
        ("<title>A & B</title>", "A & B"),
        ("<title>A &foo; B &copy; &eacute;</title>", "A &foo; B © é"),
        ("<title>3 < 4</title>", "3 < 4"),
        ("<title>A<br>B</title>", "A B"),
        ("<title>A</titel><description>x</description>", "A"),
        ("<title>A</title><x:y>1</x:y>", "A"),
        ("<title><![CDATA[A & B]]></title><b>", "A & B"),
        ("<title>A\x00B\x1b</title>", "A B"),
        ("<title>A</title><link>https://a.org/?a=1&b=2</link>", "A"),
        ("<title>A</title><enclosure url=x />", "A"),
    ],
)
def test_broken_markup_in_one_item_costs_neither_it_nor_the_others(item, title):
    """Its fields are taken as they stand, and the fault is counted."""
    parsed = parse(channel(f"<item><title>first</title></item><item>{item}</item><item><title>last</title></item>"))
    assert [headline.title for headline in parsed.headlines] == ["first", title, "last"]
    assert parsed.rejects == ()
    assert parsed.remarks


def hostile(size: int) -> dict[str, str]:
    """Documents of about `size` characters that cost other readers minutes."""

    def item(title: str) -> str:
        return f"<item><title>{title}</title>{DATE}</item>"

    def many(piece: str) -> str:
        return piece * (size // len(piece))

    return {
        "comments that never end": channel(item(many("&lt;!--"))),
        "backgrounds": channel(item(many('&lt;p style="background:url('))),
        "scripts escaped twice": channel(item(many("&amp;lt;script&amp;gt;"))),
        "many items of scripts": channel(many(item("&lt;script&gt;" * 300 + "&lt;/script"))),
        "nesting": channel(item(many("<a>"))),
        "nesting, closed": channel(item("<a>" * (size // 7) + "</a>" * (size // 7))),
        "items in items": many("<item>"),
        "empty items": channel(many("<item/>")),
        "a title that never ends": channel(item(many("<title>"))),
        "prefixes": channel("<item>" + "".join(f"<a{n}:title>" for n in range(size // 14))),
        "attributes": channel("<item " + " ".join(f'a{n}="b"' for n in range(size // 12)) + "/>"),
        "bare ampersands": channel(item(many("& "))),
        "less-than signs": many("<"),
        "comments": "<rss>" + many("<!-- ") + item("x"),
        "sections": "<rss><item>" + many("<![CDATA[a]]>") + "<",
        "zeros": many("\0"),
        "digits": channel(item("&#" + many("9") + ";")),
        "JSON": '{"items":' + many("["),
        "JSON of nothing": '{"version":"https://jsonfeed.org/version/1","items":[' + many("{},") + "{}]}",
    }


@pytest.mark.parametrize("name", hostile(100))
def test_hostile_documents_take_linear_time(name):
    """Sixteen times the text takes no more than about sixteen times as long, whatever it is."""
    times = []
    for size in (10_000, 160_000):
        document = hostile(size)[name].encode()
        rounds = []
        for _ in range(3):
            started = time.process_time()
            with contextlib.suppress(FeedError):
                parse(document)
            rounds.append(time.process_time() - started)
        times.append(min(rounds))
    assert times[1] < max(64 * times[0], 0.1)  # a square would be 256


def test_a_document_that_takes_too_long_is_refused(monkeypatch):
    """The processor's time counts, not the clock on the wall."""
    monkeypatch.setattr(rss, "MAX_SECONDS", 0.05)
    with pytest.raises(FeedError, match=r"takes more than 0\.05 s"):
        parse(channel("<item/>" * 100_000))


def test_limits_are_checked_before_any_other_work(monkeypatch):
    """Bytes, the stretch without a tag, JSON."""
    monkeypatch.setattr(xml_text, "decode", None)
    with pytest.raises(FeedError, match="bytes are too many"):
        parse(b" " * (rss.MAX_BYTES + 1))
    monkeypatch.undo()
    with pytest.raises(FeedError, match="without the end of a tag"):
        parse("<rss><!--" + "x" * (xml_text.LONGEST + 9))
    with pytest.raises(FeedError, match="a JSON Feed has at most"):
        parse('{"' + "x" * json_feed.MAX_LENGTH)


def test_large_documents_are_read_item_by_item_at_the_same_speed():
    """Five megabytes: the time of an item near that of a small document (it was 17 times), and no tree in memory."""

    def document(count: int, at: int) -> bytes:
        return channel("".join(
            f"<item><title>Chips fall again, part {n}</title><link>https://a.org/{n}</link>"
            f"<description>{n} words of a summary, long enough to be one, and a little more</description>{DATE}</item>"
            for n in range(at, at + count)
        )).encode()  # fmt: skip

    small, large = [document(1_000, n * 1_000) for n in range(5)], document(24_000, 100_000)
    assert len(large) > 4 << 20
    spent = []
    for documents in (small, [large]):
        started = time.process_time()
        count = sum(len(parse(each).headlines) for each in documents)
        spent.append((time.process_time() - started) / count)
    assert count == 24_000
    assert spent[1] < 5 * spent[0]


def test_ctrl_c_ends_reading_within_a_second(tmp_path):
    """A real process, a real signal, while a document of 19 MB is read."""
    (tmp_path / "news.xml").write_text(channel(f"<item><title>A & B</title>{DATE}</item>" * 250_000))
    code = "import sys; from pathlib import Path; from feeds.rss import read; print('on', flush=True); read(Path(sys.argv[1]))"
    child = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path / "news.xml"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=dict(os.environ),
    )  # fmt: skip
    try:
        child.stdout.readline()
        time.sleep(0.5)
        assert child.poll() is None
        child.send_signal(2)
        started = time.monotonic()
        child.wait(timeout=20)
        took = time.monotonic() - started
    finally:
        child.kill()
        child.stdout.close()
    assert took < 1


MUTATIONS = int(os.environ.get("MUTATIONS", "1500"))  # 20,000 where there is time
ODD = [b"<", b">", b"&", b"&#", b"&#55357;", b"&#x110000;", b"]]>", b"<![CDATA[", b"<!--", b"-->", b"\x00", b"\xff\xfe", b"\xed\xa0\x80",
       b"<item>", b"</item>", b"<entry>", b"<!DOCTYPE x [", b"<!ENTITY a 'b'>", b'xmlns="x"', b"xmlns:a='b'", b"<a:b>", b"\x1b[2J", b"<?xml version='1.0' encoding='utf-7'?>",
       b"encoding='punycode'", b"9" * 5_000, b'"', b"'", b"{", b"[", b"\\ud800", "\u202e".encode(), b"0000-00-00", b"99999999999999"]  # fmt: skip


def mutated(seed: bytes, chance: random.Random) -> bytes:
    """The document with cuts, doublings, swaps, odd bytes and references."""
    document = bytearray(seed)
    for _ in range(chance.randint(1, 6)):
        at, other = sorted(chance.randrange(len(document) + 1) for _ in range(2))
        match chance.randrange(5):
            case 0:
                document[at:other] = b""
            case 1:
                document[at:at] = document[at:other][:500]
            case 2:
                document[at:at] = chance.choice(ODD)
            case 3:
                document[at : at + 1] = bytes([chance.randrange(256)])
            case 4:
                document[at:other] = document[at:other].replace(chance.choice(ODD[:9]), chance.choice(ODD))
    return bytes(document)


def test_no_mutated_document_makes_more_than_a_feed_error():
    """Of every kind that we have."""
    chance = random.Random(18)
    seeds = [path.read_bytes() for path in sorted((CASES / "feeds").iterdir())]
    seeds += [path.read_bytes()[:6_000] for path in sorted(EPISODES.glob("*/news/*.xml"))[:6]]
    read = 0
    for _ in range(MUTATIONS):
        try:
            parsed = rss.parse(mutated(chance.choice(seeds), chance), feed="f", seen=chance.choice([SEEN, None]))
        except FeedError:
            continue
        read += bool(parsed.headlines)
        for headline in parsed.headlines:
            assert headline.title == " ".join(headline.title.split())
            assert (
                item_fields.printable(headline.title + headline.link + headline.source)
                == headline.title + headline.link + headline.source
            )
    assert read > MUTATIONS / 3
