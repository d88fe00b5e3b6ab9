"""Measuring a scorer: figures by hand, halves apart, every layout of labels read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from backtests.cli import cli
from feeds.errors import InputError
from feeds.scoring import Score, Scorer
from feeds.scoring.benchmark import answers, classes, correlation, report
from feeds.scoring.labelled import Labelled, read_labelled

GUID_FEED = """<rss version="2.0"><channel><title>t</title><language>en</language><item><title>Rain in March</title>
<description>More than usual.</description><guid isPermaLink="false">a-1</guid>
<pubDate>Tue, 14 Mar 2023 12:00:00 GMT</pubDate></item></channel></rss>"""


def always(tone: float, **parts) -> Scorer:
    """A scorer that says one thing of everything."""
    return Scorer(name="always", version="1",
                  score=lambda *_: Score(language="en", relevance=0.0, sentiment=0.0, tone=tone, **parts))  # fmt: skip


def test_accuracy_macro_f1_and_confusion_are_those_counted_by_hand():
    """Six pairs: F1 of -1 is 2·1/(2·1+1) = 2/3, of 0 is 2·2/(2·2+1+1) = 2/3, of 1 is 2·1/(2·1+2) = 1/2."""
    figures = classes([(-1, -1), (-1, 0), (0, 0), (0, 0), (0, 1), (1, 1)])
    assert figures["accuracy"] == pytest.approx(4 / 6)
    assert figures["f1"] == pytest.approx({"-1": 2 / 3, "0": 2 / 3, "1": 2 / 3})
    assert figures["macro_f1"] == pytest.approx(2 / 3)
    assert figures["confusion"]["0"] == {"-1": 0, "0": 2, "1": 1}
    assert (figures["wrong_signs"], figures["false_polar"]) == (0, pytest.approx(1 / 3))


def test_a_wrong_sign_is_a_plus_said_of_a_minus():
    """And the reverse; a neutral answer is none."""
    assert classes([(-1, 1), (1, -1), (1, 0)])["wrong_signs"] == 2


@given(st.lists(st.tuples(st.sampled_from([-1, 0, 1]), st.sampled_from([-1, 0, 1])), min_size=1))
def test_figures_stay_in_their_range_and_the_confusion_holds_every_pair(pairs):
    """A law, whatever the pairs."""
    figures = classes(pairs)
    assert 0 <= figures["macro_f1"] <= 1
    assert sum(sum(row.values()) for row in figures["confusion"].values()) == len(pairs)


def test_pearsons_r_is_one_on_a_line_and_none_without_variance():
    """By its definition."""
    assert correlation([(0.1, 1.0), (0.2, 2.0), (0.3, 3.0)])["r"] == pytest.approx(1)
    assert correlation([(0.1, 3.0), (0.2, 2.0), (0.3, 1.0)])["r"] == pytest.approx(-1)
    assert correlation([(0.1, 1.0), (0.2, 1.0)])["r"] is None


@pytest.mark.parametrize(
    ("columns", "row", "axes"),
    [
        ("guid,lang,title,relevance,compute_demand,tone,reaction,entities,sure", 'a,en,T,1,,1,0,"{""NVDA"":1}",1',
         {"relevance", "tone", "reaction", "entities"}),
        ("id,lang,title,summary,relevance,compute_demand,tone,entities", "h,de,T,S,1,-1,1,{}",
         {"relevance", "compute_demand", "tone"}),
        ("id,lang,title,published,relevance,compute_demand,tone", "r,en,T,,1,1,0", {"relevance", "compute_demand", "tone"}),
        ("headline_id,text,entity,label", "1,Acme rises,Acme,positive", {"tone", "direction"}),
        ("id,split,text,entity,score,label", "1,train,Acme rises,Acme,-0.4,negative",
         {"score", "score towards the company", "tone"}),
        ("text,label,source", "T,neutral,x", {"tone"}),
        ("published_utc,language,title,summary", "x,sv,T,S", {"language"}),
    ],
)  # fmt: skip
def test_each_layout_is_recognised_by_its_columns(columns, row, axes, tmp_path):
    """Which figures come out follows from what is labelled."""
    path = tmp_path / "labelled.csv"
    path.write_text(f"{columns}\n{row}\n", encoding="utf-8")
    assert {each.axis for each in answers(read_labelled(path), always(1.0))} == axes


def test_rows_of_one_headline_are_one_headline_with_two_directions(tmp_path):
    """Two companies that go apart: no tone of the headline, and a figure of its own."""
    path = tmp_path / "labelled.csv"
    path.write_text("text,entity,label\nA up as B falls,A,positive\nA up as B falls,B,negative\n", encoding="utf-8")
    (row,) = read_labelled(path)
    assert (row.named, row.tone) == ((("A", 1), ("B", -1)), None)
    assert "direction where two differ" in report(answers([row], always(1.0)))


def test_titles_and_summaries_are_looked_up_by_guid_in_feed_files(tmp_path):
    """So that a label file need not repeat the words."""
    (tmp_path / "feed.xml").write_text(GUID_FEED, encoding="utf-8")
    path = tmp_path / "labelled.csv"
    path.write_text("guid,tone\na-1,0\n", encoding="utf-8")
    (row,) = read_labelled(path, feeds=[tmp_path])
    assert (row.title, row.summary, row.tone) == ("Rain in March", "More than usual.", 0)


def test_a_missed_company_counts_as_wrong():
    """Not found is not right."""
    rows = [Labelled(title="T", entities={"NVDA": 0})]
    (answer,) = answers(rows, always(0.0))
    assert answer.wrong


def test_a_headline_is_in_the_same_half_in_every_file():
    """The half follows from the title alone, whatever its capitals and blanks."""
    halves = [Labelled(title=f"headline {n}").in_check_half for n in range(400)]
    assert 150 < sum(halves) < 250
    assert (
        Labelled(title="headline 7", summary="more").in_check_half == Labelled(title="headline 7", tone=1).in_check_half
    )


@pytest.mark.parametrize(
    ("document", "said"),
    [("a,b\n1,2\n", "no column title"), ("title,tone\nT,2\n", "row 2"), ("title,tone\n", "no headline")],
)
def test_a_file_that_is_no_labelled_file_is_refused_in_one_line(document, said, tmp_path):
    """What, where, what to do."""
    path = tmp_path / "labelled.csv"
    path.write_text(document, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_labelled(path)


def test_the_command_prints_both_halves_with_vader_and_hides_the_check_halfs_errors(tmp_path):
    """Nobody tunes on what is not shown."""
    rows = [f"Firm {n} reports a loss" for n in range(40)]
    path = Path(tmp_path / "labelled.csv")
    path.write_text("title,tone\n" + "".join(f"{row},1\n" for row in rows), encoding="utf-8")
    done = CliRunner().invoke(cli, ["score", "--benchmark", str(path), "--json"], catch_exceptions=False)
    document = json.loads(done.output)
    assert document["figures"]["tone"]["check"]["scorer"]["accuracy"] == 0
    assert document["figures"]["tone"]["check"]["vader"]["n"] > 0
    assert document["errors"]
    assert not any(Labelled(title=each["text"]).in_check_half for each in document["errors"])
