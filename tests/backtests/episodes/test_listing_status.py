"""symbols.csv, halts.csv and delistings.csv: what they declare holds, and what contradicts the bars is refused."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from backtests.cli import cli
from backtests.episodes.episode import load_episode
from feeds.errors import InputError
from tests.helpers.folders import edit


def rewrite(folder: Path, change) -> None:
    """Passes each row of prices.csv through a function; None drops the row."""
    with (folder / "prices.csv").open(newline="") as file:
        head, *rows = csv.reader(file)
    with (folder / "prices.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *filter(None, map(change, rows))])


def declare(folder: Path, name: str, *rows: str) -> None:
    """Writes one of the tables, with its header."""
    heads = {
        "symbols": "symbol,valid_from,valid_to,currency,formerly",
        "halts": "symbol,from,to,reason",
        "delistings": "symbol,session,value",
    }
    (folder / f"{name}.csv").write_text("\n".join([heads[name], *rows, ""]), encoding="utf-8")


def without(symbol: str, first: str, last: str):
    """Drops a symbol's bars from a day to a day."""
    return lambda row: None if row[0] == symbol and first <= row[1] <= last else row


def test_a_declared_halt_needs_no_bars_and_is_valued_at_the_close_before(folder):
    """SMCI without bars on 28 and 29 January: refused, unless the halt is declared; then volume 0 at 27 January's close."""
    rewrite(folder, without("SMCI", "2025-01-28", "2025-01-29"))
    with pytest.raises(InputError, match=r"SMCI has no bar for the session 2025-01-28.*halts\.csv"):
        load_episode(folder)
    declare(folder, "halts", "SMCI,2025-01-28,2025-01-29,news pending")
    episode = load_episode(folder)
    assert episode.halts == (("SMCI", date(2025, 1, 28), date(2025, 1, 29)),)
    bars = episode.prices.bars["SMCI"]
    row = bars.sessions.index(date(2025, 1, 28))
    before = float(bars.close[row - 1])
    for each in (row, row + 1):
        assert (bars.open[each], bars.high[each], bars.low[each], bars.close[each]) == (before,) * 4
        assert bars.volume[each] == 0
    assert bars.volume[row + 2] > 0
    assert "SMCI did not trade from 2025-01-28 to 2025-01-29 (news pending)" in episode.notes
    assert "halts.csv" in episode.sources


def test_a_halt_until_the_end_of_the_bars_is_filled_to_its_last_session(folder):
    """A share that was halted and never traded again stays at its last close while the halt lasts."""
    rewrite(folder, without("SMCI", "2025-01-28", "9999"))
    declare(folder, "halts", "SMCI,2025-01-28,2025-01-31,delisting pending")
    declare(folder, "delistings", "SMCI,2025-01-31,zero")
    episode = load_episode(folder)
    assert episode.prices.bars["SMCI"].sessions[-1] == date(2025, 1, 31)
    assert episode.delistings == (("SMCI", date(2025, 1, 31), "zero"),)


def fb_until(day: str):
    """Gives NVDA's bars before a day to a symbol OLD: a rename that the vendor did not carry back."""
    return lambda row: ["OLD", *row[1:]] if row[0] == "NVDA" and row[1] < day else row


def test_bars_of_a_former_symbol_are_joined_to_the_present_one(folder):
    """Figures as if the vendor had renamed the past; a dividend of the old symbol is the new one's."""
    whole = load_episode(folder).prices.bars["NVDA"]
    rewrite(folder, fb_until("2025-01-15"))
    declare(folder, "symbols", "OLD,1999-01-22,2025-01-14,USD,", "NVDA,2025-01-15,,USD,OLD")
    edit(
        folder / "actions.csv",
        "symbol,ex_date,kind,value\n",
        "symbol,ex_date,kind,value\nOLD,2025-01-14,dividend,0.123\n",
    )
    episode = load_episode(folder)
    joined = episode.prices.bars["NVDA"]
    assert joined.sessions == whole.sessions
    assert (joined.close == whole.close).all()
    assert "OLD" not in episode.prices.bars
    assert [each.symbol for each in episode.actions if each.value == 0.123] == ["NVDA"]


def test_a_vendor_that_renamed_the_past_is_understood_too(folder):
    """META's bars of a time when it was FB are the same company's, where `formerly` says so."""
    declare(folder, "symbols", "META,2024-10-01,,USD,FB", "FB,2012-05-18,2024-09-30,USD,")
    assert load_episode(folder).prices.bars["META"].sessions[0] < date(2024, 10, 1)


REFUSED = {
    "another company's bars": ("symbols", ["META,2024-10-01,,USD,"], r"META has a bar on 2024-\d\d-\d\d, when"),
    "another company's bars, with its row": (
        "symbols", ["META,2021-06-30,2024-09-30,USD,", "META,2024-10-01,,USD,"], "META has a bar on 2024",
    ),
    "symbol passed on after the window": ("symbols", ["META,2012-05-18,2025-02-10,USD,"], "META has a bar on 2025-02-11"),
    "another currency": ("symbols", ["META,2012-05-18,,EUR,"], r"symbols.csv:2: META is quoted in EUR .* kept in USD"),
    "pence": ("symbols", ["META,2012-05-18,,GBX,"], "quoted in GBX"),
    "no currency": ("symbols", ["META,2012-05-18,,,"], "code of three letters"),
    "two companies at once": (
        "symbols", ["META,2012-05-18,2024-12-31,USD,", "META,2024-12-31,,USD,"], r"symbols.csv:3: META has two companies",
    ),
    "no date": ("symbols", ["META,18.05.2012,,USD,"], "YYYY-MM-DD"),
    "halt in which it traded": ("halts", ["NVDA,2025-01-28,2025-01-28,x"], r"halts.csv:2: NVDA traded .* on 2025-01-28"),
    "halt before the first bar": ("halts", ["NVDA,2020-01-02,2025-01-10,x"], "halts.csv:2"),
    "halt reversed": ("halts", ["NVDA,2025-01-29,2025-01-28,x"], "swap them"),
    "halts that overlap": ("halts", ["X,2025-01-28,2025-01-29,x", "X,2025-01-29,2025-01-30,x"], "halted twice"),
    "halt of nobody": ("halts", ["NVDX,2025-01-28,2025-01-28,x"], "NVDX is in no sector"),
    "delisted and traded on": ("delistings", ["NVDA,2025-01-28,last"], "bars end on 2025-02-28, not on 2025-01-28"),
    "delisted at nonsense": ("delistings", ["NVDA,2025-01-28,half"], "last, zero, or percent"),
    "delisted at not a number": ("delistings", ["NVDA,2025-01-28,nan"], "last, zero, or percent"),
    "delisted twice": ("delistings", ["NVDA,2025-01-28,last", "NVDA,2025-01-29,last"], "delisted twice"),
    "row too short": ("halts", ["NVDA,2025-01-28"], "2 values, but the header names 4"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_a_table_that_the_bars_contradict_is_refused_in_one_line(folder, kind):
    """With the file and the row."""
    name, rows, words = REFUSED[kind]
    declare(folder, name, *rows)
    with pytest.raises(InputError, match=words) as refused:
        load_episode(folder)
    assert "\n" not in str(refused.value)


def test_a_context_symbol_may_be_quoted_in_another_currency(folder):
    """It is shown, not traded."""
    symbol = load_episode(folder).context[0]
    declare(folder, "symbols", f"{symbol},1900-01-01,,EUR,")
    assert symbol in load_episode(folder).context


def test_a_run_keeps_the_tables_and_comes_out_the_same_from_its_folder(folder, tmp_path):
    """Halts, a delisting and a rename are inputs of a run like any other."""
    rewrite(folder, fb_until("2025-01-15"))
    rewrite(folder, without("SMCI", "2025-01-28", "2025-01-29"))
    rewrite(folder, without("ARM", "2025-01-31", "9999"))
    declare(folder, "symbols", "OLD,1999-01-22,2025-01-14,USD,", "NVDA,2025-01-15,,USD,OLD")
    declare(folder, "halts", "SMCI,2025-01-28,2025-01-29,news pending")
    declare(folder, "delistings", "ARM,2025-01-30,zero")
    run, output = CliRunner(), tmp_path / "run"
    done = run.invoke(cli, ["run", str(folder), "-s", "shock", "-o", str(output)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    kept = {path.name for path in (output / "inputs").rglob("*.csv")}
    assert {"symbols.csv", "halts.csv", "delistings.csv"} <= kept
    done = run.invoke(cli, ["verify", str(output)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
