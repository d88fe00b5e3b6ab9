"""Finished runs: built from replays, saved to a folder, read back, compared across episodes."""
