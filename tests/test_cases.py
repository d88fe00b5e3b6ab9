"""Each input that once failed, beside what is right for it: the smallest of its kind (tests/data/cases)."""

from __future__ import annotations

import csv
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backtests.authoring.validate import check_folder
from feeds import dates, rss
from feeds.archive import Archive
from feeds.fetch import Fetcher, Limits
from feeds.opml import FeedEntry
from feeds.pull import pull
from tests.backtests.commands.test_cli import backtest
from tests.helpers.feed_servers import Server
from tests.helpers.paths import CASES, EPISODES

FIRST = "Cheap Chinese AI model triggers slump in chip stocks"
FALLS = "DeepSeek's cheap model makes chip demand collapse"
AFTERNOON, EVENING = "27 14:00:00", "27 15:30:00"
SHORT = [
    "Nvidia -17%", "Is Nvidia doomed?", "Vertiv: vertical drop", "Nvidia +9%", "Nvidia sinks",
    "NVDA halted", "Nvidia stuns", "Chip rout deepens", "AMD, Nvidia slump", "Nvidia, Broadcom, AMD",
]  # fmt: skip
POWER = "Vistra and Constellation sink on doubts about power demand"
FEEDS: dict[str, tuple[list[str], str]] = {  # titles, and the first item's time in January 2025, "" for none
    "bare_amp.xml": ([FIRST, "AT&T and S&P 500 fall after DeepSeek"], AFTERNOON),
    "blank_first.xml": ([FIRST, "Power stocks fall as data centres need less"], AFTERNOON),
    "charref_big.xml": ([FIRST, "Chip stocks slump"], AFTERNOON),
    "charref_pair.xml": ([FIRST, "Chip stocks slump"], AFTERNOON),
    "ctrl.xml": ([FIRST, "Nvidia falls"], AFTERNOON),
    "feed.json": (["Nvidia falls"], "27 14:10:00"),
    "gml_srs.xml": ([FIRST, "Chip plant opens"], AFTERNOON),
    "good.xml": (["Power stocks recover"], ""),
    "html_entity.xml": ([FIRST, "Nvidia’s rout – chips fall"], AFTERNOON),
    "same_guid.xml": ([FIRST, POWER], AFTERNOON),
    "same_link.xml": ([FIRST, POWER, "Nvidia loses a record sum in one day"], AFTERNOON),
    "short_en.xml": (SHORT, "27 10:00:00"),
    "short_nolang.xml": (SHORT, "27 10:00:00"),
    "slash_date.xml": ([FALLS], AFTERNOON),
    "year_only.xml": ([FIRST], "31 23:59:59"),
    "zone_brt.xml": ([FALLS], EVENING),
    "zone_good.xml": ([FALLS], EVENING),
    "zone_minus.xml": ([FALLS], EVENING),
    "zone_named.xml": ([FALLS], EVENING),
    "zone_paren.xml": ([FALLS], EVENING),
}
DATES: tuple[str, ...] = (  # of each line of dates.txt, "" for no date
    "2025-12-20T09:00:00", "2025-01-27T09:10:00", "2025-01-27T14:10:00", "", "", "2025-01-27T14:10:00",
    "2025-12-31T23:59:59", "2025-01-31T23:59:59", "", *["2025-01-27T15:30:00"] * 7, "2025-01-27T19:30:00",
    "2025-01-27T20:30:00", "2025-01-27T13:30:00", "2025-01-27T13:30:00", "2025-01-27T14:00:00", "2025-01-27T15:30:00",
)  # fmt: skip
PRICES = {  # what `episodes check` says
    "unit100": "INTC opened at 99.82 times the close before, like prices in another unit (pence for pounds",
    "rsplit30": "INTC opened at 29.94 times the close before, like a split of 1 for 30",
    "split3for2": "INTC opened at 0.6654 times the close before, like a split of 3 for 2",
    "delisted": "SMCI: bars end on 2025-01-27, inside the window",
    "halted": "SMCI has no volume in 23 sessions, 2025-01-28 to 2025-02-28: halted?",
}


def changed(kind: str, folder: Path) -> Path:
    """A copy of the DeepSeek episode with one thing changed in its prices."""
    shutil.copytree(EPISODES / "deepseek-2025", folder)
    head, *rows = csv.reader((folder / "prices.csv").read_text(encoding="utf-8").splitlines())
    last = next(row[5] for row in rows if row[:2] == ["SMCI", "2025-01-27"])
    factors = {"unit100": (100, "2025-01-29"), "rsplit30": (30, "9999"), "split3for2": (2 / 3, "9999")}
    factor, until = factors.get(kind, (1, ""))
    made = [head]
    for symbol, day, *figures in rows:
        if symbol == "INTC" and "2025-01-22" <= day <= until:
            figures[:4] = [repr(float(each) * factor) for each in figures[:4]]
        stands = symbol == "SMCI" and day > "2025-01-27"
        if not stands or kind not in {"delisted", "halted"}:
            made.append([symbol, day, *figures])
        elif kind == "halted":
            made.append([symbol, day, last, last, last, last, "0"])
    with (folder / "prices.csv").open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows(made)
    return folder


def test_every_case_has_its_row():
    """No file of a case is left out."""
    assert {path.name for path in (CASES / "feeds").iterdir()} == set(FEEDS)
    assert len((CASES / "dates.txt").read_text(encoding="utf-8").splitlines()) == len(DATES)


@pytest.mark.parametrize("name", FEEDS)
def test_a_feed_gives_its_titles_and_the_moment_that_was_meant(name):
    """All its items, in order; none is lost."""
    titles, moment = FEEDS[name]
    parsed = rss.parse((CASES / "feeds" / name).read_bytes(), feed="f", seen=datetime(2025, 2, 1, tzinfo=UTC))
    assert [each.title for each in parsed.headlines] == titles
    assert parsed.rejects == ()
    published = parsed.headlines[0].published
    assert ("" if published is None else f"{published:%d %H:%M:%S}") == moment


@pytest.mark.parametrize(
    ("stated", "meant"), list(zip((CASES / "dates.txt").read_text(encoding="utf-8").splitlines(), DATES, strict=True))
)
def test_a_date_is_the_moment_that_was_meant_or_none(stated, meant):
    """What our own rules do not read is no date."""
    assert dates.moment(stated) == (datetime.fromisoformat(f"{meant}+00:00") if meant else None)


def test_one_pull_of_all_the_feeds_stores_all_their_items(tmp_path):
    """None of them ends the pull; the archive holds every item once, and again after a second pull."""
    bodies = {f"/{name}": (CASES / "feeds" / name).read_bytes() for name in FEEDS}
    fetcher = Fetcher(Limits(host_gap=0), allow_private=True)
    with Server(lambda path: (200, {}, bodies[path])).running() as server, Archive(tmp_path / "a.sqlite") as archive:
        archive.subscribe([FeedEntry(url=f"{server.address}/{name}", name=name) for name in FEEDS])
        done = pull(archive, fetcher)
        assert {each.feed.entry.name: (each.fetch.outcome, each.stored.new) for each in done} == {
            name: ("ok", len(titles)) for name, (titles, _) in FEEDS.items()
        }
        held = list(archive.history(None, datetime.max.replace(tzinfo=UTC)))
        assert sorted(each.headline.title for each in held) == sorted(
            title for titles, _ in FEEDS.values() for title in titles
        )
        assert archive.verify() == []


@pytest.mark.parametrize("kind", PRICES)
def test_check_names_what_is_wrong_with_prices(kind, tmp_path):
    """In its first line; the shipped episode has none."""
    assert PRICES[kind] in check_folder(changed(kind, tmp_path / kind))[0]


@pytest.mark.parametrize(
    ("kind", "said", "against"),
    [
        ("delisted", "taken as delisted at 100 % of its last close", "is an assumption about"),
        ("halted", "SMCI: no volume on 2025-01-28", "of its orders in SMCI waited for volume"),
    ],
)
def test_a_run_says_what_stood_still_in_terminal_page_and_critique(kind, said, against, tmp_path):
    """And nothing is filled after the last bar that had volume, but by the rule for delistings."""
    folder = changed(kind, tmp_path / kind)
    done = backtest("run", str(folder), "--strategy", "drift", "--no-baselines", "-o", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert said in " ".join((done.stdout + done.stderr).split())
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert said in page
    assert against in page
    assert against in json.dumps(json.loads((tmp_path / "out" / "evidence" / "critique.json").read_text()))
    with (tmp_path / "out" / "fills.csv").open(encoding="utf-8") as file:
        late = [row for row in csv.DictReader(file) if row["symbol"] == "SMCI" and row["session"] > "2025-01-27"]
    assert {row["auction"] for row in late} <= {"delisting"}
