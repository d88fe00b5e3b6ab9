"""Where the archive lies when nobody says."""

from __future__ import annotations

import os
from pathlib import Path


def default_path() -> Path:
    """Returns AFTERSHOCK_ARCHIVE, or `archive.sqlite` in the platform's folder for user data."""
    named = os.environ.get("AFTERSHOCK_ARCHIVE")
    if named:
        return Path(named)
    import platformdirs

    return platformdirs.user_data_path("aftershock", appauthor=False) / "archive.sqlite"
