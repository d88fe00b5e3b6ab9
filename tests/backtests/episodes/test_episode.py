"""An episode's folder is checked before anybody trades on it: each kind of broken file has its one line."""

from __future__ import annotations

import csv
import hashlib
import itertools
import json
import re
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from backtests.episodes.bar_table import open_text
from backtests.episodes.claim_checks import check_claims
from backtests.episodes.episode import EPISODES, episode_names, load_episode, separate_episodes
from backtests.episodes.prices import price_file, read_prices
from feeds.errors import InputError
from tests.helpers.folders import edit
from tests.helpers.paths import SHARED

SOURCE = EPISODES / "deepseek-2025"
PRICES = SHARED / "data" / "prices" / "daily.csv"


NVDA = "NVDA,2025-01-27,"


def row_of(folder: Path, start: str) -> str:
    """The line of prices.csv that begins like this."""
    return next(line for line in (folder / "prices.csv").read_text().splitlines() if line.startswith(start))


def cell(column: str, value: str):
    """Breaks one cell of NVDA's bar of 27 January."""

    def breaks(folder: Path) -> None:
        old = row_of(folder, NVDA)
        names = (folder / "prices.csv").read_text().splitlines()[0].split(",")
        cells = old.split(",")
        cells[names.index(column)] = value
        edit(folder / "prices.csv", old, ",".join(cells))

    return breaks


def line(name: str, old: str, new: str):
    """Replaces a piece of a file."""
    return lambda folder: edit(folder / name, old, new)


def drop(start: str):
    """Drops a line of prices.csv."""
    return lambda folder: edit(folder / "prices.csv", row_of(folder, start) + "\n", "")


def twice(start: str):
    """Doubles a line of prices.csv."""
    return lambda folder: edit(folder / "prices.csv", row_of(folder, start) + "\n", (row_of(folder, start) + "\n") * 2)


def without(name: str):
    """Removes a file."""
    return lambda folder: (folder / name).unlink()


def add(name: str, text: str):
    """Adds to the end of a file."""

    def breaks(folder: Path) -> None:
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write(text)

    return breaks


BROKEN = {
    "price is NaN": (cell("open", "nan"), "prices.csv:", "NVDA 2025-01-27"),
    "price is text": (cell("close", "abc"), "prices.csv:", "close 'abc'"),
    "price is empty": (cell("close", ""), "prices.csv:", "close is empty"),
    "price is zero": (cell("low", "0"), "prices.csv:", "0 or less"),
    "price is negative": (cell("low", "-3"), "prices.csv:", "0 or less"),
    "volume is negative": (cell("volume", "-1"), "prices.csv:", "negative volume"),
    "close above high": (cell("close", "999"), "prices.csv:", "above its high"),
    "open below low": (cell("open", "1"), "prices.csv:", "below its low"),
    "date is no date": (cell("date", "27.01.2025"), "prices.csv:", "YYYY-MM-DD"),
    "symbol is empty": (cell("symbol", ""), "prices.csv:", "symbol is empty"),
    "session missing": (drop(NVDA), "prices.csv", "NVDA has no bar for the session 2025-01-27"),
    "session twice": (twice(NVDA), "prices.csv:", "twice"),
    "bar on a closed day": (
        lambda folder: edit(folder / "prices.csv", NVDA, "NVDA,2025-01-26,1,1,1,1,1\n" + NVDA),
        "prices.csv", "2025-01-26, when the exchange was closed",
    ),
    "row too short": (line("prices.csv", NVDA, "NVDA,"), "prices.csv:", "values, but the header names"),
    "column missing": (line("prices.csv", "volume", "amount"), "prices.csv:1:", "no column volume"),
    "no bars at all": (lambda folder: (folder / "prices.csv").write_text("symbol,date,open,high,low,close,volume\n"),
                       "prices.csv", "holds no bars"),
    "prices missing": (without("prices.csv"), "prices.csv", "cannot be read"),
    "prices no text": (lambda folder: (folder / "prices.csv").write_bytes(b"\xff\xfe\x00"), "prices.csv", "UTF-8"),
    "symbol without prices": (line("episode.toml", '"NVDA"', '"NVDAX"'), "prices.csv", "NVDAX"),
    "symbol in two sectors": (line("episode.toml", '["CEG"', '["NVDA", "CEG"'), "episode.toml", "NVDA is named twice"),
    "benchmark in no sector": (line("episode.toml", 'benchmark = "SPY"', 'benchmark = "^VIX"'), "episode.toml",
                               "^VIX is in no sector"),
    "TOML malformed": (line("episode.toml", "title = ", "title "), "episode.toml", "no valid TOML"),
    "key unknown": (line("episode.toml", "adjusted = ", "adjustd = "), "episode.toml", "adjusted"),
    "key missing": (line("episode.toml", 'benchmark = "SPY"', ""), "episode.toml", "benchmark"),
    "key of wrong type": (line("episode.toml", "start = 2025-01-13", 'start = "2025-01-13"'), "episode.toml", "start"),
    "adjusted unknown": (line("episode.toml", 'adjusted = "splits"', 'adjusted = "all"'), "episode.toml", "adjusted"),
    "delay negative": (line("episode.toml", "latency_minutes = 5", "latency_minutes = -5"), "episode.toml", "latency"),
    "sector no list": (line("episode.toml", "gear = [", 'gear = "VRT" # ['), "episode.toml", "gear"),
    "shares no number": (line("episode.toml", "billions = 24.49", 'billions = "x"'), "episode.toml", "NVDA"),
    "window reversed": (line("episode.toml", "start = 2025-01-13", "start = 2025-02-08"), "episode.toml:4:", "before"),
    "key session outside": (line("episode.toml", "key_session = 2025-01-27", "key_session = 2025-03-03"),
                            "episode.toml:5:", "key_session"),
    "control no truth value": (line("episode.toml", "adjusted =", "control = 1\nadjusted ="), "episode.toml:", "control"),
    "news missing": (lambda folder: [path.unlink() for path in folder.glob("news*")], "broken", "holds no news"),
    "claim of unknown kind": (line("episode.toml", 'kind = "rank"', 'kind = "rnk"'), "claim 3", "rnk"),
    "claim of unknown symbol": (line("episode.toml", 'symbol = "^IXIC"', 'symbol = "IXIC"'), "claim 4", "IXIC"),
    "claim without number": (line("episode.toml", "reported = -3.1", ""), "claim 4", "reported"),
    "claim with text for number": (line("episode.toml", "reported = -3.1", 'reported = "-3.1"'), "claim 4", "number"),
    "claim with unknown key": (line("episode.toml", 'said = "−3.1 %"', "sad = 1"), "claim 4", "sad"),
    "claim without a date": (line("episode.toml", "\nsession = 2025-01-27", '\nsession = "Monday"'), "claim 1", "date"),
    "action header": (line("actions.csv", "ex_date", "date"), "actions.csv:1:", "columns"),
    "action kind": (add("actions.csv", "NVDA,2025-01-20,spinoff,1\n"), "actions.csv:", "dividend or split"),
    "action value": (add("actions.csv", "NVDA,2025-01-20,dividend,-1\n"), "actions.csv:", "above 0"),
    "action twice": (add("actions.csv", "X,2025-01-20,dividend,1\nX,2025-01-20,dividend,1\n"), "actions.csv:", "twice"),
    "action date": (add("actions.csv", "NVDA,20 Jan,dividend,1\n"), "actions.csv:", "give symbol"),
    "actions missing": (without("actions.csv"), "actions.csv", "cannot be read"),
    "sessions missing": (without("sessions.csv"), "sessions.csv", "cannot be read"),
    "toml missing": (without("episode.toml"), "broken", "holds no episode.toml"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_folder_is_refused_in_one_line(folder, kind):
    """With the file, the line where there is one, and what is wrong."""
    breaks, where, what = BROKEN[kind]
    breaks(folder)
    with pytest.raises(InputError) as refused:
        load_episode(folder)
    message = str(refused.value)
    assert where in message
    assert what in message
    assert "\n" not in message


def test_every_shipped_episode_loads_and_has_its_key_session_in_its_window():
    """Nothing shipped is broken."""
    for name in episode_names():
        episode = load_episode(name)
        assert episode.start <= episode.key_session <= episode.end
        assert len(episode.news) > 0


def test_an_unknown_episode_is_met_with_the_nearest_name():
    """It asks: did you mean this one?"""
    with pytest.raises(InputError, match="deepseek-2025"):
        load_episode("deepseek-2024")


def test_parquet_gives_the_same_bars_as_csv(tmp_path):
    """Figures to the last bit."""
    pd.read_csv(SOURCE / "prices.csv", parse_dates=["date"]).to_parquet(tmp_path / "prices.parquet")
    csv_bars, parquet_bars = read_prices(SOURCE / "prices.csv").bars, read_prices(tmp_path / "prices.parquet").bars
    assert list(csv_bars) == list(parquet_bars)
    for symbol, bars in csv_bars.items():
        assert bars.sessions == parquet_bars[symbol].sessions
        for column in ("open", "high", "low", "close", "volume"):
            assert (getattr(bars, column) == getattr(parquet_bars[symbol], column)).all()


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"no parquet", "is no Parquet file"), (None, "cannot be read")],
)
def test_a_broken_parquet_file_is_refused(tmp_path, data, words):
    """With its name."""
    if data is not None:
        (tmp_path / "p.parquet").write_bytes(data)
    with pytest.raises(InputError, match=words):
        read_prices(tmp_path / "p.parquet")


def test_own_prices_need_the_benchmark_and_may_lack_the_rest(tmp_path):
    """Symbols without prices are left out; the benchmark is needed."""
    lines = (SOURCE / "prices.csv").read_text().splitlines()
    some = [lines[0], *(row for row in lines[1:] if row.split(",")[0] in {"SPY", "NVDA"})]
    (tmp_path / "some.csv").write_text("\n".join(some) + "\n")
    assert load_episode("deepseek-2025", prices=tmp_path / "some.csv").tradable == ("NVDA", "SPY")
    (tmp_path / "less.csv").write_text("\n".join(row for row in some if "SPY" not in row) + "\n")
    with pytest.raises(InputError, match="SPY has no prices"):
        load_episode("deepseek-2025", prices=tmp_path / "less.csv")


def test_the_claims_of_27_january_by_hand():
    """NVDA 142.62 -> 124.80 -> 118.42; Meta rose; a claim is judged by the price alone."""
    checked = {(row.symbol, row.kind): row for row in check_claims(load_episode("deepseek-2025"))}
    nvda = checked["NVDA", "return"]
    by_hand = ((118.42 / 142.62 - 1) * 100, (124.80 / 142.62 - 1) * 100, (118.42 / 124.80 - 1) * 100)
    assert (nvda.close_pct, nvda.gap_pct, nvda.intraday_pct) == pytest.approx(by_hand, abs=0.005)
    assert checked["NVDA", "value_lost"].measured == pytest.approx(24.49 * (118.42 - 142.62), abs=0.3)
    assert checked["NVDA", "rank"].measured == 3
    assert checked["META", "massive"].verdict == "contradicted"
    assert checked["META", "massive"].close_pct == pytest.approx(1.91, abs=0.005)


def test_a_claim_that_cannot_be_tested_says_so(folder):
    """No shares, no rank; no bar, no verdict."""
    edit(folder / "episode.toml", "NVDA = { billions", "AMZN = { billions")
    edit(folder / "episode.toml", 'symbol = "CEG"\nsession = 2025-01-27', 'symbol = "CEG"\nsession = 2025-01-26')
    checked = {(row.symbol, row.kind): row for row in check_claims(load_episode(folder))}
    assert checked["NVDA", "value_lost"].verdict == "not testable"
    assert checked["NVDA", "rank"].verdict == "not testable"
    assert checked["CEG", "return"].verdict == "not testable"


@pytest.mark.skipif(not PRICES.is_file(), reason="the shared price file is not beside the project")
@pytest.mark.parametrize("name", episode_names())
def test_shipped_prices_equal_the_source_to_the_digit(name):
    """Every cell, as text, where both have the symbol and the day."""
    with PRICES.open(encoding="utf-8", newline="") as file:
        source = {(row["symbol"], row["date"]): row for row in csv.DictReader(file)}
    with open_text(price_file(EPISODES / name)) as file:
        shipped = list(csv.DictReader(file))
    assert len(shipped) > 1000
    columns = ("open", "high", "low", "close", "volume")
    wrong = [
        row for row in shipped
        if [float(row[c]) for c in columns] != [float(source[row["symbol"], row["date"]][c]) for c in columns]
    ]  # fmt: skip
    assert wrong == []
    assert {date.fromisoformat(row["date"]) for row in shipped} <= {date.fromisoformat(day) for _, day in source}


def test_a_comparison_leaves_out_years_that_hold_other_episodes():
    """Their sessions would count twice; all others are in."""
    windows = {name: load_episode(name) for name in separate_episodes()}
    assert set(episode_names()) - set(windows) == {"ai-2022-2026"}
    ordered = sorted((each.start, each.end) for each in windows.values())
    assert all(before[1] < after[0] for before, after in itertools.pairwise(ordered))


@pytest.mark.parametrize("name", ["ai-2022-2026", "ai-bubble-2025", "software-selloff-2026"])
def test_provenance_names_every_file_with_its_hash(name):
    """So that a figure that was edited shows."""
    folder = EPISODES / name
    stated = dict(re.findall(r"^\| (\S+) \| ([0-9a-f]{64}) \|$", (folder / "PROVENANCE.md").read_text(), re.MULTILINE))
    made = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    assert stated == {file: value for file, value in made.items() if file not in {"PROVENANCE.md", "episode.toml"}}


def test_the_panels_gap_is_filled_with_the_feeds_of_deepseek():
    """To the byte; the flow itself holds nothing of those weeks."""
    panel = EPISODES / "ai-2022-2026"
    for language in ("en", "de"):
        own = (panel / f"news.2025-01.{language}.xml").read_bytes()
        assert own == (EPISODES / "deepseek-2025" / f"news.{language}.xml").read_bytes()
    flow = [json.loads(line) for line in (panel / "news.jsonl").read_text(encoding="utf-8").splitlines()]
    assert not [each for each in flow if "2025-01-13" <= each.get("published", each["seen"]) < "2025-02-08"]
