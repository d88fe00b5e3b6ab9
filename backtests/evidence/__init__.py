"""What a result proves: was it tradable, was it the news, was it luck?

Results, prices and placed news come in; frozen statistics with a `document()` for `evidence/<name>.json` go out.
Nothing here decides a trade, and only the ledger of trials touches a file.
"""
