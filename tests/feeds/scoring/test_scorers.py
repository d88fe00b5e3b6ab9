"""Choosing a scorer: one registry, its name in every result, and whether it may have learned from the episode."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from click.testing import CliRunner

from backtests.cli import cli
from backtests.episodes import episode
from backtests.records.contamination import scorer_facts, scorer_line
from backtests.sweep.job import Job
from feeds.archive import Archive, Document
from feeds.errors import InputError
from feeds.headline import Headline
from feeds.scorers import registry
from feeds.scoring import DEFAULT

LATE = dataclasses.replace(DEFAULT, name="late", version="7", trained_until=date(2025, 6, 30), vintages=())


@pytest.fixture
def late(monkeypatch):
    """A scorer that has learned from data of after the episode, one more line of the registry."""
    known = registry.scorers()
    monkeypatch.setattr(registry, "scorers", lambda: {**known, LATE.name: LATE})


def invoke(*arguments: str, code: int = 0):
    """What a command wrote."""
    done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert done.exit_code == code
    return done


def test_the_default_comes_first_and_is_what_no_name_means():
    """Results carry "name version", which finds the scorer again."""
    assert next(iter(registry.scorers().values())) is DEFAULT is registry.scorer_named("")
    assert all(registry.scorer_named(each.label) is each for each in registry.scorers().values())


def test_an_unknown_scorer_is_refused_with_the_nearest_name():
    """In one line."""
    with pytest.raises(InputError, match="no scorer 'disruption-2022-12'; did you mean 'disruption-2022-12-31'"):
        registry.scorer_named("disruption-2022-12")


def test_scorers_are_stored_under_keys_of_their_own():
    """No scorer is taken for another."""
    keys = [each.key for each in registry.scorers().values()]
    assert len(set(keys)) == len(keys)


def test_the_list_says_until_when_each_has_learned():
    """In words, and as JSON."""
    assert "disruption-2023-12-31 5: " in invoke("scorers").stdout
    rows = json.loads(invoke("scorers", "--json").stdout)
    assert [row["trained_until"] for row in rows][:3] == ["2026-08-20", "2022-12-31", "2023-12-31"]


@pytest.mark.parametrize(
    ("first", "late"), [(date(2025, 1, 13), False), (date(2022, 3, 8), True), (date(2020, 1, 2), True)]
)
def test_a_cut_off_on_or_after_the_first_session_contaminates(first, late):
    """The day itself counts: what it learned on it may be of the episode."""
    facts = scorer_facts("disruption-2023-12-31 5", date(2022, 3, 8), {"mine": first, "later": date(2026, 1, 2)})
    assert facts["contaminated_for"] == (["mine"] if late else [])
    assert ("contaminated for mine" in scorer_line(facts)) == late
    assert "until 2022-03-08" in scorer_line(facts)


def test_of_a_scorer_that_has_learned_nothing_there_is_nothing_to_say():
    """Nor of a result that was saved before scorers were named in it."""
    assert scorer_facts("vader-disruption 2", None, {"a": date(2020, 1, 2)})["contaminated_for"] == []
    assert scorer_line(scorer_facts("vader-disruption 2", None, {"a": date(2020, 1, 2)})) == scorer_line(None) == ""


@pytest.mark.usefixtures("late")
def test_a_contaminated_run_says_so_in_terminal_json_page_and_comparison(tmp_path, monkeypatch):
    """Everywhere that its figures are shown."""
    monkeypatch.chdir(tmp_path)
    words = "CONTAMINATED scorer late 7: trained on data until 2025-06-30: contaminated for deepseek-2025"
    done = invoke(
        "run",
        "deepseek-2025",
        "-s",
        "shock",
        "--no-baselines",
        "--scorer",
        "late",
        "--trials",
        "off",
        "-o",
        "run",
        "--json",
    )
    assert words in " ".join(done.stderr.split())
    assert json.loads(done.stdout)["scorer"]["contaminated_for"] == ["deepseek-2025"]
    assert words in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    invoke("compare", "run", "run", "-o", "both.html")
    assert "late 7 (CONTAMINATED" in (tmp_path / "both.html").read_text(encoding="utf-8")
    assert words in " ".join(invoke("study", "run").stdout.split())
    assert json.loads((tmp_path / "run" / "evidence" / "study.json").read_text())["scorer"]["name"] == "late 7"


@pytest.mark.usefixtures("late")
def test_several_episodes_are_told_apart(tmp_path, monkeypatch):
    """Two of those that ship, which all began before mid-2025."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(episode, "episode_names", lambda: ["deepseek-2025", "quiet-2023"])
    done = invoke("run", "all", "-s", "shock", "--no-baselines", "--scorer", "late", "--trials", "off", "--json")
    names = {each["episode"] for each in json.loads(done.stdout)["episodes"]}
    assert set(json.loads(done.stdout)["scorer"]["contaminated_for"]) == names
    assert "CONTAMINATED scorer late 7" in done.stderr
    grid = ["sweep", "deepseek-2025", "-s", "shock", "threshold=0.2,0.4", "--scorer", "late", "--trials", "off"]
    assert "CONTAMINATED scorer late 7" in invoke(*grid, "-o", "grid").stdout


@pytest.mark.usefixtures("late")
def test_a_run_by_another_scorer_is_made_again_and_audited_by_it(tmp_path, monkeypatch):
    """Byte for byte, and its name stands in the run's configuration; another scorer is refused."""
    monkeypatch.chdir(tmp_path)
    done = invoke(
        "run",
        "deepseek-2025",
        "-s",
        "shock",
        "--no-baselines",
        "--scorer",
        "disruption-2023-12-31",
        "--trials",
        "off",
        "-o",
        "run",
    )
    assert "trained on data until 2023-12-31, before the first session: not contaminated" in " ".join(
        done.stdout.split()
    )
    assert json.loads((tmp_path / "run" / "run_card.json").read_text())["config"]["scorer"] == "disruption-2023-12-31 5"
    invoke("verify", "run")
    for other in ("late", DEFAULT.name):
        with pytest.raises(InputError, match="scored by disruption-2023-12-31"):
            invoke("audit", "run", "--scorer", other)
    assert " 0 differed" in invoke("audit", "run", "--scorer", "disruption-2023-12-31").stdout


def test_without_a_name_everything_is_as_ever(tmp_path, monkeypatch):
    """The vintage of before its headlines, and that it is none of the episode's time."""
    monkeypatch.chdir(tmp_path)
    done = invoke("run", "deepseek-2025", "-s", "shock", "--no-baselines", "--trials", "off", "-o", "run")
    assert "trained on data until 2024-12-31, before the first session: not contaminated" in " ".join(
        done.stdout.split()
    )
    document = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))
    assert document["scorer"] == {
        "name": "disruption-2024-12-31 5", "trained_until": "2024-12-31", "contaminated_for": []
    }  # fmt: skip


def test_score_and_benchmark_take_a_scorer(tmp_path):
    """The words that did it, the explanation, and the scorer measured by its name."""
    title = "Lender posts wider loss as provisions climb"
    scored = json.loads(invoke("score", title, "--scorer", "disruption-2023-12-31", "--json").stdout)
    assert scored["language"] == "en"
    told = invoke("score", title, "--scorer", "disruption-2023-12-31", "--explain").stdout
    assert "analyzer's tone -" in told
    (tmp_path / "set.csv").write_text(f"title,label\n{title},negative\n", encoding="utf-8")
    measured = invoke(
        "score", "--benchmark", str(tmp_path / "set.csv"), "--scorer", "disruption-2023-12-31", "--json"
    ).stdout
    assert json.loads(measured)["scorer"] == "disruption-2023-12-31 5"


def test_a_sweep_by_another_scorer_is_another_sweep():
    """Its parts are not taken for the default's."""
    jobs = [
        Job(episodes=("deepseek-2025",), strategy="shock", grid=("threshold=0.2,0.4",), settings=(), scorer=name)
        for name in ("", "disruption-2023-12-31")
    ]
    assert jobs[0].hash() != jobs[1].hash()
    assert jobs[0].document()["scorer"] == DEFAULT.label


def test_tables_are_scored_by_it_and_never_mixed(tmp_path):
    """Files that the default made are made again for another scorer."""
    pd.DataFrame({"title": ["Chip demand soars on AI"]}).to_parquet(tmp_path / "a.parquet")
    tones = []
    for name in (DEFAULT.name, "disruption-2023-12-31", DEFAULT.name):
        invoke("score", "--input", str(tmp_path / "a.parquet"), "--output", str(tmp_path / "out"), "--scorer", name)
        frame = pd.read_parquet(tmp_path / "out" / "a.parquet")
        tones.append(float(frame["sentiment"][0]))
    assert tones[0] == tones[2] != tones[1]


def test_an_archive_keeps_the_scores_of_each_scorer(tmp_path, monkeypatch):
    """A run on it stores them under the scorer's own key, and the next one takes them."""
    monkeypatch.chdir(tmp_path)
    seen = datetime(2025, 1, 24, 12, 0, tzinfo=UTC)
    with Archive(tmp_path / "a.sqlite") as archive:
        head = Headline(id="1", feed="f", source="S", title="Chip maker raises its profit forecast", summary="",
                        link="", language="en", published=None, seen=seen)  # fmt: skip
        archive.record(Document(feed="f", url="f", at=seen, hash="", provenance="live", rule="seen"), [head])
    chosen = registry.scorer_named("disruption-2023-12-31")
    invoke("run", "deepseek-2025", "-s", "shock", "--no-baselines", "--news", "archive", "--archive", "a.sqlite", "--scorer", chosen.name,
           "--trials", "off", "-o", "run")  # fmt: skip
    with Archive(tmp_path / "a.sqlite") as archive:
        (held,) = archive.history(None, seen + timedelta(days=1))
        assert archive.scores([held.row], chosen.key) == {held.row: chosen.score(head.title, "", "en", None)}
        assert archive.scores([held.row], DEFAULT.key) == {}


def test_a_run_by_a_scorer_that_is_gone_says_so():
    """In one line, with what to do; a name that a user types gets the nearest instead."""
    with pytest.raises(InputError, match="scored by 'vader-disruption 4', which this version no longer has"):
        registry.scorer_named("vader-disruption 4", trusted=False)
    with pytest.raises(InputError, match="no scorer 'disrption'; did you mean 'disruption'"):
        registry.scorer_named("disrption")
