"""What stands beside every return of a run: its range over other samples of the news, in all places, or why it has none."""

from __future__ import annotations

import importlib.util
import json

import pytest
from click.testing import CliRunner

from backtests import Result, load_episode
from backtests.broker.terms import BrokerTerms
from backtests.cli import cli
from backtests.engine.news import read_news
from backtests.episodes.episode import EPISODES, separate_episodes
from backtests.evidence.news_samples import resample
from backtests.evidence.placebo import choose_engine
from backtests.evidence.short_resample import LONGEST, SAMPLES, SEED, short_form
from backtests.report.text.run_report import result_table
from strategies.registry import make_rule
from strategies.rule import Code
from tests.helpers.markets import no_news


def run(*words):
    """A command's result; no exception is hidden."""
    return CliRunner().invoke(cli, list(words), catch_exceptions=False)


@pytest.fixture(scope="module")
def world():
    """The episode that ships, its news, and `shock`."""
    episode = load_episode("deepseek-2025")
    return episode, read_news(episode), make_rule("shock")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run of one strategy that reads news beside the baselines, with what it printed."""
    folder = tmp_path_factory.mktemp("short") / "run"
    return folder, run("run", "deepseek-2025", "-s", "drift", "--trials", "off", "-o", str(folder), "--json")


def test_it_is_what_the_long_form_says_of_as_many_samples(world):
    """Quantiles and share of the other sign, to the last digits."""
    episode, news, rule = world
    long = resample(episode, news, [rule], n=SAMPLES, seed=SEED, keep=()).document()["strategies"][0]
    assert short_form(episode, news, [rule], [long["return_pct"]]) == [
        {
            "samples": SAMPLES,
            "seed": SEED,
            "low_pct": pytest.approx(long["resampled"]["quantiles_pct"]["5"], rel=1e-12),
            "high_pct": pytest.approx(long["resampled"]["quantiles_pct"]["95"], rel=1e-12),
            "other_sign_share": long["resampled"]["other_sign_share"],
        }
    ]


def test_a_strategy_beside_others_has_the_figures_that_it_has_alone(world):
    """One set of samples serves all."""
    episode, news, rule = world
    several = short_form(episode, news, [make_rule("plain-vader"), make_rule("buy-hold"), rule], [1.0, 1.0, 1.0])
    assert several[2:] == short_form(episode, news, [rule], [1.0])


def test_the_other_sign_is_the_other_than_the_runs(world):
    """Of a gain and of a loss the shares add up to 1 where no sample makes exactly nothing; of nothing all are other."""
    episode, news, rule = world
    gain, loss, nothing = (short_form(episode, news, [rule], [made])[0]["other_sign_share"] for made in (1, -1, 0))
    assert gain + loss == nothing == 1


def test_it_stands_in_the_json_the_terminal_and_the_page_beside_each_return_baselines_too(made):
    """The same figures in all of them; the benchmark and what reads no news have dashes and a reason."""
    folder, done = made
    rows = {row["label"]: row["resampled"] for row in json.loads(done.stdout)["results"]}
    assert {name for name, row in rows.items() if "low_pct" in row} == {"drift", "headline-count", "plain-vader"}
    assert {row["why_not"] for row in rows.values() if "why_not" in row} == {"reads no news"}
    record = Result.load(folder)
    assert record.document == json.loads(done.stdout)
    head, (cells,) = result_table(record, short=True)
    at = head.index("other news %")
    own = f"{rows['drift']['low_pct']:+.1f} … {rows['drift']['high_pct']:+.1f}".replace("-", "−")
    assert cells[0][:1] + cells[0][at : at + 2] == ("drift", own, f"{rows['drift']['other_sign_share'] * 100:.0f} %")
    assert cells[-1][at : at + 2] == ("–", "–")
    page = (folder / "report.html").read_text(encoding="utf-8")
    for text in (done.stderr, page):
        assert own in text
        assert "not resampled: always-short, buy-hold, gap-only: reads no news" in text
    assert max(map(len, done.stderr.splitlines())) <= 100


def test_verify_makes_it_again_and_diff_and_compare_show_it(made, tmp_path, monkeypatch):
    """Byte for byte; against a run without it each strategy is named, and both stand in one table."""
    folder, _ = made
    monkeypatch.chdir(tmp_path)
    assert run("verify", str(folder)).exit_code == 0
    run("run", "deepseek-2025", "-s", "drift", "--trials", "off", "--no-resample", "-o", str(tmp_path / "other"))
    said = run("diff", str(folder), str(tmp_path / "other")).stdout
    assert "drift: resampled: only in the first" in said
    for runs, is_there in (((folder, tmp_path / "other"), True), ((tmp_path / "other", tmp_path / "other"), False)):
        run("compare", *map(str, runs), "-o", f"{is_there}.html")
        assert ("other news %" in (tmp_path / f"{is_there}.html").read_text(encoding="utf-8")) == is_there


def test_without_numba_it_is_left_out_with_a_line_and_verify_takes_it_as_it_stands(made, tmp_path, monkeypatch):
    """How to get it stands on stderr; the run is complete without it."""
    folder, _ = made
    monkeypatch.setattr(choose_engine, "importlib", type("", (), {"util": Missing}))
    done = run("run", "deepseek-2025", "-s", "drift", "--trials", "off", "-o", str(tmp_path / "run"))
    assert "pip install 'aftershock[fast]'" in done.stderr
    assert "other news" not in done.stdout
    again = run("verify", str(folder))
    assert (again.exit_code, "taken as it stands" in again.output) == (0, True)


class Missing:
    """Stands for `importlib.util` where numba is not installed."""

    @staticmethod
    def find_spec(name):
        """Finds everything else."""
        return None if name == "numba" else importlib.util.find_spec(name)


def test_each_reason_for_a_dash(world):
    """News that nobody could trade, both auctions, a long window, a user's own rule: one reason, and no error."""
    episode, news, rule = world
    own = type("Own", (type(rule),), {"code": Code(file="x.py", name="Own", sha256="0" * 64, text="", reads=())})()
    both = BrokerTerms(auctions="open,close")
    for found, words in (
        (short_form(episode, no_news(), [rule], [1.0]), "no headline about AI"),
        (short_form(episode, news, [rule], [1.0], both), "both auctions"),
        (short_form(episode, news, [own], [1.0]), "is your own"),
    ):
        assert words in found[0]["why_not"]
    assert len(episode.window) < LONGEST
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("backtests.evidence.short_resample.LONGEST", 18)
        assert "more than 18 sessions" in short_form(episode, news, [rule], [1.0])[0]["why_not"]


def test_a_run_from_the_archive_is_resampled_too_in_both_forms(tmp_path, monkeypatch):
    """Beside its returns, as without the archive; and `backtest resample` takes its folder."""
    monkeypatch.setenv("AFTERSHOCK_ARCHIVE", str(tmp_path / "a.sqlite"))
    run("feeds", "import", *(str(EPISODES / "deepseek-2025" / f"news.{language}.xml") for language in ("en", "de")))
    words = ("run", "deepseek-2025", "-s", "shock", "--set", "reactions=include", "--trials", "off", "--json")
    archived = run(*words, "--news", "archive", "-o", str(tmp_path / "run"))
    own = run(*words, "-o", str(tmp_path / "own"))
    first, other = (json.loads(each.stdout)["results"][0]["resampled"] for each in (archived, own))
    assert set(first) == set(other)
    assert first["low_pct"] == pytest.approx(other["low_pct"], abs=3)  # the same news in another order: other draws
    again = json.loads(run("resample", str(tmp_path / "run"), "-n", "20", "--keep", "none", "--json").stdout)
    assert again["headlines"] == json.loads(own.stdout)["headlines"]["used"]
    assert run("verify", str(tmp_path / "run")).exit_code == 0


def test_a_run_over_all_episodes_says_it_for_each(monkeypatch, tmp_path):
    """In brackets behind each return, and in the JSON by episode; the control too."""
    monkeypatch.chdir(tmp_path)
    done = run("run", "all", "-s", "shock", "--set", "reactions=include", "--trials", "off", "--json")
    shares = json.loads(done.stdout)["strategies"][0]["other_sign_share"]
    assert set(shares) == set(separate_episodes())
    printed = next(line for line in done.stderr.splitlines() if line.startswith("shock"))
    assert printed.count("(") == sum(share is not None for share in shares.values()) > 1
    assert "in brackets: share of samples" in " ".join(done.stderr.split())
