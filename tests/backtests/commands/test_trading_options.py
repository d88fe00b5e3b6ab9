"""The options of `run` that say on what and on which terms a book trades."""

from __future__ import annotations

import csv
import json

import pytest
from click.testing import CliRunner

from backtests.cli import cli
from backtests.runs.result import Result


def run(*arguments, code=0):
    """Invokes the command; returns its stdout and what it said of an error."""
    done = CliRunner().invoke(cli, list(arguments))
    said = done.output + str(done.exception or "")
    assert (done.exit_code == 0) == (code == 0), said
    return done, said


def rows(folder, table):
    """A table of a saved run."""
    with (folder / f"{table}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_borrow_prints_what_each_rate_would_leave(tmp_path):
    """Four rates, one column each; more costs a short book more, and a book without shorts nothing."""
    arguments = ["-s", "always-short", "-s", "buy-hold", "--borrow", "1,5,30,100", "--json"]
    done, _ = run("run", "deepseek-2025", *arguments, "-o", str(tmp_path / "r"))
    stress = json.loads(done.stdout)["borrow_stress"]
    short, held = stress["returns_pct"]["always-short"], stress["returns_pct"]["buy-hold"]
    assert stress["rates_pct"] == [1, 5, 30, 100]
    assert short == sorted(short, reverse=True)
    assert len(set(short)) == 4
    assert len(set(held)) == 1
    assert "return % at a borrow rate of" in done.stderr


def test_a_table_of_loans_changes_fees_and_refuses_what_cannot_be_borrowed(tmp_path):
    """Nvidia not to be had, AMD at 100 %: no short in the one, dear shorts in the other; the file is in the run's hash."""
    loans = tmp_path / "loans.csv"
    loans.write_text("symbol,valid_from,rate_pct,max_shares\nNVDA,2025-01-01,1,0\nAMD,2025-01-01,100,\n")
    for name, options in (("with", ["--loans", str(loans)]), ("without", [])):
        run("run", "deepseek-2025", "-s", "always-short", "--no-baselines", *options, "-o", str(tmp_path / name))
    refused = [order for order in rows(tmp_path / "with", "orders") if order["status"] == "refused"]
    assert [(order["symbol"], order["reason"].split(":")[0]) for order in refused] == [("NVDA", "locate")]
    fees = {
        name: sum(float(flow["amount"]) for flow in rows(tmp_path / name, "flows") if flow["symbol"] == "AMD")
        for name in ("with", "without")
    }
    assert fees["with"] == pytest.approx(100 * fees["without"])
    assert len({Result.load(tmp_path / name).hash8 for name in ("with", "without")}) == 2


def test_both_auctions_give_fills_at_both_and_an_audit_that_finds_nothing(tmp_path):
    """News of a session trades its close; every decision is re-decided without the future, then with canaries."""
    done, _ = run(
        "run",
        "deepseek-2025",
        "-s",
        "shock",
        "-s",
        "gap-only",
        "--no-baselines",
        "--auctions",
        "open,close",
        "--json",
        "-o",
        str(tmp_path / "r"),
    )
    assert json.loads(done.stdout)["audit"]["violations"] == 0
    fills = [fill for fill in rows(tmp_path / "r", "fills") if fill["strategy"] != "gap-only"]
    assert {fill["auction"] for fill in fills} == {"open", "close"}
    _, said = run("audit", str(tmp_path / "r"))
    assert " 0 differed\n" in said.splitlines(keepends=True)[-1]


def test_a_run_with_loans_is_audited_with_the_loans_that_it_kept_and_no_others(tmp_path):
    """What the run read is in its folder, and so are the terms of its broker."""
    loans = tmp_path / "loans.csv"
    loans.write_text("symbol,valid_from,rate_pct,max_shares\nNVDA,2025-01-01,1,0\n")
    run(
        "run", "deepseek-2025", "-s", "always-short", "--no-baselines", "--loans", str(loans), "-o", str(tmp_path / "r")
    )
    loans.write_text("symbol,valid_from,rate_pct,max_shares\nNVDA,2025-01-01,2,0\n")
    run("audit", str(tmp_path / "r"))
    _, said = run("audit", str(tmp_path / "r"), "--loans", str(loans), code=2)
    assert "give its files" in said


def test_with_opens_alone_nothing_of_the_auctions_option_is_seen(tmp_path):
    """It is the default: the same tables to the byte."""
    for name, options in (("a", []), ("b", ["--auctions", "open"])):
        run("run", "deepseek-2025", "-s", "shock", *options, "-o", str(tmp_path / name))
    for name in ("equity", "orders", "fills", "flows", "trades", "targets", "signals", "scores"):
        one, other = [(tmp_path / folder / f"{name}.csv").read_bytes() for folder in ("a", "b")]
        assert one == other


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--auctions", "noon"], "auctions='noon'"),
        (["--borrow", "1,high"], "give rates in percent a year"),
        (["--borrow", "-1"], "at least 0"),
        (["--bars", "5"], "like 5m"),
        (["--loans", "nowhere.csv"], "nowhere.csv: cannot be read"),
        (["--set", "volume_cap=5"], "volume_cap_pct"),
    ],
)
def test_wrong_options_are_refused_in_one_line(options, said):
    """Before anything is read or written."""
    assert said in run("run", "deepseek-2025", *options, code=2)[1]
