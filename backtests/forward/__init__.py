"""Decides for the coming session on the very path of a replay, and keeps sealed records of such decisions."""
