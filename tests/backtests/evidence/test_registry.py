"""A method of evidence is one file and one row: it reaches JSON, terminal, page, verify and the diff of names."""

from __future__ import annotations

import importlib.util
import json
import re

import pytest
from click.testing import CliRunner

from backtests import Result
from backtests.auditing.reproduction import verify
from backtests.cli import cli
from backtests.evidence import registry
from backtests.evidence.registry import METHODS, Evidence
from backtests.records.shape import whole
from feeds.errors import InputError
from tests.helpers.paths import ROOT

TOY = '''
"""Counts the headlines of a run."""

def gather(run):
    return {"name": "toy", "headlines": len(run.news.items), "strategies": [rule.name for rule in run.rules]}

def text(document):
    return f"Toy: {document['headlines']} headlines\\\\n"

def page_section(document):
    return f"<h3>Toy</h3><p>{document['headlines']} headlines counted</p>"
'''


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """The one file, and the one row that lists it."""
    (tmp_path / "toy.py").write_text(TOY.replace("\\\\n", "\\n"))
    spec = importlib.util.spec_from_file_location("toy", tmp_path / "toy.py")
    method = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(method)
    row = Evidence(
        name="toy", shape={"headlines": whole}, gather=method.gather, text=method.text,
        page_section=method.page_section, in_report=True,
    )  # fmt: skip
    monkeypatch.setattr(registry, "METHODS", (*METHODS, row))


def run(folder) -> str:
    """The terminal report of a run on the shipped episode."""
    words = ["run", "deepseek-2025", "-s", "buy-hold", "--no-baselines", "--trials", "off", "-o", str(folder)]
    done = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


@pytest.mark.usefixtures("toy")
def test_one_file_and_one_row_reach_json_terminal_page_and_verify(tmp_path):
    """332 headlines, as the report says itself; made again by `verify` to the byte."""
    folder = tmp_path / "run"
    assert "Toy: 332 headlines\n" in run(folder)
    assert json.loads((folder / "evidence" / "toy.json").read_text()) == {
        "name": "toy", "headlines": 332, "strategies": ["buy-hold"],
    }  # fmt: skip
    assert "332 headlines counted" in (folder / "report.html").read_text()
    found = verify(folder)
    assert (found.differences, [note for note in found.notes if "toy" in note]) == ((), [])


def test_without_its_row_a_method_is_nowhere(tmp_path):
    """The run has no trace of it: the test above finds what the row does."""
    assert "Toy" not in run(tmp_path / "run")
    assert not (tmp_path / "run" / "evidence" / "toy.json").exists()


def test_a_longer_document_that_a_command_put_there_is_taken_over_and_noted(tmp_path):
    """`attribute` leaves headlines out; `verify` says that it did not do that again."""
    folder = tmp_path / "run"
    run(folder)
    words = ["attribute", str(folder)]
    assert CliRunner().invoke(cli, words, catch_exceptions=False).exit_code == 0
    document = Result.load(folder).evidence["attribution"]
    document["strategies"][0]["leave_one_out"] = [{"left_out": "x"}]
    (folder / "evidence" / "attribution.json").write_text(json.dumps(document))
    assert "taken as it stands, not made again: evidence/attribution.json" in verify(folder).notes


def test_names_are_unique_and_commands_exist():
    """A method that is added on request names a command of the program."""
    assert len({each.name for each in METHODS}) == len(METHODS)
    assert [each.on_request for each in METHODS if each.on_request and each.on_request not in cli.commands] == []


def test_every_method_has_a_heading_and_a_file_on_the_page_of_evidence():
    """docs/evidence.md names `evidence/NAME.json` of each, and no other."""
    page = (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8")
    assert set(re.findall(r"evidence/(\w+)\.json", page)) == {each.name for each in METHODS}


def test_a_run_gathers_in_one_go_what_it_is_asked_for(tmp_path):
    """With an estimate before; each document as its own command would have put it there."""
    folder = tmp_path / "run"
    words = ["run", "deepseek-2025", "-s", "shock", "--no-baselines", "--no-resample", "--start", "2025-01-21"]
    done = CliRunner().invoke(cli, [*words, "--evidence", "study,signal", "-o", str(folder)], catch_exceptions=False)
    assert (done.exit_code, "evidence: study, signal; about " in done.stderr) == (0, True)
    kept = {path.stem: path.read_text() for path in (folder / "evidence").glob("*.json")}
    assert {"study", "signal"} <= set(kept)
    for name in ("study", "signal"):
        done = CliRunner().invoke(cli, [name, str(folder)], catch_exceptions=False)
        assert json.loads((folder / "evidence" / f"{name}.json").read_text()) | {"scorer": None} == (
            json.loads(kept[name]) | {"scorer": None}
        )


@pytest.mark.parametrize("names", ["stuyd", "trials", ""])
def test_evidence_that_cannot_be_asked_for_is_refused(names):
    """One line that says what can."""
    with pytest.raises(InputError, match=r"did you mean 'study'|there are: all, delay, placebo"):
        registry.asked(names)


def test_every_command_that_adds_evidence_can_be_asked_for_in_a_run():
    """`--evidence all` leaves nothing to add but longer forms of what a run has anyway, and what scores it all again."""
    wanted = {each.name for each in METHODS if each.on_request and not each.gather} - {"masked"}
    assert {each.name for each in registry.asked("all")} == wanted
