"""The house: what a user gets is what stands in the repository, and nothing of the machine it was made on."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.helpers.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def tracked() -> list[Path]:
    """The files that git knows, or that are here where there is no git."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git repository")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_the_wheel_ships_its_data(tmp_path):
    """Every file that git knows is in it, and no more than 4 MB: weights 0.9, labels 0.3, four years of prices and news 0.9."""
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT],
        capture_output=True, check=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    wanted = {str(p.relative_to(ROOT)) for p in tracked()}
    assert {name for name in wanted if name.split("/")[0] in {"feeds", "strategies", "backtests"}} <= inside
    assert wheel.stat().st_size < 4e6


def test_no_path_of_a_machine_and_no_registry_host_stands_in_a_tracked_file():
    """Home folders, indexes and mirrors stay out."""
    homes = [rf"(?<!\w)[/]{folder}/" for folder in (r"home/\w+", "root", r"Users/\w+")]
    hosts = ["[-]-index-url", "[-]-extra-index", r"files[.]pythonhosted", r"pypi[.]org[/]simple"]  # not found by itself
    pattern = re.compile("|".join(homes + hosts))
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if pattern.search(text):
            found.append(path.name)
    assert found == []


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_every_locked_package_has_a_version_and_hashes(path):
    """Pip refuses anything else."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    rows = [row for row in text.splitlines() if row.strip() and not row.strip().startswith("#")]
    assert len(rows) > 10
    assert [row for row in rows if not re.match(r"\S+==\S+.* --hash=sha256:[0-9a-f]{64}", row)] == []


def test_the_locks_hold_every_dependency():
    """run.txt what the program imports, dev.txt that and the tools; the same versions in both."""
    names = {
        path.stem: dict(
            re.findall(r"^([A-Za-z0-9_.\-]+)(?:\[\S+\])?==(\S+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        )
        for path in LOCKS
    }
    wanted = {re.split(r"[\s<>=;\[]", name)[0].lower().replace("_", "-") for name in PROJECT["dependencies"]}
    assert wanted <= set(names["run"])
    assert names["run"].items() <= names["dev"].items()


def test_the_lock_pins_a_package_with_the_extras_that_others_ask_of_it():
    """Else pip looks for the extra in the newest release, which no hash pins, and the installation stops."""
    text = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    asked = {
        (each.name, ",".join(sorted(each.extras)))
        for found in distributions()
        for each in map(Requirement, found.requires or [])
        if each.extras and (each.marker is None or each.marker.evaluate({"extra": ""})) and f"\n{each.name}" in text
    }
    assert asked, "pytest-cov asks for coverage[toml]"
    assert [name for name, extras in asked if not re.search(rf"^{name}\[{extras}\]==", text, re.MULTILINE)] == []


def test_ci_runs_make_test():
    """One way to test."""
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_version_is_the_same_everywhere():
    """pyproject.toml, the changelog's newest entry and --version."""
    newest = re.search(r"^## \[(\d\S*)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)[1]
    said = subprocess.run(
        [sys.executable, "-m", "backtests", "--version"], capture_output=True, text=True, check=True
    ).stdout
    assert newest == PROJECT["version"]
    assert PROJECT["version"] in said
