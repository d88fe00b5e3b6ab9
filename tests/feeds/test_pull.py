"""Polling against a real server that misbehaves in every way we know."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from feeds import loose_reader
from feeds.archive import Archive
from feeds.errors import FetchError
from feeds.fetch import Fetcher, Limits, is_public, retry_after
from feeds.formats import xml_text
from feeds.opml import FeedEntry
from feeds.pull import PatientGet, pull, pull_forever, pull_once
from tests.helpers.misbehaving_server import Server

QUICK = Limits(
    connect=1, read=0.7, total=1.5, wire=2 << 20, unpacked=4 << 20, tries=2, back_off=0.01, host_gap=0, at_once=20
)
EXPECTED = {
    "/good": ("ok", 2),
    "/conditional": ("ok", 1),
    "/moved/1": ("ok", 1),
    "/found": ("ok", 2),
    "/loop/a": ("redirect loop", 0),
    "/throttled": ("throttled", 0),
    "/flaky": ("ok", 1),
    "/slow": ("timeout", 0),
    "/endless": ("too large", 0),
    "/bomb": ("too large", 0),
    "/brotlibomb": ("too large", 0),
    "/packed": ("ok", 1),
    "/brotli": ("ok", 1),
    "/short": ("cut short", 0),
    "/truncated": ("ok", 2),
    "/html": ("no feed", 0),
    "/tofile": ("refused address", 0),
    "/missing": ("client error", 0),
    "/gone": ("gone", 0),
    "/validators": ("ok", 1),
    "/crawl/1": ("timeout", 0),
}


@pytest.fixture
def server():
    """The misbehaving server."""
    with Server() as running:
        yield running


def subscribe(archive: Archive, server: Server, *paths: str) -> None:
    """Subscribes to paths of the server; the one that throttles has another name, since it quiets its host."""
    other = server.url.replace("127.0.0.1", "localhost")
    archive.subscribe(
        [FeedEntry(url=(other if path == "/throttled" else server.url) + path, name=path) for path in paths]
    )


def rows(archive: Archive) -> dict[str, dict]:
    """Health by path."""
    return {row["name"]: row for row in archive.health()}


def test_each_misbehaviour_has_its_row_and_none_stops_the_rest(server, tmp_path):
    """Outcome and new headlines of every feed, in less than 300 MB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with Archive(tmp_path / "a.sqlite") as archive:
        subscribe(archive, server, *EXPECTED)
        pull(archive, Fetcher(QUICK, allow_private=True))
        found = {path: (row["outcome"], row["new"]) for path, row in rows(archive).items()}
        assert found == EXPECTED
        assert archive.verify() == []
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 * 1024  # KiB


def test_a_redirect_to_a_private_address_is_refused(server, tmp_path, monkeypatch):
    """Loopback stands in for the public internet here; 10.1.2.3 does not."""
    monkeypatch.setattr("feeds.fetch.is_public", lambda address: address == "127.0.0.1")
    with Archive(tmp_path / "a.sqlite") as archive:
        subscribe(archive, server, "/toprivate", "/good")
        pull(archive, Fetcher(QUICK))
        assert rows(archive)["/toprivate"]["outcome"] == "refused address"
        assert "10.1.2.3" in rows(archive)["/toprivate"]["detail"]
        assert rows(archive)["/good"]["outcome"] == "ok"


def test_private_addresses_are_refused_unless_allowed(server, tmp_path):
    """Also where a name leads to one."""
    with Archive(tmp_path / "a.sqlite") as archive:
        subscribe(archive, server, "/good")
        archive.subscribe([FeedEntry(url=server.url.replace("127.0.0.1", "localhost") + "/good", name="name")])
        pull(archive, Fetcher(QUICK))
        assert {row["outcome"] for row in archive.health()} == {"refused address"}
    assert server.counts == {}


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "224.0.0.1", "::1", "fe80::1%eth0", "fd00::1",
     "::ffff:127.0.0.1", "2002:7f00:1::", "64:ff9b::10.0.0.1", "100.64.0.1", "no address", "fec0::1", "64:ff9b:1::1",
     "::7f00:1", "::127.0.0.1", "::", "0.0.0.1", "2001:0:7f00:1::1", "2606:4700::5efe:10.0.0.1", "fd00:ec2::254",
     "100.100.100.200", "192.0.0.192", "168.63.129.16", "::ffff:169.254.169.254", "2001:db8::1", "3fff::1", "ff02::1",
     "255.255.255.255", "240.0.0.1", "198.18.0.1"],
)  # fmt: skip
def test_what_is_not_the_public_internet(address):
    """Local, reserved, a cloud's own services; wrapped addresses are looked at from inside."""
    assert not is_public(address)


def test_public_addresses_are_public():
    """One of each family."""
    assert is_public("93.184.215.14")
    assert is_public("2606:2800:21f:cb07:6820:80da:af6b:8b2c")
    assert is_public("64:ff9b::93.184.215.14")


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "127.1", "[::ffff:7f00:1]", "[fec0::1]"],
)
def test_no_spelling_of_a_private_address_is_connected_to(host, monkeypatch):
    """Whatever a name resolves to is checked, and nothing is sent."""

    def forbidden(*_):
        raise AssertionError("it connected")

    monkeypatch.setattr("httpx.AsyncHTTPTransport.handle_async_request", forbidden)
    get = PatientGet(Fetcher(QUICK))
    try:
        with pytest.raises(FetchError, match=r"refused address|bad address"):
            get(f"http://{host}/latest/meta-data")
    finally:
        get.close()


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "0xa9fea9fe", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "[fe80::1]"]
)
def test_a_machines_secrets_are_refused_even_where_private_addresses_are_allowed(host, server, monkeypatch):
    """A feed on one's own network may redirect; link-local addresses and a cloud's own have no feed."""
    reached = []
    sent = httpx.AsyncHTTPTransport.handle_async_request

    async def noted(transport, request):
        reached.append(request.url.host)
        assert request.url.host == "127.0.0.1"
        return await sent(transport, request)

    monkeypatch.setattr("httpx.AsyncHTTPTransport.handle_async_request", noted)
    get = PatientGet(Fetcher(QUICK, allow_private=True))
    try:
        with pytest.raises(FetchError, match="where no feed is"):
            get(f"{server.url}/elsewhere/{host}")
    finally:
        get.close()
    assert reached == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("path", "outcome", "detail"),
    [
        ("/nowhere", "bad redirect", "HTTP 301 that does not say where to"),
        ("/noport", "bad address", "there is no port 99999"),
        ("/unasked", "client error", "HTTP 304 (unchanged), though nothing was asked of an earlier document"),
    ],
)
def test_answers_that_mean_nothing_are_faults_and_say_which(server, tmp_path, path, outcome, detail):
    """They are neither feeds nor good polls."""
    with Archive(tmp_path / "a.sqlite") as archive:
        subscribe(archive, server, path)
        (done,) = pull(archive, Fetcher(QUICK, allow_private=True))
        assert (done.fetch.outcome, done.fetch.detail) == (outcome, detail)
        assert archive.health()[0]["good"] == 0


def test_the_second_poll_is_conditional_and_costs_nothing(server, tmp_path):
    """ETag and Last-Modified come back; 304 stores no document."""
    with Archive(tmp_path / "a.sqlite") as archive:
        subscribe(archive, server, "/conditional")
        for _ in range(2):
            pull(archive, Fetcher(QUICK, allow_private=True))
        row = rows(archive)["/conditional"]
        assert (row["outcome"], row["status"], row["fetches"], row["documents"]) == ("unchanged", 304, 2, 1)
    sent = server.seen_headers["/conditional"]
    assert sent["If-Modified-Since"] == "Mon, 27 Jan 2025 12:00:00 GMT"
    assert "Aftershock" in sent["User-Agent"]


def test_a_permanent_redirect_is_remembered_and_a_temporary_one_is_not(server, tmp_path):
    """The next poll goes straight to the new address."""
    with Archive(tmp_path / "a.sqlite") as archive:
        subscribe(archive, server, "/moved/1", "/found")
        for _ in range(2):
            pull(archive, Fetcher(QUICK, allow_private=True))
        assert rows(archive)["/moved/1"]["moved_to"] == server.url + "/moved/3"
        assert rows(archive)["/found"]["moved_to"] is None
    assert (server.counts["/moved/1"], server.counts["/moved/3"]) == (1, 2)


def test_retry_after_is_honoured(server, tmp_path):
    """A throttled feed is not asked again before its hour."""
    with Archive(tmp_path / "a.sqlite") as archive:
        subscribe(archive, server, "/throttled", "/good")
        pull(archive, Fetcher(QUICK, allow_private=True))
        pull(archive, Fetcher(QUICK, allow_private=True))
        (throttled, good) = archive.subscriptions()
        assert throttled.next_at - datetime.now(UTC) > timedelta(minutes=59)
        assert good.next_at - datetime.now(UTC) < timedelta(minutes=17)
    assert (server.counts["/throttled"], server.counts["/good"]) == (1, 2)


def test_a_host_that_throttles_is_left_alone_by_all_its_feeds(server, tmp_path):
    """A 429 for one address speaks for the host; the others are not asked, and wait as long."""
    with Archive(tmp_path / "a.sqlite") as archive:
        other = server.url.replace("127.0.0.1", "localhost")
        archive.subscribe([FeedEntry(url=other + path, name=path) for path in ("/throttled", "/good")])
        pull(archive, Fetcher(QUICK, allow_private=True))
        assert [feed.last_outcome for feed in archive.subscriptions()] == ["throttled", "throttled"]
        assert all(feed.next_at - datetime.now(UTC) > timedelta(minutes=59) for feed in archive.subscriptions())
    assert server.counts == {"/throttled": 1}


def test_a_feed_that_is_gone_is_polled_no_more_and_says_so(server, tmp_path):
    """HTTP 410 means for good."""
    with Archive(tmp_path / "a.sqlite") as archive:
        subscribe(archive, server, "/gone")
        (outcome,) = pull(archive, Fetcher(QUICK, allow_private=True))
        assert outcome.fetch.outcome == "gone"
        assert "no longer polled" in outcome.fetch.detail
        assert pull(archive, Fetcher(QUICK, allow_private=True)) == []
        assert server.counts["/gone"] == 1
        subscribe(archive, server, "/gone")  # who adds it again wants to know
        assert [each.fetch.outcome for each in pull(archive, Fetcher(QUICK, allow_private=True))] == ["gone"]
        assert pull(archive, Fetcher(QUICK, allow_private=True)) == []


def test_validators_come_back_byte_by_byte_or_not_at_all(server, tmp_path):
    """Bytes that are no ASCII can be sent; what cannot be sent is dropped, and the feed goes on."""
    with Archive(tmp_path / "a.sqlite") as archive:
        subscribe(archive, server, "/validators")
        for _ in range(2):
            pull(archive, Fetcher(QUICK, allow_private=True))
        assert server.seen_headers["/validators"]["If-None-Match"] == '"caf\xe9"'
        assert server.seen_headers["/validators"]["If-Modified-Since"] == "soon \xfc"
        archive._connection.execute("UPDATE feeds SET etag = ?, modified = ?", ("№ 1", "a\nb"))
        pull(archive, Fetcher(QUICK, allow_private=True))
        assert rows(archive)["/validators"]["outcome"] == "unchanged"
    assert "If-None-Match" not in server.seen_headers["/validators"]
    assert "If-Modified-Since" not in server.seen_headers["/validators"]


def test_a_clock_that_was_ahead_silences_nobody(server, tmp_path):
    """A next poll in a year was never a rule of ours."""
    with Archive(tmp_path / "a.sqlite") as archive:
        subscribe(archive, server, "/good")
        pull(archive, Fetcher(QUICK, allow_private=True))
        ahead = (datetime.now(UTC) + timedelta(days=365)).timestamp() * 1e6
        archive._connection.execute("UPDATE feeds SET next_at = ?", (int(ahead),))
        asyncio.run(pull_once(archive, Fetcher(QUICK, allow_private=True), only_due=True))
        (feed,) = archive.subscriptions()
        assert feed.next_at - datetime.now(UTC) < timedelta(minutes=17)
    assert server.counts["/good"] == 2


def test_five_hundred_feeds_are_polled_at_each_round_whatever_three_of_them_do(server, tmp_path, monkeypatch):
    """One drips for longer than the test takes, one raises, one has validators of odd bytes; all on one host."""
    healthy = [f"/good/{number}" for number in range(497)]
    limits = Limits(connect=5, read=60, total=120, tries=1, host_gap=0, turn=0.2)
    answer = Fetcher.get

    async def get(self, url, **options):
        if url.endswith("/raising"):
            raise RuntimeError("a fault of ours")
        return await answer(self, url, **options)

    monkeypatch.setattr(Fetcher, "get", get)

    async def rounds(archive):
        fetcher = Fetcher(limits, allow_private=True)
        polling = asyncio.create_task(pull_forever(archive, fetcher, every=timedelta(seconds=4)))
        async with asyncio.timeout(90), fetcher:
            while min(server.counts[path] for path in healthy) < 2:
                assert not polling.done()
                await asyncio.sleep(0.1)
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)

    with Archive(tmp_path / "a.sqlite") as archive:
        subscribe(archive, server, "/slow", "/raising", "/validators", *healthy)
        asyncio.run(rounds(archive))
        found = rows(archive)
        assert {found[path]["outcome"] for path in healthy} <= {"ok", "unchanged"}
        assert (found["/raising"]["outcome"], found["/validators"]["outcome"]) == ("fault", "unchanged")
        assert (server.counts["/slow"], found["/slow"]["fetches"]) == (1, 0)  # still dripping
    assert max(server.counts[path] for path in healthy) <= 5


def test_the_end_of_polling_waits_for_no_document_that_takes_long_to_read(server, tmp_path, monkeypatch):
    """Ctrl-C while nine megabytes of faults are read: done within a second, and the archive is sound."""
    reading = threading.Event()
    repaired = xml_text.repaired

    def begun(*given):
        reading.set()
        return repaired(*given)

    monkeypatch.setattr(xml_text, "repaired", begun)

    async def stop(archive):
        fetcher = Fetcher(Limits(host_gap=0), allow_private=True)
        polling = asyncio.create_task(pull_forever(archive, fetcher, every=timedelta(seconds=30)))
        async with fetcher:
            assert await asyncio.to_thread(reading.wait, 30)
            started = time.monotonic()
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)
            return time.monotonic() - started

    with Archive(tmp_path / "a.sqlite") as archive:
        subscribe(archive, server, "/heavy")
        assert asyncio.run(stop(archive)) < 1
        assert archive.verify() == []


def test_an_odd_document_is_read_once_until_it_changes(server, tmp_path, monkeypatch):
    """By feedparser, whose process costs a fifth of a second; an unchanged document starts none."""
    with Archive(tmp_path / "a.sqlite") as archive:
        subscribe(archive, server, "/odd")
        (first,) = pull(archive, Fetcher(QUICK, allow_private=True))
        assert (first.fetch.outcome, first.stored.new) == ("ok", 1)
        assert first.fetch.detail == "1 × read by feedparser: neither RSS nor Atom"
        monkeypatch.setattr(loose_reader, "_run", None)
        (second,) = pull(archive, Fetcher(QUICK, allow_private=True))
        assert second.fetch.outcome == "unchanged"


def wait_for(path):
    """Waits until a file is there."""
    while not path.exists():
        time.sleep(0.02)


def test_the_end_of_polling_waits_for_no_feedparser(server, tmp_path, monkeypatch):
    """Ctrl-C while it does nothing at all: done within a second, and the archive is sound."""
    started_at = tmp_path / "started"
    (tmp_path / "feedparser.py").write_text(
        f"import time\ndef parse(*_, **__):\n    open({str(started_at)!r}, 'w').close()\n    time.sleep(60)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)

    async def stop(archive):
        fetcher = Fetcher(Limits(host_gap=0), allow_private=True)
        polling = asyncio.create_task(pull_forever(archive, fetcher, every=timedelta(seconds=30)))
        async with fetcher:
            await asyncio.to_thread(wait_for, started_at)
            started = time.monotonic()
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)
            return time.monotonic() - started

    with Archive(tmp_path / "a.sqlite") as archive:
        subscribe(archive, server, "/odd")
        assert asyncio.run(asyncio.wait_for(stop(archive), 30)) < 1
        assert archive.verify() == []


def test_failures_back_off(server, tmp_path):
    """Twice as long after each failure, a tenth more or less."""
    with Archive(tmp_path / "a.sqlite") as archive:
        subscribe(archive, server, "/html")
        waits = []
        for _ in range(3):
            pull(archive, Fetcher(QUICK, allow_private=True))
            (feed,) = archive.subscriptions()
            waits.append((feed.next_at - datetime.now(UTC)).total_seconds() / 60)
            archive._connection.execute("UPDATE feeds SET next_at = 0")
        assert [round(wait / 15) for wait in waits] == [1, 2, 4]


def test_an_empty_answer_loses_nothing(server, tmp_path):
    """A lone bad day of a feed takes no headline away."""
    with Archive(tmp_path / "a.sqlite") as archive:
        subscribe(archive, server, "/good")
        pull(archive, Fetcher(QUICK, allow_private=True))
        archive._connection.execute("UPDATE feeds SET url = ?", (server.url + "/html",))
        pull(archive, Fetcher(QUICK, allow_private=True))
        assert len(archive.as_of(datetime.now(UTC))) == 2


def test_retry_after_reads_seconds_and_dates():
    """And nothing else; never longer than a week."""
    now = datetime(2025, 1, 27, 12, tzinfo=UTC)
    assert retry_after("120", now) == 120
    assert retry_after("Mon, 27 Jan 2025 12:01:00 GMT", now) == 60
    assert retry_after("Mon, 27 Jan 2020 12:01:00 GMT", now) == 0
    assert retry_after("99999999999", now) == 7 * 86400
    assert retry_after("soon", now) is None


def test_the_patient_getter_gives_bodies_and_clear_errors(server):
    """For history: one address after the other."""
    get = PatientGet(Fetcher(QUICK, allow_private=True), longest=1)
    assert b"turbines" in get(server.url + "/good")
    with pytest.raises(FetchError, match="throttled"):
        get(server.url + "/throttled")
    get.close()


def test_ctrl_c_ends_within_two_seconds_and_keeps_what_was_fetched(server, tmp_path):
    """A real process, a real signal, while a slow body is being read."""
    path = tmp_path / "a.sqlite"
    with Archive(path) as archive:
        subscribe(archive, server, "/good", "/slow")
    child = subprocess.Popen(
        [sys.executable, "-m", "backtests", "feeds", "pull", "--every", "1h", "--allow-private", "--archive", path],
        stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        for line in child.stderr:
            if "/good" in line:
                break
        child.send_signal(signal.SIGINT)
        started = time.monotonic()
        _, said = child.communicate(timeout=20)
        took = time.monotonic() - started
    finally:
        child.kill()  # a test that fails leaves nobody polling
    assert took < 2
    assert child.returncode == 130
    assert "Traceback" not in said
    with Archive(path) as archive:
        assert len(archive.as_of(datetime.now(UTC))) == 2
        assert archive.verify() == []
