"""A text as words: its language, its words and clauses, patterns of words, the lists that they stand in."""
