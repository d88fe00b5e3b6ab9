"""Back-filling from the Internet Archive and GDELT: everything once, oldest first, with the moment it was known.

The servers here speak HTTP on loopback; what they say has the shape of the real ones' answers.
"""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice, pairwise
from urllib.parse import parse_qs, quote_plus, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds import fields, rss
from feeds.errors import FeedError, FetchError
from feeds.history import document, gdelt, gdelt_answer, plain, wayback

FEED = "https://wire.example/rss?edition=us"
DAYS = (date(2025, 1, 13), date(2025, 2, 7))
QUARTER = timedelta(minutes=15)


class Server:
    """An HTTP server on loopback that answers by a function and remembers what it was asked."""

    def __init__(self, answer) -> None:
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                status, headers, body = outer.answer(self.path)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.answer = answer
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def running(self) -> Iterator[Server]:
        """Serves until the block ends."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


@pytest.fixture
def serve():
    """Starts servers that end with the test."""
    with closing(_Servers()) as servers:
        yield servers.start


class _Servers:
    def __init__(self) -> None:
        self.open: list[object] = []

    def start(self, answer) -> Server:
        running = Server(answer).running()
        self.open.append(running)
        return running.__enter__()

    def close(self) -> None:
        for running in self.open:
            running.__exit__(None, None, None)


def get(url: str) -> bytes:
    """The smallest Get: no retries, redirects checked."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 (loopback)
            wayback.check_same_capture(url, answer.url)
            return answer.read()
    except urllib.error.HTTPError as wrong:
        with wrong:
            kind = "throttled" if wrong.code in {429, 503} else "client error"
            wait = float(wrong.headers.get("Retry-After", 0)) or None
            raise FetchError(url, kind, f"HTTP {wrong.code}", status=wrong.code, retry_after=wait) from None
    except urllib.error.URLError as wrong:
        raise FetchError(url, "network", str(wrong.reason)) from None


def asks(path: str) -> dict[str, str]:
    """The parameters of a request."""
    return {name: values[-1] for name, values in parse_qs(urlsplit(path).query).items()}


# --- the Internet Archive ---------------------------------------------------------------------------------------------


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
    assert second == document.Capture(
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
    assert lost == [document.Lost(key=f"wayback:20250127124501:{FEED}", reason="client error HTTP 404")]


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


# --- GDELT ------------------------------------------------------------------------------------------------------------

START = datetime(2025, 1, 27, tzinfo=UTC)


def article(number: int, seen: datetime, **other: str) -> dict[str, str]:
    """A row of GDELT's list."""
    return {
        "url": f"https://paper.example/{number}", "url_mobile": "", "title": f"Headline {number}",
        "seendate": f"{seen:%Y%m%dT%H%M%SZ}", "socialimage": "", "domain": "paper.example",
        "language": "English", "sourcecountry": "United States", **other,
    }  # fmt: skip


def listing(articles, *, cap: int = 250):
    """Answers like the DOC API: both ends count, oldest first, no more than the cap; nothing at all is {}."""

    def answer(path: str):
        asked = asks(path)
        first, last = (f"{asked[name][:8]}T{asked[name][8:]}Z" for name in ("startdatetime", "enddatetime"))
        hits = sorted((row for row in articles if first <= row["seendate"] <= last), key=lambda row: row["seendate"])
        return 200, {}, json.dumps({"articles": hits[:cap]} if hits else {}).encode()

    return answer


def read(server: Server, query: str = "deepseek", days: float = 1, **options):
    """All that GDELT found, without the pauses."""
    options = {"wait": lambda _: None, **options}
    return gdelt.articles(get, query, START, START + timedelta(days=days), endpoint=server.address, **options)


def test_an_article_is_known_at_the_end_of_its_batch(serve):
    """12:30 is the start of fifteen minutes; published is not claimed."""
    server = serve(listing([article(1, START.replace(hour=12, minute=30), language="German")]))
    (found,) = read(server)
    assert (found.headline.seen, found.headline.published) == (START.replace(hour=12, minute=45), None)
    assert (found.provenance, found.rule) == ("backfill", "GDELT seendate + 15 minutes")
    assert (found.headline.language, found.headline.source) == ("de", "paper.example")
    assert found.feed == found.headline.feed == "gdelt:deepseek"


def test_gdelt_is_asked_in_its_own_words(serve):
    """An article list as JSON, oldest first, as long as it may be; alternatives stand in parentheses."""
    server = serve(listing([]))
    list(read(server, "deepseek OR nvidia"))
    assert asks(server.asked[0]) == {
        "query": "(deepseek OR nvidia)", "mode": "artlist", "format": "json", "maxrecords": "250", "sort": "dateasc",
        "startdatetime": "20250127000000", "enddatetime": "20250128000000",
    }  # fmt: skip
    list(read(server, "(deepseek OR nvidia) sourcelang:german"))
    assert asks(server.asked[1])["query"] == "(deepseek OR nvidia) sourcelang:german"


def test_no_slice_reaches_the_cap(serve):
    """1,000 articles in a day: slices are halved until each list is whole, and every article comes once, in order."""
    many = [article(n, START + QUARTER * (n % 96)) for n in range(1000)]
    server = serve(listing(many))
    found = list(read(server))
    assert sorted(each.headline.link for each in found) == sorted(row["url"] for row in many)
    assert [each.headline.seen for each in found] == sorted(each.headline.seen for each in found)
    assert len(server.asked) < 20


def test_a_batch_beyond_the_cap_is_read_as_far_as_it_goes_and_reported(serve):
    """300 articles in fifteen minutes cannot be sliced: 250 come, and it is said."""
    server = serve(listing([article(n, START) for n in range(300)]))
    lost = []
    assert len(list(read(server, lost=lost.append))) == 250
    assert [each.reason.split(";")[0] for each in lost] == ["cut: more than 250 articles in 15 minutes"]


def test_a_full_list_that_reaches_beyond_its_end_is_whole(serve):
    """The end belongs to the next slice; that its rows are there proves that none before is missing."""
    server = serve(listing([article(n, START + (n >= 240) * QUARTER) for n in range(260)]))
    lost = []
    assert len(list(read(server, days=1 / 48, step=QUARTER, lost=lost.append))) == 260
    assert (lost, len(server.asked)) == ([], 2)


def test_empty_windows_are_no_error(serve):
    """Three days without an article: three requests, nothing found, all finished."""
    server = serve(listing([]))
    finished = []
    assert (list(read(server, days=3, finished=finished.append)), len(server.asked)) == ([], 3)
    assert len(finished) == 3


def test_after_an_interruption_no_finished_slice_is_asked_for_again(serve):
    """Whatever was asked before is not asked again, full slices included; nothing is missing."""
    many = [article(n, START + QUARTER * (n % 96)) for n in range(600)]
    server = serve(listing(many))
    done: list[str] = []
    first = list(islice(read(server, finished=done.append), 300))
    before = server.asked.copy()
    rest = list(read(server, done=done, finished=done.append))
    after = server.asked[len(before) :]
    assert {each.headline.link for each in first + rest} == {row["url"] for row in many}
    assert set(before) & set(after) == {before[-1]}  # the slice in which it was interrupted
    assert list(read(server, done=done)) == []
    assert len(server.asked) == len(before + after)


def test_a_slice_is_finished_only_after_its_last_article_was_taken(serve):
    """Keys kept after the articles lose nothing."""
    server = serve(listing([article(1, START), article(2, START)]))
    finished = []
    reading = read(server, finished=finished.append)
    next(reading), next(reading)
    assert finished == []
    assert (list(reading), len(finished)) == ([], 1)


def test_a_slice_that_is_not_over_is_never_finished(serve):
    """Today is read, and read again tomorrow."""
    server = serve(listing([]))
    finished = []
    list(read(server, days=2, finished=finished.append, settled=START + timedelta(days=1, hours=3)))
    assert [key.rpartition(":")[2] for key in finished] == ["202501270000-202501280000"]


LIMIT = b"Please limit requests to one every 5 seconds or contact us for larger queries."


def test_throttling_in_a_good_answer_is_waited_for(serve):
    """GDELT says it with status 200 too; pauses grow."""
    server = serve(lambda path: (200, {}, LIMIT if len(server.asked) < 3 else listing([article(1, START)])(path)[2]))
    waits = []
    assert len(list(read(server, wait=waits.append))) == 1
    assert waits == [10, 5, 20, 5]


@pytest.mark.parametrize("answer", [(200, {}, LIMIT), (429, {}, LIMIT), (503, {"Retry-After": "7"}, b"")])
def test_throttling_that_does_not_end_stops(serve, answer):
    """After a few tries, with the kind that says: later."""
    server = serve(lambda _: answer)
    with pytest.raises(FetchError) as raised:
        list(read(server))
    assert raised.value.kind == "throttled"
    assert len(server.asked) <= 4


def test_there_is_a_pause_between_two_requests(serve):
    """Five seconds, and none before the first."""
    waits = []
    list(read(serve(listing([])), days=3, wait=waits.append))
    assert waits == [5, 5]


@pytest.mark.parametrize(
    "said", ["Your query was too short or too long.", "The specified phrase is too short.", "Invalid mode.\nMore"]
)
def test_gdelts_refusal_is_the_message(serve, said):
    """Its first line, and the query."""
    server = serve(lambda _: (200, {}, f"{said}\n".encode()))
    with pytest.raises(FeedError, match=said.partition("\n")[0]) as raised:
        list(read(server, "ai"))
    assert (raised.value.feed, len(server.asked)) == ("gdelt:ai", 1)


@pytest.mark.parametrize("said", [b"", b"<html>oops</html>"])
def test_no_answer_is_not_an_empty_window(serve, said):
    """An empty body is a fault; an empty window is {}."""
    with pytest.raises(FetchError, match="bad answer"):
        list(read(serve(lambda _: (200, {}, said))))


def test_a_timespan_that_gdelt_finds_too_short_is_widened(serve):
    """A quarter of an hour is asked for as an hour; what lies beyond belongs to other slices."""
    full = listing([article(n, START + n * QUARTER) for n in range(4)])

    def answer(path: str):
        asked = asks(path)
        short = asked["startdatetime"] < asked["enddatetime"] < f"{int(asked['startdatetime']) + 10000}"
        return (200, {}, b"Timespan is too short.") if short else full(path)

    found = list(read(serve(answer), days=1 / 48, step=QUARTER))
    assert [each.headline.title for each in found] == ["Headline 0", "Headline 1"]


def test_broken_json_loses_the_broken_row_alone(serve):
    """Raw control characters and false escapes are mended; an unescaped quotation mark costs its own row."""
    rows = [json.dumps(article(n, START, title="@")) for n in range(4)]
    titles = ["tab\there\x01", r"back\slash \d", 'a "quote" b', "fine"]
    body = '{"articles": [' + ", ".join(row.replace("@", title) for row, title in zip(rows, titles, strict=True)) + "]}"
    lost = []
    found = list(read(serve(lambda _: (200, {}, body.encode())), lost=lost.append))
    assert [each.headline.title for each in found] == ["tab here", r"back\slash \d", "fine"]
    assert [each.reason for each in lost] == ["a row of broken JSON"]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"url": "javascript:1"}, "a row without address"),
        ({"title": " "}, "a row without title"),
        ({"seendate": "now"}, "seendate 'now'"),
    ],
)
def test_a_bad_row_is_lost_with_its_reason(serve, wrong, reason):
    """The others come."""
    lost = []
    server = serve(listing([article(1, START), article(2, START)]))
    made = server.answer
    server.answer = lambda path: (200, {}, made(path)[2].replace(json.dumps(article(2, START)).encode(), json.dumps(article(2, START, **wrong)).encode()))  # fmt: skip
    assert len(list(read(server, lost=lost.append))) == 1
    assert lost[0].reason.startswith(reason)


def test_one_link_twice_in_an_answer_is_one_article(serve):
    """Http and https twins too."""
    twins = [article(1, START), article(1, START + QUARTER), article(1, START, url="http://paper.example/1")]
    assert len(list(read(serve(listing(twins))))) == 1


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Nvidia falls 17 % , says U . S . investor", "Nvidia falls 17%, says U.S. investor"),
        ("China ' s DeepSeek : &quot; It ' s a wake - up call &quot;", "China's DeepSeek: \"It's a wake - up call\""),
        ("$ 5 . 6 million ( or less )", "$5.6 million (or less)"),
        ("AT&amp;amp;T , a &lt;b&gt;bold&lt;/b&gt; move !", "AT&T, a bold move!"),
        ("3 < 5 and 7 > 2", "3 < 5 and 7 > 2"),
        ("Up .5 points", "Up .5 points"),
    ],
)
def test_titles_lose_gdelts_spaces(said, meant):
    """Spaces before punctuation go, words stay."""
    assert gdelt_answer.tidy(said) == meant


@pytest.mark.parametrize(
    ("name", "code"),
    [("English", "en"), ("German", "de"), ("de-AT", "de"), ("Norwegian Bokmal", "nb"), ("Klingon", ""), ("", "")],
)
def test_language_names_become_codes(name, code):
    """An unknown name is no claim."""
    assert plain.language(name) == code


moments = st.datetimes(datetime(2024, 12, 1), datetime(2025, 3, 1)).map(lambda made: made.replace(tzinfo=UTC))  # noqa: DTZ001 (given its zone here)


@given(
    start=moments,
    length=st.timedeltas(timedelta(seconds=1), timedelta(days=9)),
    step=st.integers(1, 200),
    cut=st.randoms(),
)
def test_slices_cover_the_window_exactly_once(start, length, step, cut):
    """End to end without gap or overlap, on whole batches, however they are halved."""
    parts = list(gdelt.slices(start, start + length, step * QUARTER))
    for _ in range(20):
        at = cut.randrange(len(parts))
        if parts[at].end - parts[at].start > QUARTER:
            parts[at : at + 1] = parts[at].halves()
    assert all(part.start < part.end for part in parts)
    assert all(before.end == after.start for before, after in pairwise(parts))
    assert timedelta() <= start - parts[0].start < QUARTER
    assert timedelta() <= parts[-1].end - (start + length) < QUARTER
    assert all(edge.timestamp() % 900 == 0 for part in parts for edge in (part.start, part.end))


@settings(deadline=None, max_examples=40)
@given(
    batches=st.lists(st.tuples(st.integers(0, 95), st.integers(1, 260)), max_size=12, unique_by=lambda batch: batch[0]),
    stop=st.integers(0, 2000),
)
def test_every_article_is_found_once_whatever_the_crowd_and_the_interruption(batches, stop):
    """Bursts beyond the cap, an interruption anywhere: the rest goes on, and no slice is asked for twice but one."""
    rows = [article(at * 1000 + n, START + at * QUARTER) for at, size in batches for n in range(size)]
    speak = listing(rows)
    asked: list[str] = []

    def plain_get(url: str) -> bytes:
        asked.append(url)
        return speak(url)[2]

    def run(done):
        return gdelt.articles(
            plain_get, "q", START, START + timedelta(days=1), done=done, finished=done.append, pause=0
        )

    done: list[str] = []
    first = list(islice(run(done), stop))
    before = len(asked)
    keys = [each.key for each in first] + [each.key for each in run(done)]
    assert len(set(keys)) == sum(min(size, 250) for _, size in batches)
    assert len(set(asked[:before]) & set(asked[before:])) <= 1


@pytest.mark.parametrize(
    "options",
    [{"start": START.replace(tzinfo=None)}, {"start": START + timedelta(days=2)}, {"step": timedelta(minutes=20)}],
)
def test_a_window_that_is_none_is_refused(options):
    """Before anything is asked."""
    with pytest.raises(ValueError):
        list(gdelt.articles(get, "q", **{"start": START, "end": START + timedelta(days=1), **options}))


def test_plain_values_follow_the_parsers_rules():
    """One link, one title, one limit: the same from a feed as from a list."""
    link = "https://paper.example/1?a=b"
    body = f"<rss version='2.0'><channel><item><title>A &amp;amp; B</title><link>{link}</link></item></channel></rss>"
    (headline,) = rss.parse(body.encode(), feed="f", seen=START).headlines
    assert (headline.id, headline.title) == (fields.identity(link), fields.plain("A &amp;amp; B"))
    assert rss.MAX_BYTES == document.MAX_BYTES
