"""Replays news and strategies session by session: decision times, market, backtrader, one strategy's run."""
