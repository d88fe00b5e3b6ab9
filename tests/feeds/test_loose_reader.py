"""What only feedparser can read: the right titles and times, and nothing that it could do to us."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest

from feeds import item_fields, loose_reader, rss
from feeds.errors import FeedError
from tests.feeds.formats.test_xml_items import channel, mutated
from tests.helpers.paths import CASES

SEEN = datetime(2025, 1, 27, 14, tzinfo=UTC)
ODD = CASES / "odd_feeds"


def cdf(items: str) -> str:
    """A document in Microsoft's Channel Definition Format."""
    return f'<?xml version="1.0"?><CHANNEL HREF="https://a.org/"><TITLE>Paper</TITLE>{items}</CHANNEL>'


def item(title: str, stated: str = "2025-01-27T09:00:00-05:00") -> str:
    """One item of it."""
    return f'<ITEM HREF="https://a.org/1" LASTMOD="{stated}"><TITLE>{title}</TITLE></ITEM>'


def parse(document: str | bytes, seen: datetime | None = SEEN):
    """What a document holds."""
    return rss.parse(document.encode() if isinstance(document, str) else document, feed="f", seen=seen)


@pytest.fixture
def feedparser_that(tmp_path, monkeypatch):
    """Puts another feedparser in the way of the real one: its `parse` does what it is told."""

    def put(does: str) -> None:
        (tmp_path / "feedparser.py").write_text(f"import os, sys, time\ndef parse(*_, **__):\n    {does}\n")
        monkeypatch.syspath_prepend(tmp_path)

    return put


@pytest.mark.parametrize("name", ["cdf", "capitals", "base64"])
def test_what_only_feedparser_reads_has_its_titles_times_and_links(name):
    """Channel Definition Format, RSS in capitals, Atom 0.3 with titles in base64."""
    parsed = parse((ODD / f"{name}.xml").read_bytes(), seen=None)
    assert [(each.title, each.published.isoformat(), each.link) for each in parsed.headlines] == [
        ("Chips fall & rise", "2025-01-27T14:00:00+00:00", "https://example.org/1"),
        ("DeepSeek überholt", "2025-01-27T15:30:00+00:00", "https://example.org/2"),
    ]
    assert {each.source for each in parsed.headlines} == {"Paper"}
    assert parsed.rejects == ()
    assert [reason for reason in parsed.remarks if reason.startswith(loose_reader.REMARK)]


@pytest.mark.parametrize("change", [("<ITEM", "<i><ITEM"), ("&amp;", "&"), ("CHANNEL", "channel"), ("ITEM", "item")])
def test_a_broken_odd_document_keeps_its_dates_and_links(change):
    """What our reader could take for RSS without either is still read by feedparser."""
    (headline,) = parse(cdf(item("a &amp; b")).replace(*change), seen=None).headlines
    assert (headline.title, headline.link) == ("a & b", "https://a.org/1")
    assert headline.published == SEEN


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-15", "cp1251", "shift-jis"])
def test_an_odd_document_is_decoded_as_any_other(encoding):
    """It is given our text, so that what was checked is what it reads, whichever packages are there."""
    title = {"cp1251": "Акции", "shift-jis": "株価"}.get(encoding, "Größe")
    document = cdf(item(title)).replace("?>", f' encoding="{encoding}"?>', 1)
    assert [each.title for each in parse(document.encode(encoding)).headlines] == [title]


def test_a_document_that_our_reader_reads_starts_no_process(monkeypatch):
    """Whole, broken or without an item; nor does a page, or one that declares entities."""
    monkeypatch.setattr(subprocess, "Popen", None)
    for document in (
        channel("<item><title>a</title></item>"),
        channel("<item><title>a & b</titel></item>"),
        channel(""),
    ):
        parse(document)
    for document in (
        "<html><body>no feed</body></html>",
        "plain words",
        '<!DOCTYPE x [<!ENTITY a "b">]>' + cdf(item("&a;")),
    ):
        with pytest.raises(FeedError):
            parse(document)


def test_feedparser_is_not_loaded_into_our_process():
    """Not even when it reads a document."""
    code = (
        "import sys; from feeds import rss; from datetime import datetime, UTC\n"
        f"found = rss.parse({cdf(item('a')).encode()!r}, feed='f', seen=None).headlines\n"
        "print(len(found), 'feedparser' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "1 False\n"
    )


@pytest.mark.parametrize("stated", ["01-27", "--01-27", "T09:00", "-0127", "25", "9:00"])
def test_no_date_is_made_from_todays_clock(stated):
    """Where feedparser fills such dates from the day on which it runs, there is no date."""
    parsed = parse(cdf(item("a", stated)))
    today = datetime.now(UTC)
    assert [each.published for each in parsed.headlines if each.published and each.published.year >= today.year] == []


def test_titles_are_cleaned_and_items_told_apart_as_everywhere():
    """No terminal is given orders, and items of one address are both kept."""
    first, second = parse(cdf(item("a &lt;b&gt;b&lt;/b&gt; \u202ec") + item("d"))).headlines
    assert (first.title, second.title) == ("a b c", "d")
    assert first.id != second.id


def test_a_document_that_breaks_off_is_refused_as_a_file(tmp_path):
    """Of one that was fetched, the item that breaks off is lost."""
    document = (ODD / "base64.xml").read_bytes()[:-40]
    parsed = parse(document)
    assert [each.title for each in parsed.headlines] == ["Chips fall & rise"]
    assert [reject.reason for reject in parsed.rejects] == ["cut off", "the document breaks off at line 14"]
    (tmp_path / "news.xml").write_bytes(document)
    with pytest.raises(FeedError, match="breaks off"):
        rss.read(tmp_path / "news.xml")


@pytest.mark.parametrize(
    ("does", "message"),
    [
        ("while True: pass", "takes (more than 2 s of the processor|too long)"),
        ("raise ValueError('no\\nsuch\\x1b thing')", "raises ValueError"),
        ("raise SystemExit(3)", "ended with code 3"),
        ("os.abort()", "ended with code -6"),
        ("def f(): f()\n    f()", "raises RecursionError"),
        ("x = b'x' * (1 << 30)", "needs more than 512 MiB"),
        ("class R(dict): feed = {'title': 'x' * 40000}; entries = [feed] * 1000\n    return R()", "MiB of text"),
        ("print('{}', flush=True)\n    raise OSError", "raises OSError"),
    ],
)
def test_whatever_feedparser_does_is_one_line(does, message, feedparser_that):
    """Within three seconds of the processor, however many others want it."""
    feedparser_that(does)
    before = os.times()
    with pytest.raises(FeedError, match=message) as refused:
        parse(cdf(item("a")))
    after = os.times()
    assert after.children_user + after.children_system - before.children_user - before.children_system < 3
    assert str(refused.value).isprintable()


def test_a_feedparser_that_only_waits_is_ended_by_the_clock_on_the_wall(feedparser_that, monkeypatch):
    """Where a system knows no limits, all are."""
    feedparser_that("time.sleep(60)")
    monkeypatch.setattr(loose_reader, "_PATIENCE", 0.5)
    started = time.monotonic()
    with pytest.raises(FeedError, match="takes too long on the clock"):
        parse(cdf(item("a")))
    assert time.monotonic() - started < 3


def hostile() -> dict[str, str]:
    """Odd documents that cost feedparser more than others; with what becomes of them."""
    attributes = " ".join(f'a{n}="b"' for n in range(30_000))
    return {
        "comments that never end": cdf(item("x") + item("&lt;!--" * 40_000)),
        "backgrounds": cdf(item("x") + item('&lt;p style="background:url(' * 10_000)),
        "scripts": cdf(item("x") + item("&amp;lt;script&amp;gt;" * 20_000)),
        "a title that no pipe holds": cdf(item("x") + item("Chips fall. " * 50_000)),
        "nesting": cdf(item("x") + "<A>" * 40_000 + "</A>" * 40_000),
        "digits": cdf(item("x") + item(f"&amp;#{'9' * 5_000};")),
        "attributes": cdf(item("x") + f"<ITEM {attributes}/>"),
    }


@pytest.mark.parametrize("name", hostile())
def test_hostile_documents_end_soon(name):
    """Read, or no feed after two seconds of the processor, or what feedparser raises; nothing waits for anything."""
    document = hostile()[name]
    before = os.times()
    refused = ""
    titles = []
    try:
        titles = [each.title for each in parse(document).headlines]
    except FeedError as wrong:
        refused = wrong.reason
    after = os.times()
    assert sum(after[:4]) - sum(before[:4]) < 3
    expected = {"digits": "raises ValueError", "attributes": "takes "}.get(name)
    assert (expected in refused) if expected else ("x" in titles)


def test_ctrl_c_ends_it_within_a_second(tmp_path, feedparser_that):
    """A real process, a real signal, and nothing of it is left."""
    feedparser_that(f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n    time.sleep(60)")
    (tmp_path / "news.xml").write_text(cdf(item("a")))
    code = f"import sys; sys.path[:] = {sys.path!r}; from pathlib import Path; from feeds.rss import read; read(Path(sys.argv[1]))"
    child = subprocess.Popen([sys.executable, "-c", code, tmp_path / "news.xml"], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 7
        while not ((tmp_path / "pid").exists() and (tmp_path / "pid").read_text()) and time.monotonic() < deadline:
            time.sleep(0.02)
        child.send_signal(2)
        started = time.monotonic()
        child.wait(timeout=20)
        took = time.monotonic() - started
    finally:
        child.kill()
    assert took < 1
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


MUTATIONS = int(os.environ.get("MUTATIONS", "1500"))  # 20,000 where there is time


def test_no_mutated_document_makes_more_than_a_feed_error(monkeypatch):
    """As in a process of its own, but without one, since each costs a fifth of a second."""
    handed = []

    def answer(document, _):
        handed.append(document)
        try:
            return loose_reader.texts(document)
        except Exception as wrong:  # noqa: BLE001 (as in `main`)
            return {"wrong": f"raises {type(wrong).__name__}"}

    monkeypatch.setattr(loose_reader, "_answer", answer)
    chance = random.Random(19)
    seeds = [path.read_bytes() for path in sorted(ODD.iterdir())]
    read = 0
    for _ in range(MUTATIONS):
        try:
            parsed = rss.parse(mutated(chance.choice(seeds), chance), feed="f", seen=chance.choice([SEEN, None]))
        except FeedError:
            continue
        read += bool(parsed.headlines)
        for headline in parsed.headlines:
            shown = headline.title + headline.link + headline.source
            assert item_fields.printable(shown) == shown
            assert headline.published is None or headline.published.year < 2026 or b"20" in handed[-1]
    assert read > MUTATIONS / 3
    assert len(handed) > MUTATIONS / 5
