"""Reads a run of years as a professional reads a tear sheet."""
