"""Prices as vendors write them: understood and said in one line, or refused where a text has two meanings."""

from __future__ import annotations

import csv
import lzma
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtests.episodes import bar_table
from backtests.episodes.episode import EPISODES, load_episode
from backtests.episodes.listing_status import read_halts
from backtests.episodes.price_formats import plain_numbers
from backtests.episodes.prices import COLUMNS, Prices, read_prices
from feeds.errors import InputError

SOURCE = EPISODES / "deepseek-2025" / "prices.csv"
FIELDS = ("Close", "High", "Low", "Open", "Volume")  # in yfinance's order


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Bars of three symbols, as figures."""
    rows = pd.read_csv(SOURCE)
    return rows[rows["symbol"].isin(["NVDA", "SPY", "VST"]) & (rows["date"] >= "2025-01-06")].reset_index(drop=True)


def same(read: Prices, frame: pd.DataFrame) -> bool:
    """Whether the bars are those of the frame, to the last bit."""
    for symbol, mine in frame.groupby("symbol"):
        bars = read.bars[symbol]
        assert bars.sessions == tuple(date.fromisoformat(day) for day in mine["date"])
        for name in COLUMNS[2:]:
            assert np.array_equal(getattr(bars, name), mine[name].to_numpy(float))
    return len(read.bars) == frame["symbol"].nunique()


def wide(frame: pd.DataFrame, *, by_symbol: bool = False, adjusted: bool = False) -> pd.DataFrame:
    """The frame that yfinance's `download` gives, with fields over symbols or symbols over fields."""
    tall = frame.rename(columns=str.capitalize).rename(columns={"Symbol": "Ticker"})
    if adjusted:
        tall["Adj Close"] = tall["Close"] * 0.99
    made = tall.assign(Date=pd.to_datetime(tall["Date"])).pivot_table(index="Date", columns="Ticker", sort=True)
    made.columns.names = ["Price", "Ticker"]
    return made.swaplevel(axis=1).sort_index(axis=1) if by_symbol else made


@pytest.mark.parametrize("by_symbol", [False, True])
def test_a_wide_frame_of_yfinance_is_read(tmp_path, frame, by_symbol):
    """As `to_csv` and `to_parquet` write it; adjusted closes are told apart and left out."""
    made = wide(frame, by_symbol=by_symbol, adjusted=True)
    made.to_csv(tmp_path / "wide.csv")
    made.to_parquet(tmp_path / "wide.parquet")
    assert "Ticker" in (tmp_path / "wide.csv").read_text().splitlines()[0 if by_symbol else 1]
    for name in ("wide.csv", "wide.parquet"):
        read = read_prices(tmp_path / name)
        assert same(read, frame)
        assert "a wide table of 3 symbols" in read.note
        assert "Adj Close left out (dividends in them)" in read.note
        assert "\n" not in read.note


def test_a_wide_frame_of_one_symbol_and_of_a_late_listing_is_read(tmp_path, frame):
    """Days on which a symbol has no figure at all are no bars, and are counted."""
    one = frame[frame["symbol"] == "NVDA"]
    wide(one).to_csv(tmp_path / "one.csv")
    assert same(read_prices(tmp_path / "one.csv"), one)
    late = frame[(frame["symbol"] != "VST") | (frame["date"] >= "2025-01-10")]
    wide(late).to_csv(tmp_path / "late.csv")
    read = read_prices(tmp_path / "late.csv")
    assert same(read, late)
    assert "3 days of a symbol without any figure are no bars" in read.note  # 6, 7 and 8 January; the 9th was closed


def test_a_wide_frame_with_a_hole_in_a_bar_is_refused(tmp_path, frame):
    """A bar without its close is an error, not a day without a bar."""
    made = wide(frame)
    made.loc["2025-01-27", ("Close", "NVDA")] = np.nan
    made.to_csv(tmp_path / "hole.csv")
    with pytest.raises(InputError, match=r"hole.csv:\d+: NVDA 2025-01-27.*: close is empty"):
        read_prices(tmp_path / "hole.csv")


LAYOUTS = {
    "capitals": (lambda f: f.rename(columns=str.title).rename(columns={"Symbol": "Ticker"}), {}, "Ticker as symbol"),
    "midnights": (lambda f: f.assign(date=f["date"] + " 00:00:00"), {}, "without their midnight"),
    "midnights with a zone": (lambda f: f.assign(date=f["date"] + " 00:00:00-05:00"), {}, "without their midnight"),
    "midnights of New York in UTC": (lambda f: f.assign(date=f["date"] + "T05:00:00Z"), {}, "without their midnight"),
    "year first": (lambda f: f.assign(date=f["date"].str.replace("-", "/")), {}, "year, month, day"),
    "plain digits": (lambda f: f.assign(date=f["date"].str.replace("-", "")), {}, ""),
    "semicolons": (lambda f: f, {"sep": ";"}, "columns between semicolons"),
    "tabs": (lambda f: f, {"sep": "\t"}, "columns between tabs"),
    "semicolons and decimal commas": (lambda f: f, {"sep": ";", "decimal": ","}, "decimal commas"),
    "thousands": (
        lambda f: f.assign(volume=[f"{value:,}" for value in f["volume"]]), {}, "commas between thousands",
    ),
    "dollars": (lambda f: f.assign(close=[f"${value!r}" for value in f["close"]]), {}, ""),
    "angle brackets": (lambda f: f.rename(columns=lambda n: f"<{n.upper()}>").rename(columns={"<SYMBOL>": "<TICKER>"}),
                       {}, "<TICKER> as symbol"),
    "vol.": (lambda f: f.rename(columns={"volume": "Vol."}), {}, "Vol. as volume"),
    "adjusted beside": (lambda f: f.assign(adjClose=f["close"] * 0.97, adj_open=f["open"] * 0.97), {},
                        "adjClose, adj_open left out"),
}  # fmt: skip


@pytest.mark.parametrize("kind", LAYOUTS)
def test_each_layout_gives_the_same_bars(tmp_path, frame, kind):
    """And the note names what was understood; our own layout has no note."""
    change, how, note = LAYOUTS[kind]
    change(frame).to_csv(tmp_path / "bars.csv", index=False, **how)
    read = read_prices(tmp_path / "bars.csv")
    assert same(read, frame)
    assert note in read.note
    frame.to_csv(tmp_path / "ours.csv", index=False)
    assert read_prices(tmp_path / "ours.csv").note == ""


@pytest.mark.parametrize(("order", "shape"), [("dmy", "%d/%m/%Y"), ("mdy", "%m/%d/%Y"), ("dmy", "%d.%m.%Y 00:00")])
def test_days_and_months_need_a_stated_order(tmp_path, frame, order, shape):
    """Even where a 27 gives it away: the next file may have no 27."""
    frame.assign(date=pd.to_datetime(frame["date"]).dt.strftime(shape)).to_csv(tmp_path / "bars.csv", index=False)
    with pytest.raises(InputError, match="--date-order dmy or mdy"):
        read_prices(tmp_path / "bars.csv")
    assert same(read_prices(tmp_path / "bars.csv", date_order=order), frame)
    with pytest.raises(InputError, match="no date in this order"):
        read_prices(tmp_path / "bars.csv", date_order={"dmy": "mdy", "mdy": "dmy"}[order])


REFUSED = {
    "only adjusted closes": ("symbol,date,open,high,low,Adj Close,volume\nX,2025-01-02,1,1,1,1,1\n",
                             "no column close beside Adj Close.*splits in them and dividends not"),
    "all adjusted": ("symbol,date,adjOpen,adjHigh,adjLow,adjClose,volume\nX,2025-01-02,1,1,1,1,1\n", "no column open"),
    "two symbols": ("symbol,ticker,date,open,high,low,close,volume\nX,X,2025-01-02,1,1,1,1,1\n", "symbol and ticker both"),
    "a time of day": ("symbol,date,open,high,low,close,volume\nX,2025-01-02 09:30:00,1,1,1,1,1\n", "has a time of day"),
    "an underscore": ("symbol,date,open,high,low,close,volume\nX,2025-01-02,1,1,1,1_1,1\n", "'1_1' is no number"),
    "a short year": ("symbol,date,open,high,low,close,volume\nX,02/01/25,1,1,1,1,1\n", "YYYY-MM-DD"),
    "thousands or decimals": ('symbol,date,open,high,low,close,volume\nX,2025-01-02,1,1,1,1,"1,234"\n', "may be thousands"),
    "one comma among points": ('symbol,date,open,high,low,close,volume\nX,2025-01-02,118.42,118.42,118.42,"118,42",1\n',
                               "written in two ways"),
    "a wide table of closes": ("Price,Close,Close\nTicker,A,B\nDate,,\n2025-01-02,1,2\n", "A: no column open"),
    "wide, adjusted only": ("Price,Adj Close,High,Low,Open,Volume\nTicker,A,A,A,A,A\nDate,,,,,\n2025-01-02,1,1,1,1,1\n",
                            "A: no column close beside Adj Close"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_has_two_meanings_is_refused_in_one_line(tmp_path, kind):
    """With the file and the remedy."""
    text, words = REFUSED[kind]
    (tmp_path / "bars.csv").write_text(text)
    with pytest.raises(InputError, match=f"bars.csv.*{words}") as refused:
        read_prices(tmp_path / "bars.csv")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["\x1b[31mA", "A\u202eB", '"A\nB"'])
def test_what_a_terminal_would_obey_is_refused_and_shown_in_escapes(tmp_path, text):
    """In symbols, dates, headers and the cells of the small tables; the line is one line."""
    head, row = "symbol,date,open,high,low,close,volume", "2025-01-02,1,1,1,1,1"
    for bars in (
        f"{head}\n{text},{row}\n",
        f"{head}\nA,{text},1,1,1,1,1\n",
        f"{text},Adj Close,Date\nA,1,2025-01-02\n",
    ):
        (tmp_path / "bars.csv").write_text(bars)
        with pytest.raises(InputError) as refused:
            read_prices(tmp_path / "bars.csv")
        assert str(refused.value).isprintable()
    for table in (f"symbol,from,to,reason\nA,2025-01-02,2025-01-02,{text}\n", f"{text},from\n"):
        (tmp_path / "halts.csv").write_text(table)
        with pytest.raises(InputError) as refused:
            read_halts(tmp_path / "halts.csv")
        assert str(refused.value).isprintable()


@given(st.lists(st.integers(100, 10**9), min_size=1, max_size=20), st.sampled_from(["us", "de"]))
def test_numbers_in_one_way_of_writing_are_read_back(cents, way):
    """A law: what a program writes with separators of thousands and two decimals comes back as the same number."""
    cells = [f"{each // 100:,}.{each % 100:02}" for each in cents]
    if way == "de":
        cells = [each.translate(str.maketrans(",.", ".,")) for each in cells]
    (column,), _ = plain_numbers([cells])
    assert [float(each) for each in column] == [each / 100 for each in cents]


def test_a_run_says_how_the_prices_were_understood(tmp_path):
    """In the episode's notes, which every output shows."""
    with SOURCE.open(newline="") as file:
        rows = list(csv.reader(file))
    path: Path = tmp_path / "vendor.csv"
    with path.open("w", newline="") as file:
        csv.writer(file, delimiter=";").writerows([["Ticker", "Date", *rows[0][2:]], *rows[1:]])
    (note,) = load_episode("deepseek-2025", prices=path).notes
    assert note == "vendor.csv is understood as: columns between semicolons; columns Ticker as symbol"


def test_bars_of_minutes_of_a_vendor_are_read_too(tmp_path):
    """A wide frame of five minutes, as yfinance writes it: the note is the episode's."""
    times = [f"2025-01-27 {hour:02}:{minute:02}:00-05:00" for hour in range(10, 12) for minute in range(0, 60, 5)]
    day = load_episode("deepseek-2025").prices.bars["NVDA"]
    price = str(float(day.close[day.sessions.index(date(2025, 1, 27))]))
    head = ["Price,Close,High,Low,Open,Volume", "Ticker,NVDA,NVDA,NVDA,NVDA,NVDA", "Datetime,,,,,"]
    rows = [f"{each},{price},{price},{price},{price},100" for each in times]
    (tmp_path / "wide.csv").write_text("\n".join([*head, *rows]) + "\n")
    episode = load_episode(
        "deepseek-2025", prices=tmp_path / "wide.csv", bars="5m", start=date(2025, 1, 27), end=date(2025, 1, 27)
    )
    assert episode.intraday is not None
    assert len(episode.intraday.bars["NVDA"].starts) == len(times)
    assert "wide.csv is understood as: a wide table of 1 symbol" in episode.notes


def test_blanks_around_a_symbol_are_no_part_of_it(tmp_path):
    """As fixed-width exports have them."""
    (tmp_path / "bars.csv").write_text("symbol,date,open,high,low,close,volume\n A ,2025-01-02,1,2,1,2,5\n")
    assert list(read_prices(tmp_path / "bars.csv").bars) == ["A"]


def test_a_packed_table_is_read_like_the_plain_one(tmp_path, frame):
    """To the last bit, by whatever tool it was packed."""
    (tmp_path / "prices.csv.xz").write_bytes(lzma.compress(frame.to_csv(index=False).encode()))
    assert same(read_prices(tmp_path / "prices.csv.xz"), frame)


@pytest.mark.parametrize("damage", [lambda data: data[:-20], lambda data: b"symbol,date" + data, lambda _: b""])
def test_a_damaged_packed_table_is_refused_in_one_line(tmp_path, damage):
    """Cut off, no packed file at all, empty."""
    path = tmp_path / "prices.csv.xz"
    path.write_bytes(damage(lzma.compress(SOURCE.read_bytes()[:5000])))
    with pytest.raises(InputError, match=r"prices\.csv\.xz: cannot be unpacked|holds no|no column") as refused:
        read_prices(path)
    assert "\n" not in str(refused.value)


def test_a_packed_table_does_not_fill_the_memory(tmp_path, monkeypatch):
    """A few bytes may unpack to any number: there is a limit."""
    monkeypatch.setattr(bar_table, "_UNPACKED", 1_000_000)
    path = tmp_path / "prices.csv.xz"
    path.write_bytes(lzma.compress(b"0" * 1_000_001))
    with pytest.raises(InputError, match="unpacks to more than"):
        read_prices(path)
