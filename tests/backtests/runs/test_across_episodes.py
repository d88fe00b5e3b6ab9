"""AcrossEpisodes episodes beside each other, and how often strong headlines were wrong."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from scipy import stats

from backtests.cli import cli
from backtests.engine.news import read_news
from backtests.episodes.episode import load_episode, separate_episodes
from backtests.evidence.hit_rates import document, rates, wilson
from backtests.runs.across_episodes import AcrossEpisodes, Cell, across_episodes_text
from feeds.errors import InputError


def cell(episode: str, return_pct: float, *, control: bool = False, trades: int = 0) -> Cell:
    """One figure."""
    return Cell(
        strategy="s", baseline=False, episode=episode, control=control, return_pct=return_pct, trades=trades,
        sessions_held=trades, sessions=10,
    )  # fmt: skip


def test_each_episode_is_left_out_once_and_controls_are_in_no_mean():
    """By hand: (1 + 2 + 6) / 3, (2 + 6) / 2, (1 + 6) / 2, (1 + 2) / 2."""
    found = AcrossEpisodes(
        cells=(cell("a", 1.0), cell("b", 2.0), cell("c", 6.0), cell("calm", 50.0, control=True, trades=3))
    )
    assert found.left_out() == {"s": {"": 3.0, "a": 4.0, "b": 3.5, "c": 1.5}}
    assert found.document()["strategies"][0]["false_alarms"] == {
        "calm": {"trades": 3, "sessions_held": 3, "sessions": 10}
    }
    assert "calm*" in across_episodes_text(found)


def test_run_all_replays_every_episode_and_counts_false_alarms(tmp_path):
    """One object over all; a folder for each."""
    done = CliRunner().invoke(
        cli, ["run", "all", "-s", "shock", "--set", "reactions=exclude", "--json", "-o", str(tmp_path)]
    )
    assert done.exit_code == 0
    made = json.loads(done.stdout)
    assert {row["episode"] for row in made["episodes"]} == set(separate_episodes())
    assert [row["episode"] for row in made["episodes"] if row["control"]] == ["quiet-2023"]
    assert set(made["strategies"][0]["return_pct"]) == set(separate_episodes())
    assert {path.name for path in tmp_path.iterdir()} == set(separate_episodes())
    decisions = (1 + 5) * (24 + 10 + 23 + 19 + 13 + 24)  # shock and five baselines
    assert made["audit"] == {"decisions": decisions, "violations": 0}
    assert [row["strategy"] for row in made["strategies"] if not row["baseline"]] == ["shock"]
    assert {row["benchmark"]["symbol"] for row in made["episodes"]} == {"SPY"}


def test_run_all_takes_no_option_of_one_episode():
    """In one line."""
    with pytest.raises(InputError, match="belongs to one episode"):
        CliRunner().invoke(cli, ["run", "all", "--start", "2025-01-20"], catch_exceptions=False, standalone_mode=False)


def test_study_all_is_one_table():
    """A row for each episode, the control marked."""
    done = CliRunner().invoke(cli, ["study", "all"], catch_exceptions=False)
    assert all(name in done.output for name in separate_episodes())
    assert "quiet-2023*" in done.output


@pytest.mark.parametrize(("hits", "count"), [(0, 5), (3, 13), (13, 13), (1, 2), (40, 100)])
def test_the_interval_is_wilsons(hits, count):
    """SciPy's own."""
    theirs = stats.binomtest(hits, count).proportion_ci(method="wilson")
    assert wilson(hits, count) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_the_base_rate_is_that_of_calling_every_session():
    """Shares of sessions with a move up and down, weighted as the calls were."""
    episode = load_episode("deepseek-2025")
    found = rates(episode, read_news(episode))
    up, down = found.always
    builds = sum(each.called > 0 for each in found.called)
    assert 0 < builds < len(found.called)
    mean = (up * builds + down * (len(found.called) - builds)) / len(found.called)
    assert found.always_yes == pytest.approx(mean)
    assert all((each.outcome == "hit") == (each.called * each.move_pct >= each.typical_pct) for each in found.called)


def test_what_was_no_hit_is_listed_with_its_headlines():
    """And nothing else."""
    episode = load_episode("chatgpt-may-2023")
    found = rates(episode, read_news(episode))
    made = document([found])
    assert len(made["counterexamples"]) == len(found.called) - found.hits
    assert all(each["headlines"] for each in made["counterexamples"])
    assert made["all"]["called"] == len(found.called)
