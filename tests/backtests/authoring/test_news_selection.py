"""News of one's own goes in as it is: feeds, JSONL and CSV, trimmed to the window; how many and why is said."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from backtests.authoring.validate import check_folder
from backtests.cli import cli
from backtests.engine.news import read_news
from backtests.episodes.episode import EPISODES, load_episode, news_files
from feeds.archive import Archive
from feeds.errors import InputError
from feeds.history.backfill import import_paths
from tests.helpers.paths import CASES

SOURCE = EPISODES / "deepseek-2025"
FIRST_OPEN = "2025-01-13T14:30:00Z"  # 30 days before: 14 December, 14:30
LAST_CLOSE = "2025-02-07T21:00:00Z"


def new(folder: Path, *words: str | Path, start: str = "2025-01-13", prices: Path = SOURCE / "prices.csv") -> str:
    """Makes an episode of NVDA, ARM and SPY; returns what was printed."""
    done = CliRunner().invoke(
        cli,
        [
            "episodes", "new", "mine", "--start", start, "--end", "2025-02-07", "--symbols", "NVDA,ARM",
            "--prices", str(prices), *map(str, words), "-o", str(folder),
        ],
        catch_exceptions=False,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    return done.output


def rows(*moments: str, name: str = "seen") -> list[dict[str, str]]:
    """A headline for each moment."""
    return [{"title": f"Nvidia cuts AI chip orders, part {n}", name: each} for n, each in enumerate(moments)]


def jsonl(path: Path, *moments: str, name: str = "seen") -> Path:
    """Writes such headlines as JSONL."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows(*moments, name=name)))
    return path


def table(path: Path, *moments: str) -> Path:
    """Writes such headlines as CSV, with semicolons and columns of other things."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["Title", "Published", "mood"])
        writer.writerows([row["title"], row["seen"], "?"] for row in rows(*moments))
    return path


def feed(path: Path, *moments: str) -> Path:
    """Writes such headlines as RSS; an item without a date where the moment is empty."""
    items = "".join(
        f"<item><title>Vistra signs AI data center deal {n}</title>{f'<pubDate>{each}</pubDate>' if each else ''}"
        f"<link>https://a.example/{n}</link></item>"
        for n, each in enumerate(moments)
    )
    path.write_text(f'<rss version="2.0"><channel><title>A</title><language>en</language>{items}</channel></rss>')
    return path


def test_a_folder_of_all_kinds_is_trimmed_to_the_window_and_says_how_many_and_why(tmp_path):
    """RSS, JSONL and CSV in one folder, a table of prices among them; what is kept is valid news."""
    news = tmp_path / "my news"
    news.mkdir()
    feed(
        news / "wire.xml",
        "Sat, 14 Dec 2024 14:00:00 GMT",
        "Mon, 20 Jan 2025 12:00:00 GMT",
        "",
        "Mon, 20 Jan 2025 12:00:00 GMT",
    )
    jsonl(news / "seen.jsonl", "2024-12-14T14:29:59Z", "2024-12-14T14:30:00Z", LAST_CLOSE, "2025-02-07T21:00:01Z")
    table(news / "list.csv", "2025-01-15T09:00:00+01:00", "2023-01-01T00:00:00Z")
    (news / "prices.csv").write_text("symbol,date,open\nX,2025-01-13,1\n")
    printed = new(tmp_path / "made", "--news", news)
    assert "note: news: 5 of 10 items kept, known from 2024-12-14 14:30 to 2025-02-07 21:00 UTC; left out: " in printed
    assert "3 known before" in printed
    assert "1 known after" in printed
    assert "date" in printed.partition("left out: ")[2].splitlines()[0]  # the item without one, in the reader's words
    assert check_folder(tmp_path / "made") == []
    assert len(read_news(load_episode(tmp_path / "made")).items) == 5


def test_a_folder_may_hold_json_feeds_beside_other_json(tmp_path):
    """What is no JSON Feed is no news; a name in capitals is a name."""
    (tmp_path / "FEED.JSON").write_bytes((CASES / "feeds" / "feed.json").read_bytes())
    (tmp_path / "settings.json").write_text('{"interval": "5m"}')
    assert [path.name for path in news_files(tmp_path)] == ["FEED.JSON"]
    assert [item.headline.title for item in read_news(load_episode("deepseek-2025", news=tmp_path)).items] == [
        "Nvidia falls"
    ]


def test_columns_of_times_may_have_their_other_usual_names(tmp_path):
    """published_utc and first_seen_utc, in a table and in JSONL; what an archive saw decides."""
    (tmp_path / "a.csv").write_text(
        "published_utc,first_seen_utc,title\n2025-01-20T12:00:00Z,2025-01-20T18:00:00Z,Nvidia cuts AI orders\n"
    )
    row = {
        "title": "Nvidia cuts AI chip output",
        "published_at": "2025-01-21T12:00:00Z",
        "seen_at": "2025-01-21T13:00:00Z",
    }
    (tmp_path / "b.jsonl").write_text(json.dumps(row) + "\n")
    new(tmp_path / "made", "--news", tmp_path / "a.csv", "--news", tmp_path / "b.jsonl")
    known = [item.known_at.isoformat() for item in read_news(load_episode(tmp_path / "made")).items]
    assert known == ["2025-01-20T18:00:00+00:00", "2025-01-21T13:00:00+00:00"]


def test_a_feed_of_which_all_is_kept_is_copied_to_the_byte(tmp_path):
    """And an RSS that was cut keeps each item's times, words, language and feed."""
    path = feed(tmp_path / "a.xml", "Mon, 20 Jan 2025 12:00:00 GMT")
    new(tmp_path / "one", "--news", path)
    assert (tmp_path / "one" / "news.a.xml").read_bytes() == path.read_bytes()
    whole = read_news(load_episode(tmp_path / "one")).items[0].headline
    feed(path, "Mon, 20 Jan 2025 12:00:00 GMT", "Mon, 20 Jan 2020 12:00:00 GMT")
    new(tmp_path / "two", "--news", path)
    (cut,) = [item.headline for item in read_news(load_episode(tmp_path / "two")).items]
    names = ("title", "published", "seen", "language", "link", "source")
    assert [getattr(cut, name) for name in names] == [getattr(whole, name) for name in names]
    assert cut.feed == "a.xml"


def test_a_list_is_not_copied_as_a_feed(tmp_path):
    """JSONL stays JSONL; two files of one name both go in."""
    for name, day in (("x", 21), ("y", 22)):
        (tmp_path / name).mkdir()
        jsonl(tmp_path / name / "n.jsonl", f"2025-01-{day}T12:00:00Z")
    new(tmp_path / "made", "--news", tmp_path / "x" / "n.jsonl", "--news", tmp_path / "y" / "n.jsonl")
    assert sorted(path.name for path in (tmp_path / "made").glob("news*")) == ["news.n.2.jsonl", "news.n.jsonl"]


def test_duplicates_are_left_out_and_counted(tmp_path):
    """Two snapshots of one feed overlap."""
    feed(tmp_path / "a.xml", "Mon, 20 Jan 2025 12:00:00 GMT", "Mon, 20 Jan 2025 13:00:00 GMT")
    feed(
        tmp_path / "b.xml",
        "Mon, 20 Jan 2025 12:00:00 GMT",
        "Mon, 20 Jan 2025 13:00:00 GMT",
        "Mon, 20 Jan 2025 14:00:00 GMT",
    )
    printed = new(tmp_path / "made", "--news", tmp_path / "a.xml", "--news", tmp_path / "b.xml")
    assert "3 of 5 items kept" in printed
    assert "left out: 2 duplicate" in printed
    assert check_folder(tmp_path / "made") == []


def test_items_of_a_list_that_share_a_link_are_all_kept(tmp_path):
    """A newsletter's items have one link; only a row that says the same at the same time is there twice."""
    link = "https://a.example/letter"
    made = [
        {"title": title, "published": f"2025-01-2{day}T12:00:00Z", "link": link}
        for title, day in (("Nvidia cuts AI orders", 0), ("AMD cuts AI orders", 1), ("AMD cuts AI orders", 1))
    ]
    (tmp_path / "n.jsonl").write_text("".join(json.dumps(row) + "\n" for row in made))
    assert "2 of 3 items kept" in new(tmp_path / "made", "--news", tmp_path / "n.jsonl")
    assert len(read_news(load_episode(tmp_path / "made")).items) == 2


def test_news_of_another_time_makes_no_episode(tmp_path):
    """It says how many were read and why none is kept; nothing is left behind."""
    path = jsonl(tmp_path / "old.jsonl", "2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z")
    with pytest.raises(InputError, match="2 items read, none kept; left out: 2 known before"):
        new(tmp_path / "made", "--news", path)
    assert [each.name for each in tmp_path.iterdir()] == ["old.jsonl"]


@pytest.mark.parametrize("start", ["2025-01-13", "2025-01-11", "2025-01-12"])
def test_an_archive_with_news_at_any_hour_makes_an_episode(tmp_path, start):
    """Also known between midnight and the open 30 days before, and after the close; the start may be a weekend."""
    moments = (
        "2024-12-14T00:10:00Z",
        "2024-12-14T14:20:00Z",
        "2024-12-14T15:00:00Z",
        "2025-01-20T12:00:00Z",
        "2025-02-07T23:00:00Z",
    )
    with Archive(tmp_path / "a.sqlite") as archive:
        import_paths(archive, jsonl(tmp_path / "rows.jsonl", *moments), lost=print)
    printed = new(tmp_path / "made", "--from-archive", "--archive", tmp_path / "a.sqlite", start=start)
    assert "news: 2 headlines of the archive, known from 2024-12-14 14:30" in printed
    assert check_folder(tmp_path / "made") == []


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_a_run_counts_as_used_only_what_could_act_in_the_window(tmp_path, suffix):
    """News of other years may stand in the file; the first and the last moment count."""
    moments = (
        "2023-05-01T12:00:00Z",
        "2024-12-14T14:20:00Z",
        "2025-01-20T12:00:00Z",
        "2025-02-07T20:50:00Z",
        "2025-02-08T12:00:00Z",
    )
    path = (jsonl if suffix == "jsonl" else table)(tmp_path / f"n.{suffix}", *moments)
    counts = read_news(load_episode("deepseek-2025", news=path)).counts()
    assert (counts["total"], counts["used"]) == (5, 2)
    folder = read_news(load_episode("deepseek-2025", news=tmp_path)).counts()
    assert folder["used"] == 2


def test_prices_of_a_vendor_and_dated_tables_go_in(tmp_path):
    """Days before months, a halt without bars; the episode's own tables are plain and valid."""
    with (SOURCE / "prices.csv").open(newline="") as file:
        head, *bars = csv.reader(file)
    halted = {"2025-01-28", "2025-01-29"}
    with (tmp_path / "vendor.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Ticker", "Date", *head[2:]])
        writer.writerows(
            [row[0], "/".join(reversed(row[1].split("-"))), *row[2:]]
            for row in bars
            if row[0] != "ARM" or row[1] not in halted
        )
    (tmp_path / "halts.csv").write_text(
        "symbol,from,to,reason\nARM,2025-01-28,2025-01-29,news\nZZZ,2025-01-28,2025-01-29,news\n"
    )
    news = jsonl(tmp_path / "n.jsonl", "2025-01-20T12:00:00Z")
    printed = new(
        tmp_path / "made",
        "--news",
        news,
        "--date-order",
        "dmy",
        "--table",
        tmp_path / "halts.csv",
        prices=tmp_path / "vendor.csv",
    )
    assert "note: vendor.csv is understood as: columns Ticker as symbol; dates as day, month, year" in printed
    episode = load_episode(tmp_path / "made")
    assert [symbol for symbol, _, _ in episode.halts] == ["ARM"]
    assert episode.prices.bars["ARM"].sessions == episode.prices.bars["NVDA"].sessions
    assert check_folder(tmp_path / "made") == []


def test_a_table_of_an_unknown_name_is_refused(tmp_path):
    """With the names that there are."""
    (tmp_path / "stops.csv").write_text("symbol\n")
    with pytest.raises(
        InputError, match=r"stops.csv: must be called symbols.csv, halts.csv, delistings.csv, loans.csv"
    ):
        new(tmp_path / "made", "--news", SOURCE, "--table", tmp_path / "stops.csv")


def test_a_title_with_quotes_and_lines_is_written_as_valid_toml(tmp_path):
    """Whatever a title or sector holds, it reads back as given."""
    title = 'My "week", \\ C:\\x\n# not a comment'
    news = jsonl(tmp_path / "n.jsonl", "2025-01-20T12:00:00Z")
    new(tmp_path / "made", "--news", news, "--title", title, "--symbols", 'a "b".c=VST')
    episode = load_episode(tmp_path / "made")
    assert episode.title == title
    assert episode.sectors['a "b".c'] == ("VST",)
