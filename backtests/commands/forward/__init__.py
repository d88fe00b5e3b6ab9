"""Commands about the coming session."""
