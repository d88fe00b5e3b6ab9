"""Opens the door to scorers: by name, from a file of the user's, from a file of scores, from a language model."""
