"""Somebody's own decisions, from a file: judged like a rule, refused where they came too late."""

from __future__ import annotations

import json
import re
from functools import cache

import pytest
from click.testing import CliRunner

from backtests import load_episode, replay
from backtests.auditing.reproduction import verify
from backtests.cli import cli
from backtests.engine.news import read_news
from backtests.user_strategies.decision_table import text_of
from feeds.errors import InputError

GOOD = "2025-01-27,NVDA,-0.25,2025-01-27T14:20Z,agent"
HEAD = "session,symbol,weight,decided_at,model\n"


@cache
def inputs():
    """The episode and its news, read once."""
    episode = load_episode("deepseek-2025")
    return episode, read_news(episode)


def run(strategy):
    """A replay of one strategy."""
    episode, news = inputs()
    return replay(episode, str(strategy), news=news)


def whole_targets(result, name, episode):
    """The targets of a run as a table: at each session with a change all that stand, in time."""
    held, rows = {}, []
    changes = [row[1:] for row in result.tables["targets"].rows if row[0] == name]
    for session in dict.fromkeys(row[0] for row in changes):
        held |= {symbol: weight for day, symbol, weight in changes if day == session}
        opened = dict(zip(map(str, episode.sessions.sessions), episode.sessions.opens, strict=True))[session]
        at = (opened - episode.lead).isoformat()
        rows += [(session, symbol, weight, at) for symbol, weight in held.items()]
    return rows


@pytest.mark.parametrize("name", ["shock", "drift", "pairs", "basket", "rebound", "buy-hold", "always-short"])
def test_a_rules_own_decisions_given_back_make_the_same_fills(tmp_path, name):
    """What somebody else decides goes through the very same account."""
    ours = run(name)
    (tmp_path / "agent.csv").write_text(text_of(whole_targets(ours, name, inputs()[0]), "agent"))
    theirs = run(tmp_path / "agent.csv")
    for table in ("fills", "flows", "equity", "targets"):
        assert [row[1:] for row in theirs.tables[table].rows] == [row[1:] for row in ours.tables[table].rows]


def test_a_session_without_rows_keeps_the_last_targets_and_a_symbol_without_a_row_is_flat(tmp_path):
    """Two on the 27th, one of them on the 29th: the 28th is as the 27th."""
    rows = [("2025-01-27", "NVDA", -0.1), ("2025-01-27", "AVGO", 0.1), ("2025-01-29", "NVDA", -0.1)]
    (tmp_path / "a.csv").write_text(text_of([(*row, "2025-01-26T00:00Z") for row in rows], "agent"))
    targets = run(tmp_path / "a.csv").tables["targets"].rows
    assert [row[1:] for row in targets] == [
        ("2025-01-27", "NVDA", -0.1), ("2025-01-27", "AVGO", 0.1), ("2025-01-29", "AVGO", 0.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("2025-01-27,AVGO,-0.2,2025-01-27T14:20:01Z,agent", "a.csv:3: decided at 2025-01-27T14:20:01+00:00, after"),
        ("2025-01-28,NVDA,-0.2,2025-01-28T14:20,agent", "a.csv:3: decided_at '2025-01-28T14:20' has no time zone"),
        ("2025-01-28,NVDIA,-0.2,2025-01-28T14:00Z,agent", "a.csv:3: 'NVDIA' is not traded here; did you mean 'NVDA'?"),
        ("2025-01-28,BTC-USD,-0.2,2025-01-28T14:00Z,agent", "a.csv:3: 'BTC-USD' is not traded here"),
        ("2025-01-28,NVDA,nan,2025-01-28T14:00Z,agent", "a.csv:3: weight 'nan': give a finite number"),
        (
            "2025-01-28,NVDA,0.3,2025-01-28T14:00Z,agent",
            "a.csv:3: for 2025-01-28 the weight of NVDA is 0.3, above name",
        ),
        ("2025-01-26,NVDA,0.1,2025-01-25T14:00Z,agent", "a.csv:3: 2025-01-26 is no session here"),
        ("2025-01-27,NVDA,0.1,2025-01-26T14:00Z,agent", "a.csv:3: NVDA on 2025-01-27 is there twice"),
        ("2025-01-28,NVDA,0.1,2025-01-26T14:00Z,other", "a.csv:3: model 'other' after 'agent'"),
        ("2025-01-28,NVDA,0.1,yesterday,agent", "a.csv:3: decided_at 'yesterday': give a time"),
        ("2025-01-28,NVDA,0.1", "a.csv:3: 3 values, but the header names 5"),
    ],
)
def test_a_wrong_row_is_named_and_refused(tmp_path, row, said):
    """One line: the file, the row, what is wrong; equality with the deadline (14:20) is in time."""
    (tmp_path / "a.csv").write_text(HEAD + GOOD + "\n")
    assert run(tmp_path / "a.csv").document["results"][0]["label"] == "agent"
    (tmp_path / "a.csv").write_text(HEAD + GOOD + "\n" + row + "\n")
    with pytest.raises(InputError, match=re.escape(said)):
        run(tmp_path / "a.csv")


@pytest.mark.parametrize("text", ["", "session,symbol\n", HEAD, "session,symbol,weight,decided_at,why\n1,2,3,4,5\n"])
def test_what_is_no_table_is_refused(tmp_path, text):
    """In one line with what to give."""
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError, match="session,symbol,weight,decided_at"):
        run(tmp_path / "a.csv")


def test_two_tables_of_one_model_are_refused(tmp_path):
    """Nobody could tell their rows apart."""
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(HEAD + GOOD + "\n")
    with pytest.raises(InputError, match=r"b\.csv: is of the model 'agent', as .*a\.csv is"):
        replay(inputs()[0], [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")], news=inputs()[1])


def test_a_run_keeps_the_file_and_is_made_again_without_trust(tmp_path, monkeypatch):
    """It is data; a run says that its times are the file's own claim, and a changed copy is refused."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "agent.csv").write_text(HEAD + GOOD + "\n")
    done = CliRunner().invoke(
        cli, ["run", "deepseek-2025", "--decisions", "agent.csv", "--trials", "off", "-o", "r", "--json"]
    )
    assert done.exit_code == 3
    assert json.loads(done.stdout)["audit"]["unproved"] == ["agent.csv says itself when each decision was made"]
    (kept,) = (tmp_path / "r" / "decisions").rglob("*.csv")
    assert kept.read_bytes() == (tmp_path / "agent.csv").read_bytes()
    (tmp_path / "agent.csv").unlink()
    assert verify(tmp_path / "r").differences == ()
    kept.write_text(kept.read_text().replace("-0.25", "-0.24"))
    with pytest.raises(InputError, match="its hash is another"):
        verify(tmp_path / "r")
