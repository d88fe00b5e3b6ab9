"""A record made under a simulated clock is the replay of the same window, line for line."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import time
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from backtests import load_episode, replay
from backtests.engine.news import read_archive
from backtests.episodes.episode import EPISODES
from backtests.forward.chain import append, line_hash, only_watcher, read_chain
from backtests.forward.grading import grade
from backtests.forward.record_checks import check_record
from backtests.forward.registration import open_portfolio
from backtests.forward.watch import watch
from backtests.user_strategies.loading import make_rule
from backtests.user_strategies.selection import standard_rules
from feeds.archive import Archive
from feeds.errors import InputError
from tests.helpers.forward import Simulated, registered, seen_headlines, small_universe, utc

RULES = ("shock", "drift", "pairs", "basket", "rebound", "buy-hold", "always-short", "headline-count", "plain-vader")
START, END = date(2025, 1, 23), date(2025, 1, 29)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Every rule that can be sealed, watched over five sessions on an archive that fills as the clock runs."""
    folder = tmp_path_factory.mktemp("forward")
    archive = Archive(folder / "archive.db")
    simulated = Simulated(archive, seen_headlines("deepseek-2025"), utc(date(2025, 1, 22), 16))
    portfolios = [
        registered(folder / str(n), rule, archive, simulated.now) for n, rule in enumerate(standard_rules(RULES))
    ]
    watch(portfolios, archive, simulated.world(), until=utc(date(2025, 1, 30)))
    yield portfolios, archive, simulated
    archive.close()


def test_the_record_is_the_replay_line_for_line(recorded):
    """Targets of each session, and after grading every fill and the equity, for every registered rule."""
    portfolios, archive, _ = recorded
    episode = load_episode("deepseek-2025", start=START, end=END)
    episode, news = read_archive(episode, archive)
    rules = [each.rule() for each in portfolios]
    for portfolio, rule in zip(portfolios, rules, strict=True):
        whole = replay(episode, rule, news=news)
        lines = portfolio.chain().lines
        assert [line["session"] for line in lines] == [str(episode.sessions.sessions[row]) for row in episode.window]
        for line in lines:
            stands = {s: w for _, day, s, w in whole.tables["targets"].rows if day <= line["session"]}
            assert line["targets"] == {symbol: weight for symbol, weight in stands.items() if weight}
        graded = grade(portfolio, archive)
        name = f"{portfolio.name} (recorded)"
        for table in ("fills", "flows", "equity"):
            assert [row[1:] for row in graded.tables[table].rows if row[0] == name] == [
                row[1:] for row in whole.tables[table].rows
            ]


def test_lines_are_written_before_the_deadline_and_the_record_verifies(recorded):
    """Five minutes before: at open - lead - latency. Decided again, nothing differs."""
    portfolios, archive, _ = recorded
    for portfolio in portfolios[:3]:
        lines = portfolio.chain().lines
        assert all(line["decided_at"] < line["deadline"] for line in lines)
        found = check_record(portfolio, archive, head=lines[2]["hash"], rule=portfolio.rule())
        assert (found.decisions, found.void, found.wrong) == (5, 0, ())


def copied(portfolio, folder):
    """A copy of a portfolio to break."""
    return open_portfolio(Path(shutil.copytree(portfolio.folder, folder)))


def rechained(portfolio, change):
    """Changes the lines and makes every hash anew, as whoever owns the file can."""
    lines = [dict(line) for line in portfolio.chain().lines]
    lines = change(lines) or lines
    before = portfolio.digest
    for number, line in enumerate(lines, 1):
        line |= {"n": number, "prev": before}
        before = line["hash"] = line_hash(line)
    portfolio.record.write_text("".join(json.dumps(line) + "\n" for line in lines))


def altered(lines):
    """Another weight than the rule's."""
    lines[2]["targets"]["NVDA"] = 0.01


def with_other_orders(lines):
    """An order that nobody made."""
    lines[2]["orders"] = {"NVDA": 1.0}


def dropped(lines):
    """One session less."""
    del lines[2]


def swapped(lines):
    """Two sessions in the other order."""
    lines[1], lines[2] = lines[2], lines[1]


def back_dated(lines):
    """Written after the deadline, claimed for before; the news of ten minutes later."""
    late = datetime.fromisoformat(lines[2]["deadline"]) + timedelta(minutes=10)
    lines[2]["decided_at"] = late.isoformat()


def later_news(lines):
    """Claims to have known until after its own writing."""
    lines[2]["known_by"] = lines[2]["deadline"]


def before_its_forerunner(lines):
    """Written before the line that stands before it."""
    lines[2]["decided_at"] = lines[0]["decided_at"]


def unvoided(lines):
    """A deadline that suits."""
    lines[2]["deadline"] = (datetime.fromisoformat(lines[2]["deadline"]) + timedelta(hours=1)).isoformat()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (altered, "line 3 (2025-01-27): targets: NVDA 0.01 in the record"),
        (with_other_orders, "line 3 (2025-01-27): orders: NVDA 1 in the record, "),
        (dropped, "line 3: is for 2025-01-28, should be for 2025-01-27; a line was dropped"),
        (swapped, "line 2: is for 2025-01-27, should be for 2025-01-24"),
        (back_dated, "line 3: written at 2025-01-27T14:30:00+00:00, after the deadline 2025-01-27T14:20:00+00:00"),
        (later_news, "line 3: knew the news until 2025-01-27T14:20:00+00:00, after it was written or too late"),
        (before_its_forerunner, "line 3: written at 2025-01-23T14:15:00+00:00, before what stands before it"),
        (unvoided, "line 3: its deadline 2025-01-27T15:20:00+00:00 is not open - lead of 2025-01-27"),
    ],
)
def test_a_tampered_record_is_found_even_where_the_whole_chain_was_made_anew(recorded, tmp_path, change, said):
    """By deciding again and by the order of times; the published head alone finds it too."""
    portfolios, archive, _ = recorded
    mine = copied(portfolios[0], tmp_path / "mine")
    head = mine.chain().head
    rechained(mine, change)
    found = check_record(mine, archive, head=head, rule=mine.rule())
    assert any(said in line for line in found.wrong), found.wrong
    assert any(line.startswith("the published head") for line in found.wrong)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda text: text.replace('"NVDA":', '"AMD":', 1), "was changed after it was written"),
        (lambda text: "".join(text.splitlines(keepends=True)[1:]), "line 1: does not follow the line before"),
        (lambda text: "".join(text.splitlines(keepends=True)[::-1]), "line 1: does not follow the line before"),
        (lambda text: text + text.splitlines(keepends=True)[-1], "line 6: does not follow the line before"),
        (lambda text: text + "{}\n", "line 6: was changed after it was written"),
        (lambda text: text + "nonsense\n", "line 6: is no line of a record"),
    ],
)
def test_a_line_that_was_touched_breaks_the_chain(recorded, tmp_path, edit, said):
    """And nothing is ever added to a broken one."""
    portfolios, archive, simulated = recorded
    mine = copied(portfolios[0], tmp_path / "mine")
    mine.record.write_text(edit(mine.record.read_text()))
    assert any(said in line for line in mine.chain().broken)
    with pytest.raises(InputError, match="forward verify"):
        watch([mine], archive, simulated.world(), once=True)


def test_a_decision_that_knew_a_later_headline_is_found_and_the_headline_named(tmp_path):
    """Decided on an archive in which a headline of 14:25 stands as of 14:10, and verified on the true one."""
    heads, deadline = seen_headlines("deepseek-2025"), utc(date(2025, 1, 27), 14, 20)
    late = replace(
        heads[0], id="late", title="Nvidia halts production of all AI chips after DeepSeek shock", link="",
        published=None, seen=deadline + timedelta(minutes=5), language="en",
    )  # fmt: skip
    with Archive(tmp_path / "archive.db") as forged, Archive(tmp_path / "true.db") as true:
        simulated = Simulated(
            forged, [*heads, replace(late, seen=deadline - timedelta(minutes=10))], utc(date(2025, 1, 25))
        )
        mine = registered(tmp_path / "mine", make_rule("rebound"), forged, simulated.now)
        watch([mine], forged, simulated.world(), until=deadline)
        Simulated(true, [*heads, late], utc(date(2025, 1, 28)))
        wrong = check_record(mine, true, rule=mine.rule()).wrong
    assert (
        "line 1 (2025-01-27): knew 'Nvidia halts production of all AI chips after DeepSeek shock', which became known "
        "only at 2025-01-27T14:25:00+00:00"
    ) in wrong


def test_a_vendor_that_rewrites_the_past_moves_no_record_and_changed_bars_are_found(tmp_path):
    """After a split all earlier prices are halved: what was decided is decided again on the bars that were read."""
    universe = small_universe(tmp_path / "universe", date(2025, 3, 4), date(2025, 3, 17), 3)
    prices = universe / "prices.csv"
    with Archive(tmp_path / "archive.db") as archive:
        simulated = Simulated(archive, (), utc(date(2025, 3, 4)))
        mine = registered(tmp_path / "mine", make_rule("buy-hold"), archive, simulated.now, universe=universe)
        watch([mine], archive, simulated.world(), until=utc(date(2025, 3, 7)))
        head, *rows = prices.read_text().splitlines()
        halved = [row.split(",")[:2] + [str(float(each) / 2) for each in row.split(",")[2:6]] + ["1"] for row in rows]
        prices.write_text("\n".join([head, *(",".join(row) for row in halved)]) + "\n")
        watch([mine], archive, simulated.world(), until=utc(date(2025, 3, 11)))
        assert check_record(mine, archive, rule=mine.rule()).wrong == ()
        assert len(mine.chain().lines) == 5
        bars = mine.folder / "bars.csv"
        first, *others = bars.read_text().splitlines(keepends=True)
        bars.write_text(first.replace("1000000.0", "1000001.0") + "".join(others))
        (wrong, *_) = check_record(mine, archive, rule=mine.rule()).wrong
        assert wrong.startswith("line 1 (2025-03-04): bars.csv does not hold the bars that it read")


def test_an_archive_that_was_changed_since_is_found(tmp_path):
    """A title in the archive, changed behind its back: the archive's own seals say so, and the headlines differ."""
    with Archive(tmp_path / "archive.db") as archive:
        simulated = Simulated(archive, seen_headlines("deepseek-2025"), utc(date(2025, 1, 26)))
        mine = registered(tmp_path / "mine", make_rule("rebound"), archive, simulated.now)
        watch([mine], archive, simulated.world(), until=utc(date(2025, 1, 27), 15))
    with contextlib.closing(sqlite3.connect(tmp_path / "archive.db")) as file, file:
        file.execute("DROP TRIGGER revisions_no_update")
        known = utc(date(2025, 1, 26)).timestamp() * 1_000_000
        file.execute(
            "UPDATE revisions SET title = 'Nothing happened' WHERE id = "
            "(SELECT id FROM revisions WHERE known < ? ORDER BY known DESC LIMIT 1)", (known,),
        )  # fmt: skip
    with Archive(tmp_path / "archive.db") as archive:
        wrong = check_record(mine, archive, rule=mine.rule()).wrong
    assert any(line.startswith("line 1 (2025-01-27): the archive's headlines") for line in wrong)
    assert any(line.startswith("archive: ") for line in wrong)


def test_what_was_missed_or_late_is_void_and_stays(recorded, tmp_path):
    """A watcher that was not there on two days; one whose machine is too slow."""
    _, archive, _ = recorded
    simulated = Simulated(archive, (), utc(date(2025, 1, 22), 16))
    mine = registered(tmp_path / "mine", standard_rules(["rebound"])[0], archive, simulated.now)
    simulated.now = utc(date(2025, 1, 24), 20)
    watch([mine], archive, simulated.world(), once=True)
    simulated.now = utc(date(2025, 1, 27), 14, 18) + timedelta(seconds=15)
    slow = dataclasses.replace(simulated.world(), clock=Slow(simulated))
    watch([mine], archive, slow, once=True)
    assert [(line["kind"], line["session"], line.get("reason", "")[:6]) for line in mine.chain().lines] == [
        ("void", "2025-01-23", "missed"), ("void", "2025-01-24", "missed"), ("void", "2025-01-27", "late: "),
    ]  # fmt: skip
    with pytest.raises(InputError, match="nothing to grade"):
        grade(mine, archive)


class Slow:
    """A clock that goes on half a minute whenever somebody looks."""

    def __init__(self, simulated):
        self.simulated = simulated

    def __call__(self):
        """The time, half a minute later than when it was last asked."""
        self.simulated.now += timedelta(seconds=30)
        return self.simulated.now


def test_other_code_than_was_registered_makes_void_decisions(recorded, tmp_path, monkeypatch):
    """The reason says so."""
    _, archive, _ = recorded
    simulated = Simulated(archive, (), utc(date(2025, 1, 26)))
    mine = registered(tmp_path / "mine", standard_rules(["rebound"])[0], archive, simulated.now)
    monkeypatch.setattr("backtests.forward.watch.code_sha256", lambda: "another")
    watch([mine], archive, simulated.world(), until=utc(date(2025, 1, 27), 15))
    assert [line["reason"] for line in mine.chain().lines] == ["the program's code is not the one that was registered"]


def test_prices_that_come_late_are_waited_for_until_the_deadline(recorded, tmp_path):
    """The close of the 24th comes two minutes after the moment of decision; without it the session is void."""
    _, archive, _ = recorded
    rows = (EPISODES / "deepseek-2025" / "prices.csv").read_text().splitlines(keepends=True)
    prices = tmp_path / "prices.csv"

    def until(day):
        prices.write_text("".join(row for row in rows if row.startswith("symbol") or row.split(",")[1] <= day))

    until("2025-01-23")
    simulated = Simulated(archive, (), utc(date(2025, 1, 26)))
    late, never = (
        registered(tmp_path / name, standard_rules(["rebound"])[0], archive, simulated.now, prices=prices)
        for name in ("late", "never")
    )
    watch([never], archive, Simulated(archive, (), simulated.now).world(), until=utc(date(2025, 1, 27), 15))
    (void,) = never.chain().lines
    assert void["reason"].endswith(
        "prices end on 2025-01-23, and 2025-01-24 has closed; bring them up to date, or give --prices"
    )
    world = simulated.world()

    def sleep(seconds):
        simulated.sleep(seconds)
        if simulated.now >= utc(date(2025, 1, 27), 14, 17):
            until("2025-01-24")

    watch([late], archive, dataclasses.replace(world, sleep=sleep), until=utc(date(2025, 1, 27), 15))
    (line,) = late.chain().lines
    assert (line["kind"], line["decided_at"]) == ("decision", "2025-01-27T14:17:00+00:00")
    assert check_record(late, archive, rule=late.rule()).wrong == ()


def test_half_a_line_of_a_killed_writer_is_set_aside_and_the_next_line_says_so(recorded, tmp_path):
    """Wherever the writing stopped."""
    portfolios, archive, _ = recorded
    whole = portfolios[0].record.read_bytes()
    start = whole.rindex(b"\n", 0, -1) + 1
    for cut in (start + 1, start + 200, len(whole) - 1):
        mine = copied(portfolios[0], tmp_path / str(cut))
        mine.record.write_bytes(whole[:cut])
        simulated = Simulated(archive, (), utc(date(2025, 1, 29), 14, 16))
        watch([mine], archive, simulated.world(), once=True)
        (aside,) = mine.folder.glob("torn-*.txt")
        assert aside.read_bytes() == whole[start:cut]
        last = mine.chain().lines[-1]
        assert last["torn"] == hashlib.sha256(whole[start:cut]).hexdigest()
        assert (last["session"], len(mine.chain().lines), mine.chain().torn) == ("2025-01-29", 5, b"")
        assert last["targets"] == portfolios[0].chain().lines[-1]["targets"]


def test_a_second_watcher_is_refused(recorded):
    """One process at a time."""
    portfolios, _, _ = recorded
    with (
        only_watcher(portfolios[0].folder),
        pytest.raises(InputError, match="another `backtest watch` is at work"),
        only_watcher(portfolios[0].folder),
    ):
        pass


def test_a_full_disk_leaves_whole_lines(recorded, tmp_path, monkeypatch):
    """Half of the bytes fit: they are taken back, and the error is one line."""
    portfolios, _, _ = recorded
    mine = copied(portfolios[0], tmp_path / "mine")
    before, chain = mine.record.read_bytes(), mine.chain()
    write = os.write
    monkeypatch.setattr("os.write", lambda file, data: write(file, data[: len(data) // 2]))
    with pytest.raises(InputError, match="No space left on device"):
        append(mine.record, chain, {"kind": "void"})
    assert mine.record.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "said"),
    [("gap-only", "decides after the open, so no decision"), ("own", "a bt.Strategy decides by its account")],
)
def test_rules_that_cannot_be_sealed_are_refused(recorded, tmp_path, name, said):
    """One line says why."""
    _, archive, _ = recorded
    (tmp_path / "own.py").write_text("import backtrader as bt\nclass Own(bt.Strategy):\n    pass\n")
    rule = make_rule(str(tmp_path / "own.py") if name == "own" else name)
    with pytest.raises(InputError, match=said):
        registered(tmp_path / "mine", rule, archive, utc(date(2025, 1, 26)))
    assert not (tmp_path / "mine").exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_kill_minus_nine_leaves_whole_lines_or_a_half_that_is_recognised(tmp_path):
    """Twenty writers, each killed after some milliseconds; every line of which `append` returned is there."""
    record, chance = tmp_path / "record.jsonl", random.Random(5)
    for _ in range(20):
        read, write = os.pipe()
        child = os.fork()
        if not child:
            with contextlib.suppress(BaseException):
                chain = read_chain(record, "first")
                while True:
                    chain = append(record, chain, {"kind": "void", "says": "x" * chance.randrange(9_000)})
                    os.write(write, f"{len(chain.lines)}\n".encode())
            os._exit(1)
        os.close(write)
        time.sleep(chance.uniform(0.005, 0.05))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(read, "rb") as said:
            promised = [int(line) for line in said.read().split()]
        chain = read_chain(record, "first")
        assert chain.broken == ()
        assert len(chain.lines) >= max(promised, default=0)
    assert len(chain.lines) > 20
