"""Import of lists: a document for each feed of a file, whatever the order of its rows."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta

import pytest

from feeds.archive import Archive
from feeds.errors import InputError
from feeds.history import backfill
from feeds.history.backfill import import_paths

T0 = datetime(2025, 1, 20, tzinfo=UTC)
END = T0 + timedelta(days=30)


def rows(count: int, feeds: int) -> list[dict[str, str]]:
    """Rows in order of time, whose feeds alternate."""
    return [
        {
            "title": f"Title {number} about chips and turbines",
            "link": f"https://a.example/{number}",
            "feed": f"feed {number % feeds}",
            "seen": (T0 + timedelta(minutes=number)).isoformat(),
        }
        for number in range(count)
    ]


def write(path, made) -> None:
    """A file of JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in made))


def held(archive: Archive) -> list[tuple[str, str, datetime]]:
    """What the archive holds, in order of time and feed."""
    everything = archive.history(None, END)
    return sorted((each.headline.feed, each.headline.title, each.known) for each in everything)


def test_a_file_whose_feeds_alternate_is_one_document_for_each_feed(tmp_path):
    """Not one for each row."""
    write(tmp_path / "rows.jsonl", rows(500, 7))
    with Archive(tmp_path / "a.sqlite") as archive:
        report = import_paths(archive, tmp_path / "rows.jsonl", lost=print)
        assert (report.documents, archive.counts()["documents"]) == (7, 7)
        assert archive.counts()["headlines"] == 500
        assert archive.verify() == []


def test_order_and_batches_change_nothing_of_what_was_known_when(tmp_path, monkeypatch):
    """The same file shuffled, and stored a hundred rows at a time; twice, too."""
    made = rows(500, 7)
    write(tmp_path / "rows.jsonl", made)
    random.Random(1).shuffle(made)
    write(tmp_path / "shuffled.jsonl", made)
    with Archive(tmp_path / "a.sqlite") as one, Archive(tmp_path / "b.sqlite") as other:
        import_paths(one, tmp_path / "rows.jsonl", lost=print)
        monkeypatch.setattr(backfill, "_ROWS", 100)
        import_paths(other, tmp_path / "shuffled.jsonl", lost=print)
        assert held(one) == held(other)
        import_paths(other, tmp_path / "rows.jsonl", lost=print)
        assert held(one) == held(other)
        assert other.verify() == []


def test_copies_in_several_feeds_of_a_file_are_one_story_and_the_first_known_leads(tmp_path):
    """Though the feeds are stored one after the other."""
    title = "Chipmaker shares slide after cheaper model from China surprises the market"
    made = [{"title": title, "feed": feed, "seen": (T0 + timedelta(hours=hour)).isoformat()}
            for hour, feed in ((3, "a"), (1, "b"), (2, "a2"))]  # fmt: skip
    write(tmp_path / "rows.jsonl", made)
    with Archive(tmp_path / "a.sqlite") as archive:
        import_paths(archive, tmp_path / "rows.jsonl", lost=print)
        first, *later = archive.history(None, END)
        assert first.headline.feed == "b"
        assert [each.story for each in later] == [first.row, first.row] == [first.story] * 2


def test_rows_of_one_moment_that_share_a_link_are_all_kept(tmp_path):
    """A live page's items; an edit of one, at a later moment, is a revision. Imported again, nothing is added."""
    live = {"feed": "f", "link": "https://paper.example/live", "seen": "2025-01-27T14:00:00Z"}
    made = [{**live, "title": title} for title in ("Chips slump", "Utilities sink", "Nvidia loses a record sum")]
    own = {"feed": "f", "link": "https://paper.example/own", "title": "Cloud spends", "seen": "2025-01-27T14:00:00Z"}
    edited = {**own, "title": "Cloud spends more", "seen": "2025-01-27T15:00:00Z"}
    write(tmp_path / "rows.jsonl", [*made, own, edited])
    write(tmp_path / "reversed.jsonl", [edited, own, *made[::-1]])
    with Archive(tmp_path / "a.sqlite") as archive:
        for name in ("rows.jsonl", "rows.jsonl", "reversed.jsonl"):
            import_paths(archive, tmp_path / name, lost=print)
            assert sorted(each.headline.title for each in archive.as_of(END)) == [
                "Chips slump", "Cloud spends more", "Nvidia loses a record sum", "Utilities sink"
            ]  # fmt: skip
            assert archive.counts() == {
                "feeds": 1,
                "documents": archive.counts()["documents"],
                "revisions": 5,
                "headlines": 4,
            }
        assert archive.verify() == []


def test_what_came_before_a_broken_line_is_stored(tmp_path):
    """And once, when the corrected file is imported."""
    path = tmp_path / "rows.jsonl"
    write(path, rows(10, 2))
    whole = path.read_text()
    path.write_text(whole[: len(whole) // 2 + 9])
    with Archive(tmp_path / "a.sqlite") as archive:
        with pytest.raises(InputError, match=r"rows.jsonl:6"):
            import_paths(archive, path, lost=print)
        assert len(held(archive)) == 5
        path.write_text(whole)
        import_paths(archive, path, lost=print)
        assert len(held(archive)) == 10


def test_half_a_surrogate_pair_in_a_row_is_no_end_of_an_import(tmp_path):
    """JSON may hold one in any text; a file of SQLite cannot."""
    row = rows(1, 1)[0]
    broken = {**row, "title": "x\ud800y", "feed": "f\udfff", "source": "s\ud800", "link": "https://a.example/\ud83d"}
    write(tmp_path / "rows.jsonl", [broken, row])
    with Archive(tmp_path / "a.sqlite") as archive:
        import_paths(archive, tmp_path / "rows.jsonl", lost=print)
        assert len(held(archive)) == 2


def test_a_source_named_in_a_batch_that_was_undone_is_named_anew(tmp_path):
    """Its number may be another's by then."""
    with Archive(tmp_path / "a.sqlite") as archive:
        (pages,) = archive._connection.execute("PRAGMA page_count").fetchone()
        archive._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        write(tmp_path / "big.jsonl", [{**row, "source": "Lost paper"} for row in rows(500, 1)])
        with pytest.raises(InputError, match="disk is full"):
            import_paths(archive, tmp_path / "big.jsonl", lost=print)
        archive._connection.execute("PRAGMA max_page_count = 100000")
        write(tmp_path / "one.jsonl", [{**rows(1, 1)[0], "source": "Other paper"}])
        import_paths(archive, tmp_path / "one.jsonl", lost=print)
        write(tmp_path / "two.jsonl", [{**rows(2, 1)[1], "source": "Lost paper"}])
        import_paths(archive, tmp_path / "two.jsonl", lost=print)
        assert [each.headline.source for each in archive.history(None, END)] == ["Other paper", "Lost paper"]


def test_times_of_lists_may_be_seconds_or_milliseconds(tmp_path):
    """Both are one moment."""
    (tmp_path / "a.jsonl").write_text(
        '{"title": "One", "seen": 1737972000}\n{"title": "Two", "seen": 1737972000000}\n{"title": "Three", "seen": "1737972000000"}\n'
    )
    with Archive(tmp_path / "a.sqlite") as archive:
        import_paths(archive, tmp_path / "a.jsonl", lost=print)
        held = list(archive.history(None, datetime.max.replace(tzinfo=UTC)))
    assert [each.headline.seen for each in held] == [datetime(2025, 1, 27, 10, tzinfo=UTC)] * 3


def test_a_table_with_a_column_twice_is_refused(tmp_path):
    """Of two titles nobody knows which one counts."""
    (tmp_path / "a.csv").write_text("title,title,published\nA,B,2025-01-27T10:00:00Z\n")
    with Archive(tmp_path / "a.sqlite") as archive, pytest.raises(InputError, match="two columns title; keep one"):
        import_paths(archive, tmp_path / "a.csv", lost=print)
