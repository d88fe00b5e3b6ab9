"""The commands of forward records, as a user runs them."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from backtests.auditing import reproduction
from backtests.cli import cli
from backtests.episodes.episode import load_episode
from backtests.forward.coming import coming_session
from feeds.archive import Archive
from feeds.errors import InputError
from feeds.opml import FeedEntry
from tests.helpers.folders import edit
from tests.helpers.forward import small_universe

FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Wire</title><language>en</language>
<item><title>DeepSeek's cheap model needs a fraction of Nvidia's chips, AI stocks plunge</title>
<guid>one</guid><link>http://wire/one</link></item></channel></rss>"""


def run(*arguments, code=0):
    """Runs a command."""
    done = CliRunner().invoke(cli, list(map(str, arguments)))
    assert done.exit_code == code, (done.output, done.exception)
    return done


@pytest.fixture
def day_in_the_life(tmp_path, serve, monkeypatch):
    """A universe whose prices end with the last close before now, one feed that speaks and one that has died."""
    monkeypatch.chdir(tmp_path)
    now = datetime.now(UTC)
    small_universe(tmp_path / "universe", (now - timedelta(days=10)).date(), (now + timedelta(days=12)).date(), 1)
    coming = coming_session(load_episode(tmp_path / "universe"), now)
    everything = (tmp_path / "universe" / "prices.csv").read_text().splitlines(keepends=True)

    def prices_until(day):
        kept = [row for row in everything if row.startswith("symbol") or row.split(",")[1] <= str(day)]
        (tmp_path / "universe" / "prices.csv").write_text("".join(kept))

    prices_until(coming.before)
    server = serve(lambda path: (200, {}, FEED.encode()) if path == "/wire" else (500, {}, b""))
    with Archive(tmp_path / "a.db") as archive:
        archive.subscribe([FeedEntry(url=server.address + "/wire", name="Wire", category=""),
                           FeedEntry(url=server.address + "/dead", name="Dead", category="")])  # fmt: skip
    clock = [now]
    monkeypatch.setattr("backtests.forward.watch.utc_now", lambda: clock[0])
    return coming, prices_until, clock


def test_a_day_in_the_life(day_in_the_life, tmp_path):
    """Register, watch before and at the deadline, seal, grade after the close, report, verify; then tamper."""
    coming, prices_until, clock = day_in_the_life
    told = tmp_path / "told.jsonl"
    notify = f"{sys.executable} -c \"import sys; open({str(told)!r}, 'a').write(sys.stdin.read() + chr(10))\""
    done = run("forward", "register", "mine", "--strategy", "shock", "--universe", "universe", "--archive", "a.db")
    assert f"decides from {coming.session} on" in done.output
    watch = ("watch", "mine", "--once", "--allow-private", "--notify", notify)
    run(*watch)  # polls the feeds; nothing is due yet
    clock[0] = coming.last_moment
    run(*watch)
    events = [json.loads(line) for line in told.read_text().splitlines()]
    assert [event["event"] for event in events] == ["silent feed", "decision"]
    assert (events[0]["feed"], events[1]["session"]) == ("Dead", str(coming.session))
    assert events[1]["targets"]  # the wire's headline moves chips
    assert [head["title"][:8] for head in events[1]["headlines"]] == ["DeepSeek"]
    said = json.loads(run("forward", "status", "mine", "--json").stdout)
    assert (said["decisions"], said["void"], said["feeds_failing"]) == (1, 0, ["Dead"])
    number, head = run("forward", "seal", "mine").output.split()
    assert (number, head) == ("1", events[1]["head"])
    with pytest.raises(InputError, match="nothing to grade"):
        cli.main(["forward", "grade", "mine"], standalone_mode=False)
    prices_until(coming.session)
    report = json.loads(run("forward", "grade", "mine", "--json").stdout)
    assert (report["decisions"], report["void"], report["replay_minus_forward_pct"]) == (1, [], 0.0)
    assert json.loads(run("forward", "report", "mine", "--json").stdout) == report
    assert "replay minus forward: 0.00 percentage points" in run("forward", "report", "mine").output
    assert "1 decisions made again, 0 void, 0 wrong" in run("forward", "verify", "mine", "--head", head).output
    assert reproduction.verify("mine/graded").differences == ()
    edit(tmp_path / "mine" / "record.jsonl", '"equity":', '"equity": ')
    run("forward", "verify", "mine")  # the same line in other spaces
    edit(tmp_path / "mine" / "record.jsonl", '"known":1', '"known":2')
    assert "was changed after it was written" in run("forward", "verify", "mine", code=1).output


def test_next_of_a_portfolio_is_what_the_watcher_will_seal(day_in_the_life):
    """The same targets and orders, some hours before."""
    coming, _, clock = day_in_the_life
    run("forward", "register", "mine", "--strategy", "always-short", "--universe", "universe", "--archive", "a.db")
    early = json.loads(run("next", "mine", "--at", coming.last_moment.isoformat(), "--json").stdout)
    clock[0] = coming.last_moment
    run("watch", "mine", "--once", "--no-feeds")
    line = json.loads((load_episode("universe").folder.parent / "mine" / "record.jsonl").read_text())
    (decided,) = early["strategies"]
    assert line["targets"] == decided["targets"]
    assert line["orders"] == {order["symbol"]: order["shares"] for order in decided["orders"]}


def test_somebody_elses_decisions_are_sealed_before_the_open(day_in_the_life, tmp_path):
    """A table that an agent adds to: what stands in it at the deadline is in the record, what comes later is not."""
    coming, _, clock = day_in_the_life
    table = tmp_path / "agent.csv"
    table.write_text("session,symbol,weight,decided_at,model\n")
    arguments = ("--universe", "universe", "--archive", "a.db")
    run("forward", "register", "mine", "--decisions", table, *arguments)
    row = f"{coming.session},NVDA,-0.2,{(coming.last_moment - timedelta(hours=1)).isoformat()},agent\n"
    table.write_text(table.read_text() + row)
    clock[0] = coming.last_moment
    run("watch", "mine", "--once", "--no-feeds")
    assert json.loads((tmp_path / "mine" / "record.jsonl").read_text())["targets"] == {"NVDA": -0.2}
    table.write_text(table.read_text().replace("-0.2", "0.2"))
    assert "1 decisions made again, 0 void, 0 wrong" in run("forward", "verify", "mine").output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("forward", "register", "mine", "--universe", "universe"), "give either --strategy or --decisions"),
        (
            ("forward", "register", "mine", "-s", "gap-only", "--universe", "universe"),
            "gap-only: decides after the open",
        ),
        (("forward", "status", "nothing"), "nothing: holds no registration.json"),
        (("watch", "nothing"), "nothing: holds no registration.json"),
        (("forward", "report", "mine"), "mine: holds no registration.json"),
    ],
)
def test_wrong_use_is_one_line(day_in_the_life, arguments, said):
    """And nothing is written."""
    with pytest.raises(InputError, match=said):
        cli.main(list(arguments), standalone_mode=False)


def test_a_registration_is_never_written_twice(day_in_the_life):
    """A change is another registration."""
    arguments = ("forward", "register", "mine", "-s", "shock", "--universe", "universe", "--archive", "a.db")
    run(*arguments)
    with pytest.raises(InputError, match="mine: is not empty"):
        cli.main(list(arguments), standalone_mode=False)
