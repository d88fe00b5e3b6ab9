"""Users' files that trade on the coming session are caught, or said not to be proved; honest ones are left alone."""

from __future__ import annotations

import gc
import json
import signal
import sys
from datetime import date
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import feeds.headline
from backtests import load_episode, replay
from backtests.auditing.audit import audit, short_audit
from backtests.auditing.decisions import AuditedRule
from backtests.engine.news import read_news
from backtests.user_strategies.loading import make_rule
from strategies.view import View
from tests.backtests.commands.test_cli import backtest
from tests.helpers.cheating_files import HONEST, STRATEGIES, WHEN_LOADED, WHILE_DECIDING

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # they leave files open

LAST = date(2025, 1, 16)


@pytest.fixture(autouse=True)
def _what_cheats_leave_open_is_theirs():
    """Files and processes that a cheat leaves behind are let go here, not in somebody else's test."""
    yield
    gc.collect()


SYMBOLS = ("NVDA", "AVGO", "MU")


@pytest.fixture(scope="module")
def market():
    """Four sessions of the shipped episode, and its news."""
    episode = load_episode("deepseek-2025", end=LAST)
    return episode, read_news(episode)


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch):
    """Takes back what the cheats leave behind in this process."""
    monkeypatch.setattr(View, "masks", View.masks)
    monkeypatch.setattr(View, "coming", None, raising=False)
    monkeypatch.setattr("backtests.auditing.decisions.AuditedRule.differs", AuditedRule.differs)
    monkeypatch.setenv("KEPT", "{}")
    monkeypatch.delenv("KEPT")
    monkeypatch.setenv("LC_X", "0")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(Path.cwd())
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    vars(feeds.headline).pop("kept", None)


def _coming(episode):
    """The sign of each session's move from its open to its close, by session and symbol."""
    signs = {}
    for symbol in SYMBOLS:
        bars = episode.prices.bars[symbol]
        for day, opened, close in zip(bars.sessions, bars.open.tolist(), bars.close.tolist(), strict=True):
            signs[day.isoformat(), symbol] = np.sign(close - opened)
    return signs


def _rule(tmp_path, episode, text):
    signs = _coming(episode)
    (tmp_path / "figures.py").write_text(f"TABLE = { {(s, d): float(v) for (d, s), v in signs.items()}!r}\n")
    path = tmp_path / "mine.py"
    path.write_text(text.replace("PRICES", str(episode.folder / "prices.csv")).replace("FOLDER", str(tmp_path)))
    return make_rule(str(path))


def _cheats(episode, targets):
    """Whether a run's targets took the side of the coming move, in every symbol and session."""
    signs, held = _coming(episode), dict.fromkeys(SYMBOLS, 0.0)
    changes = {(session, symbol): weight for _, session, symbol, weight in targets}
    for row in episode.window:
        day = episode.sessions.sessions[row].isoformat()
        for symbol in SYMBOLS:
            held[symbol] = changes.get((day, symbol), held[symbol])
            if np.sign(held[symbol]) != signs[day, symbol]:
                return False
    return True


@pytest.mark.parametrize("name", WHILE_DECIDING)
def test_a_rule_that_looks_ahead_while_it_decides_is_caught(tmp_path, market, name):
    """It did look ahead, all the way; both forms of the audit name it, and nothing of an earlier run helps it."""
    episode, news = market
    rule = _rule(tmp_path, episode, WHILE_DECIDING[name])
    targets = replay(episode, rule, news=news).tables["targets"].rows
    assert _cheats(episode, targets)
    assert short_audit(episode, news, [rule], targets).exit_code == 1
    found = audit(episode, news, [rule], targets=targets)
    assert (found.exit_code, {each.strategy for each in found.violations}) == (1, {rule.name})


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_bt_strategy_that_looks_ahead_is_caught(tmp_path, market, name):
    """As a rule is."""
    episode, news = market
    rule = _rule(tmp_path, episode, STRATEGIES[name])
    targets = replay(episode, rule, news=news).tables["targets"].rows
    assert _cheats(episode, targets)
    assert short_audit(episode, news, [rule], targets).exit_code == 1
    assert audit(episode, news, [rule], targets=targets).exit_code == 1


@pytest.mark.parametrize("name", WHEN_LOADED)
def test_what_a_file_brings_along_is_not_proved(tmp_path, market, name):
    """It trades on the coming session, and what it reached for is said: exit code 3, or 1 where planting shows it."""
    episode, news = market
    rule = _rule(tmp_path, episode, WHEN_LOADED[name])
    targets = replay(episode, rule, news=news).tables["targets"].rows
    assert _cheats(episode, targets)
    assert short_audit(episode, news, [rule], targets).exit_code == 3
    found = audit(episode, news, [rule], targets=targets)
    assert found.exit_code == (1 if name == "an episode that it loads" else 3)
    assert found.unproved
    assert all("mine.py" in each for each in found.unproved)


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_file_is_left_alone(tmp_path, market, name):
    """It trades, and no form of the audit has anything to say."""
    import_module(
        "scipy.stats"
    )  # else pytest rewrites its files named *_test.py under names of its own, when ours loads it
    episode, news = market
    rule = _rule(tmp_path, episode, HONEST[name])
    targets = replay(episode, rule, news=news).tables["targets"].rows
    assert len(targets) > len(episode.window)
    for found in (short_audit(episode, news, [rule], targets), audit(episode, news, [rule])):
        assert (found.exit_code, found.violations, found.unproved) == (0, (), ())


def test_not_proved_has_its_own_exit_code_and_stands_in_every_output(tmp_path, market):
    """`run` and `audit`, text and JSON, the run's page, and again when the saved run is audited."""
    episode, _ = market
    _rule(tmp_path, episode, WHEN_LOADED["the price file"])
    made = backtest("run", "deepseek-2025", "-s", "mine.py", "--end", str(LAST), "-o", "out", "--json", cwd=tmp_path)
    assert made.returncode == 3
    assert "; NOT PROVED for 1 reason" in made.stderr
    assert "NOT PROVED mine.py opens" in made.stderr
    assert "prices.csv" in json.loads(made.stdout)["audit"]["unproved"][0]
    assert "NOT PROVED mine.py opens" in (tmp_path / "out" / "report.html").read_text()
    again = backtest("audit", "out", "--trust", "--json", cwd=tmp_path)
    assert again.returncode == 3
    assert "NOT PROVED" in again.stderr
    assert len(json.loads(again.stdout)["unproved"]) == 1
