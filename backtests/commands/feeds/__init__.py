"""Commands about news: what comes in, what the archive holds, what is wrong with its times."""
