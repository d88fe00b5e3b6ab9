"""Draws evidence as parts of the page, a file a method."""
