"""The notebooks run from a clean kernel, offline, and their text twins say the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.helpers.paths import ROOT

FOLDER = ROOT / "notebooks"
TWINS = sorted(FOLDER.glob("*.py"))
NEEDED = ("jupytext", "nbclient", "ipykernel", "matplotlib")
MISSING = [name for name in NEEDED if not find_spec(name)]
if MISSING and os.environ.get("CI") != "true":
    pytest.skip(f"no {', '.join(MISSING)} here: make venv installs them", allow_module_level=True)


@pytest.mark.parametrize("twin", TWINS, ids=lambda path: path.stem)
def test_a_notebook_and_its_twin_hold_the_same_cells(twin):
    """Kind and text of every cell; no output is kept. `jupytext --sync notebooks/*.py` brings them together."""
    import jupytext

    notebook = json.loads(twin.with_suffix(".ipynb").read_text(encoding="utf-8"))
    cells = [(each["cell_type"], "".join(each["source"])) for each in notebook["cells"]]
    assert cells == [(each.cell_type, each.source) for each in jupytext.read(twin).cells]
    assert [each["outputs"] for each in notebook["cells"] if each.get("outputs")] == []


@pytest.mark.parametrize("twin", TWINS, ids=lambda path: path.stem)
def test_a_notebook_ends_with_what_it_does_not_show(twin):
    """Its last cell."""
    import jupytext

    assert jupytext.read(twin).cells[-1].source.startswith("## What this does not show")


@pytest.mark.parametrize("twin", TWINS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_a_clean_kernel(twin, tmp_path):
    """In an empty folder, within two minutes; only what is public is imported."""
    notebook = twin.with_suffix(".ipynb")
    done = subprocess.run(
        [sys.executable, "-m", "jupyter", "execute", str(notebook), "--output", str(tmp_path / "done.ipynb")],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "AFTERSHOCK_TRIALS": str(tmp_path / "trials"), "IPYTHONDIR": str(tmp_path / "ipython")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "import _" not in twin.read_text(encoding="utf-8")
    made = json.loads((tmp_path / "done.ipynb").read_text(encoding="utf-8"))
    assert any(each.get("outputs") for each in made["cells"])
