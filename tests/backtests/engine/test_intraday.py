"""Bars of minutes from a file: read, checked, and a whole run on them."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime, timedelta

import pytest
from click.testing import CliRunner

from backtests import load_episode
from backtests.cli import cli
from backtests.episodes.intraday import bar_length, read_intraday
from feeds.errors import EpisodeError, InputError
from tests.helpers.paths import SHARED

BARS = SHARED / "data/prices/intraday_5m_deepseek-2025.csv"
HEADER = "symbol,timestamp,open,high,low,close,volume\n"
SESSIONS = load_episode("deepseek-2025").sessions


def made(tmp_path, *rows, header=HEADER):
    """A file of bars."""
    path = tmp_path / "minutes.csv"
    path.write_text(header + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def bars_of(symbol, day, price, count=3, offset="-05:00"):
    """A few bars of five minutes from 09:30 on."""
    start = datetime.fromisoformat(f"{day}T09:30:00")
    return [f"{symbol},{(start + timedelta(minutes=5 * n)).isoformat()}{offset},{price},{price},{price},{price},1000"
            for n in range(count)]  # fmt: skip


def test_times_are_read_with_their_offset_and_bars_outside_the_session_are_counted(tmp_path):
    """09:30 in New York is 14:30 UTC; 09:25 is before the open and 16:00 is after the last bar."""
    rows = bars_of("NVDA", "2025-01-27", 120)
    rows += ["NVDA,2025-01-27T09:25:00-05:00,120,120,120,120,1", "NVDA,2025-01-27T21:00:00Z,120,120,120,120,1"]
    found = read_intraday(made(tmp_path, *rows), timedelta(minutes=5), SESSIONS, {"NVDA"})
    assert found.bars["NVDA"].starts[0] == datetime(2025, 1, 27, 14, 30, tzinfo=UTC)
    assert (len(found.grid), found.outside) == (3, 2)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["NVDA,2025-01-27T09:30:00,120,120,120,120,1"], "timestamp has no offset"),
        (["NVDA,27.1.2025,120,120,120,120,1"], "give 2025-01-27T09:30:00-05:00"),
        (bars_of("NVDA", "2025-01-27", 120) + bars_of("NVDA", "2025-01-27", 120), "is there twice; drop one"),
        (bars_of("NVDA", "2025-01-27", 120)[::2], "0:10:00 long"),
        (bars_of("NVDA", "2025-01-27", -1), "price of 0 or less"),
        (bars_of("XYZ", "2025-01-27", 120), "no bar of the episode's symbols"),
        (bars_of("NVDA", "2025-01-26", 120), "no bar of the episode's symbols inside the exchange's hours"),
    ],
)
def test_a_file_that_cannot_be_traded_on_is_refused_in_one_line(tmp_path, rows, said):
    """With what is wrong and what to do."""
    with pytest.raises(EpisodeError, match=r"minutes\.csv") as refused:
        read_intraday(made(tmp_path, *rows), timedelta(minutes=5), SESSIONS, {"NVDA"})
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_lengths_are_minutes_or_hours():
    """5m, 15m, 1h; nothing else."""
    assert [bar_length(text) for text in ("5m", "15m", "1h")] == [timedelta(minutes=n) for n in (5, 15, 60)]
    for text in ("5", "0m", "1d", "7h", "", "m"):
        with pytest.raises(InputError, match="--bars"):
            bar_length(text)


def test_prices_of_another_kind_than_the_days_are_refused(tmp_path):
    """Ten times Nvidia's price of that Monday: not adjusted for the split."""
    rows = bars_of("NVDA", "2025-01-27", 1200) + bars_of("SPY", "2025-01-27", 596)
    with pytest.raises(EpisodeError, match="outside its day's"):
        load_episode("deepseek-2025", bars="5m", prices=made(tmp_path, *rows))


def test_what_has_no_bars_is_left_out_and_named(tmp_path):
    """Symbols and sessions that the file does not have; the benchmark is kept to be seen."""
    rows = [row for day in ("2025-01-27", "2025-01-28") for row in bars_of("NVDA", day, 122)]
    episode = load_episode("deepseek-2025", bars="5m", prices=made(tmp_path, *rows))
    assert episode.tradable == ("NVDA", "SPY")
    assert (episode.start.isoformat(), episode.end.isoformat()) == ("2025-01-27", "2025-01-28")
    assert "no bars of AVGO" in episode.notes[0]
    assert episode.notes[1] == "SPY can be seen and not traded: a hedge with it is not made"
    assert "the window is cut" in episode.notes[2]


def test_a_hole_in_the_sessions_is_refused(tmp_path):
    """Bars on the 24th and the 28th and none between."""
    rows = bars_of("NVDA", "2025-01-24", 145) + bars_of("NVDA", "2025-01-28", 122)
    with pytest.raises(InputError, match="no bars of 2025-01-27"):
        load_episode("deepseek-2025", bars="5m", prices=made(tmp_path, *rows))


def test_bars_without_a_file_and_a_file_without_bars_say_what_is_missing(tmp_path):
    """Each names the other option."""
    runner = CliRunner()
    done = runner.invoke(cli, ["run", "deepseek-2025", "--bars", "5m"])
    assert "--prices FILE" in str(done.exception) + done.output
    path = made(tmp_path, *bars_of("NVDA", "2025-01-27", 120))
    done = runner.invoke(cli, ["run", "deepseek-2025", "--prices", str(path)])
    assert "--bars 5m" in str(done.exception) + done.output


RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>made</title><item>
<title>Cheap Chinese AI model undercuts demand for Nvidia chips</title><link>https://example.com/1</link>
<guid>1</guid><pubDate>{}</pubDate></item></channel></rss>"""


@pytest.mark.parametrize(
    ("published", "moment"),
    [
        ("Mon, 27 Jan 2025 08:02:10 EST", "2025-01-27T14:30:00+00:00"),  # before the market: the first bar
        ("Mon, 27 Jan 2025 10:02:10 EST", "2025-01-27T15:15:00+00:00"),  # known 15:07:10, ready 15:12:10
        ("Mon, 27 Jan 2025 10:05:00 EST", "2025-01-27T15:15:00+00:00"),  # ready 15:15:00
        ("Mon, 27 Jan 2025 10:05:01 EST", "2025-01-27T15:20:00+00:00"),
        ("Sat, 25 Jan 2025 03:32:00 CET", "2025-01-27T14:30:00+00:00"),
    ],
)
def test_shock_on_monday_fills_at_the_first_bar_after_known_at_and_latency(tmp_path, published, moment):
    """From an RSS file and a file of bars to fills, all at that bar's open with slippage."""
    daily = load_episode("deepseek-2025").prices.bars
    rows = []
    for symbol in ("NVDA", "AVGO", "MU", "SPY"):
        bars = daily[symbol]
        for day, close in zip(bars.sessions, bars.close.tolist(), strict=True):
            if day.isoformat() in {"2025-01-24", "2025-01-27", "2025-01-28"}:
                rows += bars_of(symbol, day.isoformat(), close, count=78)
    (tmp_path / "news.xml").write_text(RSS.format(published))
    files = ["--prices", str(made(tmp_path, *rows)), "--news", str(tmp_path / "news.xml")]
    arguments = ["run", "deepseek-2025", "-s", "shock", "--no-baselines", "--bars", "5m", *files, "-o"]
    done = CliRunner().invoke(cli, [*arguments, str(tmp_path / "run")], catch_exceptions=False)
    assert done.exit_code == 0
    assert "\nDeepSeek selloff of January 2025: 2025-01-24 to 2025-01-28, 3 sessions, on bars of 5m\n" in done.stdout
    with (tmp_path / "run" / "fills.csv").open() as file:
        fills = [fill for fill in csv.DictReader(file) if fill["session"] == "2025-01-27"]
    assert {fill["moment"] for fill in fills} == {moment}
    assert {fill["symbol"] for fill in fills} == {"NVDA", "AVGO", "MU"}
    done = CliRunner().invoke(cli, ["audit", str(tmp_path / "run"), *files], catch_exceptions=False)
    assert done.stdout.endswith("audit: 9 decisions re-decided without the future, 0 differed\n"), done.output
    for fill in fills:
        close = daily[fill["symbol"]].close[daily[fill["symbol"]].sessions.index(date(2025, 1, 27))]
        assert float(fill["price"]) == pytest.approx(close * (1 - 5 / 10_000))


@pytest.mark.skipif(not BARS.exists(), reason="the bars of minutes are not beside the project")
def test_a_run_on_real_minutes_fills_monday_at_the_first_bar_after_known_at_and_latency(tmp_path):
    """For every fill: the bar starts known_at + 5 min or less than 5 min later, or it is a session's first."""
    folder = tmp_path / "run"
    arguments = ["run", "deepseek-2025", "--bars", "5m", "--prices", str(BARS)]
    done = CliRunner().invoke(cli, [*arguments, "--json", "-o", str(folder)], catch_exceptions=False)
    assert done.exit_code == 0
    document = json.loads(done.stdout.splitlines()[-1])
    assert document["audit"]["violations"] == 0
    with (folder / "fills.csv").open() as file:
        fills = list(csv.DictReader(file))
    with (folder / "scores.csv").open() as file:
        ready = sorted(datetime.fromisoformat(row["known_at"]) + timedelta(minutes=5)
                       for row in csv.DictReader(file) if row["used"] == "True")  # fmt: skip
    opened = {moment.isoformat() for moment in SESSIONS.opens}
    news, gaps = [[fill for fill in fills if (fill["strategy"] == "gap-only") == gap] for gap in (False, True)]
    for fill in news:
        start = datetime.fromisoformat(fill["moment"])
        woken = any(start - timedelta(minutes=5) < moment <= start for moment in ready)
        assert woken or fill["moment"] in opened
    assert any(fill["moment"] not in opened for fill in news)
    assert {fill["moment"] for fill in gaps if fill["session"] == "2025-01-27"} == {"2025-01-27T14:35:00+00:00"}
    assert {fill["symbol"] for fill in fills} <= {"NVDA", "MU", "TSM", "META", "AAPL", "MSFT", "AMZN", "QQQ", "SPY"}
