"""An episode of one's own: made, checked, packed, unpacked, downloaded."""

from __future__ import annotations

import csv
import hashlib
import json
import lzma
import shutil
import sys
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from backtests.authoring.bundle import export_episode, import_episode
from backtests.authoring.download import download
from backtests.authoring.validate import check_folder
from backtests.cli import cli
from backtests.episodes.episode import EPISODES, episode_names, load_episode
from feeds.archive import Archive
from feeds.errors import InputError
from feeds.history.backfill import import_paths
from strategies.sessions import calendar_sessions
from tests.helpers.folders import edit

SOURCE = EPISODES / "deepseek-2025"
TABLES = ("equity", "positions", "orders", "fills", "flows", "trades", "targets", "signals", "scores")


def command(*words: str | Path, code: int = 0) -> str:
    """Runs `backtest`; returns what it printed."""
    done = CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


def new(tmp_path: Path, *news: str | Path, **changes: str) -> Path:
    """Makes an episode like deepseek-2025 from its prices and news."""
    episode = load_episode("deepseek-2025")
    symbols = [
        word for name, members in episode.sectors.items() for word in ("--symbols", f"{name}={','.join(members)}")
    ]
    window = {"start": "2025-01-13", "end": "2025-02-07", "key": "2025-01-27"} | changes
    command(
        "episodes", "new", "mine", *symbols, *(word for name, value in window.items() for word in (f"--{name}", value)),
        "--context", ",".join(episode.context), "--prices", SOURCE / "prices.csv", "--actions", SOURCE / "actions.csv",
        *news, "-o", tmp_path / "mine",
    )  # fmt: skip
    return tmp_path / "mine"


def run(folder: str | Path, output: Path, *more: str | Path) -> dict[str, bytes]:
    """The tables of a run, as bytes."""
    command("run", folder, "-o", output, *more)
    return {name: (output / f"{name}.csv").read_bytes() for name in TABLES}


def test_an_episode_made_anew_from_shipped_prices_and_news_gives_the_same_bytes(tmp_path):
    """All strategies, all tables of money and decisions."""
    folder = new(tmp_path, "--news", SOURCE)
    assert run(folder, tmp_path / "a") == run("deepseek-2025", tmp_path / "b")


def test_an_episode_from_the_archive_knows_what_the_archive_saw_when(tmp_path):
    """The same bytes as a run on the archive itself."""
    with Archive(tmp_path / "a.sqlite") as archive:
        rows = [
            {"title": f"Nvidia supplier cuts AI spending plans again, number {n}", "seen": f"2025-01-{13 + n}T1{n}:00:00Z",
             "published": "2025-01-01T00:00:00Z", "link": f"https://a.example/{n % 3}"}
            for n in range(6)
        ]  # fmt: skip
        (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        import_paths(archive, tmp_path / "rows.jsonl", lost=print)
    folder = new(tmp_path, "--from-archive", "--archive", tmp_path / "a.sqlite")
    assert "seen" in json.loads((folder / "news.jsonl").read_text().splitlines()[0])
    there = run("deepseek-2025", tmp_path / "b", "--news", "archive", "--archive", tmp_path / "a.sqlite")
    here = run(folder, tmp_path / "c")
    for tables in (here, there):  # the id of an item is a hash of where it was read, all else is the same
        tables["scores"] = b"\n".join(row.partition(b",")[2] for row in tables["scores"].splitlines())
    assert here == there


def test_nothing_is_left_behind_where_something_is_wrong(tmp_path):
    """No half-made folder, and a folder that is there is not touched."""
    symbols = ("--symbols", "NVDA", "--prices", SOURCE / "prices.csv", "--news", SOURCE, "-o", tmp_path / "x")
    with pytest.raises(InputError, match="no sessions from 2025-06-02"):
        command("episodes", "new", "x", "--start", "2025-06-02", "--end", "2025-06-06", *symbols)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "x").mkdir()
    with pytest.raises(InputError, match="is there already"):
        command("episodes", "new", "x", "--start", "2025-01-13", "--end", "2025-01-31", *symbols)


def test_symbols_with_bars_in_a_part_of_the_time_are_named(tmp_path):
    """Listed later, or cut off by the source: the user decides."""
    lines = (SOURCE / "prices.csv").read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("ARM,2024-0")]
    (tmp_path / "bars.csv").write_text("".join(kept))
    printed = command(
        "episodes", "new", "late", "--start", "2025-01-13", "--end", "2025-02-07", "--symbols", "NVDA,ARM",
        "--prices", tmp_path / "bars.csv", "--news", SOURCE, "-o", tmp_path / "late",
    )  # fmt: skip
    assert "note: ARM: bars begin on 2024-10-01: listed then, renamed, or cut off by the source?" in printed
    assert printed.count("cut off by the source") == 1


def test_without_a_key_the_session_with_the_largest_move_is_shown(tmp_path):
    """And said so, since it is chosen with hindsight."""
    said = command(
        "episodes", "new", "x", "--start", "2025-01-13", "--end", "2025-02-07", "--symbols", "NVDA,AVGO,VST",
        "--prices", SOURCE / "prices.csv", "--news", SOURCE, "-o", tmp_path / "x",
    )  # fmt: skip
    assert "key session: 2025-01-27" in said
    assert "dividends and splits in the window are not known" in said
    assert load_episode(tmp_path / "x").sectors == {"chips": ("NVDA", "AVGO"), "power": ("VST",), "funds": ("SPY",)}


@pytest.mark.parametrize("name", episode_names())
def test_shipped_episodes_are_valid(name):
    """By the same check as one's own."""
    assert check_folder(EPISODES / name) == []


def test_an_episode_with_packed_prices_is_checked_and_handed_on_like_others(tmp_path):
    """The same figures, packed by xz; a mistake in them has its line."""
    folder = Path(shutil.copytree(EPISODES / "quiet-2023", tmp_path / "packed"))
    lines = (folder / "prices.csv").read_text().splitlines(keepends=True)
    (folder / "prices.csv").unlink()
    (folder / "prices.csv.xz").write_bytes(lzma.compress("".join(lines).encode()))
    assert check_folder(folder) == []
    export_episode(folder, tmp_path / "packed.zip")
    there = load_episode(import_episode(tmp_path / "packed.zip", tmp_path / "there"))
    assert there.sources["prices.csv.xz"] == hashlib.sha256((folder / "prices.csv.xz").read_bytes()).hexdigest()
    assert there.prices.bars["NVDA"].close.tolist() == load_episode("quiet-2023").prices.bars["NVDA"].close.tolist()
    lines[100] = lines[100].rsplit(",", 1)[0] + ",-5\n"
    (folder / "prices.csv.xz").write_bytes(lzma.compress("".join(lines).encode()))
    (problem,) = check_folder(folder)
    assert "prices.csv.xz:101: " in problem


def without_a_session(folder: Path) -> None:
    """Drops a whole session, bars and all: nothing else is out of order."""
    for name in ("prices.csv", "sessions.csv"):
        lines = (folder / name).read_text().splitlines(keepends=True)
        (folder / name).write_text("".join(each for each in lines if "2025-02-05" not in each))


def tenfold(folder: Path) -> None:
    """Nvidia's bars from 27 January on divided by ten, as if split."""
    with (folder / "prices.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    for row in rows[1:]:
        if row[0] == "NVDA" and row[1] >= "2025-01-29":
            row[2:6] = [str(float(value) / 10) for value in row[2:6]]
    with (folder / "prices.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def tenfold_unadjusted(folder: Path) -> None:
    """The same, in an episode that says its prices are as traded."""
    tenfold(folder)
    edit(folder / "episode.toml", 'adjusted = "splits"', 'adjusted = "none"')


def later_news(folder: Path) -> None:
    """One item of the news half a year late."""
    text = (folder / "news.de.xml").read_text(encoding="utf-8")
    start = text.index("<pubDate>") + len("<pubDate>")
    start = text.index("<pubDate>", start) + len("<pubDate>")
    stamp = text[start : text.index("</pubDate>", start)]
    edit(folder / "news.de.xml", stamp, "Tue, 01 Jul 2025 12:00:00 GMT")


HIDDEN = {
    "a session of the exchange is missing": (without_a_session, "sessions.csv", "2025-02-05 is missing; add"),
    "a session at the wrong hours": (
        lambda folder: edit(folder / "sessions.csv", "2025-01-27T14:30:00", "2025-01-27T13:30:00"),
        "sessions.csv:", "ran from 2025-01-27T14:30:00",
    ),
    "a split that the prices do not have in them": (tenfold, "prices.csv:", "like a split of 10 for 1"),
    "a split that nobody listed": (tenfold_unadjusted, "prices.csv:", "actions.csv does not list"),
    "news from another time": (later_news, "news.de.xml", "outside 2024-12-14"),
    "an item twice": (
        lambda folder: shutil.copyfile(folder / "news.de.xml", folder / "news.zz.xml"), "news.zz.xml", "duplicate",
    ),
    "news that is no feed": (lambda folder: (folder / "news.de.xml").write_text("<html/>"), "news.de.xml", "no RSS"),
    "a list that is none": (lambda folder: (folder / "news.jsonl").write_text("[1]\n"), "news.jsonl:1", "is no object"),
    "an action on a closed day": (
        lambda folder: (folder / "actions.csv").write_text(
            (folder / "actions.csv").read_text() + "NVDA,2025-01-26,dividend,0.01\n"),
        "actions.csv:", "which is no session",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", HIDDEN)
def test_check_finds_what_a_replay_would_not_notice(folder, kind):
    """With the file, and the remedy."""
    breaks, where, what = HIDDEN[kind]
    breaks(folder)
    problems = check_folder(folder)
    assert any(where in each and what in each for each in problems), problems
    assert all("\n" not in each for each in problems)


def test_check_names_everything_at_once_and_ends_with_1(folder):
    """Three broken files, three lines."""
    edit(folder / "episode.toml", "title =", "titel =")
    edit(folder / "actions.csv", "ex_date", "date")
    edit(folder / "sessions.csv", "session,", "day,")
    lines = command("episodes", "check", folder, code=1).splitlines()
    assert [
        name in line for name, line in zip(("episode.toml", "sessions.csv", "actions.csv"), lines, strict=False)
    ] == [True] * 3


def test_packed_and_unpacked_an_episode_is_the_same(tmp_path):
    """And the same folder gives the same bytes."""
    export_episode("quiet-2023", tmp_path / "a.zip")
    export_episode("quiet-2023", tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    folder = import_episode(tmp_path / "a.zip", tmp_path / "into")
    assert load_episode(folder).sources == load_episode("quiet-2023").sources
    with pytest.raises(InputError, match="is there already"):
        import_episode(tmp_path / "a.zip", tmp_path / "into")


@pytest.mark.parametrize(
    "name",
    ["../evil/episode.toml", "/etc/episode.toml", "a/../../b.csv", "a/b/c.csv", "episode.toml", "a/run.py", "a\\..\\b.csv",
     ".hidden/x.csv"],
)  # fmt: skip
def test_a_zip_file_reaches_nowhere_else(tmp_path, name):
    """Only one folder of plain files is taken; nothing is written before that is sure."""
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr(name, "x")
    with pytest.raises(InputError, match="no plain file"):
        import_episode(tmp_path / "evil.zip", tmp_path / "into")
    assert not (tmp_path / "into").exists()


def test_a_bomb_and_a_link_are_refused(tmp_path, monkeypatch):
    """By the size that is stated, by the size that comes, by the kind of entry."""
    monkeypatch.setattr("backtests.authoring.bundle.MAX_BYTES", 1 << 20)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/prices.csv", bytes(2 << 20))
    with pytest.raises(InputError, match="unpacks to more"):
        import_episode(tmp_path / "bomb.zip", tmp_path / "into")
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        entry = zipfile.ZipInfo("a/prices.csv")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(InputError, match="no plain file"):
        import_episode(tmp_path / "link.zip", tmp_path / "into")
    (tmp_path / "no.zip").write_bytes(b"PK no zip")
    with pytest.raises(InputError, match="no zip file"):
        import_episode(tmp_path / "no.zip", tmp_path / "into")


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_zip_file_is_refused_in_one_line(tmp_path, method):
    """However it was packed, and whichever byte is wrong; nothing is left behind."""
    with zipfile.ZipFile(tmp_path / "good.zip", "w", method) as archive:
        archive.writestr("a/prices.csv", "symbol,date\n" * 2000)
    packed = (tmp_path / "good.zip").read_bytes()
    for place in range(30 + len("a/prices.csv"), packed.index(b"PK\x01\x02"), 7):
        (tmp_path / "bad.zip").write_bytes(packed[:place] + bytes([packed[place] ^ 0xFF]) + packed[place + 1 :])
        with pytest.raises(InputError):
            import_episode(tmp_path / "bad.zip", tmp_path / "into")
        assert list((tmp_path / "into").iterdir()) == []


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_a_file_packed_twice_is_refused(tmp_path):
    """Which of the two was meant is not known; names that differ in case are one on some disks."""
    for second in ("a/prices.csv", "a/PRICES.csv"):
        with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
            archive.writestr("a/prices.csv", "x")
            archive.writestr(second, "y")
        with pytest.raises(InputError, match="is there twice"):
            import_episode(tmp_path / "twice.zip", tmp_path / "into")


def test_what_could_not_be_imported_is_not_exported(tmp_path):
    """A folder with a space in its name is refused when it is packed, not by who gets it."""
    shutil.copytree(EPISODES / "quiet-2023", tmp_path / "my week")
    with pytest.raises(InputError, match="rename it"):
        export_episode(tmp_path / "my week", tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


def test_more_files_than_can_be_imported_are_not_exported(tmp_path):
    """The limits of import are those of export."""
    folder = Path(shutil.copytree(EPISODES / "quiet-2023", tmp_path / "many"))
    for number in range(50):
        (folder / f"note{number}.md").write_text("x")
    with pytest.raises(InputError, match="at most 50 files"):
        export_episode(folder, tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


START, END = date(2025, 1, 6), date(2025, 1, 31)


def recorded(**changes) -> pd.DataFrame:
    """An answer in the shape of yfinance's, with a dividend on 15 January."""
    days = calendar_sessions(START, END).sessions
    closes = 100 + np.arange(len(days), dtype=float)
    frame = pd.DataFrame(
        {"Open": closes - 0.5, "High": closes + 1, "Low": closes - 1, "Close": closes, "Adj Close": closes,
         "Volume": np.full(len(days), 1_000_000), "Dividends": 0.0, "Stock Splits": 0.0},
        index=pd.DatetimeIndex([pd.Timestamp(day, tz="America/New_York") for day in days], name="Date"),
    )  # fmt: skip
    paid = days.index(date(2025, 1, 15))
    frame.loc[frame.index[paid], "Dividends"] = 1.0
    frame.loc[frame.index[:paid], "Adj Close"] *= 0.99
    return frame.assign(**changes)


def test_a_download_becomes_prices_and_actions(tmp_path):
    """Figures as they came, the dividend by its ex-date."""
    prices, actions = download(["NVDA"], ["^GSPC"], START, END, tmp_path, lambda *_: recorded())
    rows = list(csv.DictReader(prices.read_text().splitlines()))
    assert rows[0] == {"symbol": "NVDA", "date": "2025-01-06", "open": "99.5", "high": "101.0", "low": "99.0",
                       "close": "100.0", "volume": "1000000"}  # fmt: skip
    assert {row["symbol"] for row in rows} == {"NVDA", "^GSPC"}
    assert "NVDA,2025-01-15,dividend,1.0" in actions.read_text()


class Ticker:
    """yfinance's Ticker, as far as the seam uses it; `answer` is what its history gives or raises."""

    answer: object

    def __init__(self, symbol):
        self.symbol = symbol

    def history(self, *, start, end, auto_adjust, back_adjust, actions, raise_errors):
        """Unadjusted bars with actions, the last day excluded, or an error."""
        assert (start, end) == ("2025-01-06", "2025-02-01")
        assert (auto_adjust, back_adjust, actions, raise_errors) == (False, False, True, True)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class YFRateLimitError(Exception):
    """Named as in yfinance.exceptions, with its message."""

    def __init__(self):
        super().__init__("Too Many Requests. Rate limited. Try after a while.")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (YFRateLimitError(), "NVDA: Yahoo answers too many requests; wait an hour"),
        (RuntimeError("$NVDA: possibly delisted;\nno price data found"), "gave no prices .*no price data found"),
        (OSError("Connection refused"), "gave no prices .*Connection refused.*--prices FILE"),
    ],
)
def test_what_yfinance_raises_becomes_one_line(tmp_path, monkeypatch, answer, words):
    """Whatever the class of the error is called."""
    monkeypatch.setattr(Ticker, "answer", answer, raising=False)
    monkeypatch.setitem(sys.modules, "yfinance", SimpleNamespace(Ticker=Ticker))
    with pytest.raises(InputError, match=words):
        download(["NVDA"], [], START, END, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_yfinance_is_asked_for_unadjusted_bars_to_the_last_day(tmp_path, monkeypatch):
    """Its end is excluded, so the day after the last is asked for."""
    monkeypatch.setattr(Ticker, "answer", recorded(), raising=False)
    monkeypatch.setitem(sys.modules, "yfinance", SimpleNamespace(Ticker=Ticker))
    prices, _ = download(["NVDA"], [], START, END, tmp_path)
    assert prices.read_text().splitlines()[-1].startswith("NVDA,2025-01-31,")


def test_without_yfinance_the_extra_is_named(tmp_path, monkeypatch):
    """With the command that installs it."""
    monkeypatch.setitem(sys.modules, "yfinance", None)
    with pytest.raises(InputError, match=r"pip install 'aftershock\[data\]'"):
        download(["NVDA"], [], START, END, tmp_path)


def split_without_adjusting() -> pd.DataFrame:
    """A split of two for one on the tenth day that the closes do not have in them."""
    frame = recorded()
    columns = ["Open", "High", "Low", "Close", "Adj Close"]
    frame.loc[frame.index[10:], columns] = frame.loc[frame.index[10:], columns] / 2
    frame.loc[frame.index[10], "Stock Splits"] = 2.0
    return frame


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda *_: recorded().rename(columns={"Adj Close": "AdjClose"}), "no column Adj Close"),
        (lambda *_: recorded().iloc[:0], "no prices for these days"),
        (lambda *_: recorded().drop(recorded().index[7]), "lacks 1 of"),
        (lambda *_: recorded().iloc[:-2], "lacks 2 of"),
        (lambda *_: recorded().assign(**{"Adj Close": recorded()["Close"]}), "have dividends in them already"),
        (lambda *_: split_without_adjusting(), "do not have the split"),
        (lambda *_: recorded().assign(Close=np.nan), "empty or 0"),
        (lambda *_: pd.concat([recorded(), recorded()]), "twice or out of order"),
        (lambda *_: None, "no prices for these days"),
        (lambda *_: recorded().assign(Volume=np.nan), "empty or negative"),
        (lambda *_: recorded().assign(Dividends=-1.0), "empty or negative"),
    ],
)
def test_a_download_that_is_not_what_was_asked_for_writes_nothing(tmp_path, answer, words):
    """Rate limits, renamed columns, partial answers, the wrong adjustment."""
    with pytest.raises(InputError, match=words):
        download(["NVDA"], [], START, END, tmp_path, answer)
    assert list(tmp_path.iterdir()) == []


def test_an_answer_that_begins_later_is_a_late_listing_and_extra_days_are_not(tmp_path):
    """What has no bar before its first one was not listed."""
    download(["ARM"], [], START, END, tmp_path, lambda *_: recorded().iloc[3:])
    sunday = recorded()
    sunday.index = [*sunday.index[:-1], pd.Timestamp("2025-02-02", tz="America/New_York")]
    with pytest.raises(InputError, match="lacks 1 of"):
        download(["ARM"], [], START, END, tmp_path, lambda *_: sunday)


def test_a_claim_of_calm_is_about_the_largest_move_of_the_window():
    """By hand: Nvidia's largest in the control was -3.69 % on 15 September 2023."""
    from backtests.episodes.claim_checks import check_claims

    (calm,) = [row for row in check_claims(load_episode("quiet-2023")) if row.symbol == "NVDA"]
    assert (round(calm.measured, 2), calm.verdict) == (-3.69, "confirmed")


def test_a_listed_time_is_aware_and_in_utc(tmp_path):
    """What an archive saw at 10:00 in New York is known at 15:00 UTC."""
    from backtests.engine.news import read_news

    folder = Path(shutil.copytree(SOURCE, tmp_path / "x"))
    for path in folder.glob("news*.xml"):
        path.unlink()
    row = {
        "title": "AI chip orders cancelled",
        "seen": "2025-01-21T10:00:00-05:00",
        "published": "2025-01-01T00:00:00Z",
    }
    (folder / "news.jsonl").write_text(json.dumps(row) + "\n")
    (item,) = read_news(load_episode(folder)).items
    assert item.known_at == datetime(2025, 1, 21, 15, tzinfo=UTC)
    assert item.known_at - item.headline.published > timedelta(days=19)
