"""The suite every rule passes. Rules are found through the registry: a new one is covered without being named."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from backtests.broker.terms import BrokerTerms
from backtests.engine.market import make_market
from backtests.engine.rule_run import run_rule
from feeds.errors import InputError
from feeds.scoring import Entity, Score
from strategies.holding import DIRECTION, STATE_ROWS, TRIGGER, crossings, hold_directions
from strategies.price_statistics import beta, volatility
from strategies.registry import make_rule, rule_names
from strategies.sizing import inverse, weighted
from strategies.universe import CHANNELS, exposure_table, exposures
from strategies.view import View
from tests.helpers.markets import episode_of, news_of, no_news, run_script, weekdays

DAYS = weekdays(16, date(2025, 1, 13))
SYMBOLS = {"SPY": "funds", "NVDA": "chips", "AMD": "chips", "VST": "power", "META": "platforms", "ADBE": "software"}
TERMS = BrokerTerms()


def _bars(seed: int, days: list[date]) -> dict[str, dict[date, tuple[float, float, float, float]]]:
    """Random walks with jumps, so that every rule finds something to do."""
    rng = np.random.default_rng(seed)
    made = {}
    for symbol in SYMBOLS:
        last, rows = 100.0, {}
        for day in DAYS:
            first = last * float(np.exp(rng.normal(0, 0.06)))
            last = first * float(np.exp(rng.normal(0, 0.06)))
            rows[day] = (first, max(first, last), min(first, last), last)
        made[symbol] = {day: rows[day] for day in days}
    return made


def _score(sentiment: float, tone: float) -> Score:
    return Score(language="en", relevance=1.0, sentiment=sentiment, tone=tone, displacement=sentiment)


def _items(until: date, *, wild: bool = False) -> list[tuple[str, datetime, Score]]:
    """Two headlines an evening, of changing sign; with `wild` those after `until` say the opposite, louder."""
    items = []
    for number, day in enumerate(DAYS):
        evening = datetime(day.year, day.month, day.day, 22, 0, tzinfo=UTC)
        later = day >= until
        if later and not wild:
            continue
        for copy in range(12 if later else 2 + number % 2 + 4 * (number == 6)):
            sign = (-1.0 if number % 5 else 1.0) * (-1 if later else 1)
            mood = "wonderful success" if sign > 0 else "terrible disaster"  # for plain VADER
            items.append((f"{mood} {number} {copy}", evening, _score(sign, -0.9)))
    return items


def _episode(seed: int, days: list[date]):
    sectors = {sector: tuple(s for s in SYMBOLS if SYMBOLS[s] == sector) for sector in set(SYMBOLS.values())}
    return episode_of(_bars(seed, days), days, sectors=sectors)


def _decisions(rule, episode, news, terms=TERMS):
    return run_rule(episode, make_market(episode, news), rule, terms)


@pytest.fixture(params=rule_names())
def rule(request):
    """Each registered rule with its defaults."""
    return make_rule(request.param)


def test_every_rule_decides_something_in_a_market_with_jumps_and_news(rule):
    """The suite below would prove nothing about a rule that never trades."""
    episode = _episode(1, DAYS)
    items = _items(DAYS[-1])
    assert _decisions(rule, episode, news_of(episode, *items)).decisions


def test_cutting_off_the_future_changes_no_past_decision(rule):
    """Prices and news cut after a session: every decision up to it stays, to the last bit."""
    whole = _episode(1, DAYS)
    full = _decisions(rule, whole, news_of(whole, *_items(DAYS[-1]))).decisions
    for cut in (4, 7, 8, 11):
        short = _episode(1, DAYS[:cut])
        part = _decisions(rule, short, news_of(short, *_items(DAYS[cut - 1]))).decisions
        assert part == tuple(row for row in full if row[0] <= DAYS[cut - 1].isoformat())


def test_wild_headlines_and_prices_planted_later_change_no_past_decision(rule):
    """Canaries: after session k prices and headlines are other ones; decisions for sessions up to k stay."""
    cut = 8
    a, b = _episode(1, DAYS), _episode(1, DAYS)
    other = _bars(2, DAYS)
    for symbol, bars in b.prices.bars.items():
        for row in range(cut, len(DAYS)):
            for field, value in zip(("open", "high", "low", "close"), other[symbol][DAYS[row]], strict=True):
                getattr(bars, field)[row] = value * 7
    honest = _decisions(rule, a, news_of(a, *_items(DAYS[cut - 1]))).decisions
    wild = _decisions(rule, b, news_of(b, *_items(DAYS[cut - 1], wild=True))).decisions
    until = DAYS[cut - 1].isoformat()
    assert [row for row in wild if row[0] <= until] == [row for row in honest if row[0] <= until]


def test_same_input_same_output(rule):
    """Twice the same replay: the same decisions, fills and book."""
    runs = []
    for _ in range(2):
        episode = _episode(3, DAYS)
        replayed = _decisions(rule, episode, news_of(episode, *_items(DAYS[-1])))
        runs.append((replayed.decisions, [f.price for f in replayed.fills], replayed.days))
    assert runs[0] == runs[1]


def test_gross_stays_within_its_bound(rule):
    """The sum of absolute target weights never exceeds the rule's gross."""
    episode = _episode(4, DAYS)
    market = make_market(episode, news_of(episode, *_items(DAYS[-1])))
    state = rule.fresh_state(len(market.symbols))
    for row in episode.window:
        weights = rule.decide(View(market, row, after_open=rule.after_open), state)
        assert np.abs(weights).sum() <= rule.gross + 1e-12
        assert np.isfinite(weights).all()


def test_without_news_a_news_rule_holds_nothing(rule):
    """No headline, no position; baselines that need no news may trade."""
    replayed = _decisions(rule, _episode(1, DAYS), no_news())
    assert not rule.news or replayed.fills == ()


def test_parameters_cannot_be_changed_and_unknown_ones_are_refused(rule):
    """A rule is frozen; a wrong name gets a suggestion."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        rule.gross = 2.0
    with pytest.raises(InputError, match="did you mean 'gross'"):
        type(rule).with_settings({"gros": "1"})


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "0", "1e9", "x", ""])
def test_senseless_values_are_refused_in_one_line(rule, text):
    """`gross` takes a number above 0 and at most 2."""
    with pytest.raises(InputError) as wrong:
        type(rule).with_settings({"gross": text})
    assert "\n" not in str(wrong.value)


# The clock: news and fills


def _one_headline(published: datetime):
    """A disruptive headline in a market where each day opens 10 lower than it closed before."""
    days = [date(2025, 1, 23), date(2025, 1, 24), date(2025, 1, 27), date(2025, 1, 28), date(2025, 1, 29)]
    bars = {s: dict.fromkeys(days, (90.0, 100.0, 80.0, 100.0)) for s in SYMBOLS}
    sectors = {sector: tuple(s for s in SYMBOLS if SYMBOLS[s] == sector) for sector in set(SYMBOLS.values())}
    episode = episode_of(bars, days, sectors=sectors)
    news = news_of(episode, ("cheap model", published, _score(-1.0, 0.5)))
    return run_rule(episode, make_market(episode, news), make_rule("shock"), TERMS)


@pytest.mark.parametrize(
    ("published", "session"),
    [
        (datetime(2025, 1, 27, 12, 45, tzinfo=UTC), "2025-01-27"),
        (datetime(2025, 1, 27, 14, 10, 0, tzinfo=UTC), "2025-01-27"),
        (datetime(2025, 1, 27, 14, 10, 1, tzinfo=UTC), "2025-01-28"),
        (datetime(2025, 1, 24, 15, 6, tzinfo=UTC), "2025-01-27"),
        (datetime(2025, 1, 26, 5, 0, tzinfo=UTC), "2025-01-27"),
    ],
)
def test_a_headline_fills_at_the_first_open_after_it_was_known(published, session):
    """Never at the last close, never a session late: the fill is that session's open less slippage."""
    fills = _one_headline(published).fills
    assert {fill.session for fill in fills if fill.size < 0} == {session}
    assert {fill.price for fill in fills if fill.size < 0} == {90 * (1 - 0.0005)}


def test_holding_is_counted_open_to_open():
    """Entered at the open of Monday with hold=3 means left at the open of Thursday."""
    days = weekdays(8, date(2025, 1, 24))
    bars = {s: dict.fromkeys(days, (100.0, 100.0, 100.0, 100.0)) for s in SYMBOLS}
    sectors = {sector: tuple(s for s in SYMBOLS if SYMBOLS[s] == sector) for sector in set(SYMBOLS.values())}
    episode = episode_of(bars, days, sectors=sectors)
    news = news_of(episode, ("cheap model", datetime(2025, 1, 27, 12, 45, tzinfo=UTC), _score(-1.0, 0.5)))
    fills = run_rule(episode, make_market(episode, news), make_rule("shock"), TERMS).fills
    assert sorted({fill.session for fill in fills}) == ["2025-01-27", "2025-01-30"]


def test_a_rule_that_looks_at_the_open_fills_at_that_sessions_close_never_at_the_open():
    """Gap of -10 % at the open of 90: gap-only sells at the close of 100."""
    days = weekdays(3, date(2025, 1, 23))
    bars = {s: dict.fromkeys(days, (90.0, 100.0, 80.0, 100.0)) for s in SYMBOLS}
    sectors = {sector: tuple(s for s in SYMBOLS if SYMBOLS[s] == sector) for sector in set(SYMBOLS.values())}
    episode = episode_of(bars, days, sectors=sectors)
    fills = run_rule(episode, make_market(episode, no_news()), make_rule("gap-only"), TERMS).fills
    assert {(fill.auction, fill.auction_price, fill.session) for fill in fills} == {
        ("close", 100.0, days[1].isoformat())
    }


@pytest.mark.parametrize(
    ("reaction", "cause", "trades"),
    [(False, False, (1, 1, 1)), (True, True, (1, 1, 0)), (True, False, (1, 0, 0))],
)
def test_reactions_setting_says_which_headlines_may_trade(reaction, cause, trades):
    """Include takes all, with-cause those that name a cause, exclude no report of a move."""
    days = weekdays(4, date(2025, 1, 24))
    episode = episode_of({"NVDA": dict.fromkeys(days, (100.0, 100.0, 100.0, 100.0))}, days)
    score = dataclasses.replace(_score(-1.0, -0.5), reaction=reaction, cause=cause)
    news = news_of(episode, ("slump", datetime(2025, 1, 26, 12, 0, tzinfo=UTC), score))
    market = make_market(episode, news)
    made = [
        bool(run_rule(episode, market, make_rule("shock", {"reactions": mode}), TERMS).fills)
        for mode in ("include", "with-cause", "exclude")
    ]
    assert made == [bool(each) for each in trades]


def test_a_hedged_shock_is_dollar_neutral():
    """With hedge=platforms or SPY the target weights sum to zero and stay within gross."""
    episode = _episode(1, DAYS)
    market = make_market(episode, news_of(episode, *_items(DAYS[-1])))
    for hedge in ("platforms", "SPY"):
        rule = make_rule("shock", {"hedge": hedge})
        weights = rule.decide(View(market, 2, after_open=False), rule.fresh_state(len(market.symbols)))
        assert weights.sum() == pytest.approx(0, abs=1e-12)
        assert np.abs(weights).sum() == pytest.approx(rule.gross)


def test_orders_are_made_only_when_the_target_changes():
    """A target that stays is no order, however the price drifts."""
    days = weekdays(6)
    bars = {"X": {day: (p, p, p, p) for day, p in zip(days, (100.0, 110.0, 90.0, 120.0, 80.0, 100.0), strict=True)}}
    assert len(run_script(episode_of(bars, days), {1: {"X": 0.5}, 2: {"X": 0.5}, 4: {"X": 0.5}}).orders) == 1


# The state machine


def test_a_trigger_of_the_same_sign_restarts_the_count_only_with_refresh():
    """hold=2, triggers at 0 and 1: without refresh flat at 2, with refresh flat at 3."""
    lengths = []
    for refresh in (False, True):
        state = np.zeros((STATE_ROWS, 1))
        path = []
        for trigger in (1, 1, 0, 0):
            state[TRIGGER] = trigger
            hold_directions(state, trigger != 0, 2, refresh=refresh)
            path.append(state[DIRECTION, 0])
        lengths.append(path)
    assert lengths == [[1, 1, 0, 0], [1, 1, 1, 0]]


def test_an_opposite_trigger_turns_the_position_round():
    """Long, then a trigger down: short from that session on."""
    state = np.zeros((STATE_ROWS, 1))
    path = []
    for trigger in (1, -1, 0, 0, 0):
        state[TRIGGER] = trigger
        hold_directions(state, trigger != 0, 3, refresh=False)
        path.append(state[DIRECTION, 0])
    assert path == [1, -1, -1, -1, 0]


def test_a_step_that_returns_weights_from_advance_is_no_silent_flat_book():
    """Weights are made by `weigh`; what a rule returns from `advance` instead would never be held."""

    class Old(type(make_rule("always-short"))):
        @staticmethod
        def advance(numbers, state, rows):
            return -rows[0]

    with pytest.raises(TypeError, match="`advance` says whether"):
        Old().step(np.zeros((2, 3)), (np.ones(3),))


def test_a_signal_that_stays_beyond_its_threshold_triggers_once():
    """Crossing is an event; with `level` the state counts."""
    rows = np.array([[0.6, 0.6, -0.5, 0.4], [0.2, 0.7, -0.49, 0.9]])
    for level, expected in ((False, [1, 0, -1, 0]), (True, [1, 1, -1, 0])):
        state = np.zeros((STATE_ROWS, 4))
        assert crossings(state, rows, 0.5, level=level)
        assert list(state[TRIGGER]) == expected


def test_a_view_holds_nothing_of_later_sessions():
    """Closes and opens of the session decided on are not in the arrays; after the open only its open is."""
    episode = _episode(1, DAYS)
    market = make_market(episode, no_news())
    before, after = View(market, 5, after_open=False), View(market, 5, after_open=True)
    assert (len(before.closes), len(before.opens), len(after.closes), len(after.opens)) == (5, 5, 5, 6)
    assert before.closes.base is None
    assert len(before.news("sentiment", half_life=1.0)) == 5


def test_a_late_headline_beyond_the_window_is_kept_and_trades_nothing():
    """Known after the last open that could act on it: no session, no order."""
    episode = _episode(1, DAYS)
    last = datetime.combine(DAYS[-1], datetime.min.time(), tzinfo=UTC) + timedelta(hours=20)
    news = news_of(episode, ("late", last, _score(-1.0, 0.0)))
    assert news.items[0].session is None
    assert not news.items[0].used


# Exposures, sizes, betas


def test_an_exposure_counts_from_the_session_after_its_evidence():
    """AMD: half before 2023-06-13 (a Tuesday) and on it, all of it from Wednesday on; Chegg from 2023-05-02 on."""
    days = [date(2023, 6, 12), date(2023, 6, 13), date(2023, 6, 14)]
    table = exposure_table(("AMD", "X"), days)
    assert table[CHANNELS.index("compute demand")].tolist() == [[0.5, 0.0], [0.5, 0.0], [1.0, 0.0]]
    chegg = exposure_table(("CHGG",), [date(2023, 5, 1), date(2023, 5, 2)])
    assert chegg[CHANNELS.index("displacement")].tolist() == [[0.0], [-1.0]]


def test_a_rule_trades_an_exposure_that_begins_inside_the_window():
    """Marvell's outlook of Thursday 25 May 2023 counts from Friday on; the same news a day earlier buys no share."""
    days = weekdays(8, date(2023, 5, 22))
    for evening, bought in ((date(2023, 5, 23), set()), (date(2023, 5, 25), {"2023-05-26"})):
        bars = {symbol: dict.fromkeys(days, (100.0,) * 4) for symbol in ("SPY", "MRVL")}
        episode = episode_of(bars, days, sectors={"funds": ("SPY",), "chips": ("MRVL",)})
        known = datetime(evening.year, evening.month, evening.day, 22, tzinfo=UTC)
        news = news_of(episode, ("supply deal", known, _score(1.0, 0.5)))
        assert {fill.session for fill in _decisions(make_rule("shock"), episode, news).fills if fill.size > 0} == bought


@pytest.mark.parametrize(("displacement", "sign"), [(-1.0, -1), (1.0, 1), (0.0, 0)])
def test_what_ai_replaces_is_sold_on_displacement_and_bought_on_relief(displacement, sign):
    """Adobe is exposed, an unknown company of the same sector is not; the AI-disruption sentiment plays no part."""
    bars = {symbol: dict.fromkeys(DAYS, (100.0,) * 4) for symbol in ("SPY", "ADBE", "XYZ")}
    episode = episode_of(bars, DAYS, sectors={"funds": ("SPY",), "software": ("ADBE", "XYZ")})
    known = datetime(2025, 1, 15, 22, tzinfo=UTC)
    score = dataclasses.replace(_score(-1.0, -1.0), displacement=displacement)
    fills = _decisions(make_rule("displaced"), episode, news_of(episode, ("agents", known, score))).fills
    assert {(fill.symbol, fill.session, np.sign(fill.size)) for fill in fills[:1]} == (
        {("ADBE", "2025-01-16", sign)} if sign else set()
    )


@pytest.mark.parametrize(("name", "sectors"), [("shock", "chips++power"), ("shock", "+"), ("pairs", "software")])
def test_sectors_that_are_no_list_are_refused(name, sectors):
    """An empty name; one leg where a pair needs two."""
    with pytest.raises(InputError, match="sectors"):
        make_rule(name, {"sectors": sectors})


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("X,chips,compute demnd,1,1.0,2023-01-02,why", "did you mean 'compute demand'"),
        ("X,chips,compute demand,2,1.0,2023-01-02,why", "sign must be 1 or -1"),
        ("X,chips,compute demand,1,1.5,2023-01-02,why", "at most 1"),
        ("X,chips,compute demand,1,1.0,2023-13-02,why", "universe.csv:2"),
        ("X,chips,compute demand,1,1.0,2023-01-02,why, and why not", "quote an evidence"),
    ],
)
def test_a_wrong_row_of_exposures_is_refused_with_its_line(tmp_path, row, words):
    """One clear line."""
    path = tmp_path / "universe.csv"
    path.write_text("symbol,sector,channel,sign,weight,valid_from,evidence\n" + row + "\n")
    with pytest.raises(InputError, match=words):
        exposures(path)


def test_every_exposure_that_ships_has_evidence_and_a_day():
    """And names a sector; no two rows of one symbol and channel have the same day."""
    rows = exposures()
    assert all(row.evidence and row.sector for row in rows)
    assert len({(row.symbol, row.channel, row.valid_from) for row in rows}) == len(rows)


def test_volatility_and_beta_are_the_textbooks():
    """Against numpy's sample deviation and covariance; unknown when half of the returns are missing."""
    rng = np.random.default_rng(3)
    closes = np.exp(np.cumsum(rng.normal(0, 0.02, (31, 3)), axis=0))
    closes[:20, 2] = np.nan
    returns = np.diff(np.log(closes), axis=0)
    assert volatility(closes)[:2] == pytest.approx(returns[:, :2].std(axis=0, ddof=1))
    assert np.isnan(volatility(closes)[2])
    slope = np.cov(returns[:, 0], returns[:, 1])[0, 1] / returns[:, 1].var(ddof=1)
    assert beta(returns[:, 0], returns[:, 1], lowest=-9, highest=9) == pytest.approx(slope)
    assert beta(returns[:, 0], returns[:, 2]) == 1.0


def test_inverse_volatility_gives_the_calm_the_larger_part():
    """Volatilities 1 %, 2 % and unknown (counted as the largest): half, a quarter, a quarter."""
    sizes = inverse(np.array([0.01, 0.02, np.nan]))
    assert weighted(sizes, (1.0, 1.0, 2.0, 0.0)) == pytest.approx([0.5, 0.25, 0.25])


def test_caps_by_hand():
    """Gross 1 over 3 : 1 : −1 is 0.6, 0.2, −0.2; a name cap of 0.5 cuts the first, a net cap of 0.25 shrinks the longs."""
    parts = np.array([3.0, 1.0, -1.0])
    assert weighted(parts, (1.0, 2.0, 2.0, 0.0)) == pytest.approx([0.6, 0.2, -0.2])
    assert weighted(parts, (1.0, 0.5, 2.0, 0.0)) == pytest.approx([0.5, 0.2, -0.2])
    assert weighted(parts, (1.0, 0.5, 0.25, 0.0)) == pytest.approx([0.5 * 0.45 / 0.7, 0.2 * 0.45 / 0.7, -0.2])
    assert weighted(parts, (1.0, 2.0, 2.0, -1.0)) == pytest.approx([0, 0, -1.0])


def test_drift_leaves_when_the_news_has_decayed():
    """Half-life 1: a signal of −1 on Monday is −0.5, −0.25, −0.125: still held at 0.25, left on Thursday."""
    days = weekdays(8, date(2025, 1, 24))
    bars = {s: dict.fromkeys(days, (100.0, 100.0, 100.0, 100.0)) for s in SYMBOLS}
    sectors = {sector: tuple(s for s in SYMBOLS if SYMBOLS[s] == sector) for sector in set(SYMBOLS.values())}
    episode = episode_of(bars, days, sectors=sectors)
    news = news_of(episode, ("cheap model", datetime(2025, 1, 27, 12, 45, tzinfo=UTC), _score(-1.0, 0.5)))
    fills = _decisions(make_rule("drift", {"half_life": "1"}), episode, news).fills
    assert sorted({fill.session for fill in fills}) == ["2025-01-27", "2025-01-30"]


def test_a_pair_is_hedged_by_its_trailing_beta():
    """NVDA moves twice as much as the fund: beta 2, so a leg of 1/3 down stands against 2/3 of the fund up."""
    days = weekdays(40, date(2024, 12, 2))
    swings = [1 + 0.01 * (-1) ** n * (1 + n % 3) for n in range(40)]
    fund, stock = np.cumprod(swings), np.cumprod([each**2 for each in swings])
    bars = {
        "SPY": dict.fromkeys(days, (100.0,) * 4),
        "SMH": {day: (float(p),) * 4 for day, p in zip(days, fund, strict=True)},
        "NVDA": {day: (float(p),) * 4 for day, p in zip(days, stock, strict=True)},
    }
    episode = episode_of(bars, days, sectors={"funds": ("SPY", "SMH"), "chips": ("NVDA",)})
    named = dataclasses.replace(_score(-1.0, -0.5), entities=(Entity(symbol="NVDA", direction=-1, salience=1.0),))
    news = news_of(episode, ("made", datetime(2025, 1, 16, 22, tzinfo=UTC), named))
    market, rule = make_market(episode, news), make_rule("pairs", {"pair": "fund", "name_cap": "1"})
    row = episode.sessions.index(date(2025, 1, 17))
    weights = rule.decide(View(market, row, after_open=False), rule.fresh_state(3))
    assert dict(zip(market.symbols, weights, strict=True)) == pytest.approx({"SPY": 0, "SMH": 2 / 3, "NVDA": -1 / 3})
