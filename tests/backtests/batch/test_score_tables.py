"""Whole tables of headlines: a file of scores for each, the same bytes wherever they were made."""

from __future__ import annotations

import pandas as pd
import pytest
from click.testing import CliRunner

from backtests.batch.pools import Processes
from backtests.batch.score_tables import score_tables
from backtests.cli import cli
from feeds.errors import InputError
from feeds.scoring import score

TITLES = [
    "Cheaper AI model casts doubt on chip demand",
    "Utility signs deal to power AI data centre",
    None,
    "",
    "x" * 5000,
]


@pytest.fixture
def news(tmp_path):
    """Two tables of made-up headlines, 60 rows each."""
    folder = tmp_path / "news"
    folder.mkdir()
    for name in ("a", "b"):
        frame = pd.DataFrame({"id": [f"{name}{n}" for n in range(60)], "title": TITLES * 12, "other": 1.0})
        frame.to_parquet(folder / f"{name}.parquet")
    return folder


def test_every_row_has_the_score_of_its_title(news, tmp_path):
    """As `backtest score` gives it, in order; a missing title is an empty one."""
    done = CliRunner().invoke(cli, ["score", "--input", f"{news}/*.parquet", "--output", str(tmp_path / "out")],
                              catch_exceptions=False)  # fmt: skip
    assert "120 headlines of 2 files" in done.stdout
    frame = pd.read_parquet(tmp_path / "out" / "b.parquet")
    assert list(frame["id"]) == [f"b{n}" for n in range(60)]
    assert list(frame["sentiment"]) == [score(title or "").sentiment for title in TITLES * 12]
    assert len(set(frame["sentiment"])) > 1


def test_workers_and_interruptions_change_no_byte(news, tmp_path, monkeypatch):
    """One worker; two; and one that fails after two blocks and is asked again."""
    monkeypatch.setattr("backtests.batch.score_tables.BLOCK", 7)
    files = sorted(news.glob("*.parquet"))
    score_tables(files, tmp_path / "one", Processes())

    class Failing:
        def run(self, work, pieces):
            for number, piece in enumerate(pieces[:2]):
                yield number, work(*piece)
            raise InputError("killed")

    with pytest.raises(InputError, match="killed"):
        score_tables(files, tmp_path / "again", Failing())
    seen = []
    score_tables(files, tmp_path / "again", Processes(), on_progress=seen.append)
    assert sum(seen) == 120 - 14
    for name in ("a", "b"):
        one = (tmp_path / "one" / f"{name}.parquet").read_bytes()
        assert (tmp_path / "again" / f"{name}.parquet").read_bytes() == one
    assert not list((tmp_path / "again").glob(".*"))


def test_what_is_done_is_not_done_again(news, tmp_path):
    """Unless the headlines or the scorer are others."""
    files = [news / "a.parquet"]
    for _ in range(2):
        seen = []
        score_tables(files, tmp_path, Processes(), on_progress=seen.append)
    assert seen == []


def test_a_table_without_titles_is_named(tmp_path):
    """What, where, and what to do."""
    pd.DataFrame({"headline": ["x"]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match="no column title"):
        score_tables([tmp_path / "a.parquet"], tmp_path / "out", Processes())
    pd.DataFrame({"title": ["x"]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match="would write over"):
        score_tables([tmp_path / "a.parquet"], tmp_path, Processes())
