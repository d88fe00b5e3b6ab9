"""The placebo, the delay ladder, and the seam to an engine for many runs."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from backtests import load_episode, replay
from backtests.batch.news_versions import NEVER, Versions, actual_rows, renamed, used_items
from backtests.batch.replay_engine import ReplayEngine
from backtests.broker.terms import BrokerTerms
from backtests.cli import cli
from backtests.engine.market import make_market
from backtests.engine.news import read_news
from backtests.engine.rule_run import run_rule
from backtests.episodes.intraday import Intraday, MinuteBars
from backtests.evidence.delay_ladder import RUNGS, delay_ladder, delayed
from backtests.evidence.placebo.draws import _permuted
from backtests.evidence.placebo.placebo import Outcome, placebo
from feeds.errors import InputError
from strategies.registry import make_rule
from tests.backtests.evidence.test_attribution import BUILDS, DISRUPTS
from tests.helpers.markets import FREE, episode_of, flat_bars, news_of, no_news, weekdays


@pytest.fixture(scope="module")
def world():
    """The episode that ships, its news, and `shock`."""
    episode = load_episode("deepseek-2025")
    return episode, read_news(episode), make_rule("shock")


def test_the_unchanged_version_is_the_run_itself(world):
    """Equity at every close, to the last digit."""
    episode, news, rule = world
    found = ReplayEngine().equity(episode, news, rule, BrokerTerms(), Versions(rows=actual_rows(news)[None, :]))
    expected = replay(episode, rule, news=news).equity["equity"].to_numpy()
    assert found.shape == (1, len(episode.window))
    assert list(found[0]) == list(expected)


def test_versions_are_the_same_from_any_number_of_workers(world):
    """Byte for byte, in the order of the versions."""
    episode, news, rule = world
    rows = np.array([np.roll(actual_rows(news), by) for by in range(9)])
    one, two = (ReplayEngine(workers=w).equity(episode, news, rule, BrokerTerms(), Versions(rows=rows)) for w in (1, 2))
    assert one.tobytes() == two.tobytes()


def test_a_version_without_any_headline_never_trades(world):
    """The equity is the cash, at every close."""
    episode, news, rule = world
    rows = np.full((1, len(used_items(news))), NEVER)
    assert set(ReplayEngine().equity(episode, news, rule, BrokerTerms(), Versions(rows=rows))[0]) == {100_000.0}


@pytest.mark.parametrize("auctions", ["open", "open,close"])
def test_a_headline_moved_to_a_session_is_in_time_for_its_open(auctions):
    """Also where the news is read for the close too: it was known before that session's deadline."""
    episode, news = ladder_world()
    terms = dataclasses.replace(FREE, auctions=auctions)
    rows = np.array([[1], [3], [5]])
    found = ReplayEngine().equity(episode, news, make_rule("shock", {"name_cap": "1"}), terms, Versions(rows=rows))
    profits = [3 * 10_000 / (100 + row - 1) for row in (1, 3, 5)]  # bought at the open of its session, held for three
    assert found[:, -1] - 10_000 == pytest.approx(profits)


def test_names_exchanged_take_prices_actions_and_nothing_else():
    """NVDA stands for AMD's prices and dividends and the other way round; SPY stays."""
    from backtests.episodes.prices import Action

    days = weekdays(4)
    bars = {name: flat_bars([price] * 4, days) for name, price in (("SPY", 1.0), ("NVDA", 2.0), ("AMD", 3.0))}
    paid = Action(symbol="AMD", ex_date=days[2], kind="dividend", value=0.1)
    sectors = {"funds": ("SPY",), "chips": ("NVDA", "AMD")}
    found = renamed(episode_of(bars, days, actions=[paid], sectors=sectors), [0, 2, 1])
    assert [found.prices.bars[name].close[0] for name in ("SPY", "NVDA", "AMD")] == [1.0, 3.0, 2.0]
    assert [action.symbol for action in found.actions] == ["NVDA"]


def test_the_p_value_counts_what_did_at_least_as_well_and_is_never_zero():
    """(1 + hits) / (1 + n): 4 of 9 placebos reach 3; none reaches 100, which is 1/10 and not 0."""
    drawn = np.array([0.0, 1, 2, 3, 3, 4, 5, 2, 1])
    assert Outcome(actual=3.0, drawn=drawn, unit="usd").p == (1 + 4) / (1 + 9)
    assert Outcome(actual=100.0, drawn=drawn, unit="usd").p == 1 / 10
    assert Outcome(actual=-1.0, drawn=drawn, unit="usd").p == 1.0


def test_placebos_are_drawn_from_the_seed_alone(world):
    """The same seed, with one or two workers: the same document; another seed: another."""
    episode, news, rule = world
    documents = [
        json.dumps(placebo(episode, news, rule, BrokerTerms(), ReplayEngine(workers=w), n=12, seed=s).document())
        for w, s in ((1, 7), (2, 7), (1, 8))
    ]
    assert documents[0] == documents[1] != documents[2]


def test_what_each_kind_leaves_to_chance_and_what_it_keeps():
    """Days keep their headlines together and change their order; a shift moves all of them by the same number."""
    episode, news = crash_world(sessions=160, start=60)
    found = placebo(episode, news, make_rule("shock"), FREE, ReplayEngine(), n=6, seed=3)
    kinds = {kind.drawn.kind: kind.drawn for kind in found.kinds}
    rows, window = actual_rows(news), episode.window
    for version in kinds["permuted-days"].versions.rows:
        pairs = set(zip(rows.tolist(), version.tolist(), strict=True))
        assert len(pairs) == len(set(rows.tolist())) == len(set(version.tolist()))
    shifts = kinds["shifted"].versions.rows
    assert len(shifts) == len(window) - 1 == kinds["shifted"].distinct
    assert all(len(set((row - rows).tolist())) <= 2 for row in shifts)


def test_a_window_of_few_sessions_is_not_shifted(world):
    """18 shifts cannot give a p of 5 %: the kind is left out, and the reason is said."""
    episode, news, rule = world
    shifted = placebo(episode, news, rule, BrokerTerms(), ReplayEngine(), n=2, seed=3).document()["kinds"][-1]
    assert (shifted["kind"], shifted["n"], shifted["profit"]) == ("shifted", 0, None)
    assert "18 shifts cannot give a p of 5 %" in shifted["note"]


def test_each_p_stands_beside_the_smallest_that_was_possible_and_the_edge_that_could_have_been_seen(world):
    """1 / (1 + n); the 95 % quantile less the 20 % quantile, over the trades, is the smallest edge of a trade."""
    episode, news, rule = world
    found = placebo(episode, news, rule, BrokerTerms(), ReplayEngine(), n=19, seed=3)
    kind = found.document()["kinds"][0]
    profit = found.kinds[0].profit
    low, high = np.percentile(profit.drawn / profit.scales, (20, 95))
    assert kind["profit"]["least_p"] == 1 / 20
    trades = len(replay(episode, rule).tables["trades"].rows)
    assert found.traded.trades == trades == 62
    assert kind["least_edge_per_trade_usd"] == pytest.approx((high - low) * profit.scale / trades)


def test_a_profit_is_compared_in_units_of_its_own_noise():
    """By hand: 3 with a noise of 1 beats 5 with a noise of 2; the smallest edge is in the run's own units."""
    drawn, noise = np.array([5.0, 2.0, 4.0]), np.array([2.0, 1.0, 1.0])
    found = Outcome(actual=3.0, drawn=drawn, unit="usd", scale=1.0, scales=noise)
    assert (found.hits, found.p) == (1, 2 / 4)
    assert Outcome(actual=30.0, drawn=drawn, unit="usd", scale=10.0, scales=noise).p == 2 / 4


@given(st.integers(2, 40), st.data())
def test_permuted_days_are_permutations_that_keep_blocks_together(size, data):
    """Each session goes to one place; within a block the next session stays the next, round the window's end too."""
    block = data.draw(st.integers(1, size - 1))
    goes = _permuted(np.random.default_rng(data.draw(st.integers(0, 9))), size, block, 5)
    assert (np.sort(goes, axis=1) == np.arange(size)).all()
    kept = (np.roll(goes, -1, axis=1) - goes == 1).sum(axis=1)
    assert (kept >= size - -(-size // block)).all()


def crash_world(sessions=60, start=40):
    """Chips fall by 5 % in the one session that has news, and only there."""
    days = weekdays(sessions)
    rng = np.random.default_rng(1)
    market = 100 * np.cumprod(1 + rng.normal(0, 0.002, sessions))
    event = start + 10
    fallen = np.where(np.arange(sessions) >= event, 0.95, 1.0)
    bars = {}
    for name, level in (("SPY", market), ("NVDA", market * fallen), ("AMD", market * fallen * 1.1)):
        opens = level.copy()
        opens[event] = level[event - 1]  # it falls within the session
        rows = zip(opens, np.maximum(opens, level), np.minimum(opens, level), level, strict=True)
        bars[name] = dict(zip(days, [tuple(map(float, row)) for row in rows], strict=True))
    episode = episode_of(bars, days, sectors={"funds": ("SPY",), "chips": ("NVDA", "AMD")})
    episode = dataclasses.replace(episode, start=days[start], key_session=days[event])
    at = datetime(days[event].year, days[event].month, days[event].day, 6, tzinfo=UTC)
    return episode, news_of(episode, ("Cheap model needs few chips", at, DISRUPTS))


def test_news_that_came_on_the_day_of_the_fall_beats_its_placebos():
    """No shift does as well, so p is the smallest there is; the abnormal return says the same without a broker."""
    episode, news = crash_world(sessions=160, start=60)
    found = placebo(episode, news, make_rule("shock", {"hold": "1"}), FREE, ReplayEngine(), n=19, seed=1)
    shifted = next(kind for kind in found.kinds if kind.drawn.kind == "shifted")
    assert found.profit > 0
    assert (shifted.profit.hits, shifted.profit.p) == (0, 1 / 100)
    assert (shifted.abnormal.hits, shifted.abnormal.unit) == (0, "pct")
    assert found.abnormal == pytest.approx(5.0, abs=0.3)  # sold before a fall of 5 %


def test_an_episode_without_any_headline_is_refused():
    """There is nothing to move."""
    episode, _ = crash_world()
    with pytest.raises(InputError, match="no placebo"):
        placebo(episode, no_news(), make_rule("shock"), FREE, ReplayEngine(), n=3, seed=1)


# The ladder


def ladder_world():
    """One headline, Tuesday 14:00 UTC; opens at 14:30, closes at 21:00."""
    days = weekdays(12)
    prices = [float(100 + row) for row in range(12)]
    bars = {name: flat_bars(prices, days) for name in ("SPY", "NVDA")}
    episode = episode_of(bars, days, sectors={"funds": ("SPY",), "chips": ("NVDA",)})
    at = datetime(days[3].year, days[3].month, days[3].day, 14, 0, tzinfo=UTC)
    return episode, news_of(episode, ("Utility signs power contract", at, dataclasses.replace(BUILDS, sentiment=0.9)))


@pytest.mark.parametrize(
    ("rung", "rows", "minutes"),
    [("0", 0, 0), ("5 min", 0, 5), ("1 h", 1, 60), ("next open", 1, 25), ("next close", 1, 25 + 390)],
)
def test_each_rung_moves_the_moment_and_asks_anew_what_can_still_be_traded(rung, rows, minutes):
    """Known 14:05: at 14:10 the open at 14:30 can be reached, an hour later or at the open itself it cannot."""
    episode, news = ladder_world()
    (before,) = news.items
    (after,) = delayed(news, RUNGS[rung], episode, BrokerTerms()).items
    assert after.known_at - before.known_at == timedelta(minutes=minutes)
    assert after.session - before.session == rows


@pytest.mark.parametrize(("rung", "rows"), [("1 session", 1), ("2 sessions", 2), ("5 sessions", 5)])
def test_sessions_later_means_sessions_of_the_exchange(rung, rows):
    """Weekends are no sessions."""
    episode, news = ladder_world()
    (after,) = delayed(news, RUNGS[rung], episode, BrokerTerms()).items
    assert after.session - news.items[0].session == rows


@pytest.mark.parametrize(
    ("hour", "order"),
    [
        (14, ["0", "5 min", "next open", "1 h", "next close", "1 session", "2 sessions", "5 sessions"]),
        (15, ["0", "5 min", "1 h", "next close", "next open", "1 session", "2 sessions", "5 sessions"]),
    ],
)
def test_the_rungs_come_in_order_of_the_wait(hour, order):
    """Known at 14:05 the open is 25 minutes away; known at 15:05 the close comes first, and the next open after it."""
    episode, _ = ladder_world()
    at = datetime(2025, 1, 7, hour, 0, tzinfo=UTC)
    news = news_of(episode, ("Utility signs power contract", at, BUILDS))
    rungs = delay_ladder(episode, news, [make_rule("shock")], FREE).document()["rungs"]
    assert [rung["delay"] for rung in rungs] == order
    waits = [rung["mean_delay_minutes"] for rung in rungs]
    assert waits == sorted(waits)
    assert waits[order.index("next close")] == (21 - hour) * 60 - 5


def test_with_closing_auctions_news_at_the_open_trades_that_close():
    """And the ladder says where each rung acts."""
    episode, news = ladder_world()
    terms = dataclasses.replace(FREE, auctions="open,close")
    (after,) = delayed(news, RUNGS["next open"], episode, terms).items
    document = delay_ladder(episode, news, [make_rule("shock")], terms).document()
    assert after.session == news.items[0].session
    assert (
        next(row["acts_at"] for row in document["rungs"] if row["delay"] == "next open") == "the close of that session"
    )


@pytest.mark.parametrize(
    ("rung", "moment"),
    [("0", "15:10"), ("5 min", "15:15"), ("1 h", "16:10"), ("next close", "14:30"), ("1 session", "15:10")],
)
def test_on_bars_of_minutes_five_minutes_are_five_minutes(rung, moment):
    """Known 15:05 and ready 15:10: the fill is at that bar; later by the delay; after a close at the next first bar."""
    episode, _ = ladder_world()
    starts = [open_ + timedelta(minutes=5 * n) for open_ in episode.sessions.opens[3:6] for n in range(78)]
    prices = np.full(len(starts), 104.0)
    bars = MinuteBars(
        symbol="NVDA", starts=tuple(starts), open=prices, high=prices, low=prices, close=prices,
        volume=np.full(len(starts), 1e6),
    )  # fmt: skip
    days = episode.sessions.sessions
    intraday = Intraday(length=timedelta(minutes=5), bars={"NVDA": bars}, outside=0)
    episode = dataclasses.replace(episode, start=days[3], end=days[5], intraday=intraday)
    at = datetime(days[3].year, days[3].month, days[3].day, 15, 0, tzinfo=UTC)
    news = news_of(episode, ("Utility signs power contract", at, dataclasses.replace(BUILDS, sentiment=0.9)))
    late = delayed(news, RUNGS[rung], episode, FREE)
    fill = run_rule(episode, make_market(episode, late), make_rule("shock"), FREE).fills[0]
    assert fill.moment[11:16] == moment
    assert fill.session == days[3 if rung in {"0", "5 min", "1 h"} else 4].isoformat()


def test_a_headline_delayed_beyond_the_table_acts_nowhere():
    """It is counted as lost, and the strategy stays in cash."""
    episode, _ = ladder_world()
    late = datetime(2025, 1, 16, 13, 0, tzinfo=UTC)
    news = news_of(episode, ("Utility signs power contract", late, DISRUPTS))
    document = delay_ladder(episode, news, [make_rule("shock")], FREE).document()
    assert document["rungs"][-1]["lost_headlines"] == 1
    assert document["strategies"][0]["profit_usd"][-1] == 0.0


def test_the_first_rung_is_the_run_and_the_profit_is_worked_by_hand():
    """Prices rise by a dollar a session from 103: bought at 103, 104, 105 … and sold 3 sessions later for 3 more."""
    episode, news = ladder_world()
    document = delay_ladder(episode, news, [make_rule("shock", {"name_cap": "1"})], FREE).document()
    shares = [10_000 / (price - 1) for price in (103, 103, 104, 104, 104, 104, 105, 108)]
    assert document["strategies"][0]["profit_usd"] == pytest.approx([3 * each for each in shares])


def test_rules_without_news_are_the_same_on_every_rung(world):
    """Buy and hold does not care when anybody knew."""
    episode, news, _ = world
    (row,) = delay_ladder(episode, news, [make_rule("buy-hold")], BrokerTerms()).document()["strategies"]
    assert len(set(row["profit_usd"])) == 1


# Commands


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["delay", "-s", "buy-hold"], "delay"),
        (["placebo", "-s", "shock", "-n", "3"], "placebo"),
        (["attribute", "-s", "shock", "--no-leave-one-out"], "attribution"),
        (["study"], "study"),
    ],
)
def test_each_verb_prints_a_table_and_strict_json(words, name):
    """Text of 100 columns on stderr, one object on stdout."""
    done = CliRunner().invoke(cli, [words[0], "deepseek-2025", *words[1:], "--json"], catch_exceptions=False)
    document = json.loads(done.stdout, parse_constant=pytest.fail)
    assert (document["name"], document["episode"], bool(document["notes"])) == (name, "deepseek-2025", True)
    assert max(map(len, done.stderr.splitlines())) <= 100


def test_a_runs_folder_is_given_its_evidence(tmp_path, monkeypatch):
    """Each verb reads strategies and terms from the folder and writes its file into it; options are refused."""
    monkeypatch.chdir(tmp_path)
    run = ["run", "deepseek-2025", "-s", "shock", "--set", "reactions=exclude", "--cash", "50000", "-o", "out"]
    CliRunner().invoke(cli, run, catch_exceptions=False)
    for words in (["study"], ["delay"], ["placebo", "-n", "2"], ["attribute", "--no-leave-one-out"]):
        done = CliRunner().invoke(cli, [words[0], "out", *words[1:]], catch_exceptions=False)
        assert done.exit_code == 0
    files = {path.stem: json.loads(path.read_text()) for path in (tmp_path / "out" / "evidence").iterdir()}
    profit = json.loads((tmp_path / "out" / "metrics.json").read_text())["results"][0]["final_equity"] - 50_000
    assert {"study", "delay", "placebo", "attribution", "gaps", "critique", "tear_sheet", "trials"} == set(files)
    assert files["delay"]["strategies"][0]["profit_usd"][0] == pytest.approx(profit)
    assert files["placebo"]["actual"]["profit_usd"] == pytest.approx(profit)
    with pytest.raises(InputError, match="leave them out"):
        CliRunner().invoke(cli, ["delay", "out", "-s", "shock"], catch_exceptions=False)


class _Idle:
    """An engine that never trades: only the abnormal return is asked for."""

    name = "idle"

    def follows(self, rule):
        """Everything."""
        return rule is not None

    def equity(self, episode, news, rule, terms, versions):
        """Cash."""
        return np.full((len(versions), len(episode.window)), terms.cash)


def test_on_news_that_means_nothing_the_placebo_rejects_five_per_cent():
    """400 made-up markets with news on six of 20 sessions: 5 % of the p are at most 0.05, within two points."""
    low = 0
    days = weekdays(60)
    for seed in range(400):
        rng = np.random.default_rng(seed)
        levels = 100 * np.cumprod(1 + rng.standard_t(4, (60, 3)) * 0.01, axis=0)
        bars = {
            name: {day: (float(p),) * 4 for day, p in zip(days, levels[:, column], strict=True)}
            for column, name in enumerate(("SPY", "NVDA", "AMD"))
        }
        episode = episode_of(bars, days, sectors={"funds": ("SPY",), "chips": ("NVDA", "AMD")})
        episode = dataclasses.replace(episode, start=days[40])
        chosen = [days[40 + row] for row in sorted(rng.choice(20, 6, replace=False))]
        moments = [datetime(day.year, day.month, day.day, 6, tzinfo=UTC) for day in chosen]
        scores = [DISRUPTS if up else BUILDS for up in rng.integers(2, size=6)]
        news = news_of(
            episode, *((f"word{n} thing{n}", *each) for n, each in enumerate(zip(moments, scores, strict=True)))
        )
        found = placebo(episode, news, make_rule("shock"), FREE, _Idle(), n=199, seed=seed)
        low += found.kinds[0].abnormal.p <= 0.05
    assert 0.03 <= low / 400 <= 0.07
