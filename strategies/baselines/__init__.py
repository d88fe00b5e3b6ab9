"""Baselines that stand beside every result; one file each, found by the registry."""
