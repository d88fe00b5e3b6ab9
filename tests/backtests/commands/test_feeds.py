"""`backtest feeds` as a user meets it: a real process, real files, servers on loopback."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest

from feeds.archive import Archive
from feeds.opml import FeedEntry, catalogue, read_opml, write_opml
from tests.backtests.commands.test_cli import backtest, refused
from tests.helpers.misbehaving_server import Server, rss
from tests.helpers.paths import ROOT

EPISODE = ROOT / "backtests" / "episodes" / "deepseek-2025"


def feeds(*arguments: str, cwd: Path):
    """Runs `backtest feeds` on an archive in `cwd`."""
    return backtest("feeds", *arguments, "--archive", "a.sqlite", cwd=cwd)


def shown(cwd: Path, *arguments: str) -> list[dict]:
    """What `show --json` prints."""
    done = feeds("show", "--json", "--limit", "0", *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_new_archive_has_the_catalogue_that_ships(tmp_path):
    """English and German; each address once."""
    done = feeds("list", "--json", cwd=tmp_path)
    rows = json.loads(done.stdout)
    assert len({row["url"] for row in rows}) == len(rows) > 40
    assert {row["language"] for row in rows} == {"en", "de"}


def test_a_list_of_feeds_is_pulled_shown_and_searched(tmp_path):
    """The whole way of one feed."""
    with Server() as server:
        for row in json.loads(feeds("list", "--json", cwd=tmp_path).stdout):
            with Archive(tmp_path / "a.sqlite") as archive:
                archive.unsubscribe(row["url"])
        (tmp_path / "own.opml").write_text(write_opml([FeedEntry(url=server.url + "/good", name="Good")]))
        assert feeds("import", "own.opml", cwd=tmp_path).returncode == 0
        done = feeds("pull", "--allow-private", cwd=tmp_path)
    assert done.returncode == 0
    assert "2 new" in done.stderr
    rows = shown(tmp_path, "--search", "turbines")
    assert [row["title"] for row in rows] == ["Chipmaker orders more turbines"]
    assert rows[0]["provenance"] == "live"


def test_snapshots_git_jsonl_and_csv_come_in_with_their_times(tmp_path):
    """The name's time, the commit's time, the column's time; what has none is assumed."""
    folder = tmp_path / "snapshots"
    folder.mkdir()
    (folder / "2025-01-23T181616Z_lab.xml").write_bytes(rss("A lab writes about smaller models"))
    repository = tmp_path / "scraper"
    repository.mkdir()
    (repository / "paper.xml").write_bytes(rss("A paper writes about turbines", prefix="paper"))
    environment = {"GIT_COMMITTER_DATE": "2025-01-24T08:00:00Z", "GIT_AUTHOR_DATE": "2001-01-01T00:00:00Z", "HOME": str(tmp_path),
                   "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@a", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@a",
                   "PATH": "/usr/bin:/bin:/usr/local/bin"}  # fmt: skip
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=repository, env=environment, check=True)
    row = {"title": "A row of a list", "seen": "2025-01-25T09:30:00+01:00", "link": "https://a.example/1"}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "rows.csv").write_text("title,published\nA claim without a witness,2025-01-26T10:00:00Z\n")
    done = feeds("import", "snapshots", "scraper", "rows.jsonl", "rows.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = [(row["title"][:7], row["known"], row["provenance"]) for row in shown(tmp_path)]
    assert found == [
        ("A lab w", "2025-01-23T18:16:16+00:00", "import"),
        ("A paper", "2025-01-24T08:00:00+00:00", "import"),
        ("A row o", "2025-01-25T08:30:00+00:00", "import"),
        ("A claim", "2025-01-26T10:05:00+00:00", "assumed"),
    ]
    again = feeds("import", "snapshots", "scraper", "rows.jsonl", "rows.csv", cwd=tmp_path)
    assert "1 headlines new" not in again.stderr
    assert len(shown(tmp_path)) == 4
    assert feeds("verify", cwd=tmp_path).returncode == 0


def test_export_and_import_keep_what_was_known_when(tmp_path):
    """Every revision, with its time."""
    for minute, title in ((0, "Nvidia falls"), (30, "Nvidia falls 17 %")):
        row = {"id": "1", "title": title, "seen": f"2025-01-27T12:{minute:02}:00Z", "link": "https://a.example/1"}
        (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
        feeds("import", "rows.jsonl", cwd=tmp_path)
    assert feeds("export", "all.jsonl", cwd=tmp_path).returncode == 0
    backtest("feeds", "import", "all.jsonl", "--archive", "copy.sqlite", cwd=tmp_path)
    copied = backtest(
        "feeds", "show", "--json", "--as-of", "2025-01-27T12:15Z", "--archive", "copy.sqlite", cwd=tmp_path
    )
    assert [json.loads(line)["title"] for line in copied.stdout.splitlines()] == ["Nvidia falls"]
    copied = backtest("feeds", "show", "--json", "--archive", "copy.sqlite", cwd=tmp_path)
    assert [(row["title"], row["revision"]) for row in map(json.loads, copied.stdout.splitlines())] == [
        ("Nvidia falls 17 %", 1)
    ]


def test_export_to_parquet_and_opml(tmp_path):
    """A frame with times, a list that other readers take."""
    (tmp_path / "rows.csv").write_text("title,seen\nA title,2025-01-26T10:00:00Z\n")
    feeds("import", "rows.csv", cwd=tmp_path)
    assert feeds("export", "all.parquet", cwd=tmp_path).returncode == 0
    frame = pd.read_parquet(tmp_path / "all.parquet")
    assert str(frame["known"][0]) == "2025-01-26 10:00:00+00:00"
    assert feeds("export", "list.opml", cwd=tmp_path).returncode == 0
    assert read_opml((tmp_path / "list.opml").read_bytes(), name="x") == catalogue()


class _Archives(BaseHTTPRequestHandler):
    """The shapes of the CDX index, of captures, and of GDELT."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        self.server.asked.append(self.path)
        if parts.path == "/cdx/search/cdx":
            rows = [["timestamp", "original", "digest"]]
            rows += [[f"2025012{n}120000", "https://paper.example/rss", f"D{n}"] for n in range(1, 4)]
            body = json.dumps(rows).encode()
        elif parts.path.startswith("/web/"):
            body = rss(f"What the paper wrote on {parts.path.split('/')[2][:8]}", prefix=parts.path.split("/")[2])
        else:
            start = query["startdatetime"][0]
            rows = [{"url": f"https://x.example/{start}", "title": "DeepSeek &amp; chips , again", "language": "English",
                     "seendate": f"{start[:8]}T123000Z", "domain": "x.example", "sourcecountry": "US"}]  # fmt: skip
            body = json.dumps({"articles": rows}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def archives():
    """A server that answers like the Internet Archive and GDELT."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Archives)
    server.asked = []
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_backfill_from_captures_and_from_gdelt(tmp_path, archives):
    """Each with its rule; the second run fetches nothing that is held."""
    endpoint = f"http://127.0.0.1:{archives.server_port}"
    span = ["--from", "2025-01-21", "--to", "2025-01-23", "--allow-private", "--endpoint"]
    wayback = ["backfill", "https://paper.example/rss", *span, endpoint]
    gdelt = ["backfill", "--gdelt", "deepseek OR nvidia", *span, f"{endpoint}/gdelt"]
    for command in (wayback, gdelt):
        done = feeds(*command, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    first = len(archives.asked)
    rows = shown(tmp_path)
    assert [(row["known"][:16], row["rule"]) for row in rows] == sorted(
        [(f"2025-01-2{n}T12:00", "capture time of the Internet Archive") for n in (1, 2, 3)]
        + [(f"2025-01-2{n}T12:45", "GDELT seendate + 15 minutes") for n in (1, 2, 3)]
    )
    assert {row["provenance"] for row in rows} == {"backfill"}
    feeds(*wayback, cwd=tmp_path)
    feeds(*gdelt, cwd=tmp_path)
    assert [path for path in archives.asked[first:] if not path.startswith("/cdx")] == []
    assert len(shown(tmp_path)) == 6


def test_a_replay_drives_on_the_archive_and_says_how_its_news_were_known(tmp_path):
    """The episode's own news, imported without a witness, give the same book; later words are not read."""
    for language in ("en", "de"):
        (tmp_path / f"news.{language}.xml").write_bytes((EPISODE / f"news.{language}.xml").read_bytes())
    assert feeds("import", "news.en.xml", "news.de.xml", cwd=tmp_path).returncode == 0
    own = backtest("run", "deepseek-2025", "-s", "shock", "--json", "-o", "own", cwd=tmp_path)
    arguments = ["run", "deepseek-2025", "-s", "shock", "--json", "--news", "archive", "--archive", "a.sqlite"]
    archived = backtest(*arguments, "-o", "archived", cwd=tmp_path)
    assert archived.returncode == 0, archived.stderr
    one, other = json.loads(own.stdout), json.loads(archived.stdout)
    assert other["results"] == one["results"]
    assert other["headlines"]["by_basis"] == {"live": 0, "backfill": 0, "import": 0, "assumed": 332}
    assert "332 assumed" in archived.stderr
    again = backtest(*arguments, "-o", "again", cwd=tmp_path)  # on the scores that the first run stored
    assert json.loads(again.stdout)["results"] == one["results"]
    anew, stored = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (tmp_path / "archived", tmp_path / "again")
    )
    assert {path.name for path in anew if anew[path] != stored[path]} <= {"trials.json"}  # which counts the runs
    with Archive(tmp_path / "a.sqlite") as archive:
        assert archive._connection.execute("SELECT count(*) FROM scores").fetchone() == (332,)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add", "file:///etc/passwd"], "http"),
        (["remove", "https://nowhere.example/"], "is not subscribed"),
        (["pull", "--every", "1s"], "30s"),
        (["pull", "--every", "5m", "--once"], "exclude"),
        (["import", "missing.xml"], "missing.xml"),
        (["import", "broken.opml"], "broken.opml"),
        (["import", "bomb.opml"], "document type"),
        (["import", "table.csv"], "table.csv"),
        (["backfill", "--from", "2025-01-01", "--to", "2025-01-02"], "--gdelt"),
        (["backfill", "https://a.example", "--from", "2025-01-03", "--to", "2025-01-02"], "before"),
        (["backfill", "https://a.example", "--from", "tomorrow", "--to", "2025-01-02"], "--from"),
        (["show", "--as-of", "2025-01-27T10:00"], "time zone"),
        (["export", "x.doc"], ".jsonl"),
        (["verify", "--seal", "xyz"], "is no seal"),
        (["doctor", "no-such-feed"], "neither a file nor a feed"),
        (["doctor", "table.csv", "no-such-file"], "no such file"),
    ],
)
def test_wrong_use_ends_in_one_line(tmp_path, arguments, words):
    """Exit code 2, no traceback."""
    (tmp_path / "broken.opml").write_text("<opml><body>")
    (tmp_path / "bomb.opml").write_text('<!DOCTYPE x [<!ENTITY a "aaaa">]><opml/>')
    (tmp_path / "table.csv").write_text("headline,when\nx,y\n")
    feeds("list", cwd=tmp_path)
    refused(feeds(*arguments, cwd=tmp_path), words)


def rows_of(name: str, *, off: int) -> list[dict[str, str]]:
    """A paper's rows, seen minutes after they were published, by a clock that is so many hours off."""
    start = datetime(2025, 1, 20, 9, tzinfo=UTC)
    moments = [start + timedelta(days=day, minutes=97 * number) for day in range(6) for number in range(5)]
    return [
        {"feed": name, "source": name, "title": f"Title {number} of {name}", "id": f"{name} {number}",
         "published": (at + timedelta(hours=off)).isoformat(), "seen": (at + timedelta(minutes=3)).isoformat()}
        for number, at in enumerate(moments)
    ]  # fmt: skip


def test_the_doctor_names_a_clock_that_is_off_in_files_and_in_an_archive(tmp_path):
    """And exits with 1; one feed alone can be asked for, and a clean one passes."""
    rows = [*rows_of("Right", off=0), *rows_of("Wrong", off=-8)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    feeds("import", "rows.jsonl", cwd=tmp_path)
    for target in ("rows.jsonl", "a.sqlite", "Wrong"):
        done = backtest(
            "feeds", "doctor", target, *(["--archive", "a.sqlite"] if target == "Wrong" else []), cwd=tmp_path
        )
        assert done.returncode == 1, done.stderr
        (line,) = done.stdout.splitlines()
        assert line.startswith(
            "Wrong: 100% of 30 items state a time 8:03 h before they were seen; its clock or its zone"
        )
    done = feeds("doctor", "Right", "--json", cwd=tmp_path)
    assert done.returncode == 0
    assert json.loads(done.stdout) == {"headlines": 30, "feeds": 1, "assumed": 0, "findings": []}


def test_the_doctor_passes_an_episodes_news_and_says_that_its_times_are_assumed(tmp_path):
    """A file nobody saw."""
    done = backtest("feeds", "doctor", str(EPISODE / "news.en.xml"), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert "100% of the times are assumed" in done.stderr


def test_verify_prints_a_seal_that_a_later_verify_finds_again(tmp_path):
    """And not one of another archive."""
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows_of("Right", off=0)))
    feeds("import", "rows.jsonl", cwd=tmp_path)
    seal = feeds("verify", cwd=tmp_path).stdout.removeprefix("seal ").strip()
    assert len(seal) == 64
    (tmp_path / "rows.jsonl").write_text(json.dumps({"title": "A later one", "seen": "2025-02-01T10:00:00Z"}) + "\n")
    feeds("import", "rows.jsonl", cwd=tmp_path)
    assert feeds("verify", "--seal", seal, cwd=tmp_path).returncode == 0
    done = feeds("verify", "--seal", "0123456789", cwd=tmp_path)
    assert (done.returncode, "is not in the chain" in done.stdout) == (1, True)


@pytest.mark.parametrize("verb", ["show", "stats", "verify", "doctor"])
def test_reading_makes_no_archive(tmp_path, verb):
    """A mistyped name is said."""
    refused(feeds(verb, cwd=tmp_path), "there is no archive")
    assert list(tmp_path.iterdir()) == []
