"""Back-filling from GDELT: everything once, oldest first, with the moment it was known."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds import item_fields, rss
from feeds.errors import FeedError, FetchError
from feeds.history import gdelt, gdelt_response, sources, stated_values
from tests.helpers.feed_servers import Server, asks, get

FEED = "https://wire.example/rss?edition=us"
DAYS = (date(2025, 1, 13), date(2025, 2, 7))
QUARTER = timedelta(minutes=15)


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
    """Raw control characters and false escapes are corrected; an unescaped quotation mark costs its own row."""
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
    assert gdelt_response.tidy(said) == meant


@pytest.mark.parametrize(
    ("name", "code"),
    [("English", "en"), ("German", "de"), ("de-AT", "de"), ("Norwegian Bokmal", "nb"), ("Klingon", ""), ("", "")],
)
def test_language_names_become_codes(name, code):
    """An unknown name is no claim."""
    assert stated_values.language(name) == code


FIRST = datetime(2024, 12, 1, tzinfo=UTC)
moments = st.timedeltas(timedelta(0), timedelta(days=90)).map(lambda after: FIRST + after)


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
    keys = [(each.headline.seen, each.headline.id) for each in (*first, *run(done))]
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
    assert (headline.id, headline.title) == (item_fields.identity(link), item_fields.plain("A &amp;amp; B"))
    assert rss.MAX_BYTES == sources.MAX_BYTES
