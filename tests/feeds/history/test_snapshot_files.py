"""Imports: files, folders of snapshots and tables become captures with the time somebody held them."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.errors import FeedError
from feeds.history import headline_tables, snapshot_files, sources
from feeds.history.snapshot_names import name_and_time
from tests.helpers.captures import RSS, put, utc


def read(*paths: Path) -> tuple[list, list[sources.Lost]]:
    """What paths hold, and what was lost."""
    lost: list[sources.Lost] = []
    return list(snapshot_files.read_paths(paths, lost=lost.append)), lost


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "feed", "seen"),
    [
        ("2025-01-23T181616Z_feed_openai.xml", "feed_openai", utc(2025, 1, 23, 18, 16, 16)),
        ("20250123181616.xml", "", utc(2025, 1, 23, 18, 16, 16)),
        ("bbc-20250123T181616Z.rss", "bbc", utc(2025, 1, 23, 18, 16, 16)),
        ("bbc/2025-01-23/18-16-05.xml", "bbc", utc(2025, 1, 23, 18, 16, 5)),
        ("2025/01/23/181605/bbc.atom", "bbc", utc(2025, 1, 23, 18, 16, 5)),
        ("1737656176_ntv.xml", "ntv", utc(2025, 1, 23, 18, 16, 16)),
        ("1737656176123_ntv.xml", "ntv", utc(2025, 1, 23, 18, 16, 16)),
        ("ntv 2025-01-23 18:16:16+01:00.xml", "ntv", utc(2025, 1, 23, 17, 16, 16)),
        ("2025-01-23T18:16:16.123456-0500_ntv.xml", "ntv", utc(2025, 1, 23, 23, 16, 16)),
        ("2025-01-20/1737656176_ntv.xml", "2025-01-20/ntv", utc(2025, 1, 23, 18, 16, 16)),
        ("ntv.xml", "ntv", None),
        ("2025-13-45T000000Z_ntv.xml", "2025-13-45T000000Z_ntv", None),
        ("1234567890123456_ntv.xml", "1234567890123456_ntv", None),
    ],
)
def test_names_say_when_and_of_which_feed(path, feed, seen):
    """Times of many spellings, in UTC where no zone is named; what is left is the feed."""
    assert name_and_time(PurePosixPath("top", path)) == (feed or "top", seen)


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("2025-01-23T18:16_x.xml", utc(2025, 1, 23, 18, 16, 59)),
        ("2025-01-23/18-16.xml", utc(2025, 1, 23, 18, 16, 59)),
        ("2025-01-23_x.xml", utc(2025, 1, 23, 23, 59, 59)),
    ],
)
def test_a_rough_time_means_its_last_moment(path, seen):
    """Nothing counts as known before the last second that the name allows."""
    assert name_and_time(PurePosixPath("top", path))[1] == seen


@given(
    seconds=st.integers(631_152_000, 4_102_358_400),  # from 1990 to 2099
    style=st.sampled_from(
        ["%Y-%m-%dT%H%M%SZ_x", "%Y%m%d%H%M%S_x", "x-%Y%m%d_%H%M%S", "x/%Y-%m-%d/%H-%M-%S", "%Y/%m/%d/%H%M%S/x"]
    ),
)
def test_a_time_written_into_a_name_comes_back(seconds, style):
    """In each of the spellings, for any moment."""
    moment = datetime.fromtimestamp(seconds, UTC)
    path = PurePosixPath("top", f"{moment.strftime(style)}.xml")
    assert name_and_time(path) == ("x", moment)


@given(st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=60))
def test_any_name_has_an_answer(name):
    """No name is an error, and no feed is nameless."""
    feed, _ = name_and_time(PurePosixPath("top", name))
    assert feed


# --- documents and folders --------------------------------------------------------------------------------------------


def test_a_folder_of_snapshots_comes_in_order_of_time(tmp_path):
    """Not in order of names; what has no time comes last, and its rule says what is assumed."""
    put(tmp_path, b_2025_01_25T000000Z_xml=RSS, a__20250123181616_xml=RSS, c__1737741600_rss=RSS, plain_atom=RSS)
    found, lost = read(tmp_path)
    assert [capture.seen for capture in found] == [
        utc(2025, 1, 23, 18, 16, 16),
        utc(2025, 1, 24, 18),
        utc(2025, 1, 25),
        None,
    ]
    assert [capture.feed for capture in found] == ["a", "c", "b", "plain"]
    assert {capture.rule for capture in found[:3]} == {"time in the name of the snapshot"}
    assert (found[3].rule, found[3].provenance, lost) == ("published + stated delay", "import", [])


def test_the_file_systems_time_says_nothing(tmp_path):
    """A file of today with last year's date, or of last year without one."""
    put(tmp_path, x_xml=RSS)
    os.utime(tmp_path / "x.xml", (1, 1))
    ((capture,), _) = read(tmp_path / "x.xml")
    assert capture.seen is None


def test_the_same_bytes_at_two_times_are_two_captures_with_lasting_keys(tmp_path):
    """An earlier sighting that is imported later must not be passed over."""
    put(tmp_path, x_20250123181616_xml=RSS, x_20250124181616_xml=RSS)
    first, again = read(tmp_path)[0], read(tmp_path)[0]
    assert len({capture.key for capture in first}) == 2
    assert [capture.key for capture in first] == [capture.key for capture in again]


def test_links_out_of_a_folder_are_not_followed(tmp_path):
    """Neither to a file nor to a folder; a link inside is a file like others."""
    put(tmp_path, in__a_xml=RSS, out__secret_xml=RSS)
    inside = tmp_path / "in"
    (inside / "b.xml").symlink_to(tmp_path / "out" / "secret.xml")
    (inside / "c.xml").symlink_to(inside / "a.xml")
    (inside / "d").symlink_to(tmp_path / "out")
    found, lost = read(inside)
    assert [capture.url for capture in found] == ["in/a.xml", "in/c.xml"]
    assert lost == [sources.Lost(key="b.xml", reason="a link that leads out of the folder")]


def test_what_a_folder_holds_besides_is_lost_with_its_reason(tmp_path, monkeypatch):
    """Too large, empty, a pipe, a dead link: the rest comes, and nothing waits."""
    monkeypatch.setattr(snapshot_files, "MAX_BYTES", 100)
    put(tmp_path, good_xml=RSS, large_xml=b"<" * 101, empty_xml=b" \n", hidden__x_txt=b"", note_md=b"")
    os.mkfifo(tmp_path / "pipe.xml")
    (tmp_path / "dead.xml").symlink_to(tmp_path / "nothing.xml")
    found, lost = read(tmp_path)
    assert [capture.feed for capture in found] == ["good"]
    assert [(each.key, each.reason.split("(")[0].strip()) for each in lost] == [
        ("dead.xml", "cannot be read"), ("empty.xml", "is empty"), ("large.xml", "101 bytes are too many; a feed has at most 100"),
        ("pipe.xml", "is no file"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content"), [("none.xml", None), ("empty.xml", b""), ("x.html", b"hello"), ("x.zip", b"PK\3\4")]
)
def test_a_file_that_was_named_and_cannot_be_used_is_refused(tmp_path, name, content):
    """One clear line with its name."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(FeedError, match=name):
        read(tmp_path / name)


def test_a_folder_without_news_is_refused(tmp_path):
    """It says what it looked for; hidden folders are not looked into."""
    put(tmp_path, x_txt=b"")
    (tmp_path / ".git").mkdir()
    put(tmp_path / ".git", x_xml=RSS)
    with pytest.raises(FeedError, match=r"holds no \.xml"):
        read(tmp_path)


def test_a_file_without_an_ending_is_known_by_its_first_byte(tmp_path):
    """A document, or rows."""
    (tmp_path / "feed").write_bytes(b"\xef\xbb\xbf " + RSS)
    (tmp_path / "rows").write_text('{"title": "t", "seen": "2025-01-27T12:00:00Z"}\n', encoding="utf-8")
    found, _ = read(tmp_path / "feed", tmp_path / "rows")
    assert [type(each) for each in found] == [sources.Capture, sources.Found]


def test_a_json_feed_is_a_document_with_the_time_of_its_name(tmp_path):
    """Alone and in a folder, where other JSON files are passed over."""
    body = b'{"version": "https://jsonfeed.org/version/1.1", "items": []}'
    (tmp_path / "20250127T141500Z_blog.json").write_bytes(body)
    (tmp_path / "package.json").write_bytes(b'{"name": "no feed"}')
    for path in (tmp_path, tmp_path / "20250127T141500Z_blog.json"):
        (capture,), lost = read(path)
        assert (capture.body, capture.seen, lost) == (body, utc(2025, 1, 27, 14, 15), [])


def test_a_name_of_strange_bytes_can_be_stored(tmp_path):
    """Bytes that are no UTF-8 are written out."""
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.xml")).write_bytes(RSS)
    ((capture,), _) = read(tmp_path)
    assert (capture.feed, capture.url) == (r"caf\xe9", f"{tmp_path.name}/caf\\xe9.xml")


# --- tables -----------------------------------------------------------------------------------------------------------

ROW = {"title": "Nvidia &amp; Co", "published": "2025-01-27T13:45:00+01:00", "link": "https://x.example/1"}


def jsonl(tmp_path: Path, *rows: object) -> tuple[list, list[sources.Lost]]:
    """What a file of rows holds; a string is a line as it is."""
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    (tmp_path / "news.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return read(tmp_path / "news.jsonl")


def test_a_row_becomes_a_headline(tmp_path):
    """Plain text, UTC, the file's name for a feed, and the rule that its times allow."""
    found, _ = jsonl(tmp_path, ROW, "", {**ROW, "seen": 1737983400, "feed": "wire", "language": "German", "other": [1]})
    first, second = (each.headline for each in found)
    assert (first.title, first.feed, first.published, first.seen) == (
        "Nvidia & Co",
        "news",
        utc(2025, 1, 27, 12, 45),
        None,
    )
    assert (second.feed, second.language, second.seen) == ("wire", "de", utc(2025, 1, 27, 13, 10))
    assert [each.rule for each in found] == ["published + stated delay", "seen as the file states"]
    assert first.id == second.id


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"published": "2025-01-27T12:00:00Z"}, "no title"),
        ({"title": "t"}, "neither published nor seen"),
        ({"title": "t", "published": "2025-01-27T12:00:00"}, "published '2025-01-27T12:00:00' has no time zone"),
        ({"title": "t", "seen": "yesterday"}, "seen 'yesterday' is no time"),
        ({"title": "t", "seen": 1e300}, "seen '1e+300' is no time"),
        ({"title": "t", "seen": "0025-01-27T12:00:00Z"}, "seen is of the year 25"),
        ({"title": "t", "seen": True}, "seen is no time"),
        ({"title": ["t"], "seen": 1737983400}, "title is no text"),
    ],
)
def test_a_row_that_lacks_something_is_lost_with_file_and_line(tmp_path, row, reason):
    """The good row before it stays."""
    found, lost = jsonl(tmp_path, ROW, row)
    assert (len(found), len(lost)) == (1, 1)
    assert lost[0].key.endswith("news.jsonl:2")
    assert lost[0].reason.startswith(reason)


@pytest.mark.parametrize("line", ["{", "[1]", '"text"', "nul", "[" * 100_000])
def test_a_line_that_is_no_object_refuses_the_file_by_its_number(tmp_path, line):
    """It is no JSONL."""
    with pytest.raises(FeedError, match=r"news\.jsonl:2"):
        jsonl(tmp_path, ROW, line)


def test_a_file_without_one_good_row_is_refused(tmp_path):
    """With the first reason."""
    with pytest.raises(FeedError, match="not one good row of 2; the first: line 1: no title"):
        jsonl(tmp_path, {"a": 1}, {"b": 2})


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_csv_has_the_same_columns(tmp_path, mark):
    """In any order and case, with a byte-order mark, quoted commas and line breaks."""
    header = mark.join(["Seen", "TITLE", "source"])
    (tmp_path / "n.csv").write_text(
        f'\ufeff{header}\n2025-01-27T12:00:00Z{mark}"a, ""b"";\nc"{mark}Wire\n', encoding="utf-8"
    )
    ((found,), lost) = read(tmp_path / "n.csv")
    assert (found.headline.title, found.headline.source, found.headline.seen) == (
        'a, "b"; c',
        "Wire",
        utc(2025, 1, 27, 12),
    )
    assert lost == []


def test_csv_rows_are_lost_and_counted_by_line(tmp_path):
    """A column too many, no time."""
    (tmp_path / "n.csv").write_text("title,seen\nt,2025-01-27T12:00:00Z\na,b,c\n\nt,\n", encoding="utf-8")
    found, lost = read(tmp_path / "n.csv")
    assert len(found) == 1
    assert [(each.key.rpartition(":")[2], each.reason) for each in lost] == [
        ("3", "3 columns where the header has 2"), ("5", "neither published nor seen"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", ":1"),
        (b"date,text\n1,2\n", ":1"),
        (b'title,seen\n"open\n', "no CSV"),
        (b"title,seen\n\xff\xfe,1\n", "UTF-8"),
    ],
)
def test_a_csv_that_is_none_is_refused(tmp_path, content, said):
    """By the line that shows it."""
    (tmp_path / "n.csv").write_bytes(content)
    with pytest.raises(FeedError, match=said):
        read(tmp_path / "n.csv")


class Endless(io.RawIOBase):
    """A file that never ends."""

    def readline(self, size: int = -1) -> bytes:
        """The same row for ever."""
        return b'{"title": "t", "seen": 1737983400}\n'


def test_tables_are_read_row_by_row():
    """The first thousand of endless rows come at once; a line without an end is refused."""
    rows = headline_tables.read_jsonl(Endless(), feed="f", name="n", lost=print)
    assert len(list(itertools.islice(rows, 1000))) == 1000
    with pytest.raises(FeedError, match="longer than"):
        list(
            headline_tables.read_jsonl(
                io.BytesIO(b"x" * (headline_tables.MAX_LINE + 1)), feed="f", name="n", lost=print
            )
        )


@settings(max_examples=60)
@given(st.binary(max_size=300))
def test_any_bytes_are_rows_or_refused(raw):
    """One class of error."""
    for reader in (headline_tables.read_jsonl, headline_tables.read_csv):
        for head in (b"", b"title,seen\n"):
            with contextlib.suppress(FeedError):
                list(reader(io.BytesIO(head + raw), feed="f", name="n", lost=lambda _: None))
