"""The house from its listing: no circle of imports, no crowded folder, few names twice."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT

PACKAGES = ("feeds", "strategies", "backtests")
# The same thing of different subjects, see docs/design.md; every other name stands once.
NAMESAKES = {"registry", "headline", "score", "checks", "decisions", "audit", "placebo", "trials"}


def modules(root: Path) -> dict[str, Path]:
    """Every module of the three packages by its dotted name."""
    found = {}
    for path in (path for package in PACKAGES for path in (root / package).rglob("*.py")):
        found[".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")] = path
    return found


def imported(name: str, path: Path, known: dict[str, Path]) -> Iterator[str]:
    """What a module imports of the three packages: in functions and for type checkers too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import, which this test does not follow"
            targets = [
                f"{node.module}.{a.name}" if f"{node.module}.{a.name}" in known else node.module for a in node.names
            ]
        else:
            continue
        yield from (target for target in targets if target in known and target != name)


def circle(root: Path) -> list[str]:
    """Returns the modules of one circle of imports, or none."""
    known = modules(root)
    try:
        TopologicalSorter({name: set(imported(name, path, known)) for name, path in known.items()}).prepare()
    except CycleError as found:
        return list(found.args[1])
    return []


def test_no_circle_of_imports():
    """Counted over all imports, those in functions and under TYPE_CHECKING too."""
    assert circle(ROOT) == []


@pytest.mark.parametrize("closing", ["if TYPE_CHECKING:\n    from feeds import a\n", "def f():\n    import feeds.a\n"])
def test_a_circle_that_hides_is_found(tmp_path, closing):
    """In a function or for the type checker alone."""
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds" / "__init__.py").write_text("")
    (tmp_path / "feeds" / "a.py").write_text("from feeds.b import x\n")
    (tmp_path / "feeds" / "b.py").write_text(closing)
    assert set(circle(tmp_path)) == {"feeds.a", "feeds.b"}


def test_no_folder_is_crowded():
    """Twelve modules at most; commands and tests may have sixteen, the scorer what it has until it is rebuilt."""
    paths = [path for path in modules(ROOT).values() if path.name != "__init__.py"]
    paths += [path for path in (ROOT / "tests").rglob("*.py") if path.name != "__init__.py"]
    sizes = Counter(path.parent.relative_to(ROOT) for path in paths)
    sizes.pop(Path("feeds/scoring"), None)
    most = {folder: 16 if "commands" in folder.parts or folder.parts[0] == "tests" else 12 for folder in sizes}
    assert {str(folder): size for folder, size in sizes.items() if size > most[folder]} == {}


def test_a_name_stands_once():
    """But for what is the same thing of different subjects."""
    names = Counter(path.stem for path in modules(ROOT).values() if path.name != "__init__.py")
    assert {name for name, count in names.items() if count > 1} <= NAMESAKES
