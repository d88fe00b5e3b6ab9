"""What all tests share."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True, scope="session")
def _own_ledger_of_trials(tmp_path_factory):
    """No test writes into the user's ledger of trials."""
    os.environ["AFTERSHOCK_TRIALS"] = str(tmp_path_factory.mktemp("ledger") / "trials.jsonl")
