"""Runs much of the same: versions of the news, pools of workers, tables of headlines."""
