"""Commands that ask what a result proves."""
