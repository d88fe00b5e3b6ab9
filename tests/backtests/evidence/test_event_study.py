"""The event study of an episode: windows, samples, bands, and what is left out. Its statistics: test_significance.py."""

from __future__ import annotations

import dataclasses
import json
import math
from datetime import date

import numpy as np
import pytest
from click.testing import CliRunner

from backtests import load_episode
from backtests.cli import cli
from backtests.engine.news import read_news
from backtests.evidence.event_study.event_study import event_study
from backtests.evidence.event_study.event_windows import Span, find_event, returns_table
from feeds.errors import InputError
from tests.helpers.markets import episode_of, flat_bars, weekdays


@pytest.fixture(scope="module")
def episode():
    """The episode that ships."""
    return load_episode("deepseek-2025")


def test_an_event_on_a_closed_day_belongs_to_the_next_session_and_states_its_base_price(episode):
    """Saturday 25 January 2025: tradable on Monday the 27th, against Friday's close; 9 January was a day of mourning."""
    table = episode.sessions.sessions
    saturday, mourning = find_event(episode, date(2025, 1, 25)), find_event(episode, date(2025, 1, 9))
    assert (table[saturday.row], table[saturday.base]) == (date(2025, 1, 27), date(2025, 1, 24))
    assert (table[mourning.row], table[mourning.base]) == (date(2025, 1, 10), date(2025, 1, 8))
    assert (saturday.closed_day, find_event(episode, date(2025, 1, 27)).closed_day) == (True, False)


def test_of_two_overlapping_windows_of_a_symbol_only_the_first_is_averaged(episode):
    """Both are listed, the later says with which it overlaps, and no estimation uses a session of either window."""
    days = [date(2025, 1, 22), date(2025, 1, 27)]
    study = event_study(episode, days=days)
    windows = {row for event in study.events for row in range(event.row - 5, event.row + 6)}
    nvda = [each.column for each in study.fitted if each.column.symbol == "NVDA"]
    assert [each.overlaps for each in nvda] == [(), (days[0],)]
    assert not any(windows & set(each.rows) for each in nvda)
    assert (study.groups[0].n, study.groups[0].event_days) == (event_study(episode).groups[0].n, 1)


def test_an_estimation_ends_before_the_gap_and_leaves_out_every_window_of_the_symbol(episode):
    """Two events 30 sessions apart: the later one's estimation jumps over the earlier one's window."""
    first, second = date(2024, 12, 11), date(2025, 1, 27)
    study = event_study(episode, days=[first, second], span=Span(estimation=60))
    early, late = (each.column for each in study.fitted if each.column.symbol == "NVDA")
    assert late.rows[-1] == late.event.row - 5 - 10 - 1
    assert set(late.rows) & set(range(early.event.row - 5, early.event.row + 6)) == set()
    assert len(late.rows) == 60
    assert late.rows[0] == late.rows[-1] - 59 - 11  # eleven sessions were left out in between
    assert (late.overlaps, study.groups[0].event_days) == ((), 2)


def test_the_band_of_symbols_that_move_as_one_is_as_wide_as_that_of_one(episode):
    """Three copies of a share: effective N is 1, and averaging them makes nothing surer."""
    bars = episode.prices.bars
    copies = {name: dataclasses.replace(bars["NVDA"], symbol=name) for name in ("NVDA", "AMD", "MU")}
    made = dataclasses.replace(
        episode,
        prices=dataclasses.replace(episode.prices, bars={**bars, **copies}),
        sectors={"chips": ("NVDA", "AMD", "MU"), "funds": ("SPY",)},
    )
    document = event_study(made).document()
    chips = next(group for group in document["groups"] if group["group"] == "chips")
    one, three = document["symbols"][0]["days"][-1], chips["days"][-1]
    assert (chips["n"], chips["n_effective"]) == (3, pytest.approx(1.0))
    assert three["caar_pct"] == pytest.approx(one["car_pct"])
    assert (three["low_pct"], three["high_pct"]) == pytest.approx((one["low_pct"], one["high_pct"]))
    tests = {test["test"]: test for test in chips["event"]["tests"]}
    assert (tests["kolari-pynnonen"]["p"], tests["bmp"]["p"]) == (None, None)  # nothing varies across them
    assert tests["adjusted-patell"]["statistic"] == pytest.approx(document["symbols"][0]["t"] * math.sqrt(116 / 118))


def test_a_groups_band_is_that_of_as_many_shares_as_it_is_worth(episode):
    """Half width = root of (mean squared half width of the symbols / effective N)."""
    document = event_study(episode).document()
    power = next(group for group in document["groups"] if group["group"] == "power")
    ends = [row["days"][-1] for row in document["symbols"] if row["sector"] == "power"]
    squares = [((end["high_pct"] - end["low_pct"]) / 2) ** 2 for end in ends]
    half = (power["days"][-1]["high_pct"] - power["days"][-1]["low_pct"]) / 2
    assert 1 < power["n_effective"] < power["n"]
    assert half == pytest.approx(math.sqrt(sum(squares) / len(squares) / power["n_effective"]))


def test_a_twin_of_the_benchmark_and_a_share_that_never_moved_are_left_out(episode):
    """Nothing of them is abnormal, so nothing can be measured in its deviations."""
    bars = dict(episode.prices.bars)
    bars["QQQ"] = dataclasses.replace(bars["SPY"], symbol="QQQ")
    still = np.full(len(bars["XLE"].sessions), 50.0)
    bars["XLE"] = dataclasses.replace(bars["XLE"], open=still, high=still, low=still, close=still)
    study = event_study(dataclasses.replace(episode, prices=dataclasses.replace(episode.prices, bars=bars)))
    json.dumps(study.document(), allow_nan=False)
    for symbol in ("QQQ", "XLE"):
        assert f"{symbol} is left out at 2025-01-27: it moved exactly like the benchmark, or not at all" in study.notes


def test_nvidia_of_27_january_2025_is_what_the_closes_say(episode):
    """-16.97 %; expected, abnormal and the sum of all days follow by addition."""
    row = next(row for row in event_study(episode).document()["symbols"] if row["symbol"] == "NVDA")
    zero = next(day for day in row["days"] if day["offset"] == 0)
    assert zero["return_pct"] == pytest.approx((118.42 / 142.62 - 1) * 100, abs=0.01)
    assert zero["return_pct"] == pytest.approx(zero["expected_pct"] + zero["abnormal_pct"], rel=1e-12)
    assert row["car_pct"] == pytest.approx(math.fsum(day["abnormal_pct"] for day in row["days"]), rel=1e-9)


def test_unadjusted_splits_are_no_returns(episode):
    """A share that is split ten for one has lost nothing."""
    from backtests.episodes.prices import Action

    days = weekdays(6)
    prices = {day: (p, p, p, p) for day, p in zip(days, [100.0, 100.0, 100.0, 10.0, 10.0, 10.0], strict=True)}
    split = Action(symbol="A", ex_date=days[3], kind="split", value=10.0)
    made = episode_of({"A": prices}, days, actions=[split], adjusted="none")
    assert returns_table(made, ["A"])[1:, 0] == pytest.approx([0.0] * 5, abs=1e-12)


def test_the_whole_study_holds_its_size_on_episodes_without_an_event():
    """400 made episodes of eight shares that move together: the robust tests reject 5 %, within three points."""
    days = weekdays(70)
    hits = dict.fromkeys(("kolari-pynnonen", "adjusted-patell", "corrado", "patell"), 0)
    for seed in range(400):
        rng = np.random.default_rng(seed)
        market = rng.normal(0, 0.01, 70)
        moves = market[:, None] * rng.uniform(0.5, 2, 8) + 0.02 * (
            np.sqrt(0.6) * rng.standard_normal((70, 1)) + np.sqrt(0.4) * rng.standard_normal((70, 8))
        )
        levels = 100 * np.cumprod(1 + np.column_stack([market, moves]), axis=0)
        names = ["SPY", *(f"S{n}" for n in range(8))]
        bars = {name: flat_bars(levels[:, column].tolist(), days) for column, name in enumerate(names)}
        made = episode_of(bars, days, sectors={"funds": ("SPY",), "shares": tuple(names[1:])})
        span = Span(before=0, after=0, estimation=60, gap=0)
        study = event_study(dataclasses.replace(made, key_session=days[65]), span=span)
        for test in study.groups[0].event:
            if test.test in hits:
                hits[test.test] += test.p <= 0.05
    rates = {name: count / 400 for name, count in hits.items()}
    assert [name for name in ("kolari-pynnonen", "adjusted-patell", "corrado") if not 0.02 <= rates[name] <= 0.08] == []
    assert rates["patell"] > 0.3  # what the naive test would have said


def test_a_window_outside_the_table_and_too_short_an_estimation_are_refused(episode):
    """One line each, with the remedy."""
    with pytest.raises(InputError, match=r"does not fit into .* make it shorter"):
        event_study(episode, span=Span(after=90))
    with pytest.raises(InputError, match="choose a day inside"):
        event_study(episode, days=[date(2030, 1, 1)])
    with pytest.raises(InputError, match="needs 30 sessions"):
        Span(estimation=10)


def test_a_symbol_with_too_few_bars_is_left_out_and_named(episode):
    """The study goes on without it."""
    from backtests.episodes.prices import Bars, Prices

    bars = dict(episode.prices.bars)
    tln = bars["TLN"]
    short = {field: getattr(tln, field)[-40:] for field in ("sessions", "open", "high", "low", "close", "volume")}
    bars["TLN"] = Bars(symbol="TLN", **short)
    study = event_study(dataclasses.replace(episode, prices=Prices(bars=bars)))
    assert "TLN" not in {each.column.symbol for each in study.fitted}
    assert any("TLN is left out at 2025-01-27: only" in note for note in study.notes)


def test_the_command_prints_effective_n_and_its_json_is_the_documents(episode):
    """Text to stderr, one object to stdout, strict JSON."""
    done = CliRunner().invoke(cli, ["study", "deepseek-2025", "--json"], catch_exceptions=False)
    scorer = {"name": "disruption-2024-12-31 5", "trained_until": "2024-12-31", "contaminated_for": []}
    expected = event_study(episode, news=read_news(episode)).document() | {"scorer": scorer}
    assert json.loads(done.stdout) == json.loads(json.dumps(expected, allow_nan=False))
    assert "effective N" in done.stderr
    assert max(map(len, done.stderr.splitlines())) <= 100


def test_a_session_that_a_claim_is_about_is_no_part_of_the_estimation_and_that_is_said():
    """Chegg's −48 % of 2 May 2023 lies before the event of 25 May: its deviation is that of its other sessions."""
    episode = load_episode("chatgpt-may-2023")
    study = event_study(episode).document()
    chegg = next(each for each in study["symbols"] if each["symbol"] == "CHGG")
    assert chegg["residual_sd_pct"] == pytest.approx(3.3, abs=0.05)
    assert "Left out of the estimation, since a claim is about them: 2023-05-02." in study["notes"]
    without = event_study(dataclasses.replace(episode, claims=())).document()
    assert next(each for each in without["symbols"] if each["symbol"] == "CHGG")["residual_sd_pct"] > 5
