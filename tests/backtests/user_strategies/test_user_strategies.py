"""Strategies of the user's own: a file with a Rule or a bt.Strategy, in the same book and before the same audit."""

from __future__ import annotations

import hashlib
import json
import math
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from backtests._replay import replay
from backtests.auditing.audit import audit, short_audit
from backtests.broker.terms import BrokerTerms
from backtests.cli import cli
from backtests.engine.market import make_market
from backtests.engine.news import read_news
from backtests.engine.rule_run import run_rule
from backtests.episodes.episode import load_episode
from backtests.user_strategies.loading import make_rule, rule_type
from feeds.errors import InputError
from feeds.scoring import Score
from tests.backtests.commands.test_cli import backtest, refused
from tests.helpers.cheats import BT_CHEATS, PRICE_READER
from tests.helpers.markets import episode_of, news_of, no_news, weekdays

RULE = '''
import numpy as np
from strategies import Rule


class Dip(Rule):
    """Buys what fell."""

    fall: float = 0.05

    def observe(self, view):
        return (np.nan_to_num(view.closes[-1] / view.closes[-2] - 1) * view.masks("chips"),)

    def step(self, state, rows):
        return np.where(rows[0] < -self.fall, 0.05, 0.0)
'''
STRATEGY = '''
import backtrader as bt


class News(bt.Strategy):
    """Long on build-out, short on disruption."""

    params = (("threshold", 0.5), ("part", 0.04))

    def next(self):
        for data in self.datas:
            signal = data.sentiment[0]
            if abs(signal) >= self.params.threshold:
                self.order_target_percent(data, self.params.part if signal > 0 else -self.params.part)
            else:
                self.order_target_percent(data, 0.0)
'''


@pytest.fixture(scope="module")
def deepseek():
    """The shipped episode and its news."""
    episode = load_episode("deepseek-2025")
    return episode, read_news(episode)


def own(tmp_path: Path, text: str, name: str = "mine.py") -> str:
    """Writes a user's file; returns its path."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("text", [RULE, STRATEGY], ids=["Rule", "bt.Strategy"])
def test_a_file_with_one_class_runs_and_passes_the_audit(tmp_path, deepseek, text):
    """No name is needed, its trades go through the same book, and it is found honest."""
    episode, news = deepseek
    rule = make_rule(own(tmp_path, text))
    result = replay(episode, rule, news=news)
    assert len(result.tables["fills"].rows) > 5
    short = short_audit(episode, news, [rule], result.tables["targets"].rows)
    whole = audit(episode, news, [rule])
    assert (short.decisions, short.violations, whole.decisions, whole.violations) == (19, (), 19, ())


def test_set_works_on_both_and_what_is_recorded_makes_the_run_again(tmp_path):
    """Parameters by name, the class by name where there are several; the folder holds text and hash, and is audited."""
    text = RULE + STRATEGY
    path = own(tmp_path, text)
    for name, setting in (("Dip", "fall=0.1"), ("News", "threshold=0.8")):
        folder = tmp_path / name
        done = backtest("run", "deepseek-2025", "-s", f"mine.py:{name}", "--no-baselines", "--set", setting, "-o", folder, "--json",
                        cwd=tmp_path)  # fmt: skip
        assert done.returncode == 0, done.stderr
        key, value = setting.split("=")
        assert json.loads(done.stdout)["results"][0]["params"][key] == float(value)
        (row,) = json.loads((folder / "run_card.json").read_text())["config"]["strategies"]
        assert row["sha256"] == hashlib.sha256(text.encode()).hexdigest()
        assert (folder / row["code"]).read_text() == text
    Path(path).unlink()  # the run's own copy is enough
    assert backtest("audit", "Dip", "--trust", cwd=tmp_path).returncode == 0
    assert backtest("audit", "News", "--trust", cwd=tmp_path).returncode == 0
    (tmp_path / "News" / row["code"]).write_text(text + "\n# another text")
    refused(backtest("audit", "News", "--trust", cwd=tmp_path), "mine.py", "is not the text that the run used")


@pytest.mark.parametrize(
    ("text", "spec", "words"),
    [
        (None, "gone.py", ["gone.py", "cannot be read"]),
        (RULE, "mine.py:Dop", ["no class 'Dop'", "did you mean 'Dip'"]),
        ("x = 1", "mine.py", ["no strategies.Rule and no backtrader.Strategy"]),
        ("class X:\n    pass", "mine.py:X", ["X is neither a strategies.Rule nor a backtrader.Strategy"]),
        ("class X(:\n    pass", "mine.py", ["mine.py:1: syntax error"]),
        ("\n\n1 / 0", "mine.py", ["mine.py:3", "ZeroDivisionError"]),
        ("import nowhere_at_all", "mine.py", ["mine.py:1", "No module named 'nowhere_at_all'"]),
        (RULE + STRATEGY, "mine.py", ["several strategies (Dip, News)", "mine.py:Dip"]),
        (RULE.replace("observe", "look"), "mine.py", ["Dip lacks the method observe(self, view)"]),
        (RULE.replace("def step", "def stop"), "mine.py", ["Dip lacks the method step(self, state, rows)"]),
        (RULE.replace("fall: float = 0.05", "fall: float"), "mine.py", ["Dip.fall has no default"]),
        (RULE.replace("class Dip", "class shock"), "mine.py", ["'shock' is that of a built-in strategy"]),
        (RULE, "mine.py --set fal=1", ["'fal'", "did you mean 'fall'"]),
        (RULE, "mine.py --set fall=x", ["fall='x': give a number"]),
        (STRATEGY, "mine.py --set part=x", ["part='x': give a number"]),
        (RULE.replace("0.05, 0.0)", "2.0, 0.0)"), "mine.py", ["above name_cap 0.25", "for session 2025-01-"]),
        ("import sys\nsys.exit(3)", "mine.py", ["mine.py:2", "SystemExit"]),
        (STRATEGY.replace("    def next", "    def __init__(self):\n        1 / 0\n\n    def next"), "mine.py",
         ["mine.py:11", "ZeroDivisionError"]),
        (RULE, "mine.py --set gross=0.01", ["above gross 0.01"]),
        (RULE, "mine.py --set net_cap=0.01", ["beyond net_cap 0.01"]),
        (RULE.replace("0.05, 0.0)", "np.nan, 0.0)"), "mine.py", ["no number; 0 is flat"]),
        (RULE.replace("np.where", "1 / 0 if rows else np.where"), "mine.py", ["mine.py:15", "ZeroDivisionError"]),
        (RULE.replace("rows[0] <", "rows[0][1:] <"), "mine.py", ["weights of shape (29,)", "30 symbols"]),
        (RULE.replace('"chips"', '"platforms"').replace("rows[0] < -self.fall", "rows[0] != 0"), "mine.py",
         ["weighs META", "add 'platforms' to `traded`"]),
        (STRATEGY.replace("sentiment[0]", "sentimant[0]"), "mine.py", ["mine.py:12", "News for session", "sentimant"]),
        (STRATEGY.replace("sentiment[0]", "close[1]"), "mine.py", ["mine.py:12", "has not happened"]),
        (STRATEGY.replace("    params", '    symbols = ("NVDIA",)\n    params'), "mine.py", ["did you mean 'NVDA'"]),
        (STRATEGY, "mine.py --auctions open,close", ["asked before the open alone"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_said_in_one_line(tmp_path, monkeypatch, text, spec, words):
    """File and line where there is one, what was wrong, what to do; nothing is written."""
    monkeypatch.chdir(tmp_path)
    if text is not None:
        own(tmp_path, text)
    command = ["run", "deepseek-2025", "-s", *spec.split(), "--end", "2025-01-29", "--trials", "off", "-o", "out"]
    wrong = CliRunner().invoke(cli, command).exception
    assert isinstance(wrong, InputError)
    assert "\n" not in str(wrong)
    assert [word for word in words if word not in str(wrong)] == []
    assert not (tmp_path / "out").exists()


def test_a_wrong_file_ends_the_command_with_one_line_and_code_2(tmp_path):
    """The whole way, in a process of its own."""
    own(tmp_path, RULE.replace("np.where", "1 / 0 if rows else np.where"))
    refused(backtest("run", "deepseek-2025", "-s", "mine.py", cwd=tmp_path), "mine.py:15: Dip for session 2025-01-13")


def test_a_class_that_others_build_on_is_no_second_strategy(tmp_path):
    """Only the last in line counts; the one before it is there by name."""
    path = own(tmp_path, RULE + '\n\nclass Deeper(Dip):\n    """Buys what fell more."""\n\n    fall: float = 0.1\n')
    assert (rule_type(path).name, rule_type(f"{path}:Dip").name) == ("Deeper", "Dip")
    assert make_rule(path).parameters["fall"] == 0.1


def test_a_changed_file_is_read_again(tmp_path):
    """In a notebook one edits and runs."""
    path = own(tmp_path, RULE)
    assert make_rule(path).parameters["fall"] == 0.05
    own(tmp_path, RULE.replace("0.05\n", "0.07\n"))
    assert make_rule(path).parameters["fall"] == 0.07


def test_a_class_of_a_notebook_needs_no_file(deepseek):
    """Both kinds, with parameters; what is no strategy is refused."""
    import backtrader as bt

    from strategies import Rule

    class Mine(Rule):
        part: float = 0.05

        def observe(self, view):
            return (view.masks("chips"),)

        def step(self, state, rows):
            return rows[0] * self.part

    class Theirs(bt.Strategy):
        params = (("part", 0.1),)
        symbols = ("NVDA",)

        def next(self):
            self.order_target_percent(self.data, self.params.part)

    episode, news = deepseek
    results = replay(episode, [Mine, Theirs], news=news, part=0.02).document["results"]
    assert [(row["strategy"], row["params"]["part"]) for row in results] == [("Mine", 0.02), ("Theirs", 0.02)]
    with pytest.raises(InputError, match="int is neither"):
        replay(episode, int, news=news)


def test_what_a_strategy_prints_does_not_get_into_the_result(tmp_path):
    """Stdout is one JSON object; each line is said once, on stderr, and not again by the audit."""
    text = STRATEGY.replace(
        "    def next(self):", "    def next(self):\n        print('asked', self.data.datetime.date(0))"
    )
    own(tmp_path, "print('loaded')\n" + text)
    done = backtest("run", "deepseek-2025", "-s", "mine.py", "--no-baselines", "--json", "-o", "out", cwd=tmp_path)
    assert json.loads(done.stdout)["audit"] == {"decisions": 19, "violations": 0}
    assert (done.stderr.count("asked 2025-01-"), done.stderr.count("loaded")) == (15, 1)


def test_a_file_is_listed_with_its_parameters(tmp_path):
    """`backtest strategies FILE`."""
    own(tmp_path, RULE + STRATEGY)
    done = backtest("strategies", "mine.py:Dip", "mine.py:News", "--json", cwd=tmp_path)
    listed = {row["strategy"]: row for row in json.loads(done.stdout)}
    assert listed["Dip"]["params"]["fall"] == 0.05
    assert listed["News"]["about"] == "Long on build-out, short on disruption."


# What a bt.Strategy sees


def _watching(tmp_path: Path, body: str, seen: str = "seen"):
    """A bt.Strategy of one method `next` that writes into a list of the module; returns rule and list."""
    text = f"import backtrader as bt\n{seen} = []\n\n\nclass Watch(bt.Strategy):\n    def next(self):\n"
    rule = make_rule(own(tmp_path, text + "".join(f"        {line}\n" for line in body.splitlines())))
    import sys

    return rule, vars(sys.modules[rule.strategy.__module__])[seen]


def _market(days, bars):
    sectors = {"chips": tuple(bars)}
    return episode_of(bars, days, sectors=sectors)


def test_the_lines_hold_what_is_known_before_the_next_open(tmp_path):
    """A headline of Sunday evening stands on Friday's bar, one of Monday 14:10:01 UTC only on Monday's."""
    days = weekdays(6, date(2025, 1, 22))
    episode = _market(days, {"NVDA": dict.fromkeys(days, (100.0,) * 4)})
    score = Score(language="en", relevance=1.0, sentiment=-0.5, tone=-0.25)
    news = news_of(
        episode,
        ("one", datetime(2025, 1, 26, 20, tzinfo=UTC), score),
        ("quite another", datetime(2025, 1, 27, 14, 10, 1, tzinfo=UTC), score),
    )
    rule, seen = _watching(
        tmp_path,
        "d = self.data\nseen.append((d.datetime.date(0).isoformat(), d.sentiment[0], d.tone[0], d.headlines[0]))",
    )
    run_rule(episode, make_market(episode, news), rule, BrokerTerms())
    assert seen == [
        ("2025-01-22", 0.0, 0.0, 0.0),
        ("2025-01-23", 0.0, 0.0, 0.0),
        ("2025-01-24", -0.5, -0.25, 1.0),
        ("2025-01-27", -0.75, -0.375, 1.0),
        ("2025-01-28", -0.375, -0.1875, 0.0),
    ]


def test_an_order_fills_at_the_next_open_and_closes_are_the_last_known(tmp_path):
    """Bought on Thursday's bar, filled at Friday's open of 90."""
    days = weekdays(4, date(2025, 1, 23))
    episode = _market(days, {"NVDA": dict.fromkeys(days, (90.0, 110.0, 80.0, 100.0))})
    rule, _ = _watching(tmp_path, "if not self.position: self.buy(size=10)")
    (fill,) = run_rule(episode, make_market(episode, no_news()), rule, BrokerTerms(slippage_bps=0)).fills
    assert (fill.session, fill.price, fill.size) == ("2025-01-24", 90.0, 10)


def test_backtrader_shows_no_bar_of_the_future(tmp_path):
    """The last bar is a canary. `close[-n]` never shows it, not on the first bar either, where it says NaN."""
    days = weekdays(8)
    bars = {"NVDA": {day: (float(n),) * 4 for n, day in enumerate(days, 1)}}
    bars["NVDA"][days[-1]] = (7777.0,) * 4
    episode = _market(days, bars)
    rule, seen = _watching(tmp_path, "seen.append([self.data.close[-n] for n in range(12)])")
    run_rule(episode, make_market(episode, no_news()), rule, BrokerTerms())
    assert len(seen) == 7
    for bar, values in enumerate(seen, 1):
        assert values[:bar] == [float(n) for n in range(bar, 0, -1)]
        assert all(math.isnan(value) for value in values[bar:])


def test_a_symbol_that_is_not_listed_yet_is_empty_and_keeps_nobody_waiting(tmp_path):
    """`next` is called from the start; its close is NaN until its first bar (plain backtrader shows the last of the run)."""
    days = weekdays(6)
    bars = {
        "NVDA": dict.fromkeys(days, (100.0,) * 4),
        "ARM": {day: (50.0 + n,) * 4 for n, day in enumerate(days) if n >= 3},
    }
    rule, seen = _watching(
        tmp_path, "seen.append((len(self.datas[1]), self.datas[1].close[0], self.datas[1].close[-1]))"
    )
    episode = _market(days, bars)
    run_rule(episode, make_market(episode, no_news()), rule, BrokerTerms())
    assert [row[0] for row in seen] == [0, 0, 0, 1, 2]
    assert [row[1] for row in seen[3:]] == [53.0, 54.0]
    assert all(math.isnan(value) for value in [*(row[1] for row in seen[:3]), *(row[2] for row in seen[:4])])


def test_indicators_are_warm_when_the_window_begins(tmp_path, deepseek):
    """Bars from before the window are there: a mean of 100 closes is a number on the first decision."""
    episode, news = deepseek
    text = (
        "import backtrader as bt\nseen = []\n\n\nclass Warm(bt.Strategy):\n    symbols = ('NVDA',)\n\n    def __init__(self):\n"
        "        self.mean = bt.indicators.SMA(self.data.close, period=100)\n\n"
        "    def next(self):\n        seen.append((self.data.datetime.date(0).isoformat(), self.mean[0]))\n"
    )
    rule = make_rule(own(tmp_path, text))
    run_rule(episode, make_market(episode, news), rule, BrokerTerms())
    import sys

    seen = sys.modules[rule.strategy.__module__].seen
    closes = episode.prices.bars["NVDA"]
    stop = closes.sessions.index(date(2025, 1, 10)) + 1
    assert seen[0][0] == "2025-01-10"
    assert seen[0][1] == pytest.approx(closes.close[stop - 100 : stop].mean())
    assert len(seen) == 19


@pytest.mark.parametrize("cut", [3, 6, 9])
def test_a_bt_strategy_decides_alike_in_a_shorter_episode(tmp_path, cut):
    """What comes later changes no decision that was made before."""
    days = weekdays(12, date(2025, 1, 13))
    rng = np.random.default_rng(cut)
    prices = dict(zip(days, (100 * np.exp(np.cumsum(rng.normal(0, 0.05, 12)))).tolist(), strict=True))
    rule = make_rule(own(tmp_path, STRATEGY))
    made = []
    for until in (12, cut):
        episode = _market(days[:until], {"NVDA": {day: (prices[day],) * 4 for day in days[:until]}})
        items = [
            (f"item {n}", datetime(day.year, day.month, day.day, 22, tzinfo=UTC),
             Score(language="en", relevance=1.0, sentiment=float(rng.choice([-1, 1])) if until == 12 else 0.0, tone=0.0))
            for n, day in enumerate(days[:until])
        ]  # fmt: skip
        if until == 12:
            kept = items
        episode_news = news_of(episode, *kept[:until])
        made.append(run_rule(episode, make_market(episode, episode_news), rule, BrokerTerms()).decisions)
    last = days[cut - 1].isoformat()
    assert made[1] == tuple(row for row in made[0] if row[0] <= last)
    assert made[1]


# Cheats


@pytest.mark.parametrize("name", BT_CHEATS)
def test_a_bt_strategy_that_reaches_for_the_future_is_refused_or_caught(tmp_path, deepseek, name):
    """Either it ends in one clear line, or the audit names it; an honest one beside it stays clean."""
    episode, news = deepseek
    text, words = BT_CHEATS[name]
    rule, honest = make_rule(own(tmp_path, text, "cheat.py")), make_rule(own(tmp_path, STRATEGY))
    refusal = ""
    try:
        replay(episode, rule, news=news)
    except InputError as wrong:
        refusal = str(wrong)
    if refusal:
        assert words in refusal
        return
    found = audit(episode, news, [rule, honest])
    assert {each.strategy for each in found.violations} == {rule.name}
    assert any(words in f"{each.changed} {each.input}" for each in found.violations)


def test_a_rule_that_opens_the_price_file_is_caught_by_the_run_itself(tmp_path):
    """No cut reaches the file, but the opening is seen: exit code 1, the file is named."""
    prices = load_episode("deepseek-2025").folder / "prices.csv"
    own(tmp_path, PRICE_READER.replace("PRICES", str(prices)))
    done = backtest("run", "deepseek-2025", "-s", "mine.py", "--end", "2025-01-14", "-o", "out", cwd=tmp_path)
    assert done.returncode == 1
    assert "VIOLATION Reader, 2025-01-13: opens" in done.stderr
    assert "prices.csv" in done.stderr
    document = json.loads(
        backtest("audit", "deepseek-2025", "-s", "mine.py", "--end", "2025-01-14", "--json", cwd=tmp_path).stdout
    )
    assert document["violations"][0]["changed"] == "reaches outside"


def test_a_rule_that_read_the_price_file_when_it_was_loaded_cannot_be_judged_and_that_is_said(tmp_path):
    """What it knows from there nobody can cut: no violation, but exit code 3, a line, and in --json `unproved`."""
    prices = load_episode("deepseek-2025").folder / "prices.csv"
    own(tmp_path, f"TEXT = open({str(prices)!r}).read()\n" + RULE)
    done = backtest("audit", "deepseek-2025", "-s", "mine.py", "--json", cwd=tmp_path)
    assert done.returncode == 3
    assert "NOT PROVED mine.py opens" in done.stderr
    assert "prices.csv" in json.loads(done.stdout)["unproved"][0]


def test_a_rule_remembers_nothing_of_an_earlier_run(tmp_path, deepseek):
    """Each replay makes the user's module anew: closes that it has kept from a first run are not there in the next."""
    episode, news = deepseek
    text = RULE.replace("class Dip(Rule):", "KEPT = {}\n\n\nclass Dip(Rule):").replace(
        "        return (np.nan_to_num",
        "        KEPT[view.row - 1] = view.closes[-1]\n"
        "        if view.row in KEPT:\n"
        "            return (np.sign(KEPT[view.row] / view.closes[-1] - 1) * -view.masks('chips'),)\n"
        "        return (np.nan_to_num",
    )
    rule = make_rule(own(tmp_path, text))
    first = replay(episode, rule, news=news)
    assert short_audit(episode, news, [rule], first.tables["targets"].rows).violations == ()
    second = replay(episode, rule, news=news)
    assert second.tables["targets"].rows == first.tables["targets"].rows


def test_a_forged_target_of_a_bt_strategy_is_found_out(tmp_path, deepseek):
    """One changed weight in the run's table: its session, and nothing before it."""
    episode, news = deepseek
    rule = make_rule(own(tmp_path, STRATEGY))
    targets = replay(episode, rule, news=news).tables["targets"].rows
    name, session, symbol, weight = targets[40]
    forged = [*targets[:40], (name, session, symbol, weight + 0.5), *targets[41:]]
    first = short_audit(episode, news, [rule], forged).violations[0]
    assert (first.session, first.symbol, first.changed) == (session, symbol, "cut off")
