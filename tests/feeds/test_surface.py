"""What the package gives: the names of its docstring, sorted, each loaded when it is first used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import feeds


def test_the_public_names_are_those_of_the_docstring():
    """And each is there."""
    assert feeds.__all__ == sorted(feeds.__all__)
    assert set(feeds.__all__) == {"Archive", "Headline", "Score", "Scorer", "parse", "score"}
    for name in feeds.__all__:
        assert getattr(feeds, name).__doc__
        assert f"\n    {name} " in feeds.__doc__
    assert set(feeds.__all__) <= set(dir(feeds))


def test_an_unknown_name_is_an_attribute_error():
    """As of any module."""
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = feeds.nothing


def test_importing_the_package_loads_none_of_its_rooms():
    """The names cost nothing until they are used."""
    code = "import sys, feeds; sys.exit(any(name.startswith('feeds.') and name != 'feeds.public_names' for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
