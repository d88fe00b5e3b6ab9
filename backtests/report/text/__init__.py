"""A run and its evidence as text for a terminal."""
