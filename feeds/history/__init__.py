"""Reads news of the past: captures of feeds, lists of articles, files and git histories, as documents and headlines.

Nothing here opens a connection of its own or writes anything: addresses are fetched by a `Get` that the caller gives,
what comes out goes to the caller one by one, oldest first, each with a key under which the next run skips it.
"""

from feeds.history.sources import Capture, Found, Get, Lost

__all__ = ["Capture", "Found", "Get", "Lost"]
