"""What is kept of a run, as plain tables and documents, and what is computed from them."""
