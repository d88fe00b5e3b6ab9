"""Choosing a scorer: one registry, its name in every result, and whether it may have learned from the episode."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from click.testing import CliRunner

from backtests.cli import cli
from backtests.records.contamination import scorer_facts, scorer_line
from backtests.sweep.job import Job
from feeds.archive import Archive, Document
from feeds.errors import InputError
from feeds.headline import Headline
from feeds.scoring import DEFAULT, registry

LATE = dataclasses.replace(DEFAULT, name="late", version="7", trained_until=date(2025, 6, 30), about="knows the end")


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
    with pytest.raises(InputError, match="no scorer 'learned-ton'; did you mean 'learned-tone'"):
        registry.scorer_named("learned-ton")


def test_scorers_are_stored_under_keys_of_their_own():
    """No scorer is taken for another."""
    keys = [each.key for each in registry.scorers().values()]
    assert len(set(keys)) == len(keys)


def test_the_list_says_until_when_each_has_learned():
    """In words, and as JSON."""
    assert "learned-tone 2: " in invoke("scorers").stdout
    rows = json.loads(invoke("scorers", "--json").stdout)
    assert [row["trained_until"] for row in rows] == [None, "2022-03-08"]


@pytest.mark.parametrize(
    ("first", "late"), [(date(2025, 1, 13), False), (date(2022, 3, 8), True), (date(2020, 1, 2), True)]
)
def test_a_cut_off_on_or_after_the_first_session_contaminates(first, late):
    """The day itself counts: what it learned on it may be of the episode."""
    facts = scorer_facts("learned-tone 2", date(2022, 3, 8), {"mine": first, "later": date(2026, 1, 2)})
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
    done = invoke("run", "deepseek-2025", "-s", "shock", "--scorer", "late", "--trials", "off", "-o", "run", "--json")
    assert words in " ".join(done.stderr.split())
    assert json.loads(done.stdout)["scorer"]["contaminated_for"] == ["deepseek-2025"]
    assert words in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    invoke("compare", "run", "run", "-o", "both.html")
    assert "late 7 (CONTAMINATED" in (tmp_path / "both.html").read_text(encoding="utf-8")
    assert words in " ".join(invoke("study", "run").stdout.split())
    assert json.loads((tmp_path / "run" / "evidence" / "study.json").read_text())["scorer"]["name"] == "late 7"


@pytest.mark.usefixtures("late")
def test_several_episodes_are_told_apart(tmp_path, monkeypatch):
    """Two of those that ship began after mid-2025."""
    monkeypatch.chdir(tmp_path)
    done = invoke("run", "all", "-s", "shock", "--scorer", "late", "--trials", "off", "--json")
    names = {each["episode"] for each in json.loads(done.stdout)["episodes"]}
    assert set(json.loads(done.stdout)["scorer"]["contaminated_for"]) == names - {
        "ai-bubble-2025",
        "software-selloff-2026",
    }
    assert "CONTAMINATED scorer late 7" in done.stderr
    grid = ["sweep", "deepseek-2025", "-s", "shock", "threshold=0.2,0.4", "--scorer", "late", "--trials", "off"]
    assert "CONTAMINATED scorer late 7" in invoke(*grid, "-o", "grid").stdout


@pytest.mark.usefixtures("late")
def test_a_run_by_another_scorer_is_made_again_and_audited_by_it(tmp_path, monkeypatch):
    """Byte for byte, and its name stands in the run's configuration; another scorer is refused."""
    monkeypatch.chdir(tmp_path)
    done = invoke("run", "deepseek-2025", "-s", "shock", "--scorer", "learned-tone", "--trials", "off", "-o", "run")
    assert "trained on data until 2022-03-08, before the first session: not contaminated" in done.stdout
    assert json.loads((tmp_path / "run" / "run_card.json").read_text())["config"]["scorer"] == "learned-tone 2"
    assert "learned:" in (tmp_path / "run" / "scores.csv").read_text(encoding="utf-8")
    invoke("verify", "run")
    assert " 0 differed" in invoke("audit", "run").stdout
    for other in ("late", DEFAULT.name):
        with pytest.raises(InputError, match="scored by learned-tone"):
            invoke("audit", "run", "--scorer", other)
    assert " 0 differed" in invoke("audit", "run", "--scorer", "learned-tone").stdout


def test_without_a_name_everything_is_as_ever(tmp_path, monkeypatch):
    """The default's name, no line on training."""
    monkeypatch.chdir(tmp_path)
    done = invoke("run", "deepseek-2025", "-s", "shock", "--trials", "off", "-o", "run")
    assert "trained on data" not in done.stdout
    document = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))
    assert document["scorer"] == {"name": DEFAULT.label, "trained_until": None, "contaminated_for": []}


def test_score_and_benchmark_take_a_scorer(tmp_path):
    """The words that did it, the explanation, and the scorer measured by its name."""
    title = "Lender posts wider loss as provisions climb"
    scored = json.loads(invoke("score", title, "--scorer", "learned-tone", "--json").stdout)
    assert any(hit.startswith("learned:") for hit in scored["features"])
    told = invoke("score", title, "--scorer", "learned-tone", "--explain").stdout
    assert "learned tone −" in told.replace("tone -", "tone −")
    assert "the rules' tone" in told
    (tmp_path / "set.csv").write_text(f"title,label\n{title},negative\n", encoding="utf-8")
    measured = invoke("score", "--benchmark", str(tmp_path / "set.csv"), "--scorer", "learned-tone", "--json").stdout
    assert json.loads(measured)["scorer"] == "learned-tone 2"


def test_a_sweep_by_another_scorer_is_another_sweep():
    """Its parts are not taken for the default's."""
    jobs = [
        Job(episodes=("deepseek-2025",), strategy="shock", grid=("threshold=0.2,0.4",), settings=(), scorer=name)
        for name in ("", "learned-tone")
    ]
    assert jobs[0].hash() != jobs[1].hash()
    assert jobs[0].document()["scorer"] == DEFAULT.label


def test_tables_are_scored_by_it_and_never_mixed(tmp_path):
    """Files that the default made are made again for another scorer."""
    pd.DataFrame({"title": ["Lender posts wider loss as provisions climb"]}).to_parquet(tmp_path / "a.parquet")
    tones = []
    for name in (DEFAULT.name, "learned-tone", DEFAULT.name):
        invoke("score", "--input", str(tmp_path / "a.parquet"), "--output", str(tmp_path / "out"), "--scorer", name)
        frame = pd.read_parquet(tmp_path / "out" / "a.parquet")
        tones.append((float(frame["tone"][0]), "learned:" in frame["features"][0]))
    assert tones[0] == tones[2] != tones[1]
    assert [learned for _, learned in tones] == [False, True, False]


def test_an_archive_keeps_the_scores_of_each_scorer(tmp_path, monkeypatch):
    """A run on it stores them under the scorer's own key, and the next one takes them."""
    monkeypatch.chdir(tmp_path)
    seen = datetime(2025, 1, 24, 12, 0, tzinfo=UTC)
    with Archive(tmp_path / "a.sqlite") as archive:
        head = Headline(id="1", feed="f", source="S", title="Chip maker raises its profit forecast", summary="",
                        link="", language="en", published=None, seen=seen)  # fmt: skip
        archive.record(Document(feed="f", url="f", at=seen, hash="", provenance="live", rule="seen"), [head])
    chosen = registry.scorer_named("learned-tone")
    invoke("run", "deepseek-2025", "-s", "shock", "--news", "archive", "--archive", "a.sqlite", "--scorer", chosen.name,
           "--trials", "off", "-o", "run")  # fmt: skip
    with Archive(tmp_path / "a.sqlite") as archive:
        (held,) = archive.history(None, seen + timedelta(days=1))
        assert archive.scores([held.row], chosen.key) == {held.row: chosen.score(head.title, "", "en", None)}
        assert archive.scores([held.row], DEFAULT.key) == {}
