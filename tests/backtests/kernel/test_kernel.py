"""The compiled engine and the replay are one book: the same fills and the same equity, whatever the market."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backtests.batch.news_versions import NEVER, Versions, actual_rows
from backtests.batch.replay_engine import ReplayEngine
from backtests.broker.terms import BrokerTerms
from backtests.engine.market import make_market
from backtests.engine.news import read_news
from backtests.engine.rule_run import run_rule
from backtests.engine.schedule import place_news
from backtests.episodes.episode import load_episode
from backtests.episodes.prices import Action, Prices
from backtests.episodes.stock_loans import Loan, Loans
from backtests.evidence.placebo.choose_engine import engine_for
from backtests.kernel import Compiled, numba_cache, why_not
from backtests.user_strategies.loading import make_rule as make_own
from feeds.errors import InputError
from feeds.scoring import Entity, Score
from strategies.registry import make_rule, rule_names
from tests.helpers.markets import Script, episode_of, news_of, weekdays
from tests.helpers.paths import ROOT

RULES = ROOT / "docs" / "rules.md"
SECTORS = {"chips": ("NVDA", "AMD"), "power": ("VST",), "platforms": ("META",), "software": ("ADBE",)}
SECTORS["funds"] = ("SPY", "SMH")
SYMBOLS = tuple(symbol for members in SECTORS.values() for symbol in members)
DAYS = weekdays(16)

ratios = st.floats(0.55, 1.7)
bars = st.lists(st.tuples(ratios, ratios, st.sampled_from([0.0, 40.0, 1e6])), min_size=16, max_size=16)
news_items = st.lists(
    st.tuples(st.integers(0, 15), st.integers(8, 20), st.floats(-1, 1), st.sampled_from(SYMBOLS), st.booleans()),
    max_size=20,
)
actions = st.lists(
    st.tuples(st.sampled_from(SYMBOLS), st.integers(1, 15), st.sampled_from(["dividend", "split"]),
              st.sampled_from([0.5, 1.5, 10.0])),
    max_size=4, unique_by=lambda row: row[:3],
)  # fmt: skip
terms = st.builds(
    BrokerTerms,
    cash=st.sampled_from([5_000.0, 100_000.0]),
    commission_bps=st.sampled_from([0.0, 3.0]),
    slippage_bps=st.sampled_from([0.0, 30.0]),
    borrow_pct=st.sampled_from([0.0, 40.0]),
    fractional=st.booleans(),
    rebalance=st.sampled_from(["never", "daily"]),
    auctions=st.sampled_from(["open", "close"]),
    impact_bps=st.sampled_from([0.0, 50.0]),
    volume_cap_pct=st.sampled_from([0.0, 50.0]),
    locate_pct=st.sampled_from([0.0, 100.0]),
    rebate_pct=st.sampled_from([0.0, 2.0]),
    cash_pct=st.sampled_from([0.0, 4.0]),
    delisting=st.sampled_from(["last", "zero", "40"]),
)
plain_terms = terms.map(lambda own: dataclasses.replace(own, impact_bps=0.0, volume_cap_pct=0.0, locate_pct=0.0))
loans = st.dictionaries(
    st.sampled_from(SYMBOLS),
    st.tuples(st.sampled_from(DAYS), st.sampled_from([None, 80.0]), st.sampled_from([np.inf, 30.0])),
    max_size=2,
)


@st.composite
def markets(draw):
    """An episode with gaps, missing bars, halts, late listings, delistings, dividends, splits and loans, news, terms."""
    made, ragged = {}, draw(st.booleans())
    for symbol in SYMBOLS:
        price, rows = 100.0, {}
        missing = draw(st.sets(st.integers(0, 15), max_size=3)) if ragged else set()
        listed = draw(st.sampled_from([0, 0, 0, 5])) if ragged else 0
        ended = draw(st.sampled_from([16, 16, 16, 9, 15])) if ragged else 16
        for index, (gap, move, volume) in enumerate(draw(bars)):
            opened = price * (gap if index % 3 == 0 else 1.0)
            price = min(max(opened * move, 1.0), 1e4)
            if listed <= index < ended and index not in missing:
                rows[DAYS[index]] = (opened, max(opened, price), min(opened, price), price, volume)
        made[symbol] = rows or {DAYS[0]: (100.0, 100.0, 100.0, 100.0, 1e6)}
    episode = episode_of(
        {symbol: {day: row[:4] for day, row in rows.items()} for symbol, rows in made.items()},
        DAYS,
        actions=[Action(symbol=s, ex_date=DAYS[k], kind=kind, value=v) for s, k, kind, v in draw(actions)],
        adjusted=draw(st.sampled_from(["splits", "none"])),
        sectors=SECTORS,
    )
    for symbol, rows in made.items():
        episode.prices.bars[symbol].volume[:] = [rows[day][4] for day in sorted(rows)]
    table = {s: (Loan(valid_from=d, rate_pct=r, max_shares=m),) for s, (d, r, m) in draw(loans).items()}
    halts = draw(st.lists(st.tuples(st.sampled_from(SYMBOLS), st.sampled_from(DAYS)), max_size=2))
    ends = draw(st.dictionaries(st.sampled_from(SYMBOLS), st.sampled_from(["last", "zero", "35"]), max_size=3))
    episode = dataclasses.replace(
        episode, loans=Loans(by_symbol=table), benchmark="SPY",
        halts=tuple((symbol, day, day + timedelta(days=2)) for symbol, day in halts),
        delistings=tuple((symbol, episode.prices.bars[symbol].sessions[-1], value) for symbol, value in ends.items()),
    )  # fmt: skip
    items = [
        (f"{n} {DAYS[k]} {hour}", datetime.combine(DAYS[k], datetime.min.time(), UTC).replace(hour=hour),
         Score(language="en", relevance=1.0, sentiment=value, tone=-value, displacement=value, reaction=reaction, cause=reaction,
               entities=(Entity(symbol=symbol, direction=1 if value > 0 else -1, salience=1.0),)))
        for n, (k, hour, value, symbol, reaction) in enumerate(draw(news_items))
    ]  # fmt: skip
    own = draw(st.one_of(terms, plain_terms))
    return episode, place_news(episode, news_of(episode, *items), own), own


def assert_same(episode, news, rule, own):
    """Final equity, every session's equity and every fill, to 1e-9."""
    replayed = run_rule(episode, make_market(episode, news), rule, own)
    engine = Compiled(episode, news)
    equity = engine.run([rule], [own]).equity[0]
    assert equity[np.isfinite(equity)] == pytest.approx([day.equity for day in replayed.days], rel=1e-9, abs=1e-6)
    fills = engine.fills(rule, own)
    assert [(f.session, f.symbol, f.auction, f.forced) for f in fills] == [
        (f.session, f.symbol, f.auction, f.forced) for f in replayed.fills
    ]
    numbers = ("size", "auction_price", "price", "commission", "slippage", "position")
    for mine, theirs in zip(fills, replayed.fills, strict=True):
        assert [getattr(mine, name) for name in numbers] == pytest.approx(
            [getattr(theirs, name) for name in numbers], rel=1e-9, abs=1e-9
        )


@pytest.mark.parametrize("name", rule_names())
@pytest.mark.parametrize("hectic", [False, True])
def test_every_rule_of_the_registry_is_the_replays_on_the_episode(name, hectic, deepseek):
    """With the default book, and with all that a book can have."""
    own = BrokerTerms(
        rebalance="daily", impact_bps=40, volume_cap_pct=0.0005, locate_pct=0.001, rebate_pct=3, cash_pct=4, cash=1e7
    )  # fmt: skip
    assert_same(*deepseek, make_rule(name), own if hectic else BrokerTerms())


@pytest.fixture(scope="module")
def deepseek():
    """The episode and its news."""
    episode = load_episode("deepseek-2025")
    return episode, read_news(episode)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data(), markets(), st.sampled_from([0.5, 1.0, 2.0]))
def test_every_rule_is_the_replays_on_any_market(data, market, gross):
    """Gaps, splits, dividends, margin calls, missing bars, ruin: no session's equity and no fill differs."""
    name = data.draw(st.sampled_from(rule_names()))
    assert_same(*market[:2], make_rule(name, {"gross": str(gross), "name_cap": "2"}), market[2])


@pytest.mark.parametrize("name", rule_names())
def test_versions_of_the_news_are_the_replays(name, deepseek):
    """News moved, left out, and other prices behind the names: every session's equity, for every rule."""
    episode, news = deepseek
    rng = np.random.default_rng(5)
    actual = actual_rows(news)
    rows = np.array([rng.permutation(actual) for _ in range(4)])
    rows[0, ::3] = NEVER
    columns = np.array([rng.permutation(len(episode.tradable)) for _ in range(4)])
    for versions in (Versions(rows=rows), Versions(rows=np.tile(actual, (4, 1)), columns=columns)):
        mine, theirs = (
            engine.equity(episode, news, make_rule(name), BrokerTerms(), versions)
            for engine in (engine_for(make_rule(name), "kernel"), ReplayEngine())
        )
        assert mine == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("value", ["last", "zero"])
def test_versions_carry_halts_and_delistings_to_the_names_they_stand_behind(value, deepseek):
    """A share that ends and one that is halted, exchanged with others: every session's equity as replayed."""
    episode, news = deepseek
    bars = episode.prices.bars["SMCI"]
    count = bars.sessions.index(date(2025, 1, 24)) + 1
    figures = {name: getattr(bars, name)[:count] for name in ("open", "high", "low", "close", "volume")}
    ended = dataclasses.replace(bars, sessions=bars.sessions[:count], **figures)
    episode = dataclasses.replace(
        episode, prices=Prices(bars={**episode.prices.bars, "SMCI": ended}),
        delistings=(("SMCI", date(2025, 1, 24), value),), halts=(("NVDA", date(2025, 1, 24), date(2025, 1, 28)),),
    )  # fmt: skip
    rng = np.random.default_rng(8)
    columns = np.array([rng.permutation(len(episode.tradable)) for _ in range(4)])
    versions = Versions(rows=np.tile(actual_rows(news), (4, 1)), columns=columns)
    mine, theirs = (
        engine.equity(episode, news, make_rule("shock"), BrokerTerms(), versions)
        for engine in (engine_for(make_rule("shock"), "kernel"), ReplayEngine())
    )
    assert mine == pytest.approx(theirs, rel=1e-9)


def test_rules_of_different_sectors_in_one_call_are_each_their_own(deepseek):
    """In their order; what one may hold says nothing about the other."""
    engine, chosen = Compiled(*deepseek), ["", "gear+chips", "", "power"]
    rules = [make_rule("rebound", {"sectors": each, "hold": str(2 + place)}) for place, each in enumerate(chosen)]
    together = engine.run(rules, [BrokerTerms()] * 4).equity
    apart = np.concatenate([engine.run([rule], [BrokerTerms()]).equity for rule in rules])
    assert together.tobytes() == apart.tobytes()
    assert len({row.tobytes() for row in apart}) == 4


def test_threads_change_nothing(deepseek):
    """The same bytes for one or two."""
    rows = np.array([np.random.default_rng(n).permutation(actual_rows(deepseek[1])) for n in range(200)])
    rule = make_rule("shock")
    one, two = (
        engine_for(rule, "kernel", workers).equity(*deepseek, rule, BrokerTerms(), Versions(rows=rows))
        for workers in (1, 2)
    )
    assert one.tobytes() == two.tobytes()


def test_what_the_engine_cannot_follow_it_names(deepseek):
    """A rule in plain Python, both auctions; `auto` then means the replay, the engine's own name an error."""
    plain = Script(weights={})
    assert "plain Python" in why_not(deepseek[0], plain, BrokerTerms())
    assert "both auctions" in why_not(deepseek[0], make_rule("shock"), BrokerTerms(auctions="open,close"))
    assert (engine_for(plain).name, engine_for(make_rule("shock")).name) == ("replay", "kernel")
    with pytest.raises(InputError, match="cannot follow"):
        engine_for(plain, "kernel")


def changed(tmp_path, *changes):
    """The rule of docs/rules.md, with changes."""
    text = re.search(r"```python\n# quick.py\n(.*?)```", RULES.read_text(encoding="utf-8"), re.DOTALL)[1]
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    path = tmp_path / "own.py"
    path.write_text(text)
    return make_own(str(path), {})


def refused(rule, deepseek, why):
    """What the compiled engine and the replay say of a rule that both refuse."""
    messages = []
    for engine in (
        Compiled(*deepseek).run,
        lambda rules, own: run_rule(deepseek[0], make_market(*deepseek), *rules, *own),
    ):
        with pytest.raises(InputError, match=why) as wrong:
            engine([rule], [BrokerTerms()])
        messages.append(str(wrong.value))
    return messages


def test_a_rule_of_your_own_in_two_halves_is_compiled_and_its_weights_are_checked(tmp_path, deepseek):
    """The example of docs/rules.md: equal to the replay; weights that the replay refuses end the compiled run in the same words."""
    assert_same(*deepseek, changed(tmp_path), BrokerTerms())
    rule = changed(tmp_path, (" * view.masks(*self.traded_sectors)", ""))
    assert len(set(refused(rule, deepseek, "weighs VRT, but may not hold it"))) == 1


def test_a_step_that_the_replay_refuses_ends_a_compiled_run_in_the_same_words(tmp_path, deepseek):
    """An `advance` that forgets to say whether anything changed would go unseen: it compiles."""
    rule = changed(tmp_path, ("return hold_equal", "hold_equal"))
    assert len(set(refused(rule, deepseek, "says whether the weights may have changed"))) == 1


def test_helpers_in_a_rule_s_own_file_are_compiled_with_it(tmp_path, deepseek):
    """And it is equal to the replay."""
    helper = "def twice(value):\n    return 2.0 * value\n\n\nclass Quick(Rule):"
    rule = changed(tmp_path, ("class Quick(Rule):", helper), ("rows, numbers[0],", "rows, twice(numbers[0]),"))
    assert_same(*deepseek, rule, BrokerTerms())


def test_what_numba_cannot_compile_is_said_in_one_line(tmp_path, deepseek):
    """The file, the class and numba's own words; no traceback."""
    rule = changed(
        tmp_path, ("        triggered =", "        import json\n\n        json.dumps({})\n        triggered =")
    )
    with pytest.raises(InputError, match=r"own\.py: Quick cannot be compiled .* a `step` of its own is replayed"):
        Compiled(*deepseek).run([rule], [BrokerTerms()])


def test_the_caps_of_a_rule_are_its_parameters_whatever_its_limits_say(tmp_path, deepseek):
    """As in the replay."""
    limits = "    def limits(self):\n        return 0.5 * self.gross, 0.1, 3.0, 0.0\n\n    @staticmethod"
    assert_same(*deepseek, changed(tmp_path, ("    @staticmethod", limits)), BrokerTerms())


def test_a_folder_that_cannot_be_written_to_is_no_obstacle(tmp_path):
    """Read-only caches: the machine code goes to a new folder of the system's, and the process ends well."""
    (tmp_path / "file").write_text("")
    code = "from backtests.kernel.numba_cache import code_folder; print(code_folder())"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "AFTERSHOCK_CACHE": str(tmp_path / "file")},
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert "aftershock-kernel-" in done.stdout


def next_number(number):
    """Something to compile."""
    return number + 1


def test_a_first_compilation_is_announced_in_one_line_and_a_kept_one_is_not(tmp_path, monkeypatch, capsys):
    """On stderr; the second time the machine code is found in the folder."""
    monkeypatch.setattr(numba_cache, "code_folder", lambda: tmp_path)
    said = []
    for _ in range(2):
        with numba_cache.announced():
            assert numba_cache.compiled(next_number, "int64(int64)")(2) == 3
        said.append(capsys.readouterr())
    assert said[0].err == "Compiling the engine for the first time, about 10 s; kept for later runs\n"
    assert (said[0].out, *said[1]) == ("", "", "")


def test_a_rule_that_fails_in_a_later_session_ends_a_compiled_run(tmp_path, deepseek):
    """Its error comes through the loop that knows the rule by its address alone."""
    late = "        if state[1:].sum() != 0:\n            raise ValueError('late')\n        triggered ="
    rule = changed(tmp_path, ("        triggered =", late))
    with pytest.raises(InputError, match=r"own\.py: Quick .*late"):
        Compiled(*deepseek).run([rule], [BrokerTerms()])


def test_a_run_without_other_samples_never_imports_numba(tmp_path):
    """What the compiled engine is not asked for is not waited for."""
    words = ["run", "deepseek-2025", "-s", "shock", "--no-resample", "-o", "out"]
    code = f"import sys; from backtests.cli import cli; cli({words}, standalone_mode=False); sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=False).returncode == 0
