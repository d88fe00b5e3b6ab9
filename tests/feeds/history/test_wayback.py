"""Back-filling from the Internet Archive: everything once, oldest first, with the moment it was known."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from urllib.parse import quote_plus

import pytest

from feeds.errors import FetchError
from feeds.history import sources, wayback
from tests.helpers.feed_servers import Server, asks, get

FEED = "https://wire.example/rss?edition=us"
DAYS = (date(2025, 1, 13), date(2025, 2, 7))
QUARTER = timedelta(minutes=15)


def index(rows, *, at_once: int = 1000):
    """Answers like the CDX server: collapses within a page, pages by a resume key that comes percent-encoded."""

    def answer(path: str):
        asked = asks(path)
        if "/cdx" not in path:
            stamp = path.split("/")[2].removesuffix("id_")
            return 200, {}, f"<rss>{stamp}</rss>".encode()
        hits = [
            row
            for row in rows
            if asked["from"] <= row[0] <= asked["to"] and row[0] > asked.get("resumeKey", "")[-15:-1]
        ]
        page = hits[:at_once]
        listed = [row for n, row in enumerate(page) if n == 0 or row[2] != page[n - 1][2]]
        table = [["timestamp", "original", "digest"], *listed] if listed else []
        if len(hits) > at_once:
            table += [[], [quote_plus(f"example,wire)/rss {page[-1][0]}!")]]
        return 200, {"Content-Type": "application/json"}, json.dumps(table).encode()

    return answer


def rows(*stamps_and_digests: tuple[str, str]) -> list[tuple[str, str, str]]:
    """Rows of the index: when, and a digest of what."""
    return [(stamp, FEED, digest) for stamp, digest in stamps_and_digests]


THREE = rows(("20250113120000", "A"), ("20250127124501", "B"), ("20250128000000", "C"))


def captured(server: Server, **options):
    """All captures of the feed on a server."""
    return wayback.captures(
        get, FEED, *DAYS, endpoint=f"{server.address}/cdx", replay=f"{server.address}/web", **options
    )


def test_captures_carry_the_archives_moment_and_raw_bytes(serve):
    """Seen is the capture's time in UTC, and the replay is asked for bytes that nobody rewrote."""
    server = serve(index(THREE))
    first, second, _ = captured(server)
    assert second == sources.Capture(
        feed=FEED, url=FEED, seen=datetime(2025, 1, 27, 12, 45, 1, tzinfo=UTC), body=b"<rss>20250127124501</rss>",
        provenance="backfill", rule="capture time of the Internet Archive", key=f"wayback:20250127124501:{FEED}",
    )  # fmt: skip
    assert first.seen < second.seen
    assert f"/web/20250127124501id_/{FEED}" in server.asked


def test_the_index_is_asked_for_whole_days_and_good_captures_only(serve):
    """The feed's own query string survives."""
    server = serve(index(THREE))
    list(captured(server))
    asked = asks(server.asked[0])
    assert (asked["url"], asked["from"], asked["to"]) == (FEED, "20250113000000", "20250207235959")
    assert (asked["filter"], asked["collapse"], asked["output"]) == ("statuscode:200", "digest", "json")


def test_pages_are_followed_by_their_resume_keys(serve):
    """Seven captures, three a page: three pages, each capture once, in order."""
    seven = rows(*((f"2025012{day}000000", str(day)) for day in range(7)))
    server = serve(index(seven, at_once=3))
    assert [capture.key[8:22] for capture in captured(server)] == [row[0] for row in seven]
    assert [asks(path).get("resumeKey") for path in server.asked if "/cdx" in path] == [
        None, "example,wire)/rss 20250122000000!", "example,wire)/rss 20250125000000!",
    ]  # fmt: skip


def test_neighbours_with_the_same_bytes_are_one_across_pages_too(serve):
    """A A | A B A: the server forgets at the page's end, we do not; a feed that goes back is new."""
    five = rows(*((f"2025012{day}000000", digest) for day, digest in enumerate("AAABA")))
    server = serve(index(five, at_once=2))
    assert [capture.key[8:16] for capture in captured(server)] == ["20250120", "20250123", "20250124"]


@pytest.mark.parametrize("empty", [b"[]", b"", b'[["timestamp","original","digest"]]', b"\n"])
def test_a_feed_without_captures_is_no_error(serve, empty):
    """Nothing comes, after one request."""
    server = serve(lambda _: (200, {}, empty))
    assert (list(captured(server)), len(server.asked)) == ([], 1)


def test_after_an_interruption_no_capture_is_fetched_again(serve):
    """Two were taken and stored; the next run asks the index again and for the third alone."""
    server = serve(index(THREE))
    done = {capture.key for capture in islice(captured(server), 2)}
    before = len(server.asked)
    assert [capture.key[8:22] for capture in captured(server, done=done)] == ["20250128000000"]
    assert [path[:20] for path in server.asked[before:] if "/cdx" not in path] == ["/web/20250128000000i"]


def test_a_capture_that_is_gone_is_reported_and_the_others_go_on(serve):
    """404 for the second of three."""
    plain_index = index(THREE)
    server = serve(lambda path: (404, {}, b"") if "/web/20250127" in path else plain_index(path))
    lost = []
    assert len(list(captured(server, lost=lost.append))) == 2
    assert lost == [sources.Lost(key=f"wayback:20250127124501:{FEED}", reason="client error HTTP 404")]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("where", ["/web/20250127", "/cdx"])
def test_throttling_stops_with_word_of_how_to_go_on(serve, status, where):
    """What came is kept, the server's wish is handed on, nothing more is asked."""
    plain_index = index(THREE)
    server = serve(lambda path: (status, {"Retry-After": "60"}, b"") if where in path else plain_index(path))
    taken = []
    with pytest.raises(FetchError, match="run it again later") as raised:
        taken.extend(captured(server))
    assert (raised.value.kind, raised.value.retry_after) == ("throttled", 60)
    assert where in server.asked[-1]


def test_three_silences_in_a_row_are_throttling(serve):
    """The Archive refuses connections after too many requests; asking on would lose every capture."""
    server = serve(index(rows(*((f"2025012{day}000000", str(day)) for day in range(7)))))
    asked, lost = [], []

    def silent(url: str) -> bytes:
        if "/web/" not in url:
            return get(url)
        asked.append(url)
        raise FetchError(url, "network", "connection refused")

    with pytest.raises(FetchError, match="did not answer 3 times"):
        list(wayback.captures(silent, FEED, *DAYS, endpoint=f"{server.address}/cdx", lost=lost.append))
    assert (len(asked), len(lost)) == (3, 2)


@pytest.mark.parametrize("target", ["/web/20250128000000id_/x", "/web/20250127124501/x", "/elsewhere"])
def test_a_redirect_to_another_capture_is_refused(serve, target):
    """The nearest capture may be a later one: its headlines would be known too early."""
    plain_index = index(THREE)
    server = serve(lambda path: (302, {"Location": target}, b"") if "/web/20250127124501id_/h" in path else (
        plain_index(path) if "/cdx" in path else (200, {}, b"<rss/>")))  # fmt: skip
    lost = []
    assert len(list(captured(server, lost=lost.append))) == 2
    assert [each.reason.split(" (")[0][:15] for each in lost] == ["another capture"]


def test_a_redirect_to_the_same_capture_is_fine(serve):
    """Replays move between http and https twins of one capture."""
    plain_index = index(THREE)
    server = serve(lambda path: (302, {"Location": path + "&"}, b"") if path.endswith("us") and "/web" in path else plain_index(path))  # fmt: skip
    assert len(list(captured(server))) == 3


@pytest.mark.parametrize(
    "said", [b"<html>502 Bad Gateway</html>", b"[[", b'{"a": 1}', b'[["timestamp"],["20250101000000"]]', b"[[1],2]"]
)
def test_an_index_that_is_none_is_an_error_with_its_words(serve, said):
    """No half list is taken for the whole."""
    server = serve(lambda _: (200, {}, said))
    with pytest.raises(FetchError, match="bad answer"):
        list(captured(server))


def test_a_resume_key_that_goes_in_circles_ends(serve):
    """Twice the same key is an error, not a loop."""
    page = json.dumps([["timestamp", "original", "digest"], [], ["same"]]).encode()
    server = serve(lambda _: (200, {}, page))
    with pytest.raises(FetchError, match="same resume key"):
        list(captured(server))
    assert len(server.asked) == 2


def test_a_row_with_an_impossible_time_is_lost(serve):
    """The thirtieth of February."""
    server = serve(index(rows(("20250130000000", "A"), ("20250199000000", "B"))))
    lost = []
    assert len(list(wayback.captures(
        get, FEED, DAYS[0], date(2025, 12, 31), endpoint=f"{server.address}/cdx", replay=f"{server.address}/web", lost=lost.append
    ))) == 1  # fmt: skip
    assert [each.reason for each in lost] == ["the index's row cannot be read"]
