"""What all tests share."""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from backtests.episodes.episode import EPISODES
from tests.helpers.feed_servers import Servers


@pytest.fixture(autouse=True, scope="session")
def _own_ledger_of_trials(tmp_path_factory):
    """No test writes into the user's ledger of trials."""
    os.environ["AFTERSHOCK_TRIALS"] = str(tmp_path_factory.mktemp("ledger") / "trials.jsonl")


@pytest.fixture
def folder(tmp_path):
    """A copy of an episode to break."""
    return Path(shutil.copytree(EPISODES / "deepseek-2025", tmp_path / "broken"))


@pytest.fixture
def serve():
    """Starts servers that end with the test."""
    with closing(Servers()) as servers:
        yield servers.start
