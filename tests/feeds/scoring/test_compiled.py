"""Machine code made of the scorer's own sources: used where they are the same, with the same scores; never needed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from feeds.scoring import ScoreInput, score, score_many
from feeds.scoring.compiled import folder
from tests.feeds.scoring.test_scoring_ways import headlines
from tests.helpers.paths import ROOT
from tests.helpers.vader_texts import texts

FEEDS = ROOT / "feeds"
ASK = """
import json, sys
from feeds.scoring import COMPILED, ScoreInput, score_many
told = [ScoreInput(*each) for each in json.load(open(sys.argv[1], encoding="utf-8"))]
print(json.dumps([COMPILED, [repr(each) for each in score_many(told)]]))
"""


def python(room: Path, *command: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs Python on the packages of a folder."""
    known = {
        **os.environ,
        "AFTERSHOCK_COMPILED": "1",
        "PYTHONPATH": str(room),
        "PYTHONIOENCODING": "utf-8",
        **environment,
    }
    return subprocess.run(
        [sys.executable, *map(str, command)], check=False, cwd=room, env=known, capture_output=True, encoding="utf-8"
    )


def asked(room: Path, told: list[tuple[str, str, str]], **environment: str) -> tuple[bool, list[str]]:
    """Whether the packages of a folder score by machine code, and the scores."""
    (room / "told.json").write_text(json.dumps(told), encoding="utf-8")
    answer = python(room, "-c", ASK, "told.json", **environment)
    assert answer.returncode == 0, answer.stderr
    compiled, scores = json.loads(answer.stdout)
    return compiled, scores


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """A copy of the sources with machine code: that which `make` made, or made here."""
    if not any(map(shutil.which, filter(None, (os.environ.get("CC"), "cc", "gcc", "clang")))):
        pytest.skip("no C compiler")
    room = tmp_path_factory.mktemp("compiled")
    shutil.copytree(FEEDS, room / "feeds", ignore=shutil.ignore_patterns("__pycache__"))
    if not folder().is_dir():
        done = python(room, "-m", "feeds.scoring.compiling")
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("compiled 20 modules in ")
    return room


def test_machine_code_gives_the_same_scores(compiled):
    """3,000 titles of the lists' own words, and texts of emojis, capitals, odd letters and fuzz."""
    told = [each[:3] for each in headlines(3_000, seed=5)] + [(text, "", "") for text in texts(1_000, seed=5)]
    used, scores = asked(compiled, told)
    assert used
    assert scores == [repr(each) for each in score_many([ScoreInput(*each) for each in told])]


def test_machine_code_is_left_alone_where_asked_and_where_a_source_was_edited(compiled):
    """What is read is what stands in the file."""
    assert asked(compiled, [], AFTERSHOCK_COMPILED="0")[0] is False
    source = compiled / "feeds" / "scoring" / "vader_turns.py"
    before = source.read_text(encoding="utf-8")
    source.write_text(
        before.replace("NEGATED: Final[float] = N_SCALAR", "NEGATED: Final[float] = -9.0"), encoding="utf-8"
    )
    edited = asked(compiled, [("Stocks will not soar", "", "en")])
    source.write_text(before, encoding="utf-8")
    known = asked(compiled, [("Stocks will not soar", "", "en")])
    assert (edited[0], known[0]) == (False, True)
    assert edited[1] != known[1]


def test_without_a_compiler_one_line_says_so_and_what_was_made_stays(compiled):
    """Exit code 2; the machine code made before is still there, and is what it was for the source before."""
    source = compiled / "feeds" / "scoring" / "vader_turns.py"
    before = source.read_text(encoding="utf-8")
    source.write_text(before + "# edited\n", encoding="utf-8")
    failed = python(compiled, "-m", "feeds.scoring.compiling", CC="no-such-compiler")
    source.write_text(before, encoding="utf-8")
    assert failed.returncode == 2
    assert failed.stderr.startswith(
        "aftershock: scoring cannot be compiled, it needs a C compiler and the extra 'compiled': "
    )
    assert "no-such-compiler" in failed.stderr
    assert failed.stderr.count("\n") == 1
    assert asked(compiled, [])[0] is True


def test_damaged_machine_code_is_left_alone(compiled):
    """Headlines are scored by the sources then."""
    (library,) = (compiled / "feeds" / "scoring" / "_compiled").glob("*/engines__mypyc*")
    whole = library.read_bytes()
    library.write_bytes(b"")
    used, scores = asked(compiled, [("Nvidia falls", "", "en")])
    library.write_bytes(whole)
    assert not used
    assert scores == [repr(score("Nvidia falls"))]


def test_what_is_compiled_is_not_compiled_again(compiled):
    """It would take twenty seconds."""
    done = python(compiled, "-m", "feeds.scoring.compiling")
    assert done.stdout.startswith("compiled 20 modules in 0 s: ")
