"""Feed documents in, point-in-time headlines and their scores out.

Bytes become `Headline`s (`feeds.rss`), headlines become `Score`s (`feeds.scoring`).
Nothing here knows a price, an order or a strategy.
"""
