"""Every dollar of a run belongs to a headline, a session and a part of the day; and the run is criticised for it."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from datetime import UTC, date, datetime, timedelta

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from backtests import load_episode, replay
from backtests.broker.terms import BrokerTerms
from backtests.cli import cli
from backtests.engine.market import make_market
from backtests.engine.news import read_news
from backtests.episodes.prices import Action
from backtests.evidence.attribution.attribution import attribute, document, leave_one_out
from backtests.evidence.attribution.daily_pnl import pnl_of
from backtests.evidence.attribution.gap_split import MADE, Auctions, gap_split, made
from backtests.evidence.critique import criticise
from backtests.runs.result import Result
from backtests.user_strategies.selection import standard_rules
from feeds.scoring import Score
from strategies.registry import make_rule
from strategies.signals import SignalBook
from tests.helpers.markets import FREE, Script, episode_of, news_of, no_news, weekdays


@pytest.fixture(scope="module")
def run():
    """Every strategy on the episode that ships, taken apart."""
    episode = load_episode("deepseek-2025")
    news, rules = read_news(episode), standard_rules()
    result = replay(episode, rules, news=news)
    return episode, news, rules, result, attribute(result, rules, episode, news)


def by_hand(prices, weights, *, terms=FREE, actions=(), adjusted="splits"):
    """Daily P&L made from (open, close) per session and target weights per row."""
    days = weekdays(len(prices))
    bars = {day: (o, max(o, c), min(o, c), c) for day, (o, c) in zip(days, prices, strict=True)}
    episode = episode_of({"A": bars}, days, actions=actions, adjusted=adjusted)
    rule = Script(weights={row: {"A": weight} for row, weight in weights.items()})
    result = replay(episode, rule, terms=terms, news=no_news())
    return episode, result, pnl_of(result, "script", episode)


def test_all_parts_of_every_strategy_add_up_to_its_profit(run):
    """Headlines, sessions, parts of the day and costs; the residual is below 1e-9 of the cash and shown."""
    attributions = run[-1]
    for each in attributions:
        found = each.document()
        by_headline = math.fsum(row["profit_usd"] for row in found["headlines"])
        by_headline += found["without_headline_usd"] + found["remainder_usd"]
        by_session = math.fsum(row["profit_usd"] for row in found["sessions"])
        shared = math.fsum(value for row in found["sessions"] for value in row["by_headline"].values())
        assert by_headline == pytest.approx(found["profit_usd"], abs=1e-9 * 100_000)
        assert by_session == pytest.approx(found["profit_usd"], abs=1e-9 * 100_000)
        assert shared == pytest.approx(found["profit_usd"], abs=1e-9 * 100_000)
        assert found["residual_usd"] < 1e-9 * 100_000


def test_every_headline_named_has_a_thousandth_of_a_position_and_the_rest_is_what_a_dense_sum_gives(run):
    """The remainder is named as such; with it a position's shares are those of each headline's own sum."""
    episode, news, rules, _, attributions = run
    market = make_market(episode, news)
    for each, rule in zip(attributions, rules, strict=True):
        for number, shares in each.shares.items():
            assert not shares or math.fsum(shares.values()) == pytest.approx(1.0, abs=1e-12)
            assert all(share >= 0.001 for name, share in shares.items() if name != "(remainder)")
            if not shares or rule.name != "shock":
                continue
            row = market.sessions.index(date.fromisoformat(each.pnl.holdings[number].decided))
            half_life, reactions = rule.half_life, rule.reactions
            parts = {
                item.headline.id: SignalBook((item,), market.first, row).table(
                    "sentiment", half_life=half_life, reactions=reactions
                )[-1]
                for item in news.items
                if item.used
            }
            total = sum(parts.values())
            own = {name: part / total for name, part in parts.items() if part * total > 0}
            whole = sum(own.values())
            dense = {name: part / whole for name, part in own.items()}
            assert {name for name, share in dense.items() if share >= 0.001} == shares.keys() - {"(remainder)"}
            assert [shares[name] for name in shares if name in dense] == pytest.approx(
                [dense[name] for name in shares if name in dense]
            )


def test_each_sessions_parts_are_the_change_of_that_sessions_equity(run):
    """Not only the sum: every session of every strategy."""
    for each in run[-1]:
        changes = [after - before for before, after in zip(each.pnl.equity, each.pnl.equity[1:], strict=False)]
        assert [row["profit_usd"] for row in each.sessions] == pytest.approx(changes, abs=1e-7)


def test_a_rule_without_news_owes_nothing_to_a_headline(run):
    """Buy and hold, always short, gap only: everything stands under no headline."""
    for each in run[-1]:
        if each.strategy in {"buy-hold", "always-short", "gap-only"}:
            assert each.document()["headlines"] == []
            assert each.document()["without_headline_usd"] == pytest.approx(each.pnl.profit)


def test_the_commands_costs_are_those_of_the_result(run):
    """Commission and slippage of the holdings are those that the run reports."""
    rows = {row["label"]: row for row in run[3].document["results"]}
    for each in run[-1]:
        for name in ("commission", "slippage", "borrow"):
            paid = -math.fsum(holding.total(name) for holding in each.pnl.holdings)
            assert paid == pytest.approx(rows[each.strategy]["costs"][name], abs=1e-9)


def test_a_long_by_hand():
    """Bought at 100, close 104; next open 110, close 108; sold at the open 105: 4 + 6 - 2 - 3 dollars a share."""
    _, _, pnl = by_hand([(100, 100), (100, 104), (110, 108), (105, 90)], {1: 1.0, 3: 0.0})
    (holding,) = pnl.holdings
    parts = {name: round(value, 9) for name, value in made(holding).items()}
    assert (holding.opened, holding.closed, holding.most) == (pnl.sessions[0], pnl.sessions[2], 100.0)
    assert (parts["entry_open_to_close"], parts["later_gaps"], parts["later_sessions"]) == (400.0, 300.0, -200.0)
    assert pnl.profit == pytest.approx(500.0)


def test_a_position_turned_round_is_two_holdings_and_each_pays_its_part():
    """Long 1, then short 1: commission and slippage are shared by shares, the prices by who held them."""
    terms = BrokerTerms(cash=10_000, commission_bps=10, slippage_bps=20, borrow_pct=0, fractional=True)
    _, _, pnl = by_hand([(100, 100), (100, 100), (120, 110), (110, 100)], {1: 0.5, 2: -0.5}, terms=terms)
    long, short = pnl.holdings
    assert (long.sign, short.sign, long.closed, short.opened) == (1, -1, pnl.sessions[1], pnl.sessions[1])
    assert long.total("gap") == pytest.approx(50 * 20, rel=1e-12)
    assert long.total("slippage") == pytest.approx(-50 * (0.2 + 0.24))
    assert pnl.residual < 1e-9


def test_dividends_borrow_and_unadjusted_splits_are_somebodys():
    """A short through a dividend and a two-for-one split: everything still adds up."""
    days = weekdays(5)
    actions = [
        Action(symbol="A", ex_date=days[2], kind="dividend", value=1.0),
        Action(symbol="A", ex_date=days[3], kind="split", value=2.0),
    ]
    terms = dataclasses.replace(FREE, borrow_pct=5.0)
    prices = [(100, 100), (100, 102), (101, 100), (50, 51), (51, 49)]
    _, _, pnl = by_hand(prices, {1: -0.5}, terms=terms, actions=actions, adjusted="none")
    (holding,) = pnl.holdings
    assert holding.total("dividends") == pytest.approx(-50.0)
    assert holding.total("borrow") < 0
    assert pnl.residual < 1e-9


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(20, 200), st.floats(20, 200)), min_size=3, max_size=8),
    st.lists(st.floats(-0.4, 0.4), min_size=8, max_size=8),
)
def test_on_any_market_the_parts_add_up(prices, weights):
    """Random opens, closes and targets, with all costs: each session to 1e-9 of the cash."""
    terms = BrokerTerms(cash=10_000, commission_bps=3, slippage_bps=7, borrow_pct=9)
    targets = dict(enumerate(weights[: len(prices) - 1], 1))
    _, _, pnl = by_hand(prices, targets, terms=terms)
    assert pnl.residual < 1e-9 * 10_000


DISRUPTS = Score(language="en", relevance=1.0, sentiment=-0.6, tone=-0.5)
BUILDS = dataclasses.replace(DISRUPTS, sentiment=0.4)


def two_story_world():
    """Two headlines that undercut and one that builds up, all known before the open of the third session."""
    days = weekdays(8)
    bars = {day: (100.0, 101.0, 99.0, 100.0 + row) for row, day in enumerate(days)}
    episode = episode_of({"SPY": bars, "NVDA": bars}, days, sectors={"chips": ("NVDA",), "funds": ("SPY",)})
    early = datetime(days[2].year, days[2].month, days[2].day, 8, tzinfo=UTC)
    titles = [("Cheap model needs few chips", DISRUPTS), ("Order for servers withdrawn", DISRUPTS)]
    titles += [("Utility signs power contract", BUILDS)]
    news = news_of(episode, *[(title, early + timedelta(hours=n), score) for n, (title, score) in enumerate(titles)])
    rule = make_rule("shock", {"threshold": "0.5"})
    result = replay(episode, rule, terms=FREE, news=news)
    return episode, news, rule, result


def test_the_headlines_that_pushed_the_positions_way_share_it_in_proportion():
    """Two of -0.6 each against one of +0.4: the short is theirs by halves, the third has none of it."""
    episode, news, rule, result = two_story_world()
    (found,) = attribute(result, [rule], episode, news)
    rows = found.document()["headlines"]
    assert [(row["id"], row["profit_usd"]) for row in sorted(rows, key=lambda row: row["id"])] == [
        ("000", pytest.approx(found.pnl.profit / 2)),
        ("001", pytest.approx(found.pnl.profit / 2)),
    ]


def test_leaving_out_runs_everything_again():
    """Without one of two the signal is -0.2: no position, no loss; without the third nothing changes at gross 1."""
    episode, news, rule, result = two_story_world()
    (found,) = attribute(result, [rule], episode, news)
    rows = leave_one_out(found, rule, FREE, episode, news).leave_one_out
    profits = {row["left_out"]: row["profit_usd"] for row in rows if row["by"] == "headline"}
    assert profits["000"] == profits["001"] == 0.0
    assert profits["002"] == pytest.approx(found.pnl.profit)
    assert {row["by"] for row in rows} == {"headline", "source", "language", "symbol", "day"}
    assert next(row["profit_usd"] for row in rows if row["by"] == "symbol") == 0.0


def test_what_takes_long_is_announced_with_the_flag_that_makes_it_shorter(monkeypatch):
    """The number of runs is that of headlines about AI; a short one says nothing."""
    words = ["attribute", "quiet-2023", "-s", "shock", "--set", "reactions=exclude"]
    assert "leaving one out" not in CliRunner().invoke(cli, words, catch_exceptions=False).stderr
    monkeypatch.setattr("backtests.commands.evidence.attribute.LONG", 0.0)
    said = CliRunner().invoke(cli, words, catch_exceptions=False).stderr
    used = sum(item.used for item in read_news(load_episode("quiet-2023")).items)
    assert f"leaving one out: {used} runs of about" in said
    assert "--no-leave-one-out" in said


def test_attribution_reads_a_saved_run_as_the_run_itself(run, tmp_path):
    """From the folder alone, to the last digit."""
    episode, news, rules, result, attributions = run
    loaded = Result.load(result.save(tmp_path / "run"))
    again = document(attribute(loaded, rules, episode, news), episode)
    assert json.dumps(again) == json.dumps(document(attributions, episode))


# Gap split


def test_the_split_of_nvidia_adds_up_in_money_and_compounds_in_per_cent(run):
    """From Thursday's close: before the first headline, to Monday's open, to its close, to the window's end."""
    episode, news, *_, attributions = run
    row = next(row for row in gap_split(attributions, episode, news)["symbols"] if row["symbol"] == "NVDA")
    per_share, pct = row["per_share_usd"], row["parts_pct"]
    parts = [value for name, value in per_share.items() if name != "total"]
    assert math.fsum(parts) == pytest.approx(per_share["total"], abs=1e-9)
    assert math.prod(1 + value / 100 for value in pct.values()) == pytest.approx(1 + row["total_pct"] / 100)
    assert (row["base_session"], row["first_executable_session"]) == ("2025-01-23", "2025-01-27")
    assert row["last_close_to_open_pct"] == pytest.approx((124.80 / 142.62 - 1) * 100, abs=0.01)
    assert per_share["open_to_close"] == pytest.approx(118.42 - 124.80, abs=0.01)


def test_the_prices_by_which_a_headline_was_known():
    """Before the open the last close, in the session its open, after the close that close; an auction counts as before."""
    days = weekdays(4)
    bars = {day: (10.0 * n + 1, 10.0 * n + 2, 10.0 * n + 1, 10.0 * n + 2) for n, day in enumerate(days, 1)}
    auctions = Auctions(episode_of({"A": bars}, days), "A")
    at = datetime(days[2].year, days[2].month, days[2].day, 14, 30, tzinfo=UTC)
    known = [auctions.known(at + timedelta(seconds=s)) for s in (-1, 0, 3600 * 6.5)]
    assert [(each.price, each.base) for each in known] == [(22.0, 12.0), (31.0, 22.0), (32.0, 22.0)]


def test_in_money_every_trade_and_every_strategy_adds_up(run):
    """To 1e-9 of the cash; what was missed stands apart from what was made."""
    episode, news, *_, attributions = run
    found = gap_split(attributions, episode, news)
    for row in (*found["trades"], *found["strategies"]):
        assert set(row["made_usd"]) == set(MADE)
        assert math.fsum(row["made_usd"].values()) == pytest.approx(row["pnl_usd"], abs=1e-9 * 100_000)
    assert max(row["residual_usd"] for row in (*found["trades"], *found["strategies"])) < 1e-9 * 100_000


def test_what_a_trade_missed_is_the_move_from_before_the_news_to_its_entry():
    """Shorted at Wednesday's open: 100 a share missed nothing before (closes 101) and 1 from there to the open."""
    episode, news, rule, result = two_story_world()
    (trade, *_) = gap_split(attribute(result, [rule], episode, news), episode, news)["trades"]
    shares = trade["shares"]
    assert trade["known_at"] == news.items[0].known_at.isoformat()
    assert trade["missed_usd"]["before_known"] == pytest.approx(-shares * (101 - 100))
    assert trade["missed_usd"]["known_to_executable"] == pytest.approx(-shares * (100 - 101))


# Critique


def findings(run, name, trials=None):
    """A strategy's findings by code."""
    found = criticise(run[3], run[-1], trials)
    return {each["code"]: each for row in found["strategies"] if row["strategy"] == name for each in row["findings"]}


def test_a_run_that_hangs_on_one_day_and_loses_to_its_rivals_is_told_so(run):
    """`shock` on deepseek-2025: one session made most of the loss, and baselines did better."""
    found = findings(run, "shock (with-cause)")
    equity = next(each.pnl.equity for each in run[-1] if each.strategy == "shock (with-cause)")
    worst = min(after - before for before, after in itertools.pairwise(equity))
    assert found["one-day"]["figure"] == pytest.approx(worst / (equity[-1] - equity[0]))
    returns = {row["label"]: row["return_pct"] for row in run[3].document["results"] if row["baseline"]}
    mine = next(row["return_pct"] for row in run[3].document["results"] if row["label"] == "shock (with-cause)")
    assert found["baseline"]["figure"] == sum(value > mine for value in returns.values())
    other = next(row["return_pct"] for row in run[3].document["results"] if row["label"] == "rebound")
    assert findings(run, "rebound")["baseline"]["figure"] == sum(value > other for value in returns.values())


def test_costs_are_held_against_what_they_ate(run):
    """At twice the costs, with the same fills: profit less the costs once more."""
    row = next(row for row in run[3].document["results"] if row["label"] == "rebound")
    paid = sum(row["costs"][name] for name in ("commission", "slippage", "borrow"))
    assert findings(run, "rebound")["costs"]["figure"] == pytest.approx(row["final_equity"] - 100_000 - paid)


def test_the_slippage_at_which_nothing_is_left_is_linear_in_the_fills(run):
    """With the same fills slippage costs in proportion: 5 bps cost s, so the profit is gone at 5 (1 + profit / s)."""
    row = next(row for row in run[3].document["results"] if row["label"] == "rebound")
    bps = 5 * (1 + (row["final_equity"] - 100_000) / row["costs"]["slippage"])
    assert f"at {bps:,.0f} bps of slippage instead of 5, none." in findings(run, "rebound")["costs"]["says"]


def test_a_strategy_that_is_gap_only_again_is_found_out():
    """The same rule under another name: correlation 1, the news added nothing."""
    from strategies.baselines.gap_only import GapOnly

    class Disguised(GapOnly):
        name = "my-news-rule"
        is_baseline = False

    episode = load_episode("deepseek-2025")
    news = read_news(episode)
    rules = [Disguised(), GapOnly()]
    result = replay(episode, rules, news=news)
    found = criticise(result, attribute(result, rules, episode, news), None)["strategies"][0]["findings"]
    point = next(each for each in found if each["code"] == "gap-only")
    assert (point["grade"], round(point["figure"], 9)) == ("severe", 1.0)


def test_a_strategy_that_could_trade_nothing_is_told_from_one_that_waited(run):
    """`displaced` in an episode without software: severe, whatever its 0.00 %."""
    (point,) = findings(run, "displaced").values()
    assert (point["code"], point["grade"]) == ("nothing-to-trade", "severe")
    assert "no symbol of software" in point["says"]


def test_luck_is_severe_where_many_were_tried(run):
    """A deflated Sharpe ratio of 0.3 of 40 tried."""
    trials = {"tried": 40, "strategies": [{"strategy": "rebound", "dsr": 0.3}]}
    assert findings(run, "rebound", trials)["luck"]["grade"] == "severe"


def test_a_run_keeps_its_evidence_and_prints_what_is_severe(tmp_path, monkeypatch):
    """gaps, attribution, critique and trials as files; the sentence on the terminal is the file's."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["run", "deepseek-2025", "--verbose", "-o", "out"], catch_exceptions=False)
    files = {path.stem for path in (tmp_path / "out" / "evidence").glob("*.json")}
    assert {"gaps", "attribution", "critique", "trials"} <= files
    loaded = Result.load("out")
    severe = [
        each["says"]
        for row in loaded.evidence["critique"]["strategies"]
        for each in row["findings"]
        if each["grade"] == "severe" and not row["baseline"]
    ]
    printed = " ".join(done.stdout.split())
    assert severe
    assert [says for says in severe if says not in printed] == []


READS = """
import backtrader as bt


class Reads(bt.Strategy):
    def next(self):
        for data in self.datas:
            self.order_target_percent(data, 0.05 if data.sentiment[0] > 0.5 else 0.0)
"""
BLIND = """
import backtrader as bt


class Blind(bt.Strategy):
    def next(self):
        for data in self.datas:
            self.order_target_percent(data, 0.05)
"""


def test_a_bt_strategy_owes_its_profit_to_the_lines_that_its_code_names(tmp_path):
    """One reads the sentiment: its positions are the headlines'. One reads no news: no headline has any of it."""
    from backtests.user_strategies.loading import make_rule as own_rule

    episode = load_episode("deepseek-2025")
    news = read_news(episode)
    rules = []
    for name, text in (("reads", READS), ("blind", BLIND)):
        (tmp_path / f"{name}.py").write_text(text)
        rules.append(own_rule(str(tmp_path / f"{name}.py")))
    reads, blind = (each.document() for each in attribute(replay(episode, rules, news=news), rules, episode, news))
    assert reads["headlines"]
    assert reads["without_headline_usd"] == 0.0
    assert blind["headlines"] == []
    assert blind["without_headline_usd"] == pytest.approx(blind["profit_usd"])
    assert max(reads["residual_usd"], blind["residual_usd"]) < 1e-9 * 100_000


def test_every_run_of_all_episodes_is_weighed_too(tmp_path, monkeypatch):
    """Each episode's folder has the same files."""
    monkeypatch.chdir(tmp_path)
    words = ["run", "all", "-s", "shock", "-s", "gap-only", "-o", "out"]
    assert CliRunner().invoke(cli, words, catch_exceptions=False).exit_code == 0
    for folder in (tmp_path / "out").iterdir():
        found = {path.stem for path in (folder / "evidence").glob("*.json")}
        assert found == {"gaps", "attribution", "critique", "tear_sheet", "trials"}
