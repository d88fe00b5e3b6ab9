"""What strangers wrote is shown by a terminal and never obeyed."""

from __future__ import annotations

import io
import json
import subprocess
import sys

from backtests.commands.terminal import safe
from backtests.report.text.table import grid

NASTY = "paper\x1b[2J\u202e\x9b31m"


def test_a_safe_stream_shows_what_it_would_obey():
    """Ends of lines and tabs stay; inside JSON the text is the same."""
    stream = io.StringIO()
    safe(stream).write(f"{NASTY}\tx\n" + json.dumps({"name": NASTY}, ensure_ascii=False))
    first, second = stream.getvalue().split("\n")
    assert first == "paper\\u001b[2J\\u202e\\u009b31m\tx"
    assert json.loads(second) == {"name": NASTY}


def test_cells_of_tables_are_shown():
    """Wherever a table is printed, in a notebook too."""
    assert "\x1b" not in "".join(grid(["name"], [[NASTY]]))


def test_names_of_feeds_and_files_do_not_steer_the_terminal(tmp_path):
    """The command itself: a feed's name in lists and statistics, a file's name in an error."""
    archive = ["--archive", str(tmp_path / "a.sqlite")]
    said = b""
    for verb in (["add", "http://127.0.0.1:1/x", "--name", NASTY], ["list"], ["list", "--json"], ["stats"]):
        done = subprocess.run(
            [sys.executable, "-m", "backtests", "feeds", *verb, *archive], capture_output=True, check=True
        )
        said += done.stdout + done.stderr
    (tmp_path / f"{NASTY}.xml").write_text("no feed")
    wrong = [sys.executable, "-m", "backtests", "run", "deepseek-2025", "--news", str(tmp_path / f"{NASTY}.xml")]
    said += subprocess.run(wrong, capture_output=True, check=False).stderr
    assert b"paper" in said
    assert not set("\x1b\u202e\x9b") & set(said.decode())
