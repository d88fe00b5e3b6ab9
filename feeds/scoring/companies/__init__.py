"""Which companies a text names, and which way they go."""
