"""The command as a user meets it: a real process, real files, exit codes and one clear line."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from backtests.commands.score import _scored
from feeds.errors import InputError
from strategies.registry import rule_names
from tests.helpers.paths import ROOT

EPISODE = ROOT / "backtests" / "episodes" / "deepseek-2025"


def backtest(*arguments: str, cwd: Path, stdin: str | None = None, **environment: str):
    """Runs `python -m backtests` in a folder that is not the project's."""
    return subprocess.run(
        [sys.executable, "-m", "backtests", *map(str, arguments)],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, **environment},
        timeout=120,
        check=False,
    )


def refused(done, *words: str) -> None:
    """One line on stderr that says all of `words`, exit code 2, no traceback, nothing on stdout."""
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    for word in words:
        assert word in done.stderr


def rss(*items: tuple[str, str], language: str = "en") -> str:
    """An RSS document of (title, pubDate)."""
    body = "".join(
        f"<item><title>{title}</title><guid>{number}</guid><pubDate>{date}</pubDate></item>"
        for number, (title, date) in enumerate(items)
    )
    return f'<rss version="2.0"><channel><title>t</title><language>{language}</language>{body}</channel></rss>'


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The whole job, once: (JSON document, text, folder)."""
    where = tmp_path_factory.mktemp("whole")
    done = backtest("run", "deepseek-2025", "--json", "-o", "out", cwd=where)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr, where / "out"


def test_the_claims_table_says_what_the_prices_say(whole):
    """Close, gone at the open, left to trade: figures computed by hand from the price file."""
    claims = {row["symbol"]: row for row in reversed(whole[0]["claims"])}
    nvda = claims["NVDA"]
    assert [round(nvda[key], 2) for key in ("close_pct", "gap_pct", "intraday_pct")] == [-16.97, -12.49, -5.11]
    closes = {s: round(claims[s]["close_pct"], 2) for s in ("AVGO", "MRVL", "CEG", "VST", "GEV", "^IXIC", "^GSPC")}
    assert closes == {"AVGO": -17.40, "MRVL": -19.10, "CEG": -20.85, "VST": -28.27, "GEV": -21.52, "^IXIC": -3.07,
                      "^GSPC": -1.46}  # fmt: skip
    assert (round(claims["META"]["close_pct"], 2), claims["META"]["verdict"]) == (1.91, "contradicted")


def test_json_has_what_it_promises(whole):
    """Every key of the interface, with numbers where numbers are promised."""
    document = whole[0]
    assert document["headlines"]["total"] == 332
    assert set(document["headlines"]) == {"total", "by_language", "used", "rejected", "by_basis"}
    assert {row["strategy"] for row in document["results"]} == set(rule_names())
    assert sum(row["strategy"] == "shock" for row in document["results"]) == 3
    for row in document["results"]:
        assert {"params", "return_pct", "max_drawdown_pct", "sharpe", "trades", "final_equity"} <= set(row)
        assert set(row["costs"]) == {"commission", "slippage", "borrow", "dividends", "interest"}
        assert row["final_equity"] == pytest.approx(100_000 * (1 + row["return_pct"] / 100))


def test_the_text_is_at_most_100_columns_wide_and_goes_to_stderr_beside_json(whole):
    """The same report, on the other stream."""
    assert "−16.97" in whole[1]
    assert max(map(len, whole[1].splitlines()[:-1])) <= 100


def test_every_promised_file_is_written(whole):
    """Nothing missing, nothing empty."""
    names = {"metrics.json", "equity.csv", "positions.csv", "orders.csv", "trades.csv", "signals.csv", "scores.csv",
             "config.toml", "run_card.json", "report.html"}  # fmt: skip
    assert names <= {path.name for path in whole[2].iterdir() if path.stat().st_size > 50}


def test_same_bytes_from_any_folder_time_zone_and_locale(whole, tmp_path):
    """TZ=Asia/Tokyo, LC_ALL=C and another folder change neither stdout nor a file (but what the ledger of trials says)."""
    done = backtest("run", "deepseek-2025", "--json", "-o", "out", cwd=tmp_path, TZ="Asia/Tokyo", LC_ALL="C")
    assert json.loads(done.stdout) == whole[0]
    for path in [each for each in whole[2].rglob("*.*") if each.name != "trials.json"]:
        assert (tmp_path / "out" / path.relative_to(whole[2])).read_bytes() == path.read_bytes(), path.name


def _nvda_fills(tmp_path: Path, title: str, date: str) -> list[tuple[str, str, str]]:
    (tmp_path / "news.xml").write_text(rss((title, date)), encoding="utf-8")
    done = backtest("run", "deepseek-2025", "-s", "shock", "--set", "reactions=with-cause", "--news", "news.xml",
                    "-o", "out", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [line.split(",") for line in (tmp_path / "out" / "fills.csv").read_text().splitlines()[1:]]
    return [
        (row[2], "buy" if float(row[4]) > 0 else "sell", f"{float(row[7]):.4f}") for row in rows if row[3] == "NVDA"
    ]


def test_a_headline_of_monday_morning_sells_at_mondays_open(tmp_path):
    """12:45 UTC, a move under way with its cause: Nvidia at 124.80 less 5 bps, not at Friday's 142.62, not Tuesday."""
    fills = _nvda_fills(tmp_path, "Low-cost Chinese AI model triggers slump in chip stocks",
                        "Mon, 27 Jan 2025 12:45:00 GMT")  # fmt: skip
    assert fills[0] == ("2025-01-27", "sell", f"{124.80 * 0.9995:.4f}")


def test_a_capex_headline_of_friday_afternoon_buys_at_mondays_open(tmp_path):
    """15:06 UTC is after Friday's open of 14:30: the other way, on Monday, at 124.80 plus 5 bps."""
    fills = _nvda_fills(tmp_path, "Meta raises AI capex to $65 billion for giant data centers",
                        "Fri, 24 Jan 2025 15:06:00 GMT")  # fmt: skip
    assert fills[0] == ("2025-01-27", "buy", f"{124.80 * 1.0005:.4f}")


def test_a_feed_with_one_bad_item_loses_that_item_and_says_so(tmp_path):
    """An item without a date is lost, the other is replayed."""
    (tmp_path / "news.xml").write_text(rss(("AI chip demand soars", "Mon, 20 Jan 2025 12:00:00 GMT"), ("No date", "")))
    done = backtest("run", "deepseek-2025", "-s", "shock", "--news", "news.xml", "-o", "o", "--json", cwd=tmp_path)
    headlines = json.loads(done.stdout)["headlines"]
    assert headlines["by_basis"]["assumed"] == 1
    del headlines["by_basis"]
    assert headlines == {"total": 2, "by_language": {"en": 1}, "used": 1, "rejected": 1}
    assert re.search(r"lost: news.xml, item 2 \(No date\): .*date", done.stderr)


def test_a_feed_that_only_feedparser_reads_is_replayed_and_says_so(tmp_path):
    """In the notes, in the document, and by its version on the run's card."""
    (tmp_path / "news.xml").write_text(
        '<CHANNEL><ITEM LASTMOD="2025-01-20T12:00Z"><TITLE>AI chip demand soars</TITLE></ITEM></CHANNEL>'
    )
    done = backtest("run", "deepseek-2025", "-s", "shock", "--news", "news.xml", "-o", "o", "--json", cwd=tmp_path)
    remark = "read by feedparser: neither RSS nor Atom"
    assert json.loads(done.stdout)["headlines"]["remarks"] == {remark: 1}
    assert remark in done.stderr
    versions = json.loads((tmp_path / "o" / "run_card.json").read_text())["versions"]
    assert versions["feedparser"] == metadata.version("feedparser")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "deepsek-2025"], ["unknown episode", "did you mean 'deepseek-2025'"]),
        (["run", "deepseek-2025", "-s", "shok"], ["unknown strategy", "did you mean 'shock'"]),
        (["run", "deepseek-2025", "--set", "treshold=1"], ["treshold", "did you mean 'threshold'"]),
        (["run", "deepseek-2025", "--set", "threshold=abc"], ["threshold", "number"]),
        (["run", "deepseek-2025", "--set", "threshold=nan"], ["threshold", "finite"]),
        (["run", "deepseek-2025", "--set", "threshold"], ["NAME=VALUE"]),
        (["run", "deepseek-2025", "-s", "shock", "--set", "hedge=gold"], ["hedge"]),
        (["run", "deepseek-2025", "--cash", "-5"], ["cash", "above 0"]),
        (["run", "deepseek-2025", "--start", "2025-01-25", "--end", "2025-01-26"], ["no sessions"]),
        (["run", "deepseek-2025", "--start", "2025-02-07", "--end", "2025-01-13"], ["no sessions"]),
        (["run", "deepseek-2025", "--start", "27.1.2025"], ["YYYY-MM-DD"]),
        (["run", "deepseek-2025", "--start", "2024-06-03"], ["2024-06-04"]),
        (["run", "deepseek-2025", "--news", "nowhere.xml"], ["nowhere.xml"]),
        (["run", "deepseek-2025", "--prices", "nowhere.csv"], ["nowhere.csv"]),
        (["run", "deepseek-2025", "--frobnicate"], ["--frobnicate"]),
        (["rnu"], ["unknown command", "did you mean 'run'"]),
        (["run"], ["EPISODE"]),
    ],
)
def test_wrong_use_ends_in_one_clear_line(arguments, words, tmp_path):
    """What was wrong, and what to do; exit code 2."""
    refused(backtest(*arguments, cwd=tmp_path), *words)
    assert list(tmp_path.iterdir()) == []


def _prices(tmp_path: Path, change) -> Path:
    lines = (EPISODE / "prices.csv").read_text().splitlines()
    (tmp_path / "prices.csv").write_text("\n".join(change(lines)) + "\n")
    return tmp_path / "prices.csv"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda ls: [*ls[:9], ls[9].replace(ls[9].split(",")[2], "nan", 1), *ls[10:]], ["prices.csv:10:", "NVDA"]),
        (lambda ls: [*ls[:9], ls[9].replace(ls[9].split(",")[2], "abc", 1), *ls[10:]], ["prices.csv:10:", "abc"]),
        (lambda ls: [*ls[:9], ls[9], *ls[9:]], ["prices.csv:11:", "NVDA"]),
        (lambda ls: [ls[0].replace("close", "last"), *ls[1:]], ["prices.csv:1:", "close"]),
        (lambda ls: [ls[0], *ls[2:9], *ls[10:]], ["prices.csv", "NVDA", "session"]),
        (lambda ls: [line for line in ls if not line.startswith("SPY,")], ["SPY"]),
        (lambda ls: ls[:1], ["prices.csv"]),
    ],
)
def test_a_broken_price_file_is_refused_with_file_and_place(change, words, tmp_path):
    """NaN, text, twice, a missing column, a missing session, no benchmark, nothing at all."""
    refused(backtest("run", "deepseek-2025", "--prices", _prices(tmp_path, change), cwd=tmp_path), *words)


@pytest.mark.parametrize("text", ["", "no feed at all", "<html><body>404</body></html>", "<rss><channel><item><ti"])
def test_what_is_no_feed_is_refused(text, tmp_path):
    """A page, a stump, nothing: one line with the file's name."""
    (tmp_path / "news.xml").write_text(text)
    refused(backtest("run", "deepseek-2025", "--news", "news.xml", cwd=tmp_path), "news.xml")


def test_a_broken_episode_toml_is_refused_with_its_line(tmp_path):
    """A copy of the episode with a stray bracket."""
    shutil.copytree(EPISODE, tmp_path / "mine")
    with (tmp_path / "mine" / "episode.toml").open("a") as file:
        file.write("\n[[[\n")
    refused(backtest("run", "mine", cwd=tmp_path), "episode.toml", "line")


def test_own_prices_drive_the_same_job(tmp_path):
    """Three symbols of one's own file, in another order of columns: replayed, the rest is not testable."""
    keep = ("symbol,", "SPY,", "NVDA,", "VST,")

    def change(lines):
        rows = [line.split(",") for line in lines if line.startswith(keep)]
        return [",".join(reversed(row)) for row in rows]

    done = backtest("run", "deepseek-2025", "--prices", _prices(tmp_path, change), "--json", "-o", "o", cwd=tmp_path)
    verdicts = {row["symbol"]: row["verdict"] for row in json.loads(done.stdout)["claims"]}
    assert (verdicts["VST"], verdicts["CEG"]) == ("confirmed", "not testable")


def test_parquet_gives_the_same_result_as_csv(tmp_path):
    """The same bars, another file format."""
    import pandas as pd

    pd.read_csv(EPISODE / "prices.csv").to_parquet(tmp_path / "prices.parquet")
    runs = [
        backtest(
            "run", "deepseek-2025", "-s", "shock", "--prices", path, "--json", "-o", path.suffix[1:], cwd=tmp_path
        ).stdout
        for path in (tmp_path / "prices.parquet", EPISODE / "prices.csv")
    ]
    assert json.loads(runs[0])["results"] == json.loads(runs[1])["results"]


def test_score_reads_lines_and_writes_one_object_per_line(tmp_path):
    """Two headlines in, two objects out, in order."""
    text = "Nvidia shares plunge\nNvidias Aktie bricht nach Gewinnwarnung ein\n"
    done = backtest("score", "--json", stdin=text, cwd=tmp_path, LC_ALL="C")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["language"] for row in rows] == ["en", "de"]
    assert all(row["tone"] < 0 and row["reaction"] for row in rows)
    assert {"text", "language", "relevance", "sentiment", "tone", "entities", "reaction", "features"} <= set(rows[0])


def test_score_takes_lines_of_any_kind_and_any_number_of_processes_writes_the_same(tmp_path):
    """Blank lines say nothing, a line of megabytes is cut, broken UTF-8 stays a line; the order is that of the file."""
    odd = [b"", b"Chip sto\xffcks plunge\r", b"  ", ("é" * 1_500_000 + "end").encode(), "Aktien stürzen ab".encode()]
    lines = [b"Nvidia falls %d" % number for number in range(20_000)]
    (tmp_path / "lines.txt").write_bytes(b"\n".join([*odd, *lines, b"the last"]))
    runs = [
        backtest("score", "--input", "lines.txt", "--json", "--workers", count, cwd=tmp_path).stdout for count in "12"
    ]
    said = [json.loads(line)["text"] for line in runs[0].splitlines()]
    assert said[:3] == ["Chip sto\ufffdcks plunge", "é" * (1 << 19), "Aktien stürzen ab"]
    assert said[3:] == [*(line.decode() for line in lines), "the last"]
    assert runs[0] == runs[1]


class _Killed:
    """Scores, but for a line that gets the process killed."""

    def block(self, raw: bytes) -> bytes:
        if raw == b"last":
            os.kill(os.getpid(), signal.SIGKILL)
        return raw


def test_a_killed_process_of_score_is_said_in_one_line():
    """What was scored before is out; then comes an error and no traceback."""
    scored = _scored(iter([b"first", b"last"]), _Killed(), workers=2)
    assert next(scored) == b"first"
    with pytest.raises(InputError, match="worker process was killed"):
        next(scored)


def test_listings_speak_json(tmp_path):
    """`episodes` and `strategies`, for people and machines."""
    episodes = json.loads(backtest("episodes", "--json", cwd=tmp_path).stdout)
    assert "deepseek-2025" in [row["episode"] for row in episodes]
    strategies = json.loads(backtest("strategies", "--json", cwd=tmp_path).stdout)
    assert {"strategy", "baseline", "about", "params"} <= set(strategies[0])
    assert "shock" in backtest("strategies", cwd=tmp_path).stdout


def test_help_has_an_example_for_every_command(tmp_path):
    """`backtest --help` names the commands; each has help of its own with an example."""
    commands = ("run", "episodes", "strategies", "score")
    assert all(name in backtest("--help", cwd=tmp_path).stdout for name in commands)
    for name in commands:
        assert f"backtest {name}" in backtest(name, "--help", cwd=tmp_path).stdout
