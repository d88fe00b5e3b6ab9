"""What a command is told to write to is never overwritten, but by a run with --force; that is said before the work."""

from __future__ import annotations

from datetime import date

import pytest
from click.testing import CliRunner

from backtests import _replay, load_episode, replay
from backtests.cli import cli
from backtests.episodes.episode import EPISODES
from feeds.errors import InputError

DAYS = ("--start", "2025-01-24", "--end", "2025-01-29", "--trials", "off")
RUN = ("run", "deepseek-2025", "-s", "buy-hold", "--no-baselines", *DAYS)
SWEEP = ("sweep", "deepseek-2025", "-s", "shock", *DAYS, "--replay", "--grid", "threshold=0.3,0.5")
EPISODE = ("episodes", "new", "mine", "--start", "2025-01-20", "--end", "2025-01-31", "--symbols", "NVDA", "--download")


def ask(*words):
    """Asks the command line."""
    return CliRunner().invoke(cli, [str(each) for each in words])


@pytest.fixture
def saved(tmp_path):
    """The folder of a run."""
    episode = load_episode("deepseek-2025", start=date(2025, 1, 24), end=date(2025, 1, 29))
    return replay(episode, "always-short").save(tmp_path / "saved")


@pytest.mark.parametrize(
    "words",
    [RUN, ("run", "all", "-s", "buy-hold", "--trials", "off"), SWEEP, EPISODE],
    ids=["run", "all", "sweep", "new"],
)
@pytest.mark.parametrize("force", [(), ("--force",)])
def test_a_folder_with_a_users_own_file_is_refused_before_any_work_is_done(tmp_path, monkeypatch, words, force):
    """The file stays as it was and alone; nothing is replayed, and nothing downloaded."""
    own = tmp_path / "equity.csv"
    own.write_text("my own")
    monkeypatch.setattr(_replay, "replay", lambda *_, **__: pytest.fail("it was replayed"))
    done = ask(*words, *(force if words is not EPISODE else ()), "-o", tmp_path)
    assert isinstance(done.exception, InputError), done.output
    assert str(tmp_path) in str(done.exception)
    assert ([path.name for path in tmp_path.iterdir()], own.read_text()) == (["equity.csv"], "my own")


def test_a_run_is_replaced_whole_with_force_and_not_without(saved):
    """Its leftovers are not among the new files."""
    (saved / "evidence").mkdir(exist_ok=True)
    (saved / "evidence" / "placebo.json").write_text("{}")
    before = (saved / "run_card.json").read_bytes()
    assert "--force to replace a run" in str(ask(*RUN, "-o", saved).exception)
    assert (saved / "run_card.json").read_bytes() == before
    assert ask(*RUN, "-o", saved, "--force").exit_code == 0
    assert (saved / "run_card.json").read_bytes() != before
    assert not (saved / "evidence" / "placebo.json").exists()


def test_a_run_with_a_file_of_the_users_among_its_own_is_not_replaced(saved):
    """The note would be lost."""
    (saved / "notes.txt").write_text("do not lose")
    assert "notes.txt: is not of the run and would be lost" in str(ask(*RUN, "-o", saved, "--force").exception)
    assert (saved / "notes.txt").read_text() == "do not lose"


def test_a_page_of_runs_takes_the_place_of_such_a_page_only(saved, tmp_path):
    """Written twice; a page of the user's own is refused."""
    page = tmp_path / "page.html"
    assert [ask("compare", saved, saved, "-o", page).exit_code for _ in range(2)] == [0, 0]
    page.write_text("<!doctype html>my own")
    assert "no page of `backtest compare`" in str(ask("compare", saved, saved, "-o", page).exception)
    assert page.read_text() == "<!doctype html>my own"


def test_a_sweep_is_replaced_by_another_with_force_only(tmp_path):
    """The same one goes on; of another it is said that it is there."""
    folder = tmp_path / "sweep"
    for words, code in (
        (SWEEP, 0),
        (SWEEP, 0),
        ((*SWEEP[:-1], "hold=2,3"), 1),
        ((*SWEEP[:-1], "hold=2,3", "--force"), 0),
    ):
        done = ask(*words, "-o", folder)
        assert done.exit_code == code, done.output
        assert not code or "holds another sweep" in str(done.exception)


def test_an_episode_of_that_name_is_not_overwritten():
    """One that ships, written to by mistake."""
    assert "is there already" in str(ask(*EPISODE, "-o", EPISODES / "bard-2023").exception)
