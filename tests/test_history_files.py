"""Imports: files, folders of snapshots, tables and git repositories become captures with the time somebody held them."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.errors import FeedError
from feeds.history import document, files, gitlog, tables
from feeds.history.names import name_and_time

RSS = b"<rss version='2.0'><channel><title>Wire</title></channel></rss>"


def utc(*parts: int) -> datetime:
    """A moment in UTC."""
    return datetime(*parts, tzinfo=UTC)


def put(folder: Path, **contents: bytes | str) -> Path:
    """Writes files; "__" in a name is a folder's end, "_" before the ending its dot."""
    for name, content in contents.items():
        stem, _, ending = name.replace("__", "/").rpartition("_")
        path = folder / f"{stem}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def read(*paths: Path) -> tuple[list, list[document.Lost]]:
    """What paths hold, and what was lost."""
    lost: list[document.Lost] = []
    return list(files.read_paths(paths, lost=lost.append)), lost


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
    moment=st.datetimes(datetime(1990, 1, 1), datetime(2099, 12, 31)),  # noqa: DTZ001 (the name's, in UTC)
    style=st.sampled_from(
        ["%Y-%m-%dT%H%M%SZ_x", "%Y%m%d%H%M%S_x", "x-%Y%m%d_%H%M%S", "x/%Y-%m-%d/%H-%M-%S", "%Y/%m/%d/%H%M%S/x"]
    ),
)
def test_a_time_written_into_a_name_comes_back(moment, style):
    """In each of the spellings, for any moment."""
    path = PurePosixPath("top", f"{moment.strftime(style)}.xml")
    assert name_and_time(path) == ("x", moment.replace(microsecond=0, tzinfo=UTC))


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
    assert lost == [document.Lost(key="b.xml", reason="a link that leads out of the folder")]


def test_what_a_folder_holds_besides_is_lost_with_its_reason(tmp_path, monkeypatch):
    """Too large, empty, a pipe, a dead link: the rest comes, and nothing waits."""
    monkeypatch.setattr(files, "MAX_BYTES", 100)
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
    assert [type(each) for each in found] == [document.Capture, document.Found]


def test_a_name_of_strange_bytes_can_be_stored(tmp_path):
    """Bytes that are no UTF-8 are written out."""
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.xml")).write_bytes(RSS)
    ((capture,), _) = read(tmp_path)
    assert (capture.feed, capture.url) == (r"caf\xe9", f"{tmp_path.name}/caf\\xe9.xml")


# --- tables -----------------------------------------------------------------------------------------------------------

ROW = {"title": "Nvidia &amp; Co", "published": "2025-01-27T13:45:00+01:00", "link": "https://x.example/1"}


def jsonl(tmp_path: Path, *rows: object) -> tuple[list, list[document.Lost]]:
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
    assert found[0].key != found[1].key


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
    rows = tables.read_jsonl(Endless(), feed="f", name="n", lost=print)
    assert len(list(itertools.islice(rows, 1000))) == 1000
    with pytest.raises(FeedError, match="longer than"):
        list(tables.read_jsonl(io.BytesIO(b"x" * (tables.MAX_LINE + 1)), feed="f", name="n", lost=print))


@settings(max_examples=60)
@given(st.binary(max_size=300))
def test_any_bytes_are_rows_or_refused(raw):
    """One class of error."""
    for reader in (tables.read_jsonl, tables.read_csv):
        for head in (b"", b"title,seen\n"):
            with contextlib.suppress(FeedError):
                list(reader(io.BytesIO(head + raw), feed="f", name="n", lost=lambda _: None))


# --- git repositories -------------------------------------------------------------------------------------------------


class Repository:
    """A git repository whose clock the test sets."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str, at: int = 0, **environment: str) -> str:
        """Runs git with its own identity and no configuration of the machine."""
        own = {
            "PATH": os.environ["PATH"], "HOME": str(self.path), "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@x.example", "GIT_COMMITTER_NAME": "A",
            "GIT_COMMITTER_EMAIL": "a@x.example", "GIT_AUTHOR_DATE": "1700000000 +0000", "GIT_COMMITTER_DATE": f"@{at} +0100",
        }  # fmt: skip
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, env=own | environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, at: int, **contents: bytes | None) -> str:
        """Writes files, removes those that are None, and commits at a moment."""
        put(self.path, **{name: content for name, content in contents.items() if content is not None})
        for name, content in contents.items():
            if content is None:
                (self.path / name.replace("_", ".")).unlink()
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=x", at=at)
        return self.git("rev-parse", "HEAD")


T = 1737983400  # 2025-01-27 13:10 UTC


@pytest.fixture
def scraped(tmp_path):
    """Three commits: two feeds and a note, an edit, a deletion with an edit."""
    repository = Repository(tmp_path / "scraped")
    first = repository.commit(T, bbc_xml=b"<1/>", ntv_rss=b"<2/>", note_txt=b"-")
    second = repository.commit(T + 60, bbc_xml=b"<3/>")
    repository.commit(T + 120, bbc_xml=None, ntv_rss=b"<4/>\n\n")
    return repository, first, second


def test_each_commit_of_a_feed_is_a_sighting(scraped):
    """Oldest first, the committer's time, whole bytes; the deletion and the note are none."""
    repository, first, second = scraped
    found = list(gitlog.commits(repository.path))
    assert [(capture.feed, capture.body) for capture in found] == [
        ("bbc", b"<1/>"), ("ntv", b"<2/>"), ("bbc", b"<3/>"), ("ntv", b"<4/>\n\n"),
    ]  # fmt: skip
    assert [capture.seen for capture in found][1:3] == [utc(2025, 1, 27, 13, 10), utc(2025, 1, 27, 13, 11)]
    assert [capture.key for capture in found][:3] == [
        f"git:{first}:bbc.xml",
        f"git:{first}:ntv.rss",
        f"git:{second}:bbc.xml",
    ]
    assert {(capture.provenance, capture.rule) for capture in found} == {("import", "time of the commit")}


def test_what_is_done_is_not_read_again(scraped):
    """The next run goes on behind the keys it is given."""
    repository, *_ = scraped
    done = {capture.key for capture in itertools.islice(gitlog.commits(repository.path), 3)}
    assert [capture.body for capture in gitlog.commits(repository.path, done=done)] == [b"<4/>\n\n"]


def test_names_of_any_kind_and_folders_come_through(tmp_path):
    """Spaces, umlauts, line breaks, capitals; links and submodules are no documents."""
    repository = Repository(tmp_path / "r")
    for name in ("a b.xml", "böse.XML", "line\nbreak.rss", "-n.atom"):
        (repository.path / name).write_bytes(RSS)
    (repository.path / "link.xml").symlink_to("a b.xml")
    repository.commit(T, deep__er__x_atom=RSS)
    found = {capture.url: capture.feed for capture in gitlog.commits(repository.path)}
    assert set(found) == {"a b.xml", "böse.XML", "line\nbreak.rss", "-n.atom", "deep/er/x.atom"}
    assert found["deep/er/x.atom"] == "deep/er/x"


def test_too_large_and_impossible_times_are_lost(tmp_path, monkeypatch):
    """With the key and the reason; the rest comes."""
    monkeypatch.setattr(gitlog, "MAX_BYTES", 100)
    repository = Repository(tmp_path / "r")
    repository.commit(T, large_xml=b"<" * 101, small_xml=RSS)
    repository.commit(60, early_xml=RSS)
    lost = []
    assert [capture.feed for capture in gitlog.commits(repository.path, lost=lost.append)] == ["small"]
    assert [each.reason.split(";")[0] for each in lost] == ["101 bytes are too many", "the commit's time is impossible"]


def test_a_bare_repository_does_and_an_empty_one_is_empty(tmp_path, scraped):
    """What `git clone --bare` makes; no commit, no sighting."""
    repository, *_ = scraped
    repository.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare"))
    assert len(list(gitlog.commits(tmp_path / "bare"))) == 4
    assert list(gitlog.commits(Repository(tmp_path / "empty").path)) == []


def test_a_folder_that_is_no_repository_is_refused(tmp_path, scraped):
    """Nor one below a repository, whose history is not what was asked for."""
    repository, *_ = scraped
    put(repository.path, below__x_xml=RSS)
    for folder in (tmp_path, repository.path / "below"):
        assert not gitlog.is_repository(folder)
        with pytest.raises(FeedError, match="no git repository"):
            list(gitlog.commits(folder))


def test_a_damaged_repository_is_an_error_in_gits_words(scraped):
    """HEAD points nowhere that exists."""
    repository, first, _ = scraped
    (repository.path / ".git" / "objects" / first[:2] / first[2:]).unlink()
    with pytest.raises(FeedError, match="git says"):
        list(gitlog.commits(repository.path))


def test_nothing_of_a_strangers_repository_runs(tmp_path, scraped, monkeypatch):
    """Hooks, monitors, pagers, diffs, filters, signatures, aliases, transports: none leaves a trace."""
    repository, first, _ = scraped
    trap = tmp_path / "trap"
    trap.write_text(f'#!/bin/sh\necho "$0 $*" >> {tmp_path}/sprung\n', encoding="utf-8")
    trap.chmod(0o755)
    for key in (
        "core.fsmonitor core.pager pager.log core.editor core.sshCommand diff.external diff.t.textconv diff.t.command gpg.program "
        "filter.t.smudge filter.t.process core.askPass credential.helper remote.origin.uploadpack core.gitProxy"
    ).split():
        repository.git("config", key, str(trap))
    for key, value in {
        "alias.log": f"!{trap}", "alias.cat-file": f"!{trap}", "log.showSignature": "true", "core.hooksPath": str(tmp_path),
        "remote.origin.url": f"ext::{trap}", "remote.origin.promisor": "true", "extensions.partialClone": "origin",
        "core.repositoryFormatVersion": "1", "protocol.allow": "always",
    }.items():  # fmt: skip
        repository.git("config", key, value)
    head = repository.git("cat-file", "commit", "HEAD").replace(
        " +0100\n", " +0100\ngpgsig -----BEGIN PGP SIGNATURE-----\n x\n", 1
    )
    (tmp_path / "signed").write_text(head, encoding="utf-8")
    repository.git("update-ref", "HEAD", repository.git("hash-object", "-t", "commit", "-w", str(tmp_path / "signed")))
    (repository.path / ".git" / "info" / "attributes").write_text("* diff=t filter=t\n", encoding="utf-8")
    blob = repository.git("rev-parse", f"{first}:ntv.rss")
    (repository.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()  # git would fetch it from the trap
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(trap))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    lost = []
    found = list(gitlog.commits(repository.path, lost=lost.append))
    assert [capture.body for capture in found] == [b"<1/>", b"<3/>", b"<4/>\n\n"]
    assert [(each.key, each.reason) for each in lost] == [(f"git:{first}:ntv.rss", "not in this clone")]
    assert not (tmp_path / "sprung").exists()
    with contextlib.suppress(subprocess.CalledProcessError):
        repository.git("cat-file", "-p", blob)
    assert (tmp_path / "sprung").exists()  # the trap is a live one


def test_a_damaged_document_is_lost_alone(scraped):
    """Its bytes break off; those before and after come."""
    repository, first, _ = scraped
    blob = repository.git("rev-parse", f"{first}:ntv.rss")
    path = repository.path / ".git" / "objects" / blob[:2] / blob[2:]
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-8])
    lost = []
    assert [capture.body for capture in gitlog.commits(repository.path, lost=lost.append)] == [
        b"<1/>",
        b"<3/>",
        b"<4/>\n\n",
    ]
    assert [each.key for each in lost] == [f"git:{first}:ntv.rss"]


def test_without_git_the_message_says_what_to_do(scraped, monkeypatch):
    """Install it."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FeedError, match="install git"):
        list(gitlog.commits(scraped[0].path))


def test_leaving_early_ends_git(scraped):
    """No process stays behind a reader that stops."""
    repository, *_ = scraped
    reading = gitlog.commits(repository.path)
    next(reading)
    reading.close()
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    if not children.exists():
        pytest.skip("this system does not list children")
    assert children.read_text(encoding="ascii").split() == []
