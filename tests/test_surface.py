"""The public surface: what the package docstrings promise can be imported, and is described."""

from __future__ import annotations

import importlib
import inspect

import pytest

from backtests import load_episode, replay
from feeds.errors import InputError

SURFACE = {
    "backtests": "Episode Result audit delay_ladder episode_names event_study load_episode placebo replay",
    "strategies": "Rule View parameter rules",
}
NAMES = [(package, name) for package, names in SURFACE.items() for name in names.split()]


@pytest.mark.parametrize("package", SURFACE)
def test_the_surface_of_a_package_is_what_it_lists_in_order(package):
    """`__all__`, `dir` and the package's docstring have the same names."""
    module = importlib.import_module(package)
    assert module.__all__ == sorted(SURFACE[package].split())
    assert set(module.__all__) <= set(dir(module))
    assert [name for name in module.__all__ if f"| {name} " not in module.__doc__] == []


@pytest.mark.parametrize(("package", "name"), NAMES)
def test_every_public_name_can_be_imported_and_is_described(package, name):
    """A docstring of its own, one line that ends with a full stop first."""
    found = getattr(importlib.import_module(package), name)
    assert vars(found)["__doc__"] if inspect.isclass(found) else found.__doc__
    assert inspect.getdoc(found).splitlines()[0].endswith((".", ":"))


@pytest.mark.parametrize("package", SURFACE)
def test_an_unknown_name_is_refused_with_those_that_there_are(package):
    """As any module does, and more helpful."""
    with pytest.raises(AttributeError, match=r"no attribute 'rplay'; it has \w+"):
        importlib.import_module(package).rplay  # noqa: B018 (asking is the test)


def test_strategies_can_be_named_one_after_the_other_or_as_a_list():
    """`replay(episode, "a", "b")` and `replay(episode, ["a", "b"])` are the same run."""
    episode = load_episode("deepseek-2025")
    one, two = replay(episode, "shock", "buy-hold"), replay(episode, ["shock", "buy-hold"])
    assert one.document == two.document
    assert [row["strategy"] for row in one.document["results"]] == ["shock", "buy-hold"]


def test_what_is_no_strategy_is_refused_in_one_line():
    """Not a TypeError from somewhere inside."""
    with pytest.raises(InputError, match=r"^42 is no strategy; give a name, a file.py, a rule or a class$"):
        replay(load_episode("deepseek-2025"), "shock", 42)
