"""Scores as a file: by id or title, checked cell by cell, never asked before the news, and a run's own read back."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from backtests import load_episode, replay
from backtests.cli import cli
from feeds.errors import InputError
from feeds.scorers.answer import as_score, entities_cell
from feeds.scorers.registry import scorer_named
from feeds.scoring import UNKNOWN, Entity, Score, ScoreInput

KNOWN = datetime(2025, 1, 27, 12, tzinfo=UTC)
CHIPS = ScoreInput("Chips fall", "", "en", "a1", KNOWN)


@pytest.fixture
def file(tmp_path):
    """Makes the scorer of a file's text."""

    def make(text: str, name: str = "mine.csv", **settings):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return scorer_named(str(tmp_path / name), settings)

    return make


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("s.csv", "id,sentiment,entities\na1,-0.5,NVDA:-1 AMD:+1:0.85\n"),
        ("s.csv", "title,sentiment,entities\nChips fall,-0.5,NVDA:-1 AMD:+1:0.85\n"),
        ("s.csv", f"title_sha256,sentiment,entities\n{hashlib.sha256(b'Chips fall').hexdigest()},-.5,NVDA:-1 AMD:1:0.85\n"),
        ("s.jsonl", '{"id": "a1", "sentiment": -0.5, "entities": "NVDA:-1 AMD:+1:0.85"}\n'),
    ],
)  # fmt: skip
def test_a_headline_has_the_score_of_its_row(file, name, text):
    """By id, title, or the title's SHA-256; what the row leaves out is neutral."""
    (scored,) = file(text, name).scores([CHIPS], None)
    named = (Entity(symbol="NVDA", direction=-1, salience=1.0), Entity(symbol="AMD", direction=1, salience=0.85))
    assert scored == Score(language="en", relevance=1.0, sentiment=-0.5, tone=0.0, entities=named)


def test_parquet_is_read_like_csv(tmp_path):
    """With pyarrow, the extra `parquet`."""
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pq.write_table(
        pa.table({"id": ["a1", "b2"], "tone": [0.25, None], "asked_at": [KNOWN, KNOWN]}), tmp_path / "s.parquet"
    )
    scores = scorer_named(str(tmp_path / "s.parquet")).scores([CHIPS, CHIPS._replace(id="b2")], None)
    assert [each.tone for each in scores] == [0.25, 0.0]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("s.csv", "id,sentiment\na1,much\n", r"s\.csv, row 2, sentiment: is 'much'; give a number"),
        ("s.csv", "id,sentiment\na1,-1.5\n", r"row 2, sentiment: is out of range: -1\.5"),
        ("s.csv", "id,relevance\nb,1\na1,nan\n", r"row 3, relevance: is out of range: nan"),
        ("s.csv", "id,reaction\na1,maybe\n", r"row 2, reaction: is 'maybe'; give true or false"),
        ("s.csv", "id,entities\na1,NVDA\n", r"row 2, entities: are 'NVDA'; write"),
        ("s.csv", "id,tone,asked_at\na1,0,2025-01-27\n", r"row 2, asked_at: .* give a time with its zone"),
        ("s.csv", "id,tone,trained_until\na1,0,lately\n", r"row 2, trained_until: .* give a day"),
        ("s.csv", "id,tone\n,0.5\n", r"row 2, id/title/title_sha256: is empty"),
        ("s.csv", "title_sha256,tone\nabc,0.5\n", r"row 2, title_sha256: is 'abc'; give 64 hex digits"),
        ("s.csv", "id,tone\na1,0.5,7\n", r"row 2: has not as many cells as the header"),
        ("s.csv", "id,mood\na1,0.5\n", r"s\.csv: needs a column of id"),
        ("s.csv", "id,tone\na1,0.5\na1,0.25\n", r"row 3: gives the headline of row 2 another score"),
        ("s.jsonl", '{"id": "a1", "tone": NaN}\n', r"s\.jsonl, row 1: is no JSON object"),
        ("s.jsonl", '{"id": 7, "tone": 0}\n', r"row 1, id: is 7; give a text"),
        ("s.jsonl", '{"id": "a1", "tone": "good"}\n', r"row 1, tone: is 'good'"),
        ("s.parquet", "no table", r"s\.parquet: is no Parquet table"),
        ("s.csv", "id,title,tone\na1," + 21_000 * "x" + ",0\n", r"row 2, title: has more than 20,000 characters"),
    ],
)  # fmt: skip
def test_a_bad_cell_is_one_line_with_file_row_and_column(file, name, text, says):
    """Nothing is guessed."""
    with pytest.raises(InputError, match=says) as found:
        file(text, name)
    assert "\n" not in str(found.value)


def test_a_score_asked_before_its_headline_was_known_is_refused_and_one_asked_later_is_marked(file):
    """Equality counts as in time; without `asked_at` nothing is said."""
    asked = [KNOWN - timedelta(seconds=1), KNOWN, KNOWN + timedelta(days=90)]
    early, prompt, late = (file(f"id,tone,asked_at\na1,0.5,{moment.isoformat()}\n") for moment in asked)
    with pytest.raises(InputError, match=r"mine\.csv, row 2: asked at 2025-01-27T11:59:59\+00:00, before its headline"):
        early.scores([CHIPS], None)
    assert prompt.remark(CHIPS) == ""
    assert "asked after they were known" in late.remark(CHIPS)
    assert file("id,tone\na1,0.5\n").remark(CHIPS) == ""


def test_what_has_no_score_is_counted_and_neutral_or_scored_by_the_default(file):
    """By choice; the default is the vintage of before the episode."""
    other = ScoreInput("Nvidia plunges as cheap model casts doubt on chip demand", "", "en", "b2", KNOWN)
    neutral = file("id,tone\na1,0.5\n")
    assert neutral.scores([other], None) == [Score(language="en", relevance=0.0, sentiment=0.0, tone=0.0)]
    assert neutral.remark(other) == "headlines without a score in mine.csv: neutral"
    fallen = file("id,tone\na1,0.5\n", missing="default").before(KNOWN.date())
    vintage = scorer_named("disruption-2024-12-31")
    assert (
        fallen.scores([other, CHIPS], None)[0] == vintage.scores([other], None)[0] != neutral.scores([other], None)[0]
    )
    assert fallen.remark(other) == f"headlines without a score in mine.csv: scored by {vintage.label}"


@pytest.mark.parametrize(
    ("rows", "said", "until"),
    [
        ("0,2024-06-30\nb,0,2024-03-01", None, "2024-06-30"),
        ("0,2024-06-30\nb,0,", None, "9999-12-31"),  # one row does not say: nobody knows
        ("0,2024-06-30\nb,0,", "2024-10-01", "2024-10-01"),
        ("0,2024-06-30\nb,0,", "none", "2024-06-30"),
        ("0,unknown\nb,0,", "none", "9999-12-31"),
    ],
)
def test_the_cut_off_is_the_latest_of_all_rows_and_unknown_where_one_does_not_say(file, rows, said, until):
    """`--trained-until` speaks for rows that say nothing, never for the others."""
    found = file(f"id,tone,trained_until\na1,{rows}\n", **({"trained_until": said} if said else {}))
    assert (found.trained_until, UNKNOWN.isoformat()) == (datetime.fromisoformat(until).date(), "9999-12-31")


def test_scores_of_a_run_fed_back_give_the_same_bytes(tmp_path, monkeypatch):
    """Every table and figure of the run, but for the scorer's name; what is made of the folder needs no file beside."""
    monkeypatch.chdir(tmp_path)
    first = "run deepseek-2025 --no-baselines --trials off -s shock -s pairs -o first".split()
    again = "run deepseek-2025 --no-baselines --trials off -s shock -s pairs --scores first/scores.csv -o again".split()
    for words in (first, again):
        assert CliRunner().invoke(cli, words, catch_exceptions=False).exit_code == 0
    tables = sorted(path.name for path in (tmp_path / "first").glob("*.csv"))
    assert len(tables) == 11
    for name in tables:
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "first" / name).read_bytes(), name
    mine, theirs = (json.loads((tmp_path / each / "metrics.json").read_text()) for each in ("first", "again"))
    assert mine.pop("scorer")["name"] == "disruption-2024-12-31 5"
    assert theirs.pop("scorer")["name"].startswith("scores.csv ")
    assert mine == theirs
    card = json.loads((tmp_path / "again" / "run_card.json").read_text())["config"]["scorer_source"]
    assert card["sha256"] == hashlib.sha256((tmp_path / "first" / "scores.csv").read_bytes()).hexdigest()
    (tmp_path / "first").rename(tmp_path / "elsewhere")
    for verb, words in {"verify": "files came out the same", "audit": " 0 differed", "delay": "UNKNOWN"}.items():
        done = CliRunner().invoke(cli, [verb, "again"], catch_exceptions=False)
        assert done.exit_code == 0
        assert words in done.stdout


def test_a_run_says_which_scores_it_missed_and_which_came_late(tmp_path, monkeypatch):
    """Counted in the result, whose contamination nobody knows."""
    monkeypatch.chdir(tmp_path)
    ours = replay(load_episode("deepseek-2025"), "shock").tables["scores"].records()[:100]
    with (tmp_path / "mine.csv").open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(["id", "sentiment", "model", "asked_at"])
        rows.writerows([row["id"], row["sentiment"], "gpt-x", "2026-01-01T00:00:00Z"] for row in ours)
    words = "run deepseek-2025 --no-baselines --trials off -s shock --scores mine.csv --json".split()
    done = CliRunner().invoke(cli, words, catch_exceptions=False)
    document = json.loads(done.stdout)
    assert document["headlines"]["remarks"] == {
        "headlines without a score in mine.csv: neutral": document["headlines"]["total"] - 100,
        "headlines whose score was asked after they were known: whoever gave it may have known what came": 100,
    }
    assert "Scores of mine.csv: by gpt-x." in document["notes"]
    assert document["scorer"]["trained_until"] == "unknown"
    assert "CONTAMINATION UNKNOWN scorer mine.csv" in done.stderr


SCORES = st.builds(
    Score,
    language=st.sampled_from(["en", "de"]),
    relevance=st.floats(0, 1), sentiment=st.floats(-1, 1), tone=st.floats(-1, 1), displacement=st.floats(-1, 1),
    reaction=st.booleans(), cause=st.booleans(),
    entities=st.lists(
        st.builds(Entity, symbol=st.sampled_from(["NVDA", "BRK.B"]), direction=st.sampled_from([-1, 0, 1]),
                  salience=st.floats(0, 1)), max_size=3,
    ).map(tuple),
)  # fmt: skip


@given(SCORES)
def test_every_score_comes_back_from_its_cells(score):
    """To the last bit."""
    cells = {name: getattr(score, name) for name in ("language", "relevance", "sentiment", "tone", "displacement")}
    cells |= {"reaction": score.reaction, "cause": score.cause, "entities": entities_cell(score.entities)}
    assert as_score(ScoreInput(""), cells) == score
