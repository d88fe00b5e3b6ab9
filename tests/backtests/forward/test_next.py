"""The decision for the coming session: the replay until now, and nothing else."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime, timedelta

import pytest
from click.testing import CliRunner

from backtests import load_episode, replay
from backtests.broker.terms import BrokerTerms
from backtests.cli import cli
from backtests.engine.news import read_news
from backtests.episodes.episode import EPISODES
from backtests.episodes.prices import Action
from backtests.forward.coming import coming_session, cut_before
from backtests.forward.decide import Positions, decide, orders_to
from backtests.user_strategies.selection import standard_rules
from feeds.errors import InputError
from tests.helpers.markets import FREE, Script, episode_of, flat_bars, no_news, weekdays

NAMES = ("shock", "drift", "pairs", "basket", "rebound", "buy-hold", "headline-count", "plain-vader")
OWN = '''
import backtrader as bt

class Mine(bt.Strategy):
    """Buys what sank."""
    symbols = ("NVDA", "MU")

    def next(self):
        for data in self.datas:
            self.order_target_percent(data, 0.2 if data.close[0] < data.close[-1] else 0.0)
'''


def test_a_decision_for_the_coming_session_is_that_of_the_replay(tmp_path):
    """On every day of a window, for every rule and a bt.Strategy: targets and orders in shares, to the last bit."""
    (tmp_path / "mine.py").write_text(OWN)
    episode = load_episode("deepseek-2025", end=date(2025, 1, 29))
    rules = standard_rules((*NAMES, str(tmp_path / "mine.py")))
    whole = replay(episode, rules)
    targets, orders = whole.tables["targets"].rows, whole.tables["orders"].records()
    table = episode.sessions
    for row in episode.window:
        day, before = (table.sessions[each].isoformat() for each in (row, row - 1))
        coming = coming_session(episode, table.opens[row] - timedelta(minutes=15))
        cut = cut_before(episode, coming)
        for each in decide(cut, read_news(cut, until=coming.known_by), rules, BrokerTerms()):
            stands = {s: weight for label, session, s, weight in targets if label == each.label and session <= day}
            if each.rule.steps:
                assert each.targets == {symbol: weight for symbol, weight in stands.items() if weight}
            assert {(order.symbol, order.shares) for order in each.orders} == {
                (order["symbol"], order["size"])
                for order in orders
                if order["strategy"] == each.label and order["decided"] == before and order["status"] != "cancelled"
            }


def test_the_coming_session_is_the_first_whose_deadline_lies_ahead():
    """Open - lead is 14:20; at that moment it is too late for a new decision, and the day must close first."""
    episode = load_episode("deepseek-2025")
    assert coming_session(episode, datetime(2025, 1, 27, 14, 19, 59, tzinfo=UTC)).session == date(2025, 1, 27)
    late = coming_session(episode, datetime(2025, 1, 27, 14, 20, tzinfo=UTC))
    assert late.session == date(2025, 1, 28)
    with pytest.raises(InputError, match="2025-01-27 is open until 2025-01-27T21:00:00"):
        cut_before(episode, late)


@pytest.mark.parametrize(
    ("at", "session", "opens"),
    [
        (datetime(2025, 3, 9, 12, tzinfo=UTC), date(2025, 3, 10), 13),  # New York is on summer time since that morning
        (datetime(2025, 7, 3, 20, tzinfo=UTC), date(2025, 7, 7), 13),  # after a half-day, a holiday and a weekend
        (datetime(2025, 11, 3, 12, tzinfo=UTC), date(2025, 11, 3), 14),
    ],
)
def test_behind_the_table_the_exchanges_calendar_goes_on(at, session, opens):
    """The episode's own sessions end in February 2025."""
    coming = coming_session(load_episode("deepseek-2025"), at)
    assert (coming.session, coming.opens.hour) == (session, opens)


def test_prices_that_lack_a_closed_session_are_no_ground_for_a_guess():
    """The shipped prices end with February: on the fourth of March two sessions are missing."""
    episode = load_episode("deepseek-2025")
    coming = coming_session(episode, datetime(2025, 3, 4, 13, tzinfo=UTC))
    with pytest.raises(InputError, match=r"prices\.csv: prices end on 2025-02-28, and 2025-03-03 has closed"):
        cut_before(episode, coming)


def test_a_later_headline_and_a_later_bar_change_nothing():
    """Wild words and wild prices from the deadline on."""
    episode = load_episode("deepseek-2025")
    coming = coming_session(episode, datetime(2025, 1, 24, 14, tzinfo=UTC))
    cut = cut_before(episode, coming)
    assert all(max(bars.sessions) < coming.session for bars in cut.prices.bars.values())
    news = read_news(cut, until=coming.known_by)
    assert max(item.known_at for item in news.items) <= coming.known_by < coming.deadline


def test_shares_whose_bars_end_with_the_last_close_are_not_delisted():
    """The window's end has no prices yet; one that ended a session earlier is settled as in a replay, here at zero."""
    days = weekdays(6)
    bars = {"AAA": flat_bars([10] * 5, days[:5]), "BBB": flat_bars([10] * 4, days[:4])}
    episode = episode_of(bars, days)
    coming = coming_session(episode, datetime(2025, 1, 9, 12, tzinfo=UTC))
    cut = cut_before(episode, coming)
    terms = FREE.with_settings({"delisting": "zero"})
    (made,) = decide(cut, no_news(), [Script(weights={1: {"AAA": 0.2, "BBB": 0.2}})], terms)
    assert cut.end == days[5]
    assert (made.targets, made.orders, made.equity) == ({"AAA": 0.2, "BBB": 0.2}, (), 8_000.0)


def test_an_order_over_a_split_is_in_new_shares():
    """Two for one on the coming morning: 20 old shares decided are 40 at the open."""
    days = weekdays(4)
    split = Action(symbol="AAA", ex_date=days[3], kind="split", value=2.0)
    episode = episode_of({"AAA": flat_bars([100.0] * 3, days[:3])}, days, actions=[split], adjusted="none")
    cut = cut_before(episode, coming_session(episode, datetime(2025, 1, 7, 12, tzinfo=UTC)))
    (made,) = decide(cut, no_news(), [Script(weights={3: {"AAA": 0.2}})], FREE)
    assert [(each.symbol, each.shares, each.price) for each in made.orders] == [("AAA", 40.0, 50.0)]


def test_orders_for_an_account_of_ones_own_go_all_the_way_to_the_targets():
    """Equity 1,000: half of it in AAA at 10 are 50 shares, 20 of which are there; CCC goes."""
    found = orders_to({"AAA": 0.5}, Positions(cash=300, shares={"AAA": 20, "CCC": 10}), {"AAA": 10, "CCC": 50}, FREE)
    assert [(each.symbol, each.shares) for each in found] == [("AAA", 30.0), ("CCC", -10.0)]


def next_(*arguments):
    """Runs `backtest next`."""
    return CliRunner().invoke(cli, ["next", *map(str, arguments)])


def test_next_says_what_when_and_why_and_writes_the_orders(tmp_path):
    """From JSON: the session, the deadline, targets, orders, headlines with their features; the CSV holds the same."""
    arguments = ("deepseek-2025", "--at", "2025-01-28T14:00Z", "-s", "rebound", "--json")
    done = next_(*arguments, "--orders", tmp_path / "orders.csv")
    assert done.exit_code == 0
    said = json.loads(done.stdout)
    assert (said["session"], said["deadline"]) == ("2025-01-28", "2025-01-28T14:20:00+00:00")
    assert said["last_price"] == "2025-01-27"
    (rebound,) = said["strategies"]
    assert rebound["changed"]
    assert rebound["orders"]
    assert all(head["known_at"] <= said["known_by"] and head["features"] is not None for head in said["headlines"])
    rows = list(csv.DictReader((tmp_path / "orders.csv").read_text().splitlines()))
    assert [(row["symbol"], float(row["shares"]) * (1 if row["side"] == "buy" else -1)) for row in rows] == [
        (order["symbol"], order["shares"]) for order in rebound["orders"]
    ]
    again = next_(*arguments, "--orders", tmp_path / "orders.csv")
    assert again.exit_code != 0


def test_a_rule_that_waits_for_the_open_says_so():
    """gap-only looks at the open's price."""
    done = next_("deepseek-2025", "--at", "2025-01-27T14:00Z", "-s", "gap-only")
    assert "gap-only: decides only after the open of 2025-01-27" in done.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("NVDA,10\n", "has no row of cash"),
        ("cash,1\nNVDA,ten\n", "p.csv:2: 'NVDA,ten': give symbol,shares"),
        ("cash,1\nNVDA,1\nNVDA,2\n", "p.csv:3: NVDA is there twice"),
        ("cash,1\nXYZ,1\n", "positions: XYZ has no price here"),
    ],
)
def test_a_wrong_account_is_refused_in_one_line(tmp_path, text, said):
    """File, line, what to do."""
    (tmp_path / "p.csv").write_text(text)
    done = next_("deepseek-2025", "--at", "2025-01-27T14:00Z", "-s", "buy-hold", "--positions", tmp_path / "p.csv")
    assert isinstance(done.exception, InputError)
    assert said in str(done.exception)


def test_prices_of_the_users_own_take_the_place_of_the_episodes(tmp_path):
    """A file that ends on the 24th is enough before the open of the 27th, and too old a day later."""
    rows = (EPISODES / "deepseek-2025" / "prices.csv").read_text().splitlines(keepends=True)
    kept = [row for row in rows if row.startswith("symbol") or row.split(",")[1] <= "2025-01-24"]
    (tmp_path / "mine.csv").write_text("".join(kept))
    ours = next_("deepseek-2025", "--at", "2025-01-27T14:00Z", "-s", "shock", "--json")
    mine = next_(
        "deepseek-2025", "--at", "2025-01-27T14:00Z", "-s", "shock", "--json", "--prices", tmp_path / "mine.csv"
    )
    assert json.loads(mine.stdout)["strategies"] == json.loads(ours.stdout)["strategies"]
    late = next_("deepseek-2025", "--at", "2025-01-28T14:00Z", "-s", "shock", "--prices", tmp_path / "mine.csv")
    assert "mine.csv: prices end on 2025-01-24, and 2025-01-27 has closed" in str(late.exception)
