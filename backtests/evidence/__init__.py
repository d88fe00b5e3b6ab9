"""Tests what a result proves: was it tradable, was it the news, was it luck?

Records of runs, prices and placed news come in; frozen findings with a `document()` for `evidence/<name>.json` go
out. Nothing here decides a trade, and only the ledger of configurations tried touches a file. The methods are listed
in `registry`.
"""
