"""The audit catches what cheats and accuses nothing that does not."""

from __future__ import annotations

import dataclasses
import json
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import ClassVar

import numpy as np
import pytest

from backtests._replay import replay
from backtests.auditing.audit import audit, short_audit
from backtests.auditing.counterfactual import CounterfactualMarkets, GrowingMarket, sliced_market
from backtests.auditing.poisoning import LARGEST
from backtests.engine.market import make_market
from backtests.engine.news import read_news
from backtests.episodes.episode import load_episode
from backtests.user_strategies.selection import standard_rules
from feeds.headline import Headline
from feeds.scoring import DEFAULT, Score
from strategies.rule import Rule
from tests.backtests.commands.test_cli import backtest
from tests.helpers.cheats import CHEATS, Cheat, Claimed, FullSample, Tomorrow
from tests.helpers.markets import episode_of, news_of, no_news, weekdays


@pytest.fixture(scope="module")
def deepseek():
    """The shipped episode and its news."""
    episode = load_episode("deepseek-2025")
    return episode, read_news(episode)


@pytest.fixture(autouse=True)
def _nothing_kept():
    Tomorrow.kept.clear()
    yield
    Tomorrow.kept.clear()


def _anew(headline: Headline) -> Score:
    return DEFAULT.before(date(2025, 1, 13)).score(headline.title, headline.summary, headline.language, None)


def test_no_registered_rule_is_accused(deepseek):
    """Every rule, every session: cut and planted, scores made anew, nothing differs; both halves count as progress."""
    episode, news = deepseek
    steps = []
    found = audit(episode, news, standard_rules(), scoring=_anew, on_progress=steps.append)
    assert found.violations == ()
    assert found.decisions == len(standard_rules()) * len(episode.window) == sum(steps) / 2
    assert found.headlines > found.claimed > 0
    assert found.bars > 1000


@pytest.mark.parametrize("cheat", CHEATS)
def test_each_cheat_is_caught_and_what_it_looked_at_is_named(deepseek, cheat):
    """Beside an honest rule, which stays clean."""
    episode, news = deepseek
    found = audit(episode, news, [cheat(), *standard_rules(["shock"], {"reactions": "include"})])
    assert {each.strategy for each in found.violations} == {cheat.name}
    assert all("input 1 of" in each.input or "the rule fails" in each.input for each in found.violations)


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_cheat_that_ran_before_is_caught_too(deepseek, cheat):
    """It may have kept the whole market; whatever it keeps is poisoned while it decides."""
    episode, news = deepseek
    targets = replay(episode, cheat(), news=news).tables["targets"].rows
    found = audit(episode, news, [cheat()], targets=targets)
    assert found.violations
    if cheat is Tomorrow:
        assert len(found.violations) == len(episode.window)
        assert all("input 1 of" in each.input for each in found.violations)


def test_a_headline_seen_later_than_it_claims_gives_its_believer_away():
    """Published on Friday, seen on Wednesday: the cut alone shows it."""
    days = weekdays(8, date(2025, 1, 23))
    episode = episode_of({"NVDA": dict.fromkeys(days, (100.0, 100.0, 100.0, 100.0))}, days)
    news = news_of(episode, ("cheap model", datetime(2025, 1, 24, 12, tzinfo=UTC), _score()))
    late = dataclasses.replace(news.items[0].headline, seen=datetime(2025, 1, 29, 12, tzinfo=UTC))
    row = episode.sessions.index(date(2025, 1, 29))
    item = dataclasses.replace(news.items[0], headline=late, known_at=late.seen, session=row)
    found = short_audit(
        episode, dataclasses.replace(news, items=(item,)), [Claimed()],
        [("claimed", "2025-01-27", "NVDA", -0.5)],
    )  # fmt: skip
    assert [each.session for each in found.violations] == ["2025-01-27", "2025-01-28"]


def _score(sentiment: float = -1.0) -> Score:
    return Score(language="en", relevance=1.0, sentiment=sentiment, tone=sentiment)


def test_the_short_form_catches_what_looks_into_the_future(deepseek):
    """Cut and compare, nothing planted: the full sample shows."""
    episode, news = deepseek
    result = replay(episode, FullSample(), news=news)
    found = short_audit(episode, news, [FullSample()], result.tables["targets"].rows)
    line = f"audit: 19 decisions re-decided without the future, {len(found.violations)} differed"
    assert found.summary().startswith(line)
    assert found.violations


def test_the_short_way_and_the_long_way_cut_alike(deepseek):
    """Slices of the market are what the shorter episode gives, prices and signals."""
    episode, news = deepseek
    whole, markets = make_market(episode, news), CounterfactualMarkets(episode, news)
    for after_open in (False, True):
        for row in episode.window:
            one, other = (
                sliced_market(whole, row, news, after_open=after_open),
                markets.known(row, after_open=after_open),
            )
            assert one.sessions == other.sessions
            for name in ("open", "close"):
                np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
            tables = [each.signals.table("sentiment", half_life=1.0, reactions="include") for each in (one, other)]
            np.testing.assert_array_equal(*tables)


def test_a_growing_market_is_the_cut_one_to_the_bit_and_holds_nothing_later(deepseek):
    """Prices, exposures and every sum, asked for at each decision or only now and then."""
    episode, news = deepseek
    whole = make_market(episode, news)
    sums = [
        ("table", "sentiment", 1.0),
        ("table", "tone", 3.0),
        ("table", "count", None),
        ("named", whole.symbols, 2.0),
    ]
    for after_open in (False, True):
        growing = GrowingMarket(whole, news, after_open=after_open)
        for row in episode.window:
            one, other = growing(row), sliced_market(whole, row, news, after_open=after_open)
            assert (one.sessions, one.splits) == (other.sessions, other.splits)
            for name in ("open", "close", "exposure"):
                np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
                memory = getattr(one, name).base
                assert np.isnan(memory[..., row + 1 :, :] if name != "exposure" else memory[:, row + 1 :]).all()
            assert set(one.signals.items) == set(other.signals.items)
            for method, what, half_life in sums[: 1 + row % len(sums)]:
                made = [
                    getattr(each.signals, method)(what, half_life=half_life, reactions="include")
                    for each in (one, other)
                ]
                np.testing.assert_array_equal(*made)
        again = growing(episode.window[3])
        np.testing.assert_array_equal(
            again.close, sliced_market(whole, episode.window[3], news, after_open=after_open).close
        )


def test_what_is_planted_is_wild_and_the_past_is_untouched(deepseek):
    """From the session on every price has a factor of its own and the signal is drowned; before it nothing differs."""
    episode, news = deepseek
    whole, row = make_market(episode, news), episode.window[8]
    wild = CounterfactualMarkets(episode, news, _anew).planted(row, after_open=False)
    np.testing.assert_array_equal(wild.close[:row], whole.close[:row])
    ratio = np.log(wild.close[row:] / whole.close[row:])
    assert np.nanmax(np.abs(ratio)) <= np.log(LARGEST)
    assert len(np.unique(ratio[np.isfinite(ratio)])) == np.isfinite(ratio).sum()
    assert 1 < np.nanstd(ratio) < np.log(LARGEST)
    sums = [each.signals.table("sentiment", half_life=1.0, reactions="include") for each in (wild, whole)]
    first = row - whole.first
    np.testing.assert_array_equal(sums[0][: first + 1], sums[1][: first + 1])
    assert abs(sums[0][first + 1] - sums[1][first + 1]) > 2


def test_an_audit_leaves_the_data_as_they_were(deepseek):
    """What was made up in live data is put right again."""
    episode, news = deepseek
    before = {symbol: (bars.open.copy(), bars.close.copy()) for symbol, bars in episode.prices.bars.items()}
    replay(episode, Tomorrow(), news=news)
    audit(episode, news, [Tomorrow()], targets=[])
    for symbol, bars in episode.prices.bars.items():
        np.testing.assert_array_equal(bars.open, before[symbol][0])
        np.testing.assert_array_equal(bars.close, before[symbol][1])


@dataclass(frozen=True, kw_only=True)
class Dice(Cheat):
    """Decides by lot."""

    name: ClassVar[str] = "dice"

    def observe(self, view):
        """Nothing."""
        return (np.zeros(len(view.symbols)),)

    def step(self, state, rows):
        """A random weight."""
        return np.full(len(rows[0]), random.random())


def test_a_rule_that_draws_is_told_that_no_input_differs():
    """Same input, another output: not the future, but no decision to rely on either."""
    days = weekdays(5)
    episode = episode_of({"X": dict.fromkeys(days, (1.0, 1.0, 1.0, 1.0))}, days)
    found = audit(episode, no_news(), [Dice()])
    assert len(found.violations) == 4
    assert "no input differs" in found.violations[0].input


def test_a_scorer_that_remembers_is_caught(deepseek):
    """Its scores depend on what else it was shown."""
    episode, news = deepseek
    shown = []

    def scoring(headline: Headline) -> Score:
        shown.append(headline)
        return dataclasses.replace(_anew(headline), tone=-1.0 if len(shown) == 5 else _anew(headline).tone)

    (violation,) = (
        audit(episode, news, [], scoring=scoring).violations
        or audit(episode, news, standard_rules(["buy-hold"]), scoring=scoring).violations
    )
    assert (violation.strategy, "tone of" in violation.input) == ("scorer", True)


# The command


def test_the_command_audits_an_episode_and_says_what_it_did(tmp_path):
    """Exit code 0, one JSON object with decisions, violations and what was planted."""
    done = backtest("audit", "deepseek-2025", "-s", "shock", "--start", "2025-01-24", "--end", "2025-01-29", "--json",
                    cwd=tmp_path)  # fmt: skip
    document = json.loads(done.stdout)
    assert (done.returncode, document["decisions"], document["violations"]) == (0, 12, [])
    assert document["planted"]["headlines"] > document["planted"]["seen_later"] > 0
    assert document["planted"]["bars"] > 100
    assert "audit: 12 decisions re-decided without the future, 0 differed" in done.stderr


def test_a_saved_run_is_audited_as_it_was_and_a_forged_one_is_found_out(tmp_path):
    """A target changed by hand after the run: exit code 1, session, symbol and both weights."""
    made = backtest(
        "run", "deepseek-2025", "-s", "buy-hold", "--no-baselines", "--set", "gross=0.5", "-o", "run", cwd=tmp_path
    )
    assert "audit: 19 decisions re-decided without the future, 0 differed" in made.stdout
    assert backtest("audit", "run", cwd=tmp_path).returncode == 0
    targets = tmp_path / "run" / "targets.csv"
    lines = targets.read_text().splitlines()
    strategy, session, symbol, weight = lines[1].split(",")
    targets.write_text("\n".join([lines[0], f"{strategy},{session},{symbol},-1.0", *lines[2:]]) + "\n")
    done = backtest("audit", "run", cwd=tmp_path)
    assert done.returncode == 1
    assert f"VIOLATION buy-hold, {session}, {symbol} -1.0000 in the run, {float(weight):+.4f} here" in done.stdout


def test_a_run_on_files_of_ones_own_is_audited_on_the_copies_that_it_kept(tmp_path):
    """Nothing need be given again; other files are refused."""
    lines = (load_episode("deepseek-2025").folder / "prices.csv").read_text().splitlines()
    own = [lines[0], *(row for row in lines[1:] if row.split(",")[0] in {"SPY", "NVDA"})]
    (tmp_path / "own.csv").write_text("\n".join(own) + "\n")
    backtest("run", "deepseek-2025", "-s", "shock", "--no-baselines", "--prices", "own.csv", "-o", "run", cwd=tmp_path)
    (tmp_path / "own.csv").write_text("\n".join(own[:-1]) + "\n")
    assert backtest("audit", "run", cwd=tmp_path).returncode == 0
    done = backtest("audit", "run", "--prices", "own.csv", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "give its files with --news and --prices" in done.stderr
    assert backtest("audit", "run", "-s", "shock", cwd=tmp_path).returncode == 2


def test_any_rule_can_be_audited(deepseek):
    """A user's own class, honest: after a fall it buys."""
    episode, news = deepseek

    @dataclass(frozen=True, kw_only=True)
    class Mine(Rule):
        name: ClassVar[str] = "mine"
        about: ClassVar[str] = "a user's"

        def observe(self, view):
            return (view.closes[-1] / view.closes[-2] - 1,)

        def step(self, state, rows):
            return np.where(np.nan_to_num(rows[0]) < -0.05, 0.05, 0.0)

    found = audit(episode, news, [Mine()])
    assert (found.decisions, found.violations) == (19, ())
