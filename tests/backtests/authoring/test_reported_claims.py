"""`backtest claim`: a newspaper's sentence against prices alone."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from backtests.cli import cli
from feeds.errors import InputError

PRICES = """symbol,date,open,high,low,close,volume
AAA,2025-03-03,100,101,99,100,10
AAA,2025-03-04,90,95,80,84,10
AAA,2025-03-05,84,90,84,88.2,10
BBB,2025-03-03,10,10,10,10,10
BBB,2025-03-04,10,12,10,12,10
BBB,2025-03-05,12,12,12,12,10
"""


@pytest.fixture
def claim(tmp_path):
    """Runs `backtest claim` on made-up prices in a folder; returns (exit code, document)."""
    prices = tmp_path / "prices.csv"
    prices.write_text(PRICES)

    def ask(*arguments: str):
        done = CliRunner().invoke(cli, ["claim", *arguments, "--prices", str(prices), "--json"])
        if done.exit_code not in {0, 1} or not done.stdout:
            raise done.exception
        return done.exit_code, json.loads(done.stdout)["claims"][0]

    return ask


@pytest.mark.parametrize(
    ("arguments", "verdict", "measured"),
    [
        ("AAA 2025-03-04 -16", "confirmed", -16),  # 100 to 84
        ("AAA 2025-03-04 -17", "confirmed", -16),  # a unit of the last digit: it may have been rounded
        ("AAA 2025-03-04 -14", "contradicted", -16),
        ("AAA 2025-03-04 -16.2", "contradicted", -16),
        ("AAA 2025-03-04 -20 --tolerance 5", "confirmed", -16),
        ("AAA 2025-03-04", "confirmed", -16),  # "massive": -5 % or lower
        ("AAA 2025-03-05 --kind up", "confirmed", 5),
        ("AAA 2025-03-05 --kind down", "contradicted", 5),
        ("AAA 2025-03-05 -11.8 --kind move --since 2025-03-03", "confirmed", -11.8),
        ("AAA 2025-03-04 --kind record --record low", "confirmed", 84),
        ("AAA 2025-03-05 --kind record --record high", "contradicted", 88.2),
        ("AAA 2025-03-05 88 --kind level", "confirmed", 88.2),
        ("AAA 2025-03-04 -16 --kind value_lost --shares AAA=1000000000", "confirmed", -16),
        ("BBB 2025-03-04 2 --kind rank --shares AAA=1 --shares BBB=1", "confirmed", 2),
        ("AAA 2025-03-03 -1", "not testable", None),  # no close before it
    ],
)
def test_the_prices_decide(arguments, verdict, measured, claim):
    """Exit code 0 where they confirm what was said, else 1."""
    code, found = claim(*arguments.split())
    assert (code, found["verdict"]) == (verdict != "confirmed", verdict)
    assert found["measured"] == (None if measured is None else pytest.approx(measured))


def test_a_move_is_split_at_the_open(claim):
    """What happened overnight nobody could trade."""
    _, found = claim("AAA", "2025-03-04", "-16")
    assert (found["gap_pct"], found["intraday_pct"]) == (pytest.approx(-10), pytest.approx(100 * (84 / 90 - 1)))


def test_kept_claims_are_a_list_that_is_read_again(tmp_path):
    """With their words and their source; each with its own verdict."""
    prices, kept = tmp_path / "prices.csv", tmp_path / "claims.csv"
    prices.write_text(PRICES)
    common = ["--prices", str(prices)]
    for arguments in (["AAA", "2025-03-04", "-16", "--said", "AAA, down 16 %", "--source", "x.org"],
                      ["BBB", "2025-03-04", "+30"]):  # fmt: skip
        CliRunner().invoke(cli, ["claim", *arguments, *common, "--keep", str(kept)])
    done = CliRunner().invoke(cli, ["claim", "--list", str(kept), *common, "--json"])
    rows = json.loads(done.stdout)["claims"]
    assert [(row["said"], row["source"], row["verdict"]) for row in rows] == [
        ("AAA, down 16 %", "x.org", "confirmed"), ("return +30", "", "contradicted"),
    ]  # fmt: skip
    assert done.stderr.startswith("2 claims: 1 confirmed, 1 contradicted")


def test_without_prices_a_shipped_episode_has_them():
    """README's first claim."""
    done = CliRunner().invoke(cli, ["claim", "NVDA", "2025-01-27", "-17"])
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "Confirmed: NVDA on 2025-01-27, “return -17”")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("AAB 2025-03-04 -16", "did you mean 'AAA'"),
        ("AAA 4.3.2025 -16", "YYYY-MM-DD"),
        ("AAA 2025-03-04 sixteen", "give a number"),
        ("AAA 2025-03-04 1e999", "give a number"),
        ("AAA 2025-03-04 -16 --kind calm", "kind 'calm'"),
        ("AAA 2025-03-04 -16 --kind move", "needs since"),
        ("AAA 2025-03-04 -16 --shares AAA", "SYMBOL=NUMBER"),
        ("AAA 2025-03-04 --frob", "no option --frob"),
        ("AAA", "a symbol and a session"),
        ("AAA 2025-03-04 -16 --list x.csv", "leave the others out"),
        ("--list nowhere.csv", "nowhere.csv"),
    ],
)
def test_a_wrong_claim_is_one_clear_line(arguments, words, claim):
    """It says what to give."""
    with pytest.raises(InputError, match=words):
        claim(*arguments.split())


def test_another_table_is_not_written_to(tmp_path):
    """A file that is no list of claims stays as it is."""
    other = tmp_path / "prices.csv"
    other.write_text(PRICES)
    done = CliRunner().invoke(cli, ["claim", "AAA", "2025-03-04", "-16", "--prices", str(other), "--keep", str(other)])
    assert "columns must be symbol,session" in str(done.exception)
    assert other.read_text() == PRICES


def test_a_picture_marks_the_session(tmp_path):
    """An SVG with the words and the verdict in it."""
    CliRunner().invoke(cli, ["claim", "NVDA", "2025-01-27", "-17", "--plot", str(tmp_path / "x.svg")])
    assert "2025-01-27" in (tmp_path / "x.svg").read_text()
